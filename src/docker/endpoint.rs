//! Where Docker engines may listen, in the order in which Docker itself looks.
//!
//! Reads the environment and Docker's configuration; opens no connection.

use std::env;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::Error;
use super::tls;

/// An address that an engine may listen at.
#[derive(Clone)]
pub(super) enum Endpoint {
    Unix(PathBuf),
    Tcp(String),
    Tls(String, tls::Config),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(authority) => write!(f, "tcp://{authority}"),
            Self::Tls(authority, _) => write!(f, "tcp://{authority} (TLS)"),
        }
    }
}

/// Docker's settings: the variables it looks at, and its folder.
#[derive(Debug, Default)]
pub(super) struct Settings {
    pub(super) host: Option<String>,
    pub(super) context: Option<String>,
    pub(super) tls_verify: bool,
    pub(super) cert_path: Option<PathBuf>,
    pub(super) config: Option<PathBuf>,
    pub(super) runtime_dir: Option<PathBuf>,
    pub(super) home: Option<PathBuf>,
}

impl Settings {
    pub(super) fn from_env() -> Self {
        let text = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let path = |name| {
            env::var_os(name)
                .filter(|value: &OsString| !value.is_empty())
                .map(PathBuf::from)
        };
        let home = path("HOME");
        Self {
            host: text("DOCKER_HOST"),
            context: text("DOCKER_CONTEXT"),
            tls_verify: text("DOCKER_TLS_VERIFY").is_some(),
            cert_path: path("DOCKER_CERT_PATH"),
            config: path("DOCKER_CONFIG").or_else(|| Some(home.as_ref()?.join(".docker"))),
            runtime_dir: path("XDG_RUNTIME_DIR"),
            home,
        }
    }

    /// The addresses to try, best first. One alone if the user chose it: an
    /// engine that was not asked for must not stand in for it.
    pub(super) fn endpoints(&self) -> Result<Vec<Endpoint>, Error> {
        if let Some(host) = &self.host {
            return Ok(vec![self.parse(host)?]);
        }
        if let Some(host) = self.context_host()? {
            return Ok(vec![self.parse(&host)?]);
        }
        let rootless = self.runtime_dir.as_ref().map(|dir| dir.join("docker.sock"));
        let in_home = |name: &str| self.home.as_ref().map(|home| home.join(name));
        Ok([
            Some(PathBuf::from("/var/run/docker.sock")),
            rootless,
            in_home(".docker/run/docker.sock"),
            in_home(".docker/desktop/docker.sock"),
        ]
        .into_iter()
        .flatten()
        .map(Endpoint::Unix)
        .collect())
    }

    fn parse(&self, host: &str) -> Result<Endpoint, Error> {
        let wrong = |why: &str| Error::Host {
            host: host.to_owned(),
            why: why.to_owned(),
        };
        let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
        let rest = rest.trim_end_matches('/');
        if rest.is_empty() {
            return Err(wrong("it names no place"));
        }
        let authority = |default| match rest.rsplit_once(':') {
            Some((_, port)) if !port.contains(']') => rest.to_owned(),
            _ => format!("{rest}:{default}"),
        };
        match scheme {
            "unix" => Ok(Endpoint::Unix(PathBuf::from(rest))),
            "tcp" | "http" if !self.tls_verify => Ok(Endpoint::Tcp(authority(2375))),
            "tcp" | "http" | "https" => {
                let folder = self.cert_path.as_ref().or(self.config.as_ref());
                let folder = folder.ok_or_else(|| wrong("DOCKER_CERT_PATH is not set"))?;
                let config = tls::Config::from_folder(folder).map_err(|why| wrong(&why))?;
                Ok(Endpoint::Tls(authority(2376), config))
            }
            _ => Err(wrong("its scheme is not supported")),
        }
    }

    /// The host of the context that `docker context use` (or DOCKER_CONTEXT)
    /// chose; `None` for the default one.
    fn context_host(&self) -> Result<Option<String>, Error> {
        let Some(config) = &self.config else {
            return Ok(None);
        };
        let chosen = self.context.clone().or_else(|| current_context(config));
        let Some(name) = chosen.filter(|name| name != "default") else {
            return Ok(None);
        };
        find_context(config, &name)
            .map(Some)
            .ok_or_else(|| Error::Host {
                host: format!("context `{name}`"),
                why: format!("{} does not know it", config.display()),
            })
    }
}

