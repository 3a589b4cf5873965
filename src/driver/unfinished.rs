//! An operation whose holder is gone is finished or undone by the next command.

use std::future::ready;
use std::pin::Pin;
use std::time::Duration;

use super::asking::judge_once;
use super::attempt::{Attempt, SwapKind};
use super::await_serving::{Wait, await_serving};
use super::hosted::deploy::HostedRequest;
use super::live::objection;
use super::turn::Conclusion;
use super::watching::Watching;
use super::work::Work;
use super::{destroy, everywhere, hosted, make_live, reach, retire, scaling, stack, tidy};
use crate::engine::hook_task::HookTaskOrder;
use crate::engine::plan::AFTER_A_PAUSE;
use crate::engine::preflight;
use crate::engine::scaling::is_touched_by;
use crate::engine::shift::Outcome;
use crate::engine::unfinished::{self, Course, Reaction, Resolution};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{
    Command, Effect, Fate, Left, Operation, OperationOutcome, OwnCommand, Previous,
};
use crate::model::{Color, Deployed, Observed, Revision, Route, Strategy, Tag};
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;

/// As long as a deploy waits.
const TIMEOUT: Duration = Duration::from_secs(600);

/// How an unfinished operation ended in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    Finished,
    Undone,
    /// Its next stage waits for a person.
    Waiting,
}

impl Settled {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Undone => "undone",
            Self::Waiting => "waiting for a person",
        }
    }
}

/// What a command that may meet an unfinished operation is about to do.
#[derive(Debug, Clone, Copy)]
pub struct Errand<'a> {
    pub command: Command,
    /// The tag that it deploys: it may continue a deploy of the same tag.
    pub tag: Option<&'a Tag>,
    /// Whether it runs without probing production.
    pub is_blind: bool,
}

impl From<Command> for Errand<'_> {
    fn from(command: Command) -> Self {
        Self {
            command,
            tag: None,
            is_blind: false,
        }
    }
}

/// What is left to do after meeting an unfinished operation.
#[derive(Debug)]
pub enum Met {
    /// The command's own work.
    GoOn,
    /// Nothing: ending it was the command's purpose.
    TookBack(Box<Settlement>),
}

/// An unfinished operation that was ended.
#[derive(Debug)]
pub struct Settlement {
    pub operation: Operation,
    pub settled: Settled,
    pub traffic: String,
    /// Set if it left users on a release that fails.
    pub error: Option<Error>,
}

impl Settlement {
    pub fn exit(&self) -> Exit {
        self.error.as_ref().map_or(Exit::Done, |error| error.exit)
    }
}

/// Deals with an unfinished operation, if there is one, before a command's own work.
///
/// # Errors
/// One that this command cannot deal with, or that cannot be dealt with now.
pub async fn meet(work: &mut Work<'_>, errand: Errand<'_>) -> Result<Met> {
    let next = errand.command;
    if matches!(next, Command::Resume | Command::Adopt) {
        return Ok(Met::GoOn);
    }
    let Some(operation) = work.turn.unfinished().cloned() else {
        return Ok(Met::GoOn);
    };
    let reaction = unfinished::reaction(&operation, next, errand.tag);
    let name = operation.name();
    if matches!(reaction, Ok(Reaction::Settle | Reaction::Try)) {
        refuse_waiting(work, &operation).await?;
    }
    let told = format!(
        "the {name} that {} began at {} is unfinished: {}",
        operation.who.name,
        spoken_time::clock(operation.began),
        operation.last_words(work.infrastructure.endpoints())
    );
    work.session.report.tell(&ReportEvent::Warning(told));
    let reaction = reaction?;
    match reaction {
        Reaction::Supersede => supersede(work, operation, next).await.map(|()| Met::GoOn),
        Reaction::Settle | Reaction::Try => {
            let watching = as_it_was_asked(work, &operation, errand);
            let settling = settle(work, operation, Course::AsItIs, &watching);
            let told = match Box::pin(settling).await {
                Ok(Settled::Waiting) => {
                    return Err(Error::refused(format!("the {name} waits for a person"))
                        .hint(AFTER_A_PAUSE));
                }
                Ok(settled) => ReportEvent::Done(format!("the {name} is {}", settled.as_str())),
                Err(error) if reaction == Reaction::Try && error.exit == Exit::Failed => {
                    ReportEvent::Warning(format!("the {name} failed: {}", error.message))
                }
                Err(error) => {
                    let message = format!(
                        "the unfinished {name} must end first, and did not: {}",
                        error.message
                    );
                    return Err(Error { message, ..error });
                }
            };
            work.session.report.tell(&told);
            Ok(Met::GoOn)
        }
        Reaction::TakeBack => {
            let watching = as_it_was_asked(work, &operation, errand);
            let settlement = end(work, operation, Course::Back, &watching).await?;
            Ok(Met::TookBack(Box::new(settlement)))
        }
    }
}

