//! Finds the Docker engine and holds the way to it. What is asked of it is in
//! the modules beside this one.

use std::time::Duration;

use bollard::errors::Error as Bollard;
use bollard::models::ImageInspect;
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use hyper::StatusCode;

use super::Image;
use super::endpoint::{Endpoint, Settings};
use super::error::Error;
use super::wire::{SendError, Wire};
use crate::model::{Contents, Platform};

/// How long an address may take to answer before the next one is tried.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// For bollard's plain requests, in seconds. Streams have no limit.
const REQUEST_TIMEOUT: u64 = 60;

/// A Docker engine that answered.
#[derive(Clone)]
pub struct Engine {
    pub(super) wire: Wire,
    pub(super) docker: Docker,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.wire.endpoint())
    }
}

impl Engine {
    /// The engine that `docker` would use: DOCKER_HOST, else the Docker
    /// context in use, else the first default socket that answers.
    ///
    /// # Errors
    /// `NoEngine` if none answers within three seconds each, `NoPermission` if
    /// a socket is there but closed to this user, `Host` if the address that
    /// was chosen cannot be used.
    pub async fn connect() -> Result<Self, Error> {
        Self::first_of(Settings::from_env().endpoints()?).await
    }

    async fn first_of(endpoints: Vec<Endpoint>) -> Result<Self, Error> {
        let mut tried = Vec::new();
        let mut closed = None;
        for endpoint in endpoints {
            let address = endpoint.to_string();
            match Self::at(endpoint).await {
                Ok(engine) => return Ok(engine),
                Err(Unreachable::Closed) => closed = closed.or(Some(address)),
                Err(Unreachable::Why(why)) => tried.push((address, why)),
            }
        }
        Err(match closed {
            Some(address) => Error::NoPermission(address),
            None => Error::NoEngine(tried),
        })
    }

    async fn at(endpoint: Endpoint) -> Result<Self, Unreachable> {
        let wire = Wire::new(endpoint);
        let answer = tokio::time::timeout(PING_TIMEOUT, wire.get("/_ping")).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(SendError::Io(error)))
                if error.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                return Err(Unreachable::Closed);
            }
            Ok(Err(error)) => return Err(Unreachable::Why(root_cause(&error))),
            Err(_) => return Err(Unreachable::Why("no answer in 3 s".to_owned())),
        };
        if answer.status() != StatusCode::OK {
            return Err(Unreachable::Why(format!("answered {}", answer.status())));
        }
        // Not bollard's `negotiate_version`: it asks under its own version,
        // which an engine that is older than bollard turns down.
        let engines = answer.headers().get("api-version");
        let version = engines.and_then(|value| parse_version(value.to_str().ok()?));
        let version = version.filter(|version| *version < *API_DEFAULT_VERSION);
        let version = version.as_ref().unwrap_or(API_DEFAULT_VERSION);

        let carrier = wire.clone();
        let docker = Docker::connect_with_custom_transport(
            move |request| carrier.clone().send_for_bollard(request),
            Some("http://docker"),
            REQUEST_TIMEOUT,
            version,
        );
        let docker = docker.map_err(|error| Unreachable::Why(error.to_string()))?;
        Ok(Self { wire, docker })
    }

    /// `path` under the API version that both sides speak.
    pub(super) fn path(&self, path: &str) -> String {
        let version = self.docker.client_version();
        format!("/v{version}{path}")
    }

    /// What the engine holds under that name or id; `None` if it has none.
    pub(super) async fn inspect(&self, name: &str) -> Result<Option<Image>, Error> {
        match self.docker.inspect_image(name).await {
            Ok(found) => image(name, found).map(Some),
            Err(Bollard::DockerResponseServerError {
                status_code: 404, ..
            }) => Ok(None),
            Err(error) => Err(asked("inspect the image", error)),
        }
    }
}

enum Unreachable {
    Closed,
    Why(String),
}

/// A failed request of bollard's, as this module tells it.
pub(super) fn asked(doing: &str, error: Bollard) -> Error {
    match error {
        Bollard::DockerResponseServerError {
            status_code,
            message,
        } => Error::Refused {
            doing: doing.to_owned(),
            status: status_code,
            message,
        },
        error => Error::lost(doing, error),
    }
}

fn image(name: &str, found: ImageInspect) -> Result<Image, Error> {
    let missing = |what: &str| Error::Unexpected {
        doing: format!("inspecting {name}"),
        why: format!("it gives no {what}"),
    };
    let platform = Platform {
        os: found.os.ok_or_else(|| missing("operating system"))?,
        architecture: found.architecture.ok_or_else(|| missing("architecture"))?,
        variant: found.variant,
    };
    let layers = found.root_fs.and_then(|files| files.layers);
    let run = serde_json::to_value(found.config).map_err(|_| missing("configuration"))?;
    Ok(Image {
        id: found.id.ok_or_else(|| missing("id"))?,
        contents: Contents::new(platform, layers.unwrap_or_default(), &run),
        repo_digests: found.repo_digests.into_iter().flatten().collect(),
    })
}

fn parse_version(text: &str) -> Option<ClientVersion> {
    let (major, minor) = text.split_once('.')?;
    Some(ClientVersion {
        major_version: major.parse().ok()?,
        minor_version: minor.parse().ok()?,
    })
}

fn root_cause(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Engine, Error};

    #[tokio::test]
    async fn addresses_without_an_engine_are_all_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file.sock");
        std::fs::write(&file, "").expect("a file");
        let error = Engine::first_of(vec![
            Endpoint::Unix(folder.path().join("missing.sock")),
            Endpoint::Unix(file),
            Endpoint::Tcp("127.0.0.1:1".to_owned()),
        ])
        .await
        .expect_err("nothing listens there");
        let text = error.to_string();
        for part in ["missing.sock: No such file", "file.sock: ", "127.0.0.1:1: "] {
            assert!(text.contains(part), "{text}");
        }
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("DOCKER_HOST"))
        );
    }

    #[tokio::test]
    async fn a_listener_that_is_no_engine_is_said_to_be_silent() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        let error = Engine::first_of(vec![Endpoint::Tcp(address)])
            .await
            .expect_err("it never answers");
        assert!(error.to_string().contains("no answer in 3 s"), "{error}");
    }

    #[test]
    fn a_closed_socket_is_told_apart() {
        let error = Error::NoPermission("unix:///var/run/docker.sock".to_owned());
        assert!(error.to_string().contains("no permission"));
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("group `docker`"))
        );
    }
}