#[derive(Deserialize)]
struct ConfigFile {
    #[serde(rename = "currentContext")]
    current_context: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextFile {
    name: String,
    endpoints: ContextEndpoints,
}

#[derive(Deserialize)]
struct ContextEndpoints {
    docker: ContextEndpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ContextEndpoint {
    host: String,
}

fn current_context(config: &Path) -> Option<String> {
    let text = fs::read(config.join("config.json")).ok()?;
    let file: ConfigFile = serde_json::from_slice(&text).ok()?;
    file.current_context.filter(|name| !name.is_empty())
}

fn find_context(config: &Path, name: &str) -> Option<String> {
    let folders = fs::read_dir(config.join("contexts/meta")).ok()?;
    folders.flatten().find_map(|folder| {
        let text = fs::read(folder.path().join("meta.json")).ok()?;
        let file: ContextFile = serde_json::from_slice(&text).ok()?;
        (file.name == name).then_some(file.endpoints.docker.host)
    })
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Settings};

    fn addresses(settings: &Settings) -> Vec<String> {
        let endpoints = settings.endpoints().expect("the settings are right");
        endpoints.iter().map(Endpoint::to_string).collect()
    }

    #[test]
    fn docker_host_stands_alone() {
        for (host, expected) in [
            ("unix:///x/docker.sock", "unix:///x/docker.sock"),
            ("tcp://10.0.0.1:2375", "tcp://10.0.0.1:2375"),
            ("tcp://dind", "tcp://dind:2375"),
            ("tcp://[::1]:4000/", "tcp://[::1]:4000"),
            ("tcp://[::1]", "tcp://[::1]:2375"),
            ("dind:99", "tcp://dind:99"),
        ] {
            let settings = Settings {
                host: Some(host.to_owned()),
                home: Some("/home/me".into()),
                ..Settings::default()
            };
            assert_eq!(addresses(&settings), [expected]);
        }
    }

    #[test]
    fn hosts_that_cannot_be_used_are_refused() {
        for (host, tls_verify) in [
            ("ssh://me@there", false),
            ("unix://", false),
            ("tcp://x", true),
        ] {
            let settings = Settings {
                host: Some(host.to_owned()),
                tls_verify,
                ..Settings::default()
            };
            let error = settings.endpoints().err().expect("it is refused");
            assert!(error.to_string().contains(host), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn the_default_sockets_are_tried_in_order() {
        let settings = Settings {
            runtime_dir: Some("/run/user/7".into()),
            home: Some("/home/me".into()),
            ..Settings::default()
        };
        assert_eq!(
            addresses(&settings),
            [
                "unix:///var/run/docker.sock",
                "unix:///run/user/7/docker.sock",
                "unix:///home/me/.docker/run/docker.sock",
                "unix:///home/me/.docker/desktop/docker.sock",
            ]
        );
    }

    #[test]
    fn the_context_in_use_is_followed() {
        let config = tempfile::tempdir().expect("a folder");
        let meta = config.path().join("contexts/meta/0a1b");
        std::fs::create_dir_all(&meta).expect("a folder");
        std::fs::write(
            meta.join("meta.json"),
            r#"{"Name":"colima","Metadata":{},"Endpoints":{"docker":{"Host":"unix:///c.sock","SkipTLSVerify":false}}}"#,
        )
        .expect("a file");
        let settings = |context: Option<&str>| Settings {
            context: context.map(str::to_owned),
            config: Some(config.path().to_owned()),
            ..Settings::default()
        };
        assert_eq!(addresses(&settings(None)), ["unix:///var/run/docker.sock"]);
        assert_eq!(addresses(&settings(Some("colima"))), ["unix:///c.sock"]);
        assert!(settings(Some("gone")).endpoints().is_err());

        std::fs::write(
            config.path().join("config.json"),
            r#"{"auths":{},"currentContext":"colima"}"#,
        )
        .expect("a file");
        assert_eq!(addresses(&settings(None)), ["unix:///c.sock"]);
        assert_eq!(
            addresses(&settings(Some("default"))),
            ["unix:///var/run/docker.sock"]
        );
    }
}
