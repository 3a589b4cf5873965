//! What to build, and how; and its form in the engine's API and in BuildKit's.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::env;
use std::path::PathBuf;

use bollard::query_parameters::{BuildImageOptions, BuilderVersion};

use super::super::agent::Agents;
use super::super::error::DockerError;
use super::super::settings::Proxies;
use super::arguments::arguments;
use super::files::{BuildContext, Files};
use crate::hidden::Hidden;
use crate::model::{CacheFrom, CacheTo, Secret, SshAgent};

/// What to build, and how.
#[derive(Debug, Clone, Default)]
pub struct BuildRequest {
    /// The image's name in the engine. An image without a name may be pruned by anybody.
    pub name: Option<String>,
    pub context: BuildContext,
    /// If not given, `Dockerfile` in the context. May be outside a folder, or `-` for
    /// stdin.
    pub dockerfile: Option<PathBuf>,
    /// A name without a value takes it from the environment, and is left out if it is not
    /// set there.
    pub build_args: Vec<(String, Option<Hidden>)>,
    pub target: Option<String>,
    /// For example `linux/arm64`; if not given, the engine's own.
    pub platform: Option<String>,
    pub no_cache: bool,
    /// Ask the registry for base images even if the engine has one of that name.
    pub pull: bool,
    pub secrets: Vec<Secret>,
    pub ssh: Vec<SshAgent>,
    pub labels: BTreeMap<String, String>,
    pub cache_from: Vec<CacheFrom>,
    pub cache_to: Vec<CacheTo>,
}

/// What the engine is given in addition to the request.
pub(super) struct BuildExtras {
    /// The name of the Dockerfile.
    pub(super) name: String,
    /// Where the context is, if it is not in the session's folder.
    pub(super) remote: Option<String>,
    pub(super) arguments: HashMap<String, String>,
}

impl BuildRequest {
    /// Checks that the context, the Dockerfile, the secrets and the agents exist. Reads
    /// no pipe and no secret, and does not contact the engine.
    ///
    /// # Errors
    /// `NoContext`, `ContextIsNoFolder`, `NoDockerfile`, `Dockerfile`,
    /// `Unreadable`, `Secret` or `SshAgent`, for the first that is wrong.
    pub fn check(&self) -> Result<(), DockerError> {
        self.files()?;
        self.check_secrets_named_once()?;
        for secret in &self.secrets {
            secret.check()?;
        }
        Agents::find(&self.ssh).map(|_| ())
    }

    /// # Errors
    /// `Secret`, for an id that is given twice.
    pub fn check_secrets_named_once(&self) -> Result<(), DockerError> {
        let mut ids = HashSet::new();
        match self.secrets.iter().find(|secret| !ids.insert(&secret.id)) {
            None => Ok(()),
            Some(secret) => Err(DockerError::Secret {
                id: secret.id.clone(),
                why: "it is given twice".to_owned(),
            }),
        }
    }

    pub(super) fn files(&self) -> Result<Files, DockerError> {
        Files::find(&self.context, self.dockerfile.as_deref())
    }

    pub(super) fn arguments(&self, proxies: &Proxies) -> HashMap<String, String> {
        arguments(&self.build_args, |name| env::var(name).ok(), proxies)
    }

    /// The options for the engine's API.
    pub(super) fn options(&self, session: &str, told: BuildExtras) -> BuildImageOptions {
        // This makes the engine ask the session for all files.
        let remote = told.remote.unwrap_or_else(|| "client-session".to_owned());
        BuildImageOptions {
            dockerfile: told.name,
            remote: Some(remote),
            session: Some(session.to_owned()),
            version: BuilderVersion::BuilderBuildKit,
            t: self.name.clone(),
            nocache: self.no_cache,
            pull: self.pull.then(|| "1".to_owned()),
            target: self.target.clone().unwrap_or_default(),
            platform: self.platform.clone().unwrap_or_default(),
            buildargs: Some(told.arguments),
            labels: Some(self.labels.clone().into_iter().collect()),
            cachefrom: match self.cache_from.as_slice() {
                [] => None,
                names => Some(names.iter().map(|CacheFrom(name)| name.clone()).collect()),
            },
            ..BuildImageOptions::default()
        }
    }

    /// Cache exports, which only BuildKit's API supports.
    pub(super) fn cache_exports(&self) -> Vec<(&'static str, HashMap<String, String>)> {
        let exports = self.cache_to.iter().map(|cache| match cache {
            CacheTo::Inline => ("inline", HashMap::new()),
            CacheTo::Registry { name, attributes } => {
                let name = ("ref".to_owned(), name.clone());
                let attributes = attributes.clone().into_iter().chain([name]);
                ("registry", attributes.collect())
            }
        });
        exports.collect()
    }

    /// For BuildKit's API: the attributes that the engine derives from `options`.
    pub(super) fn attributes(&self, told: BuildExtras) -> HashMap<String, String> {
        let resolve = if self.pull { "pull" } else { "default" };
        let mut all: HashMap<String, String> = [
            ("filename".to_owned(), told.name),
            ("image-resolve-mode".to_owned(), resolve.to_owned()),
        ]
        .into();
        let mut put = |name: &str, value: Option<String>| {
            all.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("context", told.remote);
        put("target", self.target.clone());
        put("platform", self.platform.clone());
        put("no-cache", self.no_cache.then(String::new));
        let names: Vec<_> = self
            .cache_from
            .iter()
            .map(|CacheFrom(name)| name.as_str())
            .collect();
        put(
            "cache-from",
            Some(names.join(",")).filter(|names| !names.is_empty()),
        );
        for (name, value) in told.arguments {
            put(&format!("build-arg:{name}"), Some(value));
        }
        for (name, value) in &self.labels {
            put(&format!("label:{name}"), Some(value.clone()));
        }
        all
    }
}
