//! `bgecs resume`

use serde::Serialize;

use super::plan::Plan;
use super::swap::Watching;
use super::turn::{self, Work};
use super::unfinished::{self, Settled};
use crate::cli::Resume;
use crate::engine::plan::Step;
use crate::engine::unfinished::Way;
use crate::error::{Exit, Result};
use crate::model::journal::{Command, OperationId};
use crate::model::{Color, Observed, Port};
use crate::report::{Outcome, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Resumed {
    operation: &'static str,
    /// `nothing`, `finished` or `undone`.
    outcome: &'static str,
    /// The operation that was unfinished.
    id: Option<OperationId>,
    command: Option<Command>,
    traffic: String,
    #[serde(skip)]
    name: String,
}

impl Outcome for Resumed {
    fn human(&self, _: &Style) -> String {
        let what = match self.outcome {
            "nothing" => "nothing to resume: no operation is unfinished".to_owned(),
            outcome => format!("the {} is {outcome}", self.name),
        };
        format!("{what}\n  {}", self.traffic)
    }
}

pub async fn run(session: &Session, args: &Resume) -> Result<Exit> {
    if args.dry_run.dry_run {
        let observed = session.observe().await?;
        let steps = match &observed.journal.operation {
            Some(operation) => {
                let way = unfinished::way(session, operation, &observed, &args.watch).await?;
                let watching = Watching::of_operation(session, &args.watch, operation);
                steps(session, &observed, &way, &watching)
            }
            None => Vec::new(),
        };
        session.report.result(&Plan::of("resume", steps));
        return Ok(Exit::Done);
    }
    let infrastructure = session.infrastructure().await?;
    turn::take(
        session,
        &infrastructure,
        Command::Resume,
        args.lease.wait,
        async |work| resume(work, args).await,
    )
    .await
}

async fn resume(mut work: Work<'_>, args: &Resume) -> Result<Exit> {
    let session = work.session;
    let Some(operation) = work.turn.unfinished().cloned() else {
        let observed = work.observe().await?;
        session.report.result(&nothing(observed.traffic()));
        return Ok(Exit::Done);
    };
    let mut resumed = Resumed {
        operation: "resume",
        outcome: "finished",
        id: Some(operation.id.clone()),
        command: Some(operation.command),
        traffic: String::new(),
        name: operation.name(),
    };
    let is_destroy = operation.command == Command::Destroy;
    if unfinished::settle(&mut work, operation, &args.watch).await? == Settled::Undone {
        resumed.outcome = "undone";
    }
    resumed.traffic = match is_destroy {
        true => "everything is gone".to_owned(),
        false => work.observe().await?.traffic(),
    };
    session.report.result(&resumed);
    Ok(Exit::Done)
}

fn steps(session: &Session, observed: &Observed, way: &Way, watching: &Watching) -> Vec<Step> {
    let swap = |to: Color| {
        [(Port::Prod, to), (Port::Test, to.other())]
            .into_iter()
            .filter(|(port, color)| observed.forwarding(*port).only() != Some(*color))
            .map(|(port, color)| Step::Point { port, color })
    };
    match way {
        Way::Undone => Vec::new(),
        Way::MakeLive { color } => swap(*color).collect(),
        Way::Swap { to, .. } => swap(*to).chain([watching.step()]).collect(),
        Way::AwaitServing { color, .. } => vec![Step::Await { color: *color }],
        Way::ForgetRevision => vec![Step::DeleteTaskDefinitions {
            family: session.stack_name(),
            count: 1,
        }],
        Way::AwaitRetired { color } => vec![Step::Retire { color: *color }],
        Way::GoOnDestroying => vec![Step::DeleteStack {
            name: session.stack_name(),
        }],
        Way::AwaitStack => vec![Step::AwaitStack {
            name: session.stack_name(),
        }],
    }
}

fn nothing(traffic: String) -> Resumed {
    Resumed {
        operation: "resume",
        outcome: "nothing",
        id: None,
        command: None,
        traffic,
        name: String::new(),
    }
}

#[cfg(test)]
mod tests;
