//! Container images: build one on the engine's BuildKit or take an existing one, push it,
//! and return the digest by which the registry knows it.
//!
//! This module talks to the Docker Engine only. It prints nothing (progress goes to the
//! caller's callback), knows nothing of AWS (registry, repository and credentials are
//! arguments), and lets no secret, password or token into an error, a `Debug` output or a
//! log.
//!
//! bollard handles plain requests with one answer. The streams (session, build, pull,
//! push) go over this module's own connection, see [`wire`].

mod agent;
mod auth;
mod build;
mod context;
mod contexts;
mod dockerignore;
mod endpoint;
mod engine;
mod error;
mod filesync;
mod follow;
mod login;
mod pull;
mod push;
mod refusal;
mod secrets;
mod session;
mod settings;
mod solve;
mod ssh;
mod steps;
#[cfg(test)]
mod tests_with_engine;
mod tls;
mod upload;
mod wire;

use std::collections::BTreeSet;

#[cfg(test)]
pub use crate::model::StepState;
use crate::model::{Contents, Digest};
pub use crate::model::{Exactly, Progress, Reference};

pub use build::{BuildContext, BuildRequest};
pub use engine::Engine;
pub use error::DockerError;
pub use login::Logins;
pub use push::{Credentials, PushTarget};

/// An image that the engine holds.
#[derive(Debug, Clone, PartialEq)]
pub struct LocalImage {
    /// The engine's own name for it: `sha256:` and 64 hex digits.
    pub id: String,
    pub contents: Contents,
    /// `repository@sha256:…` for each registry it was pulled from or pushed to.
    pub repo_digests: BTreeSet<String>,
}

impl LocalImage {
    /// Whether `name` (registry and repository, without a tag) is known to have
    /// this image under that digest: it was pushed there, or pulled from there.
    pub fn is_known_as(&self, name: &str, digest: &Digest) -> bool {
        self.repo_digests.contains(&format!("{name}@{digest}"))
    }
}

/// Receives the progress. It is called from within the future it was given to.
pub type OnProgress<'a> = &'a (dyn Fn(Progress) + Send + Sync);
