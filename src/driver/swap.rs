//! What promote and rollback share: what a plan needs first, and then the swap under the
//! probe. The result is returned, not told.

use std::time::Duration;

use tokio::time::timeout;

use super::attempt::{Attempt, SwapKind, Swapped};
use super::live::SCALE_TIMEOUT;
use super::turn::Turn;
use super::watching::Watching;
use super::work::Work;
use super::{await_serving, make_live, reach, scaling};
use crate::aws::Router;
use crate::counted::counted;
use crate::engine::plan::{self, Needless, SwapPlan};
use crate::error::{Error, Result};
use crate::model::{Color, Observed, Strategy};
use crate::report::ReportEvent;
use crate::session::Session;

/// How long asking for tasks may delay a way back that does not wait for them.
const ASKING_TIMEOUT: Duration = Duration::from_secs(2);

/// How a swap ended.
#[derive(Debug)]
pub enum SwapEnd {
    Nothing {
        live: Color,
        why: Needless,
        observed: Observed,
    },
    MadeLive {
        color: Color,
        observed: Observed,
    },
    Tried(Box<Swapped>),
}

/// Carries out the plan.
///
/// # Errors
/// A failed check (exit 6); AWS's own before anything changed.
pub async fn run(
    mut work: Work<'_>,
    kind: SwapKind,
    observed: Observed,
    plan: SwapPlan,
    watching: Watching,
) -> Result<SwapEnd> {
    let session = work.session;
    watching.asking.check_report()?;
    warn_of_other_ways(session, &observed, plan);
    match plan {
        SwapPlan::NothingToDo { live, why } => {
            watching.asking.skip_report(&session.report);
            Ok(SwapEnd::Nothing {
                live,
                why,
                observed,
            })
        }
        SwapPlan::MakeLive { color } => {
            watching.asking.skip_report(&session.report);
            describe(work.turn, &observed, plan);
            let order = watching.before_shift;
            make_live::first_release(&mut work, &observed, color, order).await?;
            let now = work.observe().await?;
            work.turn.saw(&now);
            Ok(SwapEnd::MadeLive {
                color,
                observed: now,
            })
        }
        SwapPlan::Swap { to, .. } => {
            describe(work.turn, &observed, plan);
            let strategy = lay_out(session, kind, &observed, to, &watching)?;
            watching.remember(work.turn, &strategy);
            // The gates belong to this process alone: a run that resumes the swap sets
            // its own.
            let strategy = match work.seat {
                Some(seat) => seat.laid_out(strategy),
                None => strategy,
            };
            if !watching.is_blind {
                see_whether_it_can_be_asked(&mut work, kind, &observed, to, &watching).await?;
            }
            let swapped = swap(&mut work, kind, observed, strategy, watching).await;
            let swapped = with_scaling_settled(&work, swapped).await?;
            swapped.conclude(work.turn);
            Ok(SwapEnd::Tried(Box::new(swapped)))
        }
    }
}

/// Settles the scaling however the swap ended, unless it has not ended yet.
async fn with_scaling_settled(work: &Work<'_>, swapped: Result<Swapped>) -> Result<Swapped> {
    if swapped.as_ref().is_ok_and(|it| it.remembered().is_none()) {
        return swapped;
    }
    let settled = scaling::settle_or_leave_open(work).await;
    match (swapped, settled) {
        (swapped, Ok(())) => swapped,
        (Ok(swapped), Err(error)) => Err(error.traffic(swapped.traffic)),
        (Err(error), Err(unsettled)) => Err(error.hint_too(&unsettled.message)),
    }
}

/// The swap itself, after scaling the colour if it needs that.
async fn swap(
    work: &mut Work<'_>,
    kind: SwapKind,
    observed: Observed,
    strategy: Strategy,
    watching: Watching,
) -> Result<Swapped> {
    let (to, share) = (strategy.to, strategy.first_share());
    let observed = match watching.is_hurried {
        true => {
            if let Some(count) = plan::missing(&observed, to, share) {
                ask_for_capacity(work, &observed, to, count).await;
            }
            observed
        }
        false => get_as_large(work, kind, observed, (to, share)).await?,
    };
    let attempt = Attempt::new(work.session, kind, observed, strategy, watching);
    attempt.run(work).await
}