/// # Errors
/// It waits in a pause (exit 6).
pub async fn refuse_waiting(work: &Work<'_>, operation: &Operation) -> Result<()> {
    if operation.pause().is_none() {
        return Ok(());
    }
    let observed = work.observe().await?;
    let refused = unfinished::refuse_waiting(operation, &observed);
    refused.map_err(|refusal| Error::from(refusal).untouched(&observed))
}

/// As the operation was given, except that production is not probed if this command says
/// so.
fn as_it_was_asked(work: &Work<'_>, operation: &Operation, errand: Errand<'_>) -> Watching {
    Watching {
        is_blind: operation.blind || errand.is_blind,
        ..Watching::of_operation(operation, &work.session.config.probe)
    }
}

/// Ends it, and looks at the result.
///
/// # Errors
/// As [`settle`], and [`look_at_the_end`].
pub async fn end(
    work: &mut Work<'_>,
    operation: Operation,
    course: Course,
    watching: &Watching,
) -> Result<Settlement> {
    let settled = settle(work, operation.clone(), course, watching).await?;
    look_at_the_end(work, operation, settled, watching).await
}

/// Looks where it left users, and how they fare.
///
/// # Errors
/// AWS's own.
pub async fn look_at_the_end(
    work: &Work<'_>,
    operation: Operation,
    settled: Settled,
    watching: &Watching,
) -> Result<Settlement> {
    let observed = work.observe().await?;
    let traffic = observed.traffic_line();
    let error = match observed.live_color() {
        Some(live) if !users_are_well(work.session, &observed, live, watching).await => Some(
            Error::new(
                Exit::LookNow,
                format!(
                    "{} is live and {}",
                    observed.named(live),
                    match watching.is_blind {
                        true => "has no healthy target",
                        false => "does not answer well",
                    }
                ),
            )
            .traffic(traffic.clone())
            .hint(format!(
                "see {}; `bgecs rollback`, or a good release with `bgecs promote --fix-forward`, moves users off it",
                observed.says_why(live)
            )),
        ),
        _ => None,
    };
    let blind = operation.blind || watching.is_blind;
    Ok(Settlement {
        operation: Operation { blind, ..operation },
        settled,
        traffic,
        error,
    })
}

async fn users_are_well(
    session: &Session,
    observed: &Observed,
    live: Color,
    watching: &Watching,
) -> bool {
    if watching.is_blind {
        return observed.color(live).targets.healthy() > 0;
    }
    let (infra, asking) = (&observed.infrastructure, &watching.asking);
    judge_once(session, infra, asking, None).await
}

/// A superseded operation has moved no listener, or everything is about to be removed.
async fn supersede(work: &mut Work<'_>, operation: Operation, next: Command) -> Result<()> {
    let is_ecs = work.infrastructure.ecs().is_ok();
    if is_ecs && operation.command == Command::Deploy && next != Command::Destroy {
        let observed = work.observe().await?;
        tidy::forget_revision(work.session, &observed, &operation).await?;
    }
    let overwritten = hosted::may_have_overwritten(&operation);
    work.turn.take_up(operation);
    if let Some(color) = overwritten {
        let observed = work.observe().await?;
        work.turn.saw(&hosted::deploy::with(&observed, color, None));
    }
    let reason = format!("superseded by the next {next}");
    let conclusion = Conclusion::of(OperationOutcome::Superseded).because(Some(reason));
    Ok(work.turn.close(conclusion).await?)
}

