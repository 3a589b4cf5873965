//! Where the user's logins are stored: `config.json`, `DOCKER_AUTH_CONFIG`, and the
//! credential helpers, in the order in which Docker consults them
//! (<https://github.com/docker/cli/tree/master/cli/config>).
//!
//! If something cannot be read, that only affects the registry it belongs to.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_json::{Map, Value};

use super::Login;
use crate::docker::settings;

/// The key under which Docker stores the login for Docker Hub.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// The user name that marks a helper's secret as a token.
const TOKEN: &str = "<token>";
/// With or without `=` at the end.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Where to look.
#[derive(Debug, Default)]
pub(super) struct LoginSettings {
    pub file: Option<PathBuf>,
    /// The value of `DOCKER_AUTH_CONFIG`, which wins over the file.
    pub auths: Option<OsString>,
    /// The folder of the helpers, if not in `PATH`.
    pub helpers: Option<PathBuf>,
}

/// What was found for a registry.
#[derive(Debug, PartialEq)]
pub(super) struct FoundLogin {
    pub login: Login,
    /// Why there is none, or not the one that the user may expect.
    pub why: Option<String>,
}

impl LoginSettings {
    pub(super) fn from_env() -> Self {
        Self {
            file: settings::folder().map(|folder| folder.join("config.json")),
            auths: env::var_os("DOCKER_AUTH_CONFIG").filter(|value| !value.is_empty()),
            helpers: None,
        }
    }

    pub(super) fn login_for(&self, registry: &str) -> FoundLogin {
        let key = match registry {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => DOCKER_HUB,
            registry => registry,
        };
        let from_env = self.in_variable(key);
        if let Ok(Some(login)) = from_env {
            return FoundLogin { login, why: None };
        }
        let from_file = self.in_file(key);
        FoundLogin {
            why: from_env.err().or(from_file.1),
            login: from_file.0.unwrap_or(Login::Anonymous),
        }
    }

    fn in_variable(&self, key: &str) -> Result<Option<Login>, String> {
        let Some(text) = &self.auths else {
            return Ok(None);
        };
        let unreadable = || "DOCKER_AUTH_CONFIG cannot be read".to_owned();
        let text = text.to_str().ok_or_else(unreadable)?;
        let config: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
        stored(&config, key).map_err(|why| format!("{why} in DOCKER_AUTH_CONFIG"))
    }

    fn in_file(&self, key: &str) -> (Option<Login>, Option<String>) {
        let config = match self.config() {
            Ok(Some(config)) => config,
            Ok(None) => return (None, None),
            Err(why) => return (None, Some(why)),
        };
        let place = |setting: &str| {
            let file = self.file.as_deref().map(|file| file.display().to_string());
            format!("{setting} in {}", file.unwrap_or_default())
        };
        let mut why = None;
        if let Some((helper, setting)) = helper(&config, key) {
            match self.ask(helper, key) {
                Ok(login) => return (login, None),
                Err(failure) => {
                    let place = place(setting);
                    let name = format!("docker-credential-{helper}");
                    why = Some(format!("the credential helper {name} ({place}) {failure}"));
                }
            }
        }
        // As in Docker: if a helper fails, the file counts.
        match stored(&config, key) {
            Ok(login) => (login, why),
            Err(malformed) => (None, why.or(Some(place(&malformed)))),
        }
    }

