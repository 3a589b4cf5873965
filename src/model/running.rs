//! How ECS describes a running service that bgecs did not make: what `import` writes
//! down, and what would keep bgecs from releasing it.

use super::{Revision, ServiceDefinition};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningSettings {
    /// The service's own ARN.
    pub arn: String,
    /// Its name.
    pub cluster: String,
    pub mover: UserMover,
    /// What it runs, or is about to.
    pub task_definition: Revision,
    pub desired: u16,
    pub definition: ServiceDefinition,
    /// Whether a release of it is under way.
    pub is_deploying: bool,
    pub is_draining: bool,
    /// The CloudFormation stack that made it, if one did.
    pub stack: Option<String>,
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