/// Ends an unfinished operation, under its own id in the journal.
///
/// # Errors
/// What prevents it; then it stays unfinished, unless it has failed for good.
pub async fn settle(
    work: &mut Work<'_>,
    operation: Operation,
    course: Course,
    watching: &Watching,
) -> Result<Settled> {
    let observed = work.observe().await?;
    let way = way(work.session, &operation, course, &observed, watching).await?;
    let takes_back = matches!(&way, Resolution::Shift { strategy, is_back: true }
        if observed.traffic.production.reaches(strategy.from));
    work.turn.take_up(operation.clone());
    work.turn
        .describe(|operation| operation.blind |= watching.is_blind);
    match go(work, &operation, &observed, way, watching).await {
        Ok((settled, Some(conclusion))) => {
            stoppable(
                work.interrupts,
                everywhere::wait(work.session, work.infrastructure),
            )
            .await?;
            scaling::settle_or_leave_open(work).await?;
            let now = work.observe().await?;
            work.turn.saw(&now);
            if takes_back && let Some(release) = operation.release() {
                let left = match course {
                    Course::AsItIs
                    | Course::Continue { .. }
                    | Course::Onward
                    | Course::TakeBack => Left::TakenBack,
                    Course::Back => Left::RolledBack,
                };
                work.turn.came_off(Previous { release, left }, &now);
            }
            work.turn.close(conclusion).await?;
            Ok(settled)
        }
        Ok((Settled::Waiting, None)) => {
            work.turn.leave_open();
            Ok(Settled::Waiting)
        }
        Ok((settled, None)) => {
            work.turn.is_gone();
            Ok(settled)
        }
        // A deploy that failed is over; the end of everything else is still open.
        Err(error)
            if operation.command == Command::Deploy
                && matches!(error.exit, Exit::Failed | Exit::LookNow)
                && work.turn.knows_listeners() =>
        {
            let failed =
                Conclusion::of(OperationOutcome::Failed).because(Some(error.message.clone()));
            work.turn.close(failed).await?;
            Err(error)
        }
        Err(error) => {
            work.turn.leave_open();
            Err(error)
        }
    }
}

/// In which direction it continues.
///
/// # Errors
/// Listeners that are where the operation would never have put them; a colour that cannot
/// be asked from here (exit 6).
pub async fn way(
    session: &Session,
    operation: &Operation,
    course: Course,
    observed: &Observed,
    watching: &Watching,
) -> Result<Resolution> {
    let to_is_well =
        course == Course::AsItIs && is_well(session, operation, observed, watching).await?;
    let way = unfinished::way(operation, observed, course, to_is_well, watching.window());
    let way = way.map_err(|refusal| Error::from(refusal).untouched(observed))?;
    Ok(match way {
        Resolution::Shift {
            strategy,
            is_back: true,
        } => Resolution::Shift {
            strategy: strategy.watched_for(watching.window_back(operation, &session.config.probe)),
            is_back: true,
        },
        way => way,
    })
}

/// Whether the colour that a shift moved users to answers as the operation expects, and
/// has healthy targets.
///
/// # Errors
/// It cannot be asked from here (exit 6).
async fn is_well(
    session: &Session,
    operation: &Operation,
    observed: &Observed,
    watching: &Watching,
) -> Result<bool> {
    let is_shift = matches!(operation.command, Command::Promote | Command::Rollback);
    let production = &observed.traffic.production;
    let Some(to) = operation
        .color
        .filter(|to| is_shift && production.reaches(*to))
    else {
        return Ok(false);
    };
    // If users are on both, the colour is asked directly.
    let (route, color) = match production.only() {
        Some(_) => (Route::Production, None),
        None => (Route::Test, Some(to)),
    };
    // If production is not probed, target health and alarms have to be enough.
    let is_all_known =
        production.only().is_none() || (watching.is_blind && operation.command == Command::Promote);
    let is_fit = match &operation.strategy {
        Some(strategy) if is_all_known => {
            let alarms = objection(&session.aws, &session.config.shift).await;
            alarms == Ok(None) && preflight::is_fit(observed, strategy)
        }
        _ => observed.color(to).targets.healthy() > 0,
    };
    let (infra, asking) = (&observed.infrastructure, &watching.asking);
    if !is_fit || watching.is_blind {
        return Ok(is_fit);
    }
    let is_well = judge_once(session, infra, asking, color).await;
    if !is_well {
        // The colour is not to blame if requests never reached it.
        let asked = (asking.path.as_str(), asking.timeout);
        reach::require(session, observed, &[route], asked).await?;
    }
    Ok(is_well)
}

