//! `bgecs retire`

mod hosted;

use serde::Serialize;

use super::lease;
use super::plan::PlanResult;
use crate::cli::Retire;
use crate::counted::counted;
use crate::driver::failover::{self, LedTo};
use crate::driver::work::Work;
use crate::driver::{retire, scaling};
use crate::engine::plan::{self, RetirePlan, Step};
use crate::engine::scaling::ahead_of_retiring;
use crate::error::{Error, Exit, Result};
use crate::model::journal::Command;
use crate::model::{Color, Observed};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum RetireOutcome {
    Retired,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct Retired {
    operation: Command,
    outcome: RetireOutcome,
    color: Color,
    /// As people name it.
    #[serde(skip)]
    service: String,
    /// Whether bgecs does not run it.
    #[serde(skip)]
    is_hosted: bool,
    traffic: String,
}

const SCALES: &str = "scales it up again";
const BRINGS: &str = "brings it back";

impl CommandResult for Retired {
    fn human(&self, style: &Style) -> String {
        let service = style.color(self.color, &self.service);
        let (what, wakes) = match (self.outcome, self.is_hosted) {
            (RetireOutcome::Unchanged, false) => {
                (format!("nothing to do: {service} runs no tasks"), SCALES)
            }
            (RetireOutcome::Retired, false) => (
                format!("{service} is retired: it runs no tasks and costs nothing"),
                SCALES,
            ),
            (RetireOutcome::Unchanged, true) => {
                (format!("nothing to do: nothing runs on {service}"), BRINGS)
            }
            (RetireOutcome::Retired, true) => (
                format!("{service} is retired: its own command has stopped it"),
                BRINGS,
            ),
        };
        format!(
            "{what}\n  {}\n  a deploy onto {} {wakes}; until then there is no instant way back",
            self.traffic, self.color
        )
    }
}

pub async fn run(session: &Session, args: &Retire) -> Result<Exit> {
    if session.config.edge.is_some() {
        return hosted::run(session, args).await;
    }
    if args.change.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let steps = match plan(&observed)? {
            RetirePlan::NothingToDo { .. } => Vec::new(),
            RetirePlan::Retire { color, .. } => {
                refuse_failover(session, &observed, args).await?;
                let service = observed.infrastructure.named(color);
                let found = scaling::of(session, &observed).await;
                let rest = found.and_then(|it| ahead_of_retiring(&observed, &it, color));
                let rest = rest.map(Step::from);
                rest.into_iter().chain([Step::Retire { service }]).collect()
            }
        };
        session
            .report
            .result(&PlanResult::of(Command::Retire, steps));
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        Command::Retire,
        args.change.wait,
        async |work| retire(work, args).await,
    )
    .await
}

fn plan(observed: &Observed) -> Result<RetirePlan> {
    plan::retire(observed).map_err(|refusal| Error::from(refusal).untouched(observed))
}

async fn refuse_failover(session: &Session, observed: &Observed, args: &Retire) -> Result<()> {
    let to = LedTo::from(observed.ecs()?);
    let refused = failover::refuse(session, &to, args.emptying.allow_failover).await;
    refused.map_err(|error| error.untouched(observed))
}

async fn retire(work: Work<'_>, args: &Retire) -> Result<Exit> {
    let session = work.session;
    let observed = work.observe().await?;
    let named = |color| observed.infrastructure.named(color);
    let (color, outcome) = match plan(&observed)? {
        RetirePlan::NothingToDo { color } => (color, RetireOutcome::Unchanged),
        RetirePlan::Retire { color, tasks } => {
            refuse_failover(session, &observed, args).await?;
            work.turn.describe(|operation| {
                operation.color = Some(color);
                operation.from = observed.live_release();
                operation.tag = observed.color(color).tag().cloned();
            });
            session.report.tell(&ReportEvent::Doing(format!(
                "stopping {} of {}",
                counted(tasks, "task"),
                named(color)
            )));
            retire::retire(
                session,
                work.turn,
                work.interrupts,
                &observed,
                color,
                args.timeout,
            )
            .await?;
            (color, RetireOutcome::Retired)
        }
    };
    session.report.result(&Retired {
        operation: Command::Retire,
        outcome,
        color,
        service: named(color),
        is_hosted: false,
        traffic: observed.traffic_line(),
    });
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests;
