//! What is registered with ECS for a release: the body of a
//! `RegisterTaskDefinition` request, made of settings or of a file.
//!
//! A body is JSON with AWS's own keys, not one of the SDK's types, so that a
//! field of the user's which the SDK does not know yet is registered too
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html>).
//! Nothing here reads a file, asks AWS or looks at the clock.

mod difference;
mod error;
mod file;
mod hash;
mod settings;
mod tags;
#[cfg(test)]
mod tests;

pub use difference::difference;
pub use error::TaskDefinitionError;
pub use file::TaskFile;
pub use tags::{
    TAG_APP, TAG_COLOR, TAG_COMMIT, TAG_CONFIG, TAG_DEPLOYED_AT, TAG_DEPLOYED_BY, TAG_DIGEST,
    TAG_OPERATION, TAG_RELEASE,
};

use std::fmt;

use serde_json::{Map, Value, json};

use crate::config::{AppName, DEFAULT_PORT, Settings};
use crate::model::{Color, CpuArchitecture, Digest, RunsOn, Tag};

/// Set in the app's container, unless the user sets it: the release's tag.
pub const ENV_RELEASE: &str = "BGECS_RELEASE";
/// Set in the app's container, unless the user sets it: the colour it runs as.
pub const ENV_COLOR: &str = "BGECS_COLOR";

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html>
const MOST_BYTES: usize = 64 * 1024;

/// Where the task definition comes from.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// One container, as `[container]` describes it.
    Settings {
        container: &'a str,
        settings: &'a Settings,
    },
    /// A task definition of the user's, in which one container's image is ours.
    File {
        container: &'a str,
        /// The port the target group uses, if the configuration says it.
        port: Option<u16>,
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

    /// What it says that its tasks run on.
    pub fn runs_on(&self) -> RunsOn {
        match self {
            Self::Settings { .. } => RunsOn::default(),
            Self::File { file, .. } => file.runs_on(),
        }
    }

    /// The container's port behind the load balancer. A file that maps one port
    /// needs no word of it in the configuration.
    pub fn port(&self) -> Result<u16, TaskDefinitionError> {
        match self {
            Self::Settings { settings, .. } => Ok(settings.port),
            Self::File {
                container,
                port,
                file,
            } => {
                let mapped = file.ports(container)?;
                let port = match (port, mapped.as_slice()) {
                    (Some(port), _) => *port,
                    (None, [only]) => *only,
                    (None, _) => DEFAULT_PORT,
                };
                if mapped.contains(&port) {
                    Ok(port)
                } else {
                    Err(TaskDefinitionError::NoPortMapping {
                        path: file.path().to_owned(),
                        container: (*container).to_owned(),
                        port,
                        mapped,
                    })
                }
            }
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
    pub execution_role_arn: &'a str,
    pub task_role_arn: &'a str,
    pub log_group: &'a str,
    pub region: &'a str,
}

/// Where a release comes from, for the people who ask later.
#[derive(Debug, Clone, Copy)]
pub struct Provenance<'a> {
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
    pub provenance: Provenance<'a>,
}

/// A task definition that is ready to be registered.
#[derive(Clone, PartialEq)]
pub struct TaskDefinition {
    /// The body of the `RegisterTaskDefinition` request.
    pub body: Value,
    /// Tells two of them apart by everything that runs, and by nothing else:
    /// tags are left out. Stands in the tag [`TAG_CONFIG`].
    pub config_hash: String,
}

/// The body holds the values of the containers' variables.
impl fmt::Debug for TaskDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TaskDefinition({})", self.config_hash)
    }
}

pub fn compose(input: &Input<'_>) -> Result<TaskDefinition, TaskDefinitionError> {
    // Before anything else: without its port a container cannot be reached.
    input.source.port()?;
    let (mut body, users_tags) = match input.source {
        Source::Settings {
            container,
            settings,
        } => (settings::body(input, container, settings), Map::new()),
        Source::File {
            container, file, ..
        } => (file::body(input, container, file)?, file.tags()),
    };
    let config_hash = hash::of(&body);
    body.insert(
        "tags".to_owned(),
        tags::compose(users_tags, input, &config_hash)?,
    );
    let body = Value::Object(body);
    let bytes = body.to_string().len();
    if bytes > MOST_BYTES {
        return Err(TaskDefinitionError::TooLarge { bytes });
    }
    Ok(TaskDefinition { body, config_hash })
}

/// One log stream a task, its name beginning with the colour
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>).
fn log_configuration(input: &Input<'_>) -> Value {
    json!({
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": input.surroundings.log_group,
            "awslogs-region": input.surroundings.region,
            "awslogs-stream-prefix": input.color.as_str(),
        },
    })
}
