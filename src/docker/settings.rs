//! The settings of Docker's own client, from its variables and its `config.json`, as far
//! as they matter for builds and engines.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::error::DockerError;
use crate::hidden::{Hidden, Mask};

/// Docker's folder, which contains `config.json`.
pub(super) fn folder() -> Option<PathBuf> {
    path("DOCKER_CONFIG").or_else(|| Some(path("HOME")?.join(".docker")))
}

fn path(name: &str) -> Option<PathBuf> {
    let value = env::var_os(name).filter(|value| !value.is_empty());
    value.map(PathBuf::from)
}

/// Docker's variables, and its folder.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) host: Option<String>,
    pub(super) context: Option<String>,
    pub(super) tls: bool,
    pub(super) tls_verify: bool,
    pub(super) cert_path: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) runtime_dir: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
}

impl Settings {
    pub(super) fn from_env() -> Self {
        let text = |name| {
            let value = env::var(name).ok()?.trim().to_owned();
            Some(value).filter(|value| !value.is_empty())
        };
        Self {
            host: text("DOCKER_HOST"),
            context: text("DOCKER_CONTEXT"),
            tls: text("DOCKER_TLS").is_some(),
            tls_verify: text("DOCKER_TLS_VERIFY").is_some(),
            cert_path: path("DOCKER_CERT_PATH"),
            config: folder(),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            home: path("HOME"),
        }
    }

    pub(super) fn config_file(&self) -> Result<ConfigFile, DockerError> {
        let folder = self.config.as_deref();
        folder.map_or(Ok(ConfigFile::default()), ConfigFile::read)
    }
}

/// `config.json`. Registries' logins are read elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ConfigFile {
    #[serde(rename = "currentContext", deserialize_with = "or_default")]
    pub(super) current_context: String,
    #[serde(deserialize_with = "or_default")]
    proxies: BTreeMap<String, Option<HostProxies>>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct HostProxies {
    http_proxy: Option<ProxyAddress>,
    https_proxy: Option<ProxyAddress>,
    no_proxy: Option<ProxyAddress>,
    ftp_proxy: Option<ProxyAddress>,
    all_proxy: Option<ProxyAddress>,
}

/// A proxy's address, which may contain a password.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
struct ProxyAddress(Hidden);

impl From<String> for ProxyAddress {
    fn from(text: String) -> Self {
        Self(Hidden::new(text))
    }
}

/// In Go, `null` counts as absent.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

impl ConfigFile {
    /// A file that does not exist, or that this user may not read, counts as empty.
    fn read(folder: &Path) -> Result<Self, DockerError> {
        let path = folder.join("config.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) => {
                if error.kind() != ErrorKind::NotFound {
                    tracing::warn!(path = %path.display(), %error, "not readable");
                }
                return Ok(Self::default());
            }
        };
        // An interrupted write leaves a blank file; Docker accepts it as well.
        if text.trim_ascii().is_empty() {
            return Ok(Self::default());
        }
        // The parser's own message may repeat a login.
        serde_json::from_slice(&text).map_err(|error| DockerError::ConfigFile {
            path,
            line: error.line(),
            column: error.column(),
        })
    }

    /// The proxies for builds on the engine at `host`.
    pub(super) fn proxies(&self, host: &str) -> Proxies {
        let of = |key| self.proxies.get(key);
        let chosen = of(host).or_else(|| of("default"));
        let chosen = chosen.cloned().flatten().unwrap_or_default();
        let named = [
            ("HTTP_PROXY", chosen.http_proxy),
            ("HTTPS_PROXY", chosen.https_proxy),
            ("NO_PROXY", chosen.no_proxy),
            ("FTP_PROXY", chosen.ftp_proxy),
            ("ALL_PROXY", chosen.all_proxy),
        ];
        let given = named
            .into_iter()
            .filter_map(|(name, proxy)| Some((name, proxy?.0)))
            .filter(|(_, value)| !value.reveal().is_empty());
        Proxies(given.collect())
    }
}

