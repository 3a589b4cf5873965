//! What came of an operation that was unfinished, as a result.

use serde::Serialize;

use crate::driver::unfinished::{Settled, Settlement};
use crate::error::Exit;
use crate::model::journal::{Command, Operation, OperationId};
use crate::report::{Outcome, Style};
use crate::session::Session;

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

/// Says how it ended.
pub fn tell(session: &Session, by: Command, settlement: &Settlement) -> Exit {
    session.report.result(&Ended {
        outcome: settlement.settled.as_str(),
        traffic: settlement.traffic.clone(),
        ..Ended::new(by, &settlement.operation)
    });
    if let Some(error) = &settlement.error {
        session.report.complain(error);
    }
    settlement.exit()
}

#[cfg(test)]
mod tests;
