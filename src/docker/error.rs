//! What can go wrong with the engine, a build or a registry, in words that a person can
//! act on. No variant contains a secret or a password.

use std::path::PathBuf;

use super::login::{LoginDoubt, Logins};
use super::refusal::RegistryRefusal;
use crate::model::{NoReference, Reference};

type BoxedError = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum DockerError {
    /// No engine answered; each address that was tried, and the result.
    #[error("no Docker engine answers{}", tried(.0))]
    NoEngine(Vec<(String, String)>),
    /// An engine may be there, but its socket may not be opened.
    #[error("no permission to use the Docker engine at {0}")]
    NoPermission(String),
    #[error("cannot use the Docker host {}: {why}", without_login(.host))]
    Host { host: String, why: String },
    #[error("there is no context {name} (there are {})", .known.join(", "))]
    NoDockerContext { name: String, known: Vec<String> },
    #[error("cannot use the Docker context {name}: {why}")]
    DockerContext { name: String, why: String },
    #[error("{} is not valid JSON (line {line}, column {column})", .path.display())]
    ConfigFile {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// The engine is not Docker.
    #[error("what answers at {address} is Podman ({name}), which has no BuildKit to build on")]
    NoBuildKit { name: String, address: String },

    #[error("the build context {0} does not exist")]
    NoContext(PathBuf),
    #[error("the build context {0} is not a folder")]
    ContextIsNoFolder(PathBuf),
    /// An address, without a login that it may hold.
    #[error("the build context {0} is an address, and bgecs builds from a folder")]
    Remote(String),
    #[error("there is no Dockerfile at {0}")]
    NoDockerfile(PathBuf),
    #[error("cannot use the Dockerfile {path}: {why}")]
    Dockerfile { path: PathBuf, why: String },
    #[error("cannot read the build context from stdin: {0}")]
    Stdin(String),
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
    #[error("SSH agent `{id}`: {why}")]
    SshAgent { id: String, why: String },

    /// The build itself failed: the failed step, and its last lines.
    #[error("the image build failed{}: {message}{}", at_step(.step), indented(.log))]
    Build {
        step: Option<String>,
        message: String,
        log: Vec<String>,
    },

    /// The build needs an image, as a base or to copy from, and the registry does not
    /// provide it.
    #[error("the build cannot get the image {image}: {message}")]
    BaseImage {
        image: String,
        refusal: RegistryRefusal,
        message: String,
        source: Option<LoginDoubt>,
    },

    #[error(transparent)]
    BadReference(NoReference),
    #[error("the Docker engine does not have the image {0}")]
    NoImage(String),
    #[error("cannot pull {reference}: {message}")]
    Pull {
        reference: String,
        refusal: RegistryRefusal,
        message: String,
        source: Option<LoginDoubt>,
        /// The id of the engine's own image of that name.
        here: Option<String>,
    },
    #[error("cannot push {image}: {message}")]
    Push {
        image: String,
        refusal: RegistryRefusal,
        message: String,
    },

    /// The engine understood the request and rejected it.
    #[error("the Docker engine refused to {doing} ({status}): {message}")]
    Refused {
        doing: String,
        status: u16,
        message: String,
    },
    /// The connection to the engine broke.
    #[error("lost the Docker engine while trying to {doing}")]
    Lost { doing: String, source: BoxedError },
    /// The engine's answer does not follow its API.
    #[error("did not understand the Docker engine's answer to {doing}: {why}")]
    Unexpected { doing: String, why: String },
}

impl DockerError {
    pub(super) fn lost(doing: impl Into<String>, source: impl Into<BoxedError>) -> Self {
        Self::Lost {
            doing: doing.into(),
            source: source.into(),
        }
    }

    /// For a failed build: the step, the message, and the step's last lines.
    pub(super) fn of_build(step: Option<String>, message: String, log: Vec<String>) -> Self {
        match step.as_deref().and_then(wanted_image) {
            Some(image) => Self::BaseImage {
                image: image.to_owned(),
                refusal: RegistryRefusal::of(&message),
                message,
                source: None,
            },
            None => Self::Build { step, message, log },
        }
    }

    /// Adds the reason why no login was sent to the registry, if there is one.
    pub(super) fn explained_by(self, logins: &Logins) -> Self {
        match self {
            Self::BaseImage {
                image,
                refusal,
                message,
                ..
            } => {
                let reference = Reference::parse(&image).ok();
                let registry = reference.as_ref().and_then(Reference::registry);
                Self::BaseImage {
                    source: registry.and_then(|registry| logins.doubt_of(registry)),
                    image,
                    refusal,
                    message,
                }
            }
            other => other,
        }
    }

    /// For a failed pull, if the engine itself has an image of that name.
    pub(super) fn although_here_is(self, id: &str) -> Self {
        match self {
            Self::Pull {
                reference,
                refusal,
                message,
                source,
                ..
            } => Self::Pull {
                reference,
                refusal,
                message,
                source,
                here: Some(id.to_owned()),
            },
            other => other,
        }
    }

    /// Whether the registry says that it has no such image, or none that this user may
    /// see.
    pub(super) fn is_unknown_there(&self) -> bool {
        matches!(
            self,
            Self::Pull {
                refusal: RegistryRefusal::NotFound,
                ..
            }
        )
    }

    /// Whether the request itself is wrong, and not its execution.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::NoContext(_)
                | Self::ContextIsNoFolder(_)
                | Self::Remote(_)
                | Self::Stdin(_)
                | Self::NoDockerfile(_)
                | Self::Dockerfile { .. }
                | Self::Secret { .. }
                | Self::SshAgent { .. }
                | Self::Host { .. }
                | Self::NoDockerContext { .. }
                | Self::DockerContext { .. }
                | Self::ConfigFile { .. }
        )
    }

    /// What to do about it, if there is something to say.
    pub fn hint(&self) -> Option<String> {
        let Self::Pull { here: Some(id), .. } = self else {
            return self.remedy();
        };
        let id = id.get(..19).unwrap_or(id);
        let local = format!(
            "`--image {id}` takes what this machine's engine has under that name, old as it may be"
        );
        let remedy = self.remedy().map(|remedy| format!("{remedy}; or "));
        Some(remedy.unwrap_or_default() + &local)
    }

    fn remedy(&self) -> Option<String> {
        let hint = match self {
            Self::NoEngine(tried)
                if tried.iter().any(|(address, _)| address.starts_with("ssh:")) =>
            {
                "`ssh` must log in there without asking anything, and run `docker` (18.09 or later): try it with `docker system dial-stdio`"
            }
            Self::NoEngine(_) => {
                "start Docker, or set DOCKER_HOST to where it listens (and DOCKER_TLS_VERIFY if it wants TLS)"
            }
            Self::NoPermission(_) => {
                "add yourself to the group `docker` (`sudo usermod -aG docker $USER`) and log in again"
            }
            Self::Host { .. } => {
                "DOCKER_HOST takes unix:///path/to/socket, tcp://host:port or ssh://user@host"
            }
            Self::NoDockerContext { .. } => {
                "DOCKER_CONTEXT or `docker context use` chose that Docker context: choose another one"
            }
            Self::DockerContext { .. } => {
                "`docker context inspect` shows it; choose another one with DOCKER_CONTEXT, or DOCKER_HOST"
            }
            Self::ConfigFile { .. } => {
                "fix Docker's configuration, or name another with DOCKER_CONFIG"
            }
            Self::NoBuildKit { .. } => {
                "it can take an image and push it: `podman build`, then `bgecs deploy --image REF`; or set DOCKER_HOST to a Docker Engine"
            }
            Self::Remote(address) => return Some(local_copy(address)),
            Self::Dockerfile { .. } => "fix it, or name another one with --file",
            Self::SshAgent { .. } => {
                "start an agent with `eval $(ssh-agent)`, add keys with `ssh-add`, then --ssh default"
            }
            Self::Stdin(_) => "pipe a tar into it: `tar c . | bgecs deploy - …`",
            Self::NoContext(_) | Self::ContextIsNoFolder(_) => {
                "name the folder that holds the sources of the image"
            }
            Self::NoDockerfile(_) => "name the Dockerfile with --file",
            Self::Unreadable { .. } | Self::NotUtf8(_) => {
                "list it in .dockerignore if the image does not need it"
            }
            Self::Build { message, .. } if message.contains("forwarded from the client") => {
                "the build wants an SSH agent: forward yours with --ssh default, or [build] ssh = [\"default\"]"
            }
            Self::Build { message, .. } if message.contains("unknown cache exporter") => {
                "Docker can keep a cache in a registry only with the containerd image store; type=inline always works"
            }
            Self::Build { .. } => "fix that and deploy again: nothing was pushed",
            Self::Pull {
                source: Some(_), ..
            }
            | Self::BaseImage {
                source: Some(_), ..
            } => "fix that, or log in to the registry with `docker login`",
            Self::BaseImage {
                refusal: RegistryRefusal::NotFound,
                ..
            } => {
                "check whether the name is right, even if it is meant to be a stage of the Dockerfile; if the image is private, `docker login`"
            }
            Self::Pull { refusal, .. } | Self::BaseImage { refusal, .. } => {
                return refusal.hint_for_pull().map(str::to_owned);
            }
            Self::Push { refusal, .. } => return refusal.hint_for_push().map(str::to_owned),
            Self::Lost { .. } => "check whether Docker is still running: `docker info`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// An address without what comes before its `@`: that may be a token.
pub(super) fn without_login(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let host = rest.split('/').next().unwrap_or_default();
    match host.rsplit_once('@') {
        Some((login, _)) => format!("{scheme}://{}", &rest[login.len() + 1..]),
        None => address.to_owned(),
    }
}

/// How to get a local copy of what is at an address.
fn local_copy(address: &str) -> String {
    let (repository, _) = address.split_once('#').unwrap_or((address, ""));
    let is_git = repository.ends_with(".git") || !repository.starts_with("http");
    let repository = match repository.starts_with("github.com/") {
        true => format!("https://{repository}"),
        false => repository.to_owned(),
    };
    match is_git || repository.contains("://github.com/") {
        true => format!("clone it first: `git clone {repository} FOLDER && bgecs deploy FOLDER …`"),
        false => format!("fetch it first: `curl -L {repository} | bgecs deploy - …` takes a tar"),
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

/// The image that a step of BuildKit's requests from a registry, if it does: to read its
/// metadata, to get its layers, or as the Dockerfile's frontend.
fn wanted_image(step: &str) -> Option<&str> {
    let (_, plain) = step.split_once("] ").unwrap_or(("", step));
    let image = [
        "load metadata for ",
        "resolve image config for ",
        "FROM ",
        "docker-image://",
    ]
    .iter()
    .find_map(|start| plain.strip_prefix(start))?;
    let image = image.strip_prefix("docker-image://").unwrap_or(image);
    image.split_whitespace().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_ask_a_registry_name_the_image() {
        for (step, image) in [
            (
                "[internal] load metadata for docker.io/library/builder:latest",
                Some("docker.io/library/builder:latest"),
            ),
            ("FROM localhost:1/nope:1", Some("localhost:1/nope:1")),
            (
                "[stage-1 1/2] FROM docker.io/library/a@sha256:0a",
                Some("docker.io/library/a@sha256:0a"),
            ),
            (
                "resolve image config for docker.io/docker/dockerfile:1",
                Some("docker.io/docker/dockerfile:1"),
            ),
            (
                "resolve image config for docker-image://r.io/f:1",
                Some("r.io/f:1"),
            ),
            ("docker-image://r.io/f:1", Some("r.io/f:1")),
            ("[2/3] RUN echo FROM nowhere", None),
            ("[internal] load build definition from Dockerfile", None),
            ("[stage-1 2/2] COPY --from=a /x /y", None),
        ] {
            let error =
                DockerError::of_build(Some(step.to_owned()), "not found".to_owned(), Vec::new());
            let found = match &error {
                DockerError::BaseImage { image, .. } => Some(image.as_str()),
                _ => None,
            };
            assert_eq!(found, image, "{step}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn a_registry_that_limits_is_no_mistake_of_the_dockerfile() {
        let step = Some("[internal] load metadata for docker.io/library/a:1".to_owned());
        let message = "429 Too Many Requests - Server message: toomanyrequests: …".to_owned();
        let error = DockerError::of_build(step, message, Vec::new());
        let shown = error.to_string();
        assert!(shown.starts_with("the build cannot get the image docker.io/library/a:1: 429"));
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("try again later"))
        );
    }
}
