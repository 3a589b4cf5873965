//! `bgecs destroy`

pub(super) mod worker;

use std::io::{self, BufRead, IsTerminal};

use serde::Serialize;

use super::lease;
use super::plan::PlanResult;
use crate::aws::{StackSnapshot, StackStatus, has_no_journal};
use crate::cli::Destroy;
use crate::driver::destroy::{self, Inventory};
use crate::driver::edge;
use crate::engine::plan::{self, Step};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{Color, Infrastructure};
use crate::report::{CommandResult, ReportEvent, Reporter, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum DestroyOutcome {
    Destroyed,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct Destroyed {
    operation: Command,
    outcome: DestroyOutcome,
    app: String,
    region: String,
}

impl CommandResult for Destroyed {
    fn human(&self, _: &Style) -> String {
        match self.outcome {
            DestroyOutcome::Unchanged => format!(
                "nothing to do: bgecs has made nothing for {} in {}",
                self.app, self.region
            ),
            DestroyOutcome::Destroyed => {
                format!("everything that bgecs made for {} is gone", self.app)
            }
        }
    }
}

pub async fn run(session: &Session, args: &Destroy) -> Result<Exit> {
    let inventory = destroy::take_inventory(session).await?;
    refuse_attached(session, &inventory)?;
    inventory.refuse_busy()?;
    refuse_cutting_off(session, &inventory).await?;
    let mut of_router = Vec::new();
    if let Some(edge) = inventory.edge() {
        edge::refuse_on_both(session, &edge).await?;
        of_router = edge::steps_back(session, &edge).await?;
    }
    let steps = steps(session, &inventory, of_router);
    if args.change.dry_run {
        session
            .report
            .result(&PlanResult::of(Command::Destroy, steps));
        return Ok(Exit::Done);
    }
    if inventory.is_empty() {
        session
            .report
            .result(&destroyed(session, DestroyOutcome::Unchanged));
        return Ok(Exit::Done);
    }
    if !args.yes {
        let whose = ("the app's name", session.app());
        confirm(&session.report, session.aws.region(), whose, &steps)?;
    }
    destroy_all(session, args, &inventory).await?;
    session
        .report
        .result(&destroyed(session, DestroyOutcome::Destroyed));
    Ok(Exit::Done)
}

/// Most of an attached app belongs to someone else.
fn refuse_attached(session: &Session, inventory: &Inventory) -> Result<()> {
    let stack = inventory.stack.as_ref();
    let is_attached = stack.is_some_and(|stack| stack.original().is_some());
    match is_attached || session.config.attached.is_some() {
        false => Ok(()),
        true => Err(Error::refused(
            "bgecs is attached to a service that was there before, and destroys nothing of it",
        )
        .hint("`bgecs detach` removes what bgecs made, and leaves the service to its users")),
    }
}

/// With the load balancer go all its listeners, and whoever comes in there.
async fn refuse_cutting_off(session: &Session, inventory: &Inventory) -> Result<()> {
    let stack = inventory.stack.as_ref();
    let Some(infrastructure) = stack.and_then(|stack| stack.ecs_infrastructure().ok()) else {
        return Ok(());
    };
    let ways = session.aws.read_other_ways(&infrastructure).await?;
    Ok(plan::refuse_cutting_off(
        &ways,
        &Color::BOTH,
        "bgecs destroy",
    )?)
}

/// Under the lease, as long as there can be a table to hold it.
async fn destroy_all(session: &Session, args: &Destroy, inventory: &Inventory) -> Result<()> {
    let infrastructure = match &inventory.stack {
        Some(stack) => with_table(session, stack).await?,
        None => None,
    };
    let Some(infrastructure) = infrastructure else {
        let destroyed = destroy::destroy(session, None, inventory);
        return interruptible(&mut Interrupts::listen()?, destroyed)
            .await
            .map_err(|error| destroy::cut_short(None, inventory, error));
    };
    lease::take(
        session,
        &infrastructure,
        Command::Destroy,
        args.change.wait,
        async |work| {
            // Somebody else may have been at work while this one waited.
            let inventory = destroy::take_inventory(session).await?;
            refuse_cutting_off(session, &inventory).await?;
            let destroyed = destroy::destroy(session, Some(work.turn), &inventory);
            let destroyed = interruptible(work.interrupts, destroyed).await;
            destroyed.map_err(|error| destroy::cut_short(Some(work.turn), &inventory, error))?;
            work.turn.is_gone();
            Ok(Exit::Done)
        },
    )
    .await
    .map(drop)
}

/// What the stack has made, unless the table may be gone already: while it is
/// deleted, after a deletion that failed, or by somebody else's hand.
pub(super) async fn with_table(
    session: &Session,
    stack: &StackSnapshot,
) -> Result<Option<Infrastructure>> {
    if stack.status == StackStatus::Busy {
        return Ok(None);
    }
    let Ok(infrastructure) = stack.infrastructure() else {
        return Ok(None);
    };
    if let Err(error) = session.aws.read_head(infrastructure.journal_table()).await {
        return match has_no_journal(&error) {
            true => Ok(None),
            false => Err(error.into()),
        };
    }
    Ok(Some(infrastructure))
}

async fn interruptible(
    interrupts: &mut Interrupts,
    destroyed: impl Future<Output = Result<()>>,
) -> Result<()> {
    interrupts
        .or_stop(
            "destroying",
            "what is gone stays gone; `bgecs destroy` continues where this one stopped",
            destroyed,
        )
        .await
}

fn destroyed(session: &Session, outcome: DestroyOutcome) -> Destroyed {
    Destroyed {
        operation: Command::Destroy,
        outcome,
        app: session.app().to_owned(),
        region: session.aws.region().to_owned(),
    }
}

fn steps(session: &Session, inventory: &Inventory, of_router: Vec<Step>) -> Vec<Step> {
    let name = session.stack_name();
    let mut steps: Vec<Step> = inventory
        .services
        .iter()
        .map(|(color, tasks)| Step::DeleteService {
            service: color.to_string(),
            tasks: *tasks,
        })
        .collect();
    if !inventory.task_definitions.is_empty() {
        steps.push(Step::DeleteTaskDefinitions {
            family: name.clone(),
            count: inventory.task_definitions.count(),
        });
    }
    steps.extend(of_router);
    if let Some(stack) = &inventory.stack {
        if let Some(repository) = stack.own_repository() {
            steps.push(Step::DeleteImages {
                repository: repository.to_owned(),
            });
        }
        steps.push(Step::DeleteStack { name });
    }
    steps
}

/// Shows what will go, and asks for the name of what it is of.
fn confirm(
    report: &Reporter,
    region: &str,
    (what, name): (&str, &str),
    steps: &[Step],
) -> Result<()> {
    if !io::stdin().is_terminal() {
        return Err(Error::usage(
            "destroy asks before it acts, and there is no terminal to ask on",
        )
        .hint("look at `bgecs destroy --dry-run`, then insist with --yes"));
    }
    report.tell(&ReportEvent::Note(format!(
        "this permanently removes, in {region}:"
    )));
    for step in steps {
        report.tell(&ReportEvent::Note(format!("  {step}")));
    }
    report.ask(&format!("type {what}, {name}, to continue: "));
    let mut typed = String::new();
    // What cannot be read is no consent.
    let _ = io::stdin().lock().read_line(&mut typed);
    if typed.trim() == name {
        return Ok(());
    }
    Err(Error::new(
        Exit::Interrupted,
        "not confirmed: nothing was removed",
    ))
}

#[cfg(test)]
mod tests;