/// Build arguments that must never be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Proxies(Vec<(&'static str, Hidden)>);

impl Proxies {
    pub(super) fn arguments(&self) -> impl Iterator<Item = (&'static str, &Hidden)> {
        self.0.iter().map(|(name, value)| (*name, value))
    }

    /// Masks the addresses, and separately a password in one. NO_PROXY is not masked: its
    /// names appear everywhere in a build's output.
    pub(super) fn mask(&self) -> Mask {
        let addresses = self.arguments().filter(|(name, _)| *name != "NO_PROXY");
        let values = addresses.flat_map(|(_, value)| {
            let address = value.reveal();
            let (_, rest) = address.split_once("://").unwrap_or(("", address));
            let login = rest.rsplit_once('@').map(|(login, _)| login);
            let password = login.and_then(|login| Some(login.split_once(':')?.1));
            [Some(address.trim_end_matches('/')), login, password]
        });
        Mask::of(values.flatten())
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::{ConfigFile, Proxies};

    /// Those for any host.
    pub(in crate::docker) fn proxies(of_default: &str) -> Proxies {
        let text = format!(r#"{{"proxies":{{"default":{of_default}}}}}"#);
        let file: ConfigFile = serde_json::from_str(&text).expect("a configuration");
        file.proxies("unix:///x")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config_file(text: &str) -> Result<ConfigFile, DockerError> {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.json"), text).expect("a file");
        let settings = Settings {
            config: Some(folder.path().to_owned()),
            ..Settings::default()
        };
        settings.config_file()
    }

    fn arguments(proxies: &Proxies) -> Vec<(&'static str, &str)> {
        let arguments = proxies.arguments();
        arguments
            .map(|(name, value)| (name, value.reveal()))
            .collect()
    }

    #[test]
    fn proxies_are_the_host_s_own_or_the_default_ones() {
        let file = config_file(
            r#"{"auths":{},"proxies":{
              "default":{"httpProxy":"http://p:1","httpsProxy":"http://p:2","noProxy":"localhost","allProxy":"","ftpProxy":null},
              "tcp://dind:2375":{"httpsProxy":"http://q"}, "tcp://none:1":null}}"#,
        )
        .expect("it is one");
        assert_eq!(
            arguments(&file.proxies("unix:///var/run/docker.sock")),
            [
                ("HTTP_PROXY", "http://p:1"),
                ("HTTPS_PROXY", "http://p:2"),
                ("NO_PROXY", "localhost")
            ]
        );
        assert_eq!(
            arguments(&file.proxies("tcp://dind:2375")),
            [("HTTPS_PROXY", "http://q")]
        );
        assert!(arguments(&file.proxies("tcp://none:1")).is_empty());
    }

    #[test]
    fn a_proxy_is_not_printed() {
        let file = r#"{"proxies":{"default":{"httpProxy":"http://me:hunter22@p:1/","noProxy":"localhost"}}}"#;
        let proxies = config_file(file).expect("it is one").proxies("x");
        assert!(!format!("{proxies:?}").contains("hunter"));
        let said = "via http://me:hunter22@p:1, as me:hunter22, with hunter22, not localhost";
        assert_eq!(
            proxies.mask().apply(said),
            "via ***, as ***, with ***, not localhost"
        );
    }

    #[test]
    fn nothing_is_no_mistake_and_a_mistake_is_placed() {
        for text in ["", "\n", "{}", r#"{"currentContext":null,"proxies":null}"#] {
            let file = config_file(text).expect("it is one");
            assert_eq!(file.current_context, "");
        }
        assert_eq!(
            config_file(r#"{"currentContext":"colima"}"#)
                .expect("it is one")
                .current_context,
            "colima"
        );
        let error = config_file("{\n  \"auths\": hunter22").expect_err("it is none");
        let text = error.to_string();
        assert!(
            text.ends_with("config.json is not valid JSON (line 2, column 12)"),
            "{text}"
        );
        assert!(error.hint().is_some());
    }
}
