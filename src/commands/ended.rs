//! What came of an operation that was unfinished, as a result.

use serde::Serialize;

use crate::driver::unfinished::{Settled, Settlement};
use crate::error::Exit;
use crate::model::journal::{Command, Operation, OperationId};
use crate::report::{Outcome, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HowEnded {
    /// Nothing was unfinished.
    Nothing,
    Finished,
    Undone,
}

impl From<Settled> for HowEnded {
    fn from(settled: Settled) -> Self {
        match settled {
            Settled::Finished => Self::Finished,
            Settled::Undone => Self::Undone,
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Ended {
    /// The command that ended it.
    operation: Command,
    outcome: HowEnded,
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
            outcome: HowEnded::Finished,
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
            outcome: HowEnded::Nothing,
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
            HowEnded::Nothing => "nothing to resume: no operation is unfinished".to_owned(),
            HowEnded::Finished => format!("the {} is finished", self.name),
            HowEnded::Undone => format!("the {} is undone", self.name),
        };
        format!("{what}\n  {}", self.traffic)
    }
}

/// Says how it ended.
pub fn tell(session: &Session, by: Command, settlement: &Settlement) -> Exit {
    session.report.result(&Ended {
        outcome: settlement.settled.into(),
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