    fn config(&self) -> Result<Option<Value>, String> {
        let Some(file) = &self.file else {
            return Ok(None);
        };
        let shown = file.display();
        let text = match fs::read(file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{shown} cannot be read: {error}")),
        };
        if text.trim_ascii().is_empty() {
            return Ok(None);
        }
        // serde's message is not used: it may repeat the contents.
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("{shown} is not JSON (line {line}, column {column})")
        })
    }

    fn ask(&self, helper: &str, key: &str) -> Result<Option<Login>, String> {
        let program = format!("docker-credential-{helper}");
        let program = match &self.helpers {
            Some(folder) => folder.join(program),
            None => PathBuf::from(program),
        };
        let mut child = Command::new(program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => "is not in PATH".to_owned(),
                _ => format!("cannot be run: {error}"),
            })?;
        if let Some(mut stdin) = child.stdin.take() {
            // A helper that does not read it may still have an answer.
            let _ = stdin.write_all(key.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|error| format!("cannot be run: {error}"))?;
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return answered(&said).ok_or_else(|| "gives an unreadable answer".to_owned());
        }
        if said.contains("credentials not found") {
            return Ok(None);
        }
        let complaint = String::from_utf8_lossy(&output.stderr);
        // Errors go to stdout, as do credentials, which are an object.
        let mut lines = said.lines().chain(complaint.lines()).map(str::trim);
        let line = lines
            .find(|line| !line.is_empty() && !line.contains(['{', '}']))
            .map(|line| format!(": {line}"));
        Err(format!(
            "failed ({}){}",
            output.status,
            line.unwrap_or_default()
        ))
    }
}

/// A helper's answer: a login, or none.
fn answered(text: &str) -> Option<Option<Login>> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    answer.is_object().then(|| {
        let (username, secret) = (field("Username").to_owned(), field("Secret").to_owned());
        match username.as_str() {
            _ if secret.is_empty() => None,
            TOKEN => Some(Login::IdentityToken(secret)),
            _ => Some(Login::Password {
                username,
                password: secret,
            }),
        }
    })
}

/// The helper for that registry, and the setting that names it. An empty name means the
/// file.
fn helper<'a>(config: &'a Value, key: &str) -> Option<(&'a str, &'static str)> {
    let own = config
        .get("credHelpers")
        .and_then(|all| all.get(key)?.as_str());
    let store = || config.get("credsStore").and_then(Value::as_str);
    let (name, setting) = match own {
        Some(name) => (name, "credHelpers"),
        None => (store()?, "credsStore"),
    };
    (!name.is_empty()).then_some((name, setting))
}

/// # Errors
/// An entry that is malformed.
fn stored(config: &Value, key: &str) -> Result<Option<Login>, String> {
    let Some(auths) = config.get("auths").and_then(Value::as_object) else {
        return Ok(None);
    };
    let Some((name, entry)) = entry(auths, key) else {
        return Ok(None);
    };
    let malformed = || format!("the unreadable login for {name}");
    let field = |field: &str| match entry.get(field) {
        None | Some(Value::Null) => Ok(""),
        Some(value) => value.as_str().ok_or_else(malformed),
    };
    let (token, auth) = (field("identitytoken")?, field("auth")?);
    let (username, password) = match auth {
        "" => (field("username")?.to_owned(), field("password")?.to_owned()),
        auth => decoded(auth).ok_or_else(malformed)?,
    };
    Ok(match (token, username.as_str()) {
        ("", "") => None,
        ("", _) => Some(Login::Password { username, password }),
        (token, _) => Some(Login::IdentityToken(token.to_owned())),
    })
}

/// The entry with that name, else one with a scheme or a path, as older versions wrote
/// it.
fn entry<'a>(auths: &'a Map<String, Value>, key: &str) -> Option<(&'a String, &'a Value)> {
    let is_it = |name: &str| {
        let rest = name.split_once("://").map_or(name, |(_, rest)| rest);
        match rest.split('/').next() {
            Some("index.docker.io" | "docker.io") => key == DOCKER_HUB,
            host => host == Some(key),
        }
    };
    let exact = auths
        .get_key_value(key)
        .filter(|(_, entry)| entry.is_object());
    exact.or_else(|| {
        let mut all = auths.iter();
        all.find(|(name, entry)| is_it(name) && entry.is_object())
    })
}

/// The user name and password from base64's `user:password`.
fn decoded(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(BASE64.decode(auth.trim()).ok()?).ok()?;
    let (username, password) = text.split_once(':')?;
    let password = password.trim_matches('\0').to_owned();
    (!username.is_empty()).then(|| (username.to_owned(), password))
}
