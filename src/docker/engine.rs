//! Finds the Docker engine and keeps the connection settings. The requests to it are in
//! the other modules here.

use std::time::Duration;

use bollard::errors::Error as Bollard;
use bollard::models::ImageInspect;
use bollard::{API_DEFAULT_VERSION, ClientVersion, Docker};
use hyper::StatusCode;
use hyper::header::SERVER;

use super::LocalImage;
use super::endpoint::EngineAddress;
use super::error::DockerError;
use super::settings::Settings;
use super::wire::{SendError, Wire};
use crate::model::{Contents, Platform};

/// How long an address may take to answer before the next one is tried.
const PING_TIMEOUT: Duration = Duration::from_secs(3);
/// A little longer than `ssh` itself waits for a machine.
const SSH_TIMEOUT: Duration = Duration::from_secs(35);
/// For bollard's plain requests, in seconds. Streams have no limit.
const REQUEST_TIMEOUT: u64 = 60;

/// A Docker engine that answered.
#[derive(Clone)]
pub struct Engine {
    pub(super) wire: Wire,
    pub(super) docker: Docker,
    /// The name of an engine that is not Docker, such as `Libpod/5.4.0`.
    impostor: Option<String>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({})", self.wire.endpoint())
    }
}

impl Engine {
    /// The engine that `docker` would use: DOCKER_HOST, else the Docker context in use,
    /// else the first default socket that answers.
    ///
    /// # Errors
    /// `NoEngine` if none answers within three seconds each, `NoPermission` if there is a
    /// socket that this user may not open, `Host` if the chosen address cannot be used.
    pub async fn connect() -> Result<Self, DockerError> {
        Self::first_of(Settings::from_env().endpoints()?).await
    }

    async fn first_of(endpoints: Vec<EngineAddress>) -> Result<Self, DockerError> {
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
            Some(address) => DockerError::NoPermission(address),
            None => DockerError::NoEngine(tried),
        })
    }

    async fn at(endpoint: EngineAddress) -> Result<Self, Unreachable> {
        let wire = Wire::new(endpoint);
        let patience = match wire.endpoint() {
            EngineAddress::Ssh(_) => SSH_TIMEOUT,
            _ => PING_TIMEOUT,
        };
        let answer = tokio::time::timeout(patience, wire.get("/_ping")).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(SendError::Io(error)))
                if error.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                return Err(Unreachable::Closed);
            }
            Ok(Err(error)) => return Err(Unreachable::Why(root_cause(&error))),
            Err(_) => {
                let why = format!("no answer in {} s", patience.as_secs());
                return Err(Unreachable::Why(why));
            }
        };
        if answer.status() != StatusCode::OK {
            return Err(Unreachable::Why(format!("answered {}", answer.status())));
        }
        let server = answer.headers().get(SERVER);
        let server = server.and_then(|value| value.to_str().ok());
        let impostor = server.filter(|name| name.starts_with("Libpod/"));
        let impostor = impostor.map(str::to_owned);
        // bollard's `negotiate_version` is not used: it sends its own version, which an
        // engine older than bollard rejects.
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
        Ok(Self {
            wire,
            docker,
            impostor,
        })
    }

    /// The engine and where it is, in words.
    pub async fn described(&self) -> String {
        let address = self.wire.endpoint();
        let version = self.docker.version().await;
        match (&self.impostor, version.ok().and_then(|it| it.version)) {
            (Some(name), _) => format!("{name} at {address}"),
            (None, Some(version)) => format!("Docker Engine {version} at {address}"),
            (None, None) => format!("Docker Engine at {address}"),
        }
    }

    /// # Errors
    /// `NoBuildKit` if it can only pull images and push them.
    pub fn can_build(&self) -> Result<(), DockerError> {
        match &self.impostor {
            Some(name) => Err(DockerError::NoBuildKit {
                name: name.clone(),
                address: self.wire.endpoint().to_string(),
            }),
            None => Ok(()),
        }
    }

    /// `path` under the API version that both sides speak.
    pub(super) fn path(&self, path: &str) -> String {
        let version = self.docker.client_version();
        format!("/v{version}{path}")
    }

    /// What the engine holds under that name or id; `None` if it has none.
    pub(super) async fn inspect(&self, name: &str) -> Result<Option<LocalImage>, DockerError> {
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

/// Converts an error of bollard's.
pub(super) fn asked(doing: &str, error: Bollard) -> DockerError {
    match error {
        Bollard::DockerResponseServerError {
            status_code,
            message,
        } => DockerError::Refused {
            doing: doing.to_owned(),
            status: status_code,
            message,
        },
        error => DockerError::lost(doing, error),
    }
}

fn image(name: &str, found: ImageInspect) -> Result<LocalImage, DockerError> {
    let missing = |what: &str| DockerError::Unexpected {
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
    Ok(LocalImage {
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
    use tokio::io::AsyncWriteExt;

    use super::{DockerError, Engine, EngineAddress};

    #[tokio::test]
    async fn addresses_without_an_engine_are_all_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file.sock");
        std::fs::write(&file, "").expect("a file");
        let error = Engine::first_of(vec![
            EngineAddress::Unix(folder.path().join("missing.sock")),
            EngineAddress::Unix(file),
            EngineAddress::Tcp("127.0.0.1:1".to_owned()),
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
        let error = Engine::first_of(vec![EngineAddress::Tcp(address)])
            .await
            .expect_err("it never answers");
        assert!(error.to_string().contains("no answer in 3 s"), "{error}");
    }

    /// An engine that answers any number of pings under that name.
    async fn called(server: &'static str) -> Engine {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0");
        let listener = listener.await.expect("a port");
        let address = listener.local_addr().expect("bound").to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nServer: {server}\r\nContent-Length: 2\r\n\r\nOK"
                );
                stream.write_all(answer.as_bytes()).await?;
                stream.shutdown().await?;
            }
            std::io::Result::Ok(())
        });
        let engine = Engine::first_of(vec![EngineAddress::Tcp(address)]).await;
        engine.expect("it answers")
    }

    #[tokio::test]
    async fn podman_can_push_and_not_build() {
        called("Docker/28.3.0 (linux)")
            .await
            .can_build()
            .expect("it has BuildKit");
        let error = called("Libpod/5.4.0 (linux)").await.can_build();
        let error = error.expect_err("it has none");
        let text = error.to_string();
        assert!(text.contains("is Podman (Libpod/5.4.0 (linux))"), "{text}");
        assert!(error.hint().is_some_and(|hint| hint.contains("--image")));
    }

    #[test]
    fn a_closed_socket_is_told_apart() {
        let error = DockerError::NoPermission("unix:///var/run/docker.sock".to_owned());
        assert!(error.to_string().contains("no permission"));
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("group `docker`"))
        );
    }
}
