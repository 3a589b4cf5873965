//! The result of an unfinished operation that was finished or undone.

use serde::{Serialize, Serializer};

use crate::driver::unfinished::{Settled, Settlement};
use crate::error::Exit;
use crate::model::journal::{Command, Operation, OperationId};
use crate::report::{CommandResult, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
pub struct Ended {
    /// The command that ended it.
    operation: Command,
    /// None: nothing was unfinished.
    #[serde(serialize_with = "in_a_word")]
    outcome: Option<Settled>,
    /// The operation that was unfinished.
    id: Option<OperationId>,
    command: Option<Command>,
    /// Whether it was gone on with without a probe.
    blind: bool,
    pub traffic: String,
    #[serde(skip)]
    name: String,
}

impl Ended {
    pub fn new(by: Command, operation: &Operation) -> Self {
        Self {
            operation: by,
            outcome: Some(Settled::Finished),
            id: Some(operation.id.clone()),
            command: Some(operation.command),
            blind: operation.blind,
            traffic: String::new(),
            name: operation.name(),
        }
    }

    /// Nothing was unfinished.
    pub fn nothing(by: Command, traffic: String) -> Self {
        Self {
            operation: by,
            outcome: None,
            id: None,
            command: None,
            blind: false,
            traffic,
            name: String::new(),
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde passes it")]
fn in_a_word<S: Serializer>(outcome: &Option<Settled>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(outcome.map_or("nothing", Settled::as_str))
}

impl CommandResult for Ended {
    fn human(&self, _: &Style) -> String {
        let what = match self.outcome {
            None => "nothing to resume: no operation is unfinished".to_owned(),
            Some(settled) => format!("the {} is {}", self.name, settled.as_str()),
        };
        let blindly = match self.blind {
            true => ", blind: it was not probed",
            false => "",
        };
        format!("{what}{blindly}\n  {}", self.traffic)
    }
}

/// Says how it ended.
pub fn tell(session: &Session, by: Command, settlement: &Settlement) -> Exit {
    session.report.result(&Ended {
        outcome: Some(settlement.settled),
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
