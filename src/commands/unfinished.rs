//! An operation whose holder is gone: finished or undone, by whoever meets it.

use std::time::Duration;

use super::asking::{Asking, judge_once};
use super::swap::{self, Attempt, Watching};
use super::turn::Work;
use crate::cli::Watch;
use crate::driver::await_serving::{Wait, await_serving};
use crate::driver::turn::Conclusion;
use crate::driver::{destroy, make_live, retire, stack, tidy};
use crate::engine::swap::Outcome as Ending;
use crate::engine::unfinished::{self, Reaction, Way};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{Command, Operation, Outcome};
use crate::model::{Color, Observed, TaskDefinitionArn};
use crate::report::Event;
use crate::session::Session;
use crate::spoken_time;

/// As long as a deploy waits.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How an unfinished operation ended after all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Finished,
    Undone,
}

/// Deals with the operation that was left unfinished, if there is one, ahead of
/// a command's own work.
///
/// # Errors
/// One that cannot be dealt with by this command, or not at all now.
pub async fn meet(work: &mut Work<'_>, next: Command) -> Result<()> {
    if matches!(next, Command::Resume | Command::Adopt) {
        return Ok(());
    }
    let Some(operation) = work.turn.unfinished().cloned() else {
        return Ok(());
    };
    let told = format!(
        "the {} that {} began at {} is unfinished: {}",
        operation.name(),
        operation.who.name,
        spoken_time::clock(operation.began),
        operation.last_words()
    );
    work.session.report.tell(&Event::Warning(told));
    match unfinished::reaction(operation.command, next)? {
        Reaction::Supersede => supersede(work, operation, next).await,
        Reaction::Settle => {
            let name = operation.name();
            let settled = settle(work, operation, &Watch::default()).await;
            let settled = settled.map_err(|mut error| {
                error.message = format!(
                    "the unfinished {name} must end first, and did not: {}",
                    error.message
                );
                error
            })?;
            let word = match settled {
                Settled::Finished => "finished",
                Settled::Undone => "undone",
            };
            work.session
                .report
                .tell(&Event::Done(format!("the {name} is {word}")));
            Ok(())
        }
    }
}

async fn supersede(work: &mut Work<'_>, operation: Operation, next: Command) -> Result<()> {
    // What is left of the app may be too little to look at.
    let observed = match next {
        Command::Destroy => None,
        _ => Some(work.observe().await?),
    };
    if let Some(observed) = &observed
        && operation.command == Command::Deploy
    {
        tidy::forget_revision(work.session, observed, &operation).await?;
    }
    let reason = format!("superseded by the next {next}");
    let may_have_moved = unfinished::may_have_moved_a_listener(&operation);
    work.turn.take_up(operation);
    if let Some(observed) = observed.filter(|_| may_have_moved) {
        // Else the next command would take for a stranger's doing what this did.
        work.turn.saw(&observed);
    }
    let conclusion = Conclusion::of(Outcome::Superseded).because(Some(reason));
    Ok(work.turn.close(conclusion).await?)
}

/// Brings an unfinished operation to its end, under its own id in the journal.
///
/// # Errors
/// What stands against it; it stays unfinished then, unless it has failed for
/// good.
pub async fn settle(work: &mut Work<'_>, operation: Operation, watch: &Watch) -> Result<Settled> {
    let observed = work.observe().await?;
    let way = way(work.session, &operation, &observed, watch).await?;
    work.turn.take_up(operation.clone());
    match go(work, &operation, &observed, way, watch).await {
        Ok((settled, Some(conclusion))) => {
            let now = work.observe().await?;
            work.turn.saw(&now);
            work.turn.close(conclusion).await?;
            Ok(settled)
        }
        Ok((settled, None)) => {
            work.turn.is_gone();
            Ok(settled)
        }
        // A deploy that failed is over; of all else the end is still to be found.
        Err(error)
            if operation.command == Command::Deploy
                && error.exit == Exit::Failed
                && work.turn.knows_listeners() =>
        {
            let failed = Conclusion::of(Outcome::Failed).because(Some(error.message.clone()));
            work.turn.close(failed).await?;
            Err(error)
        }
        Err(error) => {
            work.turn.leave_open();
            Err(error)
        }
    }
}

/// Which way it would go from here.
///
/// # Errors
/// Listeners that are where the operation would never have put them.
pub async fn way(
    session: &Session,
    operation: &Operation,
    observed: &Observed,
    watch: &Watch,
) -> Result<Way> {
    let to_is_well = is_well(session, operation, observed, watch).await;
    unfinished::way(operation, observed, to_is_well)
        .map_err(|refusal| Error::from(refusal).untouched(observed))
}