/// How it ended, and what to remember; None if the journal was deleted with everything
/// else.
type End = (Settled, Option<Conclusion>);

/// Boxed: it runs a whole command inside another, which would be too much for one stack.
fn go<'a>(
    work: &'a mut Work<'_>,
    operation: &'a Operation,
    observed: &'a Observed,
    way: Resolution,
    watching: &'a Watching,
) -> Pin<Box<dyn Future<Output = Result<End>> + 'a>> {
    let session = work.session;
    match way {
        Resolution::Undone => Box::pin(ready(Ok(undone()))),
        Resolution::Hold { live, gone } => Box::pin(ready(Err(hold(observed, live, &gone)))),
        Resolution::Shift { strategy, is_back } => Box::pin(shift(
            work, operation, observed, strategy, is_back, watching,
        )),
        Resolution::MakeLive { color } => Box::pin(async move {
            make_live::first_release(work, observed, color, watching.before_shift).await?;
            Ok(finished())
        }),
        Resolution::AwaitServing {
            color,
            task_definition,
        } => Box::pin(serve(
            work,
            operation,
            observed,
            (color, task_definition),
            watching.before_shift,
        )),
        Resolution::ForgetRevision => Box::pin(async move {
            tidy::forget_revision(session, observed, operation).await?;
            Ok(undone())
        }),
        Resolution::AwaitRetired { color } => Box::pin(async move {
            let retired = retire::await_no_task(session, observed, color, TIMEOUT);
            stoppable(work.interrupts, retired).await?;
            Ok(finished())
        }),
        Resolution::RunOwn { own, color } => Box::pin(async move {
            run_own(work, operation, observed, (own, color)).await?;
            Ok(finished())
        }),
        Resolution::GoOnDestroying => Box::pin(go_on_destroying(work)),
        Resolution::AwaitStack => Box::pin(await_stack(work, observed)),
    }
}

async fn go_on_destroying(work: &mut Work<'_>) -> Result<End> {
    let inventory = destroy::take_inventory(work.session).await?;
    let destroyed = destroy::destroy(work.session, Some(work.turn), &inventory);
    let destroyed = stoppable(work.interrupts, destroyed).await;
    destroyed.map_err(|error| destroy::cut_short(None, &inventory, error))?;
    Ok((Settled::Finished, None))
}

async fn await_stack(work: &mut Work<'_>, observed: &Observed) -> Result<End> {
    let session = work.session;
    if let Some(edge) = &session.config.edge {
        let finishing = super::edge::finish(session, work.turn, edge, observed);
        stoppable(work.interrupts, finishing).await?;
        return Ok(finished());
    }
    let settled = stack::await_settled(session);
    match stoppable(work.interrupts, settled).await? {
        Some(stack) if stack.status == crate::aws::StackStatus::Ready => Ok(finished()),
        _ => Ok(undone()),
    }
}

fn hold(observed: &Observed, live: Color, gone: &Deployed) -> Error {
    Error::new(
        Exit::LookNow,
        format!(
            "{} does not answer well, and {gone}, which was live before it, is gone",
            observed.named(live)
        ),
    )
    .traffic(observed.traffic_line())
    .hint("`bgecs adopt` accepts what is live; then deploy a good release, and `bgecs promote --fix-forward`")
}

