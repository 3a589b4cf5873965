//! The first colour that serves becomes live. Nothing was live before, so no user can
//! notice and nothing is probed.

use std::time::Duration;

use tokio::time::Instant;

use super::hook::NotedHooks;
use super::live::LiveWorld;
use super::shift::{self, Nobody};
use super::turn::{Stop, Turn};
use super::work::Work;
use crate::aws::Router;
use crate::config::Config;
use crate::engine::hook_task::HookTaskOrder;
use crate::engine::seen::Releases;
use crate::engine::shift::{Before, JudgedBy, Outcome, Policy, Shift, Tolerated, Why};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, Hook, HookAction, Move, Observed, Strategy};
use crate::session::Session;

/// A migration has to run before the first release as well; the other hooks are about
/// users.
pub fn hook_of_first(config: &Config) -> Option<Hook> {
    let hook = Hook::BeforeShift;
    let action = config.hooks.actions.get(&hook)?;
    matches!(action, HookAction::Task(_)).then_some(hook)
}

/// As [`make_live`], after the task that a first release waits for, if there is one.
///
/// # Errors
/// The task did not succeed, or was interrupted: nothing was made live. As [`make_live`].
pub async fn first_release(
    work: &mut Work<'_>,
    observed: &Observed,
    color: Color,
    order: Option<HookTaskOrder>,
) -> Result<()> {
    if let Some(hook) = hook_of_first(&work.session.config) {
        let hooks = NotedHooks {
            session: work.session,
            turn: work.turn,
            observed,
            report: None,
            order,
        };
        let run = async {
            let ran = hooks.run(hook, None).await;
            ran.map_err(|why| Error::refused(why).untouched(observed))
        };
        let (doing, again) = (
            format!("running {hook}"),
            format!("`bgecs promote {color}` makes it live, and continues from there"),
        );
        let run = work.interrupts.or_stop(&doing, "", run).await;
        run.map_err(|error| error.hint_too(&again))?;
    }
    make_live(work.session, work.turn, observed, color).await
}

/// Points production at the colour, then the test route at the other. This takes moments
/// and must not stop halfway, so nothing interrupts it.
///
/// # Errors
/// A journal that cannot be written, a route that something else has moved
/// (exit 6), a write that AWS refuses (exit 1); with production moved already, or
/// a route that does not show it, exit 4.
pub async fn make_live(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
) -> Result<()> {
    let world = LiveWorld {
        session,
        aws: &session.aws.impatient(),
        to: color,
        observed,
        report: None,
        order: None,
        turn,
        seat: None,
    };
    let finished = shift::run(
        &world,
        first(session, observed, color),
        Releases::default(),
        &mut Nobody::default(),
        &mut Interrupts::none(),
        Instant::now(),
        &mut |_| {},
    )
    .await;
    ended(session, turn, &finished.shift, observed, color).await
}

fn first(session: &Session, observed: &Observed, color: Color) -> Shift {
    let router = session.aws.router(&observed.infrastructure);
    let policy = Policy {
        judged_by: JudgedBy::Nothing,
        pace: Duration::ZERO,
        timeout: Duration::ZERO,
        needs_clean_baseline: false,
        takes_back: false,
        tolerates: Tolerated::default(),
        patience: router.patience(),
        shares_requests: router.shares_requests(),
        endpoints: observed.endpoints().clone(),
    };
    let before = Before {
        found: observed.traffic.clone(),
        origin: None,
        was_healthy: false,
    };
    Shift::new(Strategy::first(color, &observed.traffic), before, policy)
}

async fn ended(
    session: &Session,
    turn: &Turn,
    shift: &Shift,
    observed: &Observed,
    color: Color,
) -> Result<()> {
    // The operation stays open: the next command does the rest.
    let half_way = |exit, message: String| {
        Error::new(exit, message)
            .traffic(observed.users_on(color))
            .hint("`bgecs resume` does the rest")
    };
    Err(match shift.outcome() {
        Some(Outcome::Committed) => return Ok(()),
        Some(Outcome::Refused(reason)) if turn.is_lost() => Stop::Lost(reason.clone()).into(),
        Some(Outcome::Refused(reason)) => {
            turn.did_not(reason);
            Error::refused(reason.clone())
                .traffic(look(session, observed).await.traffic_line())
                .hint("`bgecs adopt` accepts what is there now; or put it back by hand")
        }
        Some(Outcome::Unchanged(reason)) => {
            let message = match shift.moves.last() {
                None => format!("{color} cannot be made live"),
                Some(moved) => {
                    turn.did_not(reason);
                    cannot(moved.it, observed)
                }
            };
            Error::failed(message)
                .cause(reason)
                .traffic(observed.traffic_line())
                .hint(format!("`bgecs promote {color}` tries again"))
        }
        Some(Outcome::Left(Why::Unmoved(route, reason))) => {
            let mut stages = shift.strategy.stages.iter();
            let stage = stages.rfind(|stage| stage.it.route == *route);
            let message = stage.map_or_else(|| reason.clone(), |stage| cannot(stage.it, observed));
            half_way(Exit::LookNow, message).cause(reason)
        }
        Some(Outcome::Left(Why::Journal(reason))) => half_way(Exit::LookNow, reason.clone()),
        // Someone else holds the lease by now.
        Some(Outcome::InDoubt(reason)) if turn.is_lost() => half_way(Exit::Refused, reason.clone()),
        Some(Outcome::InDoubt(reason)) => {
            Error::new(Exit::LookNow, reason.clone()).hint("`bgecs status` shows both routes")
        }
        _ => Error::new(Exit::LookNow, format!("{color} was not made live"))
            .hint("`bgecs status` shows both routes"),
    })
}

fn cannot(Move { route, to, .. }: Move, observed: &Observed) -> String {
    format!("{} cannot be pointed at {to}", observed.endpoint(route))
}

/// Where users are now; as observed before, if that cannot be read.
async fn look(session: &Session, observed: &Observed) -> Observed {
    let router = session.aws.router(&observed.infrastructure);
    match router.read().await {
        Ok(traffic) => observed.with_traffic(traffic),
        Err(_) => observed.clone(),
    }
}

#[cfg(test)]
mod tests;
