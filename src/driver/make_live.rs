//! The first colour to serve becomes live. Nothing was, so no user can notice
//! and nothing is probed; each write is read back all the same.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::World;
use super::live::LiveWorld;
use super::look_ahead::look_ahead_of_move;
use super::turn::Turn;
use crate::engine::swap::Urgency;
use crate::error::{Error, Exit, Result};
use crate::model::{Color, Found, Observed, Route};
use crate::session::Session;

/// How long a listener may take to show a write, and may not be read: as long as
/// in a swap.
const READ_DEADLINE: Duration = Duration::from_secs(30);
const READ_PAUSE: Duration = Duration::from_millis(200);

/// Points prod at the colour, then test at the other. It takes moments, and an
/// end between the two would be neither: nothing interrupts it.
///
/// # Errors
/// A journal that cannot be written, a listener that something else has moved
/// (exit 6), a write that AWS refuses (exit 1); with prod moved already, or a
/// listener that does not show it, exit 4.
pub async fn make_live(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
) -> Result<()> {
    let world = LiveWorld {
        aws: &session.aws,
        observed,
        turn,
    };
    point(session, &world, Route::Production, color).await?;
    point(session, &world, Route::Test, color.other())
        .await
        .map_err(|error| half_way(error, color))
}

async fn point(session: &Session, world: &LiveWorld<'_>, route: Route, color: Color) -> Result<()> {
    world.turn.about_to(world.intent(route, color)).await?;
    look_ahead_of_move(session, world.turn, world.observed, route, color).await?;
    if let Err(fault) = world
        .point_listener_at(route, color, Urgency::Forward)
        .await
        && !fault.ambiguous
    {
        world.turn.did_not(&fault.message);
        return Err(
            Error::failed(format!("{route} cannot be pointed at {color}"))
                .cause(fault.message)
                .traffic(world.observed.traffic_line())
                .hint(format!("`bgecs promote {color}` tries again")),
        );
    }
    read_back(world, route, color).await
}

/// The colour is live, and the rest is for the next command: the operation stays
/// open, unless another has it by now.
fn half_way(error: Error, live: Color) -> Error {
    let exit = match error.exit {
        Exit::Refused => Exit::Refused,
        _ => Exit::LookNow,
    };
    Error { exit, ..error }
        .traffic(format!("port 80 -> {live}"))
        .hint("`bgecs resume` does the rest")
}

async fn read_back(world: &impl World, route: Route, color: Color) -> Result<()> {
    let began = Instant::now();
    loop {
        let seen = world.read_listener(route).await;
        if seen.as_ref().map(Found::only) == Ok(Some(color)) {
            return Ok(());
        }
        if began.elapsed() > READ_DEADLINE {
            let cause = match seen {
                Ok(forwarding) => format!("{route} forwards to {forwarding}"),
                Err(reason) => reason,
            };
            return Err(Error::new(
                Exit::LookNow,
                format!("{route} does not show that it forwards to {color}"),
            )
            .cause(cause)
            .hint("`bgecs status` shows both listeners"));
        }
        sleep(READ_PAUSE).await;
    }
}
