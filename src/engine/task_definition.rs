//! What is registered with ECS for a release: the body of a
//! `RegisterTaskDefinition` request, made of settings or of a file.
//!
//! A body is JSON with AWS's own keys, not one of the SDK's types: what is in a
//! user's file is checked against ECS's model (`model`, `walk`, `rules`), and then
//! registered as it stands
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
//! Nothing here reads a file, asks AWS or looks at the clock.

mod difference;
mod error;
mod expand;
mod file;
mod hash;
mod logs;
mod mistake;
mod model;
mod needs;
mod rules;
mod settings;
mod spelling;
mod tags;
#[cfg(test)]
mod tests;
mod unambiguous;
mod walk;

pub use difference::{difference, recolored};
pub use error::TaskDefinitionError;
pub use file::{OUTPUT_ONLY, TaskFile};
pub use logs::LogPlace;
pub use needs::Needs;
pub use tags::{is_reserved, joined};

use std::fmt;

use serde_json::{Map, Value};

use crate::config::{ContainerSection, TaskSize};
use crate::model::marks::{ENV_COLOR, ENV_RELEASE};
use crate::model::{AppName, Color, CpuArchitecture, Digest, Tag, TaskRoles};

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
const MOST_BYTES: usize = 64 * 1024;
/// How much bgecs may add to what the user says: tags, variables, images.
const OWN_BYTES: usize = 4096;

/// Where the task definition comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// One container, as `[container]` describes it.
    Settings {
        container: &'a str,
        settings: &'a ContainerSection,
    },
    /// A task definition of the user's, in which some containers' image is ours.
    File {
        container: &'a str,
        file: &'a TaskFile,
    },
}

impl<'a> Source<'a> {
    /// The container behind the load balancer.
    pub fn container(&self) -> &'a str {
        match self {
            Self::Settings { container, .. } | Self::File { container, .. } => container,
        }
    }

    /// That it will not be too large, as far as that is known ahead of an image.
    ///
    /// # Errors
    /// Where ECS would not take it. A file was looked at when it was read.
    pub fn check_size(&self) -> Result<(), TaskDefinitionError> {
        match self {
            Self::Settings { settings, .. } => settings::check_size(settings),
            Self::File { .. } => Ok(()),
        }
    }

    /// What each of its tasks takes; a file that passed the checks has a size.
    pub fn size(&self) -> Option<TaskSize> {
        match self {
            Self::Settings { settings, .. } => Some(settings.size),
            Self::File { file, .. } => file.size(),
        }
    }

    /// The container's port behind the load balancer.
    pub fn port(&self) -> u16 {
        match self {
            Self::Settings { settings, .. } => settings.port,
            Self::File { file, .. } => file.port(),
        }
    }
}

/// The image that was built and pushed, or is to be.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// `registry/repository`, without tag or digest: ECS is given the digest,
    /// since a tag can come to mean another image.
    pub repository: &'a str,
    pub tag: &'a Tag,
    /// `None` where it is only shown what would be registered, ahead of a build.
    pub digest: Option<&'a Digest>,
    pub architecture: CpuArchitecture,
}

impl Image<'_> {
    /// `registry/repository@sha256:…`
    pub fn reference(&self) -> String {
        let Self {
            repository, tag, ..
        } = self;
        match self.digest {
            Some(digest) => format!("{repository}@{digest}"),
            None => format!("{repository}:{tag}"),
        }
    }
}

/// What the app's stack has for its tasks.
#[derive(Debug, Clone, Copy)]
pub struct Surroundings<'a> {
    pub roles: &'a TaskRoles,
    pub logs: LogPlace<'a>,
}

impl<'a> Surroundings<'a> {
    /// Those that there are, by their keys.
    fn role_fields(&self) -> impl Iterator<Item = (&'static str, &'a str)> + use<'a> {
        let TaskRoles { execution, task } = self.roles;
        let all = [("executionRoleArn", execution), ("taskRoleArn", task)];
        all.into_iter()
            .filter_map(|(key, role)| Some((key, role.as_deref()?)))
    }
}

/// Where a release comes from, for the people who ask later.
#[derive(Debug, Clone, Copy)]
pub struct ReleaseProvenance<'a> {
    pub commit: Option<&'a str>,
    pub deployed_by: &'a str,
    /// A time in ISO 8601.
    pub deployed_at: &'a str,
    /// The id of the deploy.
    pub operation: &'a str,
}

/// Everything that a task definition is made of.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    pub app: &'a AppName,
    pub color: Color,
    pub source: Source<'a>,
    pub image: Image<'a>,
    pub surroundings: Surroundings<'a>,
    pub provenance: ReleaseProvenance<'a>,
}

/// A task definition that is ready to be registered.
#[derive(Clone, PartialEq)]
pub struct TaskDefinition {
    /// The body of the `RegisterTaskDefinition` request.
    pub body: Value,
    /// Tells two of them apart by everything that runs, and by nothing else:
    /// tags are left out. Stands in the tag [`crate::model::marks::TAG_CONFIG`].
    pub config_hash: String,
}

/// The body holds the values of the containers' variables.
impl fmt::Debug for TaskDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskDefinition({})", self.config_hash)
    }
}

pub fn compose(input: &Input<'_>) -> Result<TaskDefinition, TaskDefinitionError> {
    let (mut body, users_tags) = match input.source {
        Source::Settings {
            container,
            settings,
        } => (settings::body(input, container, settings), Map::new()),
        Source::File { file, .. } => (file::body(input, file), file.tags()),
    };
    let config_hash = hash::of(&body);
    body.insert(
        "tags".to_owned(),
        tags::compose(users_tags, input, &config_hash),
    );
    let body = Value::Object(body);
    let bytes = body.to_string().len();
    if bytes > MOST_BYTES {
        return Err(TaskDefinitionError::TooLarge { bytes });
    }
    Ok(TaskDefinition { body, config_hash })
}
