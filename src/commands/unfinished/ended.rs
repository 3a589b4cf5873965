//! What came of an operation that was unfinished, as a result.

use serde::Serialize;

use super::Settled;
use crate::model::journal::{Command, Operation, OperationId};
use crate::report::{Outcome, Style};

#[derive(Debug, Serialize)]
pub struct Ended {
    /// The command that ended it.
    operation: Command,
    /// `nothing`, `finished` or `undone`.
    pub outcome: &'static str,
    /// The operation that was unfinished.
    id: Option<OperationId>,
    command: Option<Command>,
    pub traffic: String,
    #[serde(skip)]
    name: String,
}

impl Ended {
    pub fn new(by: Command, operation: &Operation) -> Self {
        Self {
            operation: by,
            outcome: Settled::Finished.as_str(),
            id: Some(operation.id.clone()),
            command: Some(operation.command),
            traffic: String::new(),
            name: operation.name(),
        }
    }

    /// Nothing was unfinished.
    pub fn nothing(by: Command, traffic: String) -> Self {
        Self {
            operation: by,
            outcome: "nothing",
            id: None,
            command: None,
            traffic,
            name: String::new(),
        }
    }
}

impl Outcome for Ended {
    fn human(&self, _: &Style) -> String {
        let what = match self.outcome {
            "nothing" => "nothing to resume: no operation is unfinished".to_owned(),
            outcome => format!("the {} is {outcome}", self.name),
        };
        format!("{what}\n  {}", self.traffic)
    }
}

#[cfg(test)]
mod tests;
