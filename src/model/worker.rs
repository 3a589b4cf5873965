//! A worker of uploads, as it is to be made: what brings uploads to it, and its task.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{SetName, TopicArn};

impl SetName {
    /// `bgecs-<name>-worker`: the stack of its worker, and what the worker's own things
    /// are called.
    pub fn worker(&self) -> String {
        format!("bgecs-{self}-worker")
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadWorker {
    /// Of the set or the app whose file says what uploads may release.
    pub name: SetName,
    /// How often a message may be taken before it is given up.
    pub receives: u32,
    /// Who is told; None where the stack makes a topic.
    pub topic: Option<TopicArn>,
    /// What the task may do.
    pub policy: Value,
    pub task: WorkerTask,
}

/// What runs `bgecs serve`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerTask {
    pub image: String,
    /// Ahead of what the stack itself says, such as the file that is served.
    pub arguments: Vec<String>,
    /// By `--env`.
    pub environment: Option<String>,
    pub subnets: Vec<String>,
    pub security_groups: Vec<String>,
    pub public_ip: bool,
    /// Variables, and where ECS reads their values.
    pub secrets: BTreeMap<String, String>,
    pub reads: WorkerReads,
}

/// What ECS reads to start the task: ARNs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WorkerReads {
    /// Of Secrets Manager.
    pub secrets: Vec<String>,
    /// Of Parameter Store.
    pub parameters: Vec<String>,
    /// Of ECR, if the image is there.
    pub repositories: Vec<String>,
}
