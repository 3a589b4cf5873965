//! What can go wrong with the engine, a build or a registry, in words that a
//! person can act on. No variant holds a secret or a password.

use std::path::PathBuf;

use super::refusal::Refusal;

type Source = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No engine answered; each address tried, and what became of it.
    #[error("no Docker engine answers{}", tried(.0))]
    NoEngine(Vec<(String, String)>),
    /// An engine may be there, but its socket may not be opened.
    #[error("no permission to use the Docker engine at {0}")]
    NoPermission(String),
    #[error("cannot use the Docker host {host}: {why}")]
    Host { host: String, why: String },

    #[error("the build context {0} does not exist")]
    NoContext(PathBuf),
    #[error("the build context {0} is not a folder")]
    ContextIsNoFolder(PathBuf),
    #[error("there is no Dockerfile at {0}")]
    NoDockerfile(PathBuf),
    #[error("cannot read {path} for the build")]
    Unreadable {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("the name of {0} is not UTF-8, so it cannot be part of a build context")]
    NotUtf8(PathBuf),
    #[error("the .dockerignore pattern `{0}` is malformed")]
    BadPattern(String),
    #[error("build secret `{id}`: {why}")]
    Secret { id: String, why: String },

    /// The build itself failed: the step that did, and its last lines.
    #[error("the image build failed{}: {message}{}", at_step(.step), indented(.log))]
    Build {
        step: Option<String>,
        message: String,
        log: Vec<String>,
    },

    #[error("`{0}` is not an image reference")]
    BadReference(String),
    #[error("cannot pull {reference}: {message}")]
    Pull {
        reference: String,
        refusal: Refusal,
        message: String,
    },
    #[error("cannot push {image}: {message}")]
    Push {
        image: String,
        refusal: Refusal,
        message: String,
    },

    /// The engine understood the request and turned it down.
    #[error("the Docker engine refused to {doing} ({status}): {message}")]
    Refused {
        doing: String,
        status: u16,
        message: String,
    },
    /// The connection to the engine broke.
    #[error("lost the Docker engine while trying to {doing}")]
    Lost { doing: String, source: Source },
    /// The engine answered with something that it never says.
    #[error("did not understand the Docker engine's answer to {doing}: {why}")]
    Unexpected { doing: String, why: String },
}

impl Error {
    pub(super) fn lost(doing: impl Into<String>, source: impl Into<Source>) -> Self {
        Self::Lost {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// What to do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::NoEngine(_) => {
                "start Docker, or set DOCKER_HOST to where it listens (and DOCKER_TLS_VERIFY if it wants TLS)"
            }
            Self::NoPermission(_) => {
                "add yourself to the group `docker` (`sudo usermod -aG docker $USER`) and log in again"
            }
            Self::Host { .. } => "DOCKER_HOST takes unix:///path/to/socket or tcp://host:port",
            Self::NoContext(_) | Self::ContextIsNoFolder(_) => {
                "name the folder that holds the sources of the image"
            }
            Self::NoDockerfile(_) => "name the Dockerfile with --file",
            Self::Unreadable { .. } | Self::NotUtf8(_) => {
                "list it in .dockerignore if the image does not need it"
            }
            // The one step of a build that asks a registry.
            Self::Build {
                step: Some(step),
                message,
                ..
            } if step.contains("load metadata for") => {
                return Refusal::of(message).hint_for_pull().map(str::to_owned);
            }
            Self::Build { .. } => "fix that and deploy again: nothing was pushed",
            Self::Pull { refusal, .. } => return refusal.hint_for_pull().map(str::to_owned),
            Self::Push { refusal, .. } => return refusal.hint_for_push().map(str::to_owned),
            Self::Lost { .. } => "check whether Docker is still running: `docker info`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn tried(addresses: &[(String, String)]) -> String {
    addresses
        .iter()
        .map(|(address, why)| format!("\n  {address}: {why}"))
        .collect()
}

fn at_step(step: &Option<String>) -> String {
    step.as_ref()
        .map(|name| format!(" at `{name}`"))
        .unwrap_or_default()
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("\n  | {line}")).collect()
}
