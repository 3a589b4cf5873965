//! How a service that anybody made is run, as ECS has it: what `import` tells of
//! it, and what would keep bgecs from releasing it.

use std::fmt;

use super::{Revision, ServiceDefinition};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSettings {
    /// The service's own ARN.
    pub arn: String,
    /// Its name.
    pub cluster: String,
    pub mover: UserMover,
    pub capacity: Capacity,
    pub platform_version: Option<String>,
    /// What it runs, or is about to.
    pub task_definition: Revision,
    pub desired: u16,
    pub definition: ServiceDefinition,
    /// Whether commands can be run in its tasks.
    pub exec: bool,
    /// Whether others find it by Service Connect or service discovery.
    pub is_found_by_name: bool,
    /// Whether a release of it is under way.
    pub is_deploying: bool,
    pub is_draining: bool,
    /// The CloudFormation stack that made it, if one did.
    pub stack: Option<String>,
}

/// What changes a service's count beside who releases it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Autoscaling {
    /// Tasks.
    pub least: i32,
    pub most: i32,
    /// In words.
    pub policies: Vec<String>,
}

/// `from 2 to 10 tasks, by cpu60 (TargetTrackingScaling)`
impl fmt::Display for Autoscaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            least,
            most,
            policies,
        } = self;
        write!(f, "from {least} to {most} tasks, by ")?;
        match policies.is_empty() {
            true => f.write_str("no policy as yet"),
            false => f.write_str(&policies.join(" and ")),
        }
    }
}

/// Who replaces its tasks, and moves its users where something does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserMover {
    /// ECS replaces them in place.
    Rolling,
    /// ECS moves users, by this strategy of its own.
    Ecs(String),
    CodeDeploy,
    /// Another tool, through task sets.
    External,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Capacity {
    LaunchType(String),
    Providers(Vec<String>),
}

impl Capacity {
    pub fn is_fargate(&self) -> bool {
        let is_fargate = |name: &String| matches!(name.as_str(), "FARGATE" | "FARGATE_SPOT");
        match self {
            Self::LaunchType(kind) => is_fargate(kind),
            Self::Providers(names) => names.iter().all(is_fargate),
        }
    }
}