/// Autoscaling of the live colour may raise its size meanwhile, but no longer lower it.
async fn get_as_large(
    work: &mut Work<'_>,
    kind: SwapKind,
    mut observed: Observed,
    (to, share): (Color, u16),
) -> Result<Observed> {
    loop {
        let missing = plan::missing(&observed, to, share);
        // The way back does not wait for scaling to be prepared.
        if kind == SwapKind::Promote {
            let count = missing.unwrap_or_else(|| observed.color(to).desired());
            scaling::get_ready(work, &observed, to, count).await?;
        }
        match missing {
            None => return Ok(observed),
            Some(count) => observed = match_capacity(work, &observed, to, count).await?,
        }
    }
}

/// The stages in which users move.
///
/// # Errors
/// Shares that the router cannot set (exit 2).
pub fn lay_out(
    session: &Session,
    kind: SwapKind,
    observed: &Observed,
    to: Color,
    watching: &Watching,
) -> Result<Strategy> {
    let hooks = &session.config.hooks.actions;
    let is_wanted = |hook| kind == SwapKind::Promote && hooks.contains_key(&hook);
    let strategy = watching.strategy(observed, to).with_hooks(is_wanted);
    let router = session.aws.router(&observed.infrastructure);
    router.fit(strategy).map_err(Error::usage)
}

/// A swap that cannot be watched from here does not begin, nor scale anything up.
async fn see_whether_it_can_be_asked(
    work: &mut Work<'_>,
    kind: SwapKind,
    observed: &Observed,
    to: Color,
    watching: &Watching,
) -> Result<()> {
    let is_there = observed.live_color() == Some(to);
    let routes = reach::needed(kind, watching.fixes_forward, is_there);
    let (session, asking) = (work.session, &watching.asking);
    let asked = (asking.path.as_str(), asking.timeout);
    let finding = reach::require(session, observed, &routes, asked);
    work.interrupts
        .or_stop("checking", "nothing was changed", finding)
        .await
}

/// Warns that users who come in by another way do not move.
pub fn warn_of_other_ways(session: &Session, observed: &Observed, plan: SwapPlan) {
    let (SwapPlan::NothingToDo { live: to, .. }
    | SwapPlan::MakeLive { color: to }
    | SwapPlan::Swap { to, .. }) = plan;
    for sentence in plan::staying_behind(observed, to) {
        session.report.tell(&ReportEvent::Warning(sentence));
    }
}

/// Fills in what the journal will say about it.
pub fn describe(turn: &Turn, observed: &Observed, plan: SwapPlan) {
    let (from, to) = match plan {
        SwapPlan::NothingToDo { .. } => return,
        SwapPlan::MakeLive { color } => (None, color),
        SwapPlan::Swap { from, to } => (Some(from), to),
    };
    turn.describe(|operation| {
        operation.from = from.and_then(|from| observed.deployed(from));
        operation.color = Some(to);
        if let Some(release) = observed.deployed(to) {
            operation.tag = release.tag;
            operation.digest = release.digest;
            operation.task_definition = release.revision;
        }
    });
}

/// Users need the old release now: scaling it up to the size of the live one is not
/// waited for.
async fn ask_for_capacity(work: &Work<'_>, observed: &Observed, color: Color, count: i32) {
    let session = work.session;
    let running = observed.color(color).running();
    let asking = await_serving::ask_for(session, work.turn, observed, color, count);
    let told = match timeout(ASKING_TIMEOUT, asking).await {
        Ok(Ok(())) => "more were asked for, but are not waited for".to_owned(),
        Ok(Err(error)) => format!("asking for more failed: {}", error.message),
        Err(_) => "it is not known whether ECS was asked for more".to_owned(),
    };
    session.report.tell(&ReportEvent::Warning(format!(
        "{color} runs {running} of {}: {told}",
        counted(count, "task")
    )));
}

/// A colour that takes over must be as large as the one that it replaces needs to be.
async fn match_capacity(
    work: &mut Work<'_>,
    observed: &Observed,
    color: Color,
    count: i32,
) -> Result<Observed> {
    let session = work.session;
    session.report.tell(&ReportEvent::Doing(format!(
        "scaling {color} to {}",
        counted(count, "task")
    )));
    let scaled = await_serving::scale(session, work.turn, observed, color, count, SCALE_TIMEOUT);
    work.interrupts
        .or_stop(
            &format!("scaling {color} to {}", counted(count, "task")),
            "ECS will finish what it has started; traffic is unchanged",
            scaled,
        )
        .await?;
    session.report.tell(&ReportEvent::Done(format!(
        "{color} has {}, as many as it needs",
        counted(count, "task")
    )));
    work.observe().await
}
