//! `bgecs resume`

use super::plan::Plan;
use super::swap::Watching;
use super::turn::{self, Work};
use super::unfinished::{self, Course, Ended};
use crate::cli::Resume;
use crate::engine::plan::Step;
use crate::engine::unfinished::Way;
use crate::error::{Exit, Result};
use crate::model::journal::Command;
use crate::model::{Color, Observed, Route};
use crate::session::Session;

pub async fn run(session: &Session, args: &Resume) -> Result<Exit> {
    if args.dry_run.dry_run {
        let observed = session.observe().await?;
        let steps = match &observed.journal.operation {
            Some(operation) => {
                let course = Course::AsItIs;
                let way =
                    unfinished::way(session, operation, course, &observed, &args.watch).await?;
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
        let traffic = work.observe().await?.traffic_line();
        session
            .report
            .result(&Ended::nothing(Command::Resume, traffic));
        return Ok(Exit::Done);
    };
    let course = Course::AsItIs;
    let settled = unfinished::settle(&mut work, operation.clone(), course, &args.watch).await?;
    if operation.command == Command::Destroy {
        let mut ended = Ended::new(Command::Resume, &operation);
        ended.traffic = "everything is gone".to_owned();
        session.report.result(&ended);
        return Ok(Exit::Done);
    }
    unfinished::say(&work, Command::Resume, &operation, settled, &args.watch).await
}

fn steps(session: &Session, observed: &Observed, way: &Way, watching: &Watching) -> Vec<Step> {
    let swap = |to: Color| {
        [(Route::Production, to), (Route::Test, to.other())]
            .into_iter()
            .filter(|(route, color)| observed.found_at(*route).only() != Some(*color))
            .map(|(route, color)| Step::Point { route, color })
    };
    match way {
        Way::Undone | Way::Hold { .. } => Vec::new(),
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

#[cfg(test)]
mod tests;
