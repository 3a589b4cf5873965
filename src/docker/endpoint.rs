//! Where Docker engines may listen, in the order in which Docker itself looks.
//!
//! Decides by Docker's settings; opens no connection.

use std::fmt;
use std::path::PathBuf;

use super::contexts;
use super::error::DockerError;
use super::settings::Settings;
use super::ssh::Destination;
use super::tls;

/// An address that an engine may listen at.
#[derive(Clone)]
pub(super) enum EngineAddress {
    Unix(PathBuf),
    Tcp(String),
    Tls(String, tls::TlsConfig),
    Ssh(Destination),
}

impl EngineAddress {
    /// As Docker's settings write it.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Unix(path) => format!("unix://{}", path.display()),
            Self::Tcp(authority) | Self::Tls(authority, _) => format!("tcp://{authority}"),
            Self::Ssh(destination) => destination.to_string(),
        }
    }
}

impl fmt::Display for EngineAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host())?;
        match self {
            Self::Tls(..) => f.write_str(" (TLS)"),
            _ => Ok(()),
        }
    }
}

impl Settings {
    /// The addresses to try, best first. Only one if the user chose it: another engine
    /// must not be used instead. DOCKER_HOST wins over a context, and a context has its
    /// own certificates or none.
    pub(super) fn endpoints(&self) -> Result<Vec<EngineAddress>, DockerError> {
        if let Some(host) = &self.host {
            let wrong = |why| DockerError::Host {
                host: host.clone(),
                why,
            };
            let endpoint = endpoint(host, self.tls_files().as_ref()).map_err(wrong)?;
            return Ok(vec![endpoint]);
        }
        if let Some(name) = self.context_in_use()? {
            let config = self.config.clone().unwrap_or_default();
            let context = contexts::find(&config, &name)?;
            let wrong = |why| DockerError::DockerContext {
                name: name.clone(),
                why: format!("{}: {why}", context.host),
            };
            let endpoint = endpoint(context.host.trim(), context.tls.as_ref()).map_err(wrong)?;
            return Ok(vec![endpoint]);
        }
        if let Some(files) = self.tls_files() {
            let host = "tcp://localhost:2376".to_owned();
            let wrong = |why| DockerError::Host {
                host: host.clone(),
                why,
            };
            return Ok(vec![endpoint(&host, Some(&files)).map_err(wrong)?]);
        }
        Ok(self.default_sockets())
    }

    fn default_sockets(&self) -> Vec<EngineAddress> {
        let rootless = self.runtime_dir.as_ref().map(|dir| dir.join("docker.sock"));
        let in_home = |name: &str| self.home.as_ref().map(|home| home.join(name));
        [
            Some(PathBuf::from("/var/run/docker.sock")),
            rootless,
            in_home(".docker/run/docker.sock"),
            in_home(".docker/desktop/docker.sock"),
        ]
        .into_iter()
        .flatten()
        .map(EngineAddress::Unix)
        .collect()
    }

    /// The TLS files, if the variables ask for TLS. The authority's certificate must
    /// exist; the client's own is optional.
    fn tls_files(&self) -> Option<tls::TlsFiles> {
        if !self.tls && !self.tls_verify {
            return None;
        }
        let folder = self.cert_path.as_ref().or(self.config.as_ref());
        let folder = folder.cloned().unwrap_or_default();
        let there = |name| Some(folder.join(name)).filter(|path| path.exists());
        Some(tls::TlsFiles {
            ca: Some(folder.join("ca.pem")),
            cert: there("cert.pem"),
            key: there("key.pem"),
            verifies: self.tls_verify,
        })
    }

    /// What DOCKER_CONTEXT or `docker context use` chose; `None` for the default
    /// one.
    fn context_in_use(&self) -> Result<Option<String>, DockerError> {
        let name = match &self.context {
            Some(name) => name.clone(),
            None => self.config_file()?.current_context,
        };
        Ok(Some(name).filter(|name| !name.is_empty() && name != contexts::DEFAULT))
    }
}

/// The endpoint at a host in Docker's notation, or why there is none.
fn endpoint(host: &str, tls: Option<&tls::TlsFiles>) -> Result<EngineAddress, String> {
    let (scheme, rest) = host.split_once("://").unwrap_or(("tcp", host));
    let rest = rest.trim_end_matches('/');
    if rest.is_empty() {
        return Err("it names no address".to_owned());
    }
    let authority = |default| match rest.rsplit_once(':') {
        Some((_, port)) if !port.contains(']') => rest.to_owned(),
        _ => format!("{rest}:{default}"),
    };
    match (scheme, tls) {
        ("unix", _) => Ok(EngineAddress::Unix(PathBuf::from(rest))),
        ("ssh", _) => Destination::parse(host).map(EngineAddress::Ssh),
        ("tcp" | "http", None) => Ok(EngineAddress::Tcp(authority(2375))),
        ("tcp" | "http" | "https", Some(files)) => {
            Ok(EngineAddress::Tls(authority(2376), tls::TlsConfig::new(files)?))
        }
        ("https", None) => {
            let files = tls::TlsFiles {
                verifies: true,
                ..tls::TlsFiles::default()
            };
            Ok(EngineAddress::Tls(authority(2376), tls::TlsConfig::new(&files)?))
        }
        ("npipe", _) => Err("a named pipe is Windows' own: in WSL, let Docker Desktop integrate this distribution, which gives it unix:///var/run/docker.sock".to_owned()),
        ("fd", _) => Err("a file descriptor is for the daemon, not for its clients".to_owned()),
        _ => Err(format!("Docker has no scheme `{scheme}`")),
    }
}

#[cfg(test)]
mod tests;