/// Whether the colour that a swap made live answers production as the operation
/// expects, and has
/// healthy targets.
async fn is_well(
    session: &Session,
    operation: &Operation,
    observed: &Observed,
    watch: &Watch,
) -> bool {
    let is_swap = matches!(operation.command, Command::Promote | Command::Rollback);
    let Some(to) = operation
        .color
        .filter(|to| is_swap && observed.live_color() == Some(*to))
    else {
        return false;
    };
    if observed.color(to).targets.healthy() == 0 {
        return false;
    }
    let asking = Asking::of_operation(operation, watch, &session.config.probe);
    judge_once(session, &observed.infrastructure, &asking).await
}

/// What came of it, and what to remember of it: nothing where the journal went
/// with all else.
type End = (Settled, Option<Conclusion>);

async fn go(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    way: Way,
    watch: &Watch,
) -> Result<End> {
    let session = work.session;
    match way {
        Way::Undone => Ok(undone()),
        Way::Swap { from, to } => swap(work, operation, observed, (from, to), watch).await,
        Way::MakeLive { color } => {
            let made = make_live::make_live(session, work.turn, observed, color);
            stoppable(work.interrupts, made).await?;
            Ok(finished())
        }
        Way::AwaitServing {
            color,
            task_definition,
        } => serve(work, operation, observed, color, &task_definition).await,
        Way::ForgetRevision => {
            tidy::forget_revision(session, observed, operation).await?;
            Ok(undone())
        }
        Way::AwaitRetired { color } => {
            let retired = retire::await_no_task(session, observed, color, TIMEOUT);
            stoppable(work.interrupts, retired).await?;
            Ok(finished())
        }
        Way::GoOnDestroying => {
            let inventory = destroy::take_inventory(session).await?;
            let destroyed = destroy::destroy(session, Some(work.turn), &inventory);
            stoppable(work.interrupts, destroyed).await?;
            Ok((Settled::Finished, None))
        }
        Way::AwaitStack => {
            let settled = stack::await_settled(session);
            match stoppable(work.interrupts, settled).await? {
                Some(stack) if stack.status == crate::aws::StackStatus::Ready => Ok(finished()),
                _ => Ok(undone()),
            }
        }
    }
}

async fn serve(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    color: Color,
    requested: &TaskDefinitionArn,
) -> Result<End> {
    let session = work.session;
    let wait = Wait {
        observed,
        color,
        requested,
        began: operation.began,
        timeout: TIMEOUT,
    };
    let turn = work.turn;
    let serving = async {
        await_serving(session, &wait).await?;
        let becomes_live =
            operation.from.is_none() && observed.listeners.prod.only() != Some(color.other());
        if becomes_live {
            make_live::make_live(session, turn, observed, color).await?;
        }
        Ok(())
    };
    stoppable(work.interrupts, serving).await?;
    Ok(finished())
}

async fn swap(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    (from, to): (Color, Color),
    watch: &Watch,
) -> Result<End> {
    let goes_on = Some(to) == operation.color;
    let kind = match (goes_on, operation.command) {
        (true, Command::Promote) => swap::Kind::Promote,
        _ => swap::Kind::Rollback,
    };
    let watching = Watching::of_operation(work.session, watch, operation);
    watching.asking.check_report()?;
    let attempt = Attempt::new(work.session, kind, observed.clone(), (from, to), watching)
        .begun_at(operation.origin(&observed.infrastructure));
    let swapped = attempt.run(work).await?;
    let settled = match (swapped.ending(), goes_on) {
        (Ending::Committed, true) | (Ending::RolledBack(_), false) => Settled::Finished,
        (Ending::Committed, false) | (Ending::RolledBack(_), true) => Settled::Undone,
        _ => {
            return Err(swapped
                .error()
                .unwrap_or_else(|| Error::failed("the swap has no end")));
        }
    };
    let outcome = match settled {
        Settled::Finished => Outcome::Finished,
        Settled::Undone => Outcome::Undone,
    };
    let mut watched = swapped.watched();
    if observed.live_color() == Some(to) {
        // Users had changed over before anybody watched.
        watched.changeover_ms = None;
    }
    let conclusion = Conclusion {
        outcome,
        reason: swapped.error().map(|error| error.message),
        watched: Some(watched),
    };
    Ok((settled, Some(conclusion)))
}

fn finished() -> End {
    (Settled::Finished, Some(Conclusion::of(Outcome::Finished)))
}

fn undone() -> End {
    (Settled::Undone, Some(Conclusion::of(Outcome::Undone)))
}

async fn stoppable<T>(
    interrupts: &mut Interrupts,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    interrupts
        .or_stop(
            "finishing what was left unfinished",
            "`bgecs resume` goes on with it",
            work,
        )
        .await
}

#[cfg(test)]
mod tests;
