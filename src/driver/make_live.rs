//! The first colour to serve becomes live. Nothing was, so no user can notice
//! and nothing is probed.

use std::time::Duration;

use tokio::time::Instant;

use super::live::LiveWorld;
use super::shift::{self, Nobody};
use super::turn::Turn;
use crate::aws::Router;
use crate::engine::seen::Releases;
use crate::engine::shift::{Before, Outcome, Policy, Shift, Tolerated, Why};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, Observed, Route, Strategy};
use crate::session::Session;

/// Points production at the colour, then the test route at the other. It takes
/// moments, and an end between the two would be neither: nothing interrupts it.
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
        aws: &session.aws.impatient(),
        observed,
        turn,
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
    let shift = finished.shift;
    if let (Some(Outcome::Unchanged(reason)), false) = (shift.outcome(), shift.moves.is_empty()) {
        turn.did_not(reason);
    }
    ended(&shift, observed, color)
}

fn first(session: &Session, observed: &Observed, color: Color) -> Shift {
    let router = session.aws.router(&observed.infrastructure);
    let policy = Policy {
        baseline: None,
        pace: Duration::ZERO,
        needs_clean_baseline: false,
        takes_back: false,
        tolerates: Tolerated::default(),
        patience: router.patience(),
    };
    let before = Before {
        found: observed.traffic.clone(),
        origin: None,
        was_healthy: false,
    };
    Shift::new(Strategy::first(color, &observed.traffic), before, policy)
}

fn ended(shift: &Shift, observed: &Observed, color: Color) -> Result<()> {
    let outcome = shift.outcome();
    Err(match outcome {
        Some(Outcome::Committed) => return Ok(()),
        Some(Outcome::Refused(reason)) => Error::refused(reason.clone())
            .traffic(observed.traffic_line())
            .hint("look at what changed: `bgecs status`"),
        Some(Outcome::Unchanged(reason)) => Error::failed(format!("{color} cannot be made live"))
            .cause(reason)
            .traffic(observed.traffic_line())
            .hint(format!("`bgecs promote {color}` tries again")),
        // The rest is for the next command: the operation stays open.
        Some(Outcome::Left(Why::Unmoved(route, reason))) => {
            let target = match route {
                Route::Production => color,
                Route::Test => color.other(),
            };
            Error::new(
                Exit::LookNow,
                format!("{route} cannot be pointed at {target}"),
            )
            .cause(reason)
            .traffic(format!("port 80 -> {color}"))
            .hint("`bgecs resume` does the rest")
        }
        Some(Outcome::Left(Why::Journal(reason))) => Error::new(Exit::LookNow, reason.clone())
            .traffic(format!("port 80 -> {color}"))
            .hint("`bgecs resume` does the rest"),
        Some(Outcome::InDoubt(reason)) => {
            Error::new(Exit::LookNow, reason.clone()).hint("`bgecs status` shows both listeners")
        }
        _ => Error::new(Exit::LookNow, format!("{color} was not made live"))
            .hint("`bgecs status` shows both listeners"),
    })
}