async fn serve(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    (color, requested): (Color, Revision),
    order: Option<HookTaskOrder>,
) -> Result<End> {
    let session = work.session;
    let wait = Wait {
        observed,
        color,
        requested: &requested,
        began: operation.began,
        timeout: TIMEOUT,
        is_blind: work.turn.operation().blind,
    };
    stoppable(work.interrupts, await_serving(session, &wait)).await?;
    let becomes_live =
        operation.from.is_none() && observed.traffic.production.only() != Some(color.other());
    if becomes_live {
        make_live::first_release(work, observed, color, order).await?;
    }
    Ok(finished())
}

/// Runs the owner's command, unless it has already finished and only what follows is
/// missing.
async fn run_own(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    (own, color): (OwnCommand, Color),
) -> Result<()> {
    let (session, turn) = (work.session, work.turn);
    if own == OwnCommand::Retire {
        let it = (color, TIMEOUT);
        return hosted::retire::retire(session, turn, work.interrupts, observed, it).await;
    }
    let Some(tag) = &operation.tag else {
        return Ok(());
    };
    let ran = operation
        .entries
        .iter()
        .find_map(|entry| match &entry.effect {
            Effect::RunOwn { context, .. } => {
                Some((context.clone(), entry.fate == Some(Fate::Done)))
            }
            _ => None,
        });
    let (context, has_run) = ran.unwrap_or_default();
    let request = HostedRequest {
        color,
        tag,
        context,
        timeout: TIMEOUT,
        has_run,
        is_blind: operation.blind,
    };
    let now = hosted::deploy::deploy(session, turn, work.interrupts, observed, &request).await?;
    let becomes_live =
        operation.from.is_none() && now.traffic.production.only() != Some(color.other());
    if becomes_live {
        make_live::make_live(session, turn, &now, color).await?;
    }
    Ok(())
}

/// As which kind of swap that command's shift continues.
pub fn kind(command: Command, is_back: bool) -> SwapKind {
    match (is_back, command) {
        (false, Command::Promote) => SwapKind::Promote,
        _ => SwapKind::Rollback,
    }
}

async fn shift(
    work: &mut Work<'_>,
    operation: &Operation,
    observed: &Observed,
    strategy: Strategy,
    is_back: bool,
    watching: &Watching,
) -> Result<End> {
    let kind = kind(operation.command, is_back);
    let had_arrived = observed.traffic.production.reaches(strategy.to);
    watching.asking.check_report()?;
    if kind == SwapKind::Promote && !is_touched_by(operation) {
        let to = strategy.to;
        scaling::get_ready(work, observed, to, observed.color(to).desired()).await?;
    }
    let attempt = Attempt::new(
        work.session,
        kind,
        observed.clone(),
        strategy,
        watching.clone(),
    )
    .begun_at(operation.origin());
    let swapped = attempt.run(work).await?;
    let settled = match (swapped.ending(), is_back) {
        (Outcome::Paused, _) => return Ok((Settled::Waiting, None)),
        (Outcome::Committed, false) | (Outcome::RolledBack(_), true) => Settled::Finished,
        (Outcome::Committed, true) | (Outcome::RolledBack(_), false) => Settled::Undone,
        _ => {
            return Err(swapped
                .error()
                .unwrap_or_else(|| Error::failed("the swap did not end")));
        }
    };
    let outcome = match settled {
        Settled::Finished => OperationOutcome::Finished,
        Settled::Undone | Settled::Waiting => OperationOutcome::Undone,
    };
    let mut watched = swapped.watched();
    if let (true, Some(watched)) = (had_arrived, &mut watched) {
        // Users had changed over before this run watched.
        watched.changeover_ms = None;
    }
    let conclusion = Conclusion {
        outcome,
        reason: swapped.error().map(|error| error.message),
        watched,
    };
    Ok((settled, Some(conclusion)))
}

fn finished() -> End {
    (
        Settled::Finished,
        Some(Conclusion::of(OperationOutcome::Finished)),
    )
}

fn undone() -> End {
    (
        Settled::Undone,
        Some(Conclusion::of(OperationOutcome::Undone)),
    )
}

async fn stoppable<T>(
    interrupts: &mut Interrupts,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    interrupts
        .or_stop(
            "finishing what was left unfinished",
            "`bgecs resume` continues it",
            work,
        )
        .await
}

#[cfg(test)]
mod tests;
