//! A task that runs one command and ends.

use super::{Color, Revision, StoppedTask};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOff {
    /// It runs where and as the tasks of that colour's service do.
    pub color: Color,
    pub revision: Revision,
    /// The container whose command it is.
    pub container: String,
    pub command: Vec<String>,
    /// ECS starts one task, however often it is asked with the same.
    pub token: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOffState {
    /// ECS's word for how far it is, such as `PROVISIONING`.
    UnderWay(String),
    Stopped(StoppedTask),
}
