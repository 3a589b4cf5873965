//! The first colour to serve becomes live. Nothing was, so no user can notice
//! and nothing is probed; each write is read back all the same.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::World;
use super::live::LiveWorld;
use super::turn::Turn;
use crate::error::{Error, Exit, Result};
use crate::model::{Color, Forwarding, Observed, Port};
use crate::session::Session;

/// How long a listener may take to show a write.
const READ_DEADLINE: Duration = Duration::from_secs(10);
const READ_PAUSE: Duration = Duration::from_millis(200);

/// Points prod at the colour, then test at the other.
///
/// # Errors
/// A journal that cannot be written, a write that AWS refuses (exit 1), a
/// listener that does not show it (exit 4).
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
    for (port, color) in [(Port::Prod, color), (Port::Test, color.other())] {
        turn.about_to(world.intent(port, color)).await?;
        if let Err(fault) = world.point_listener_at(port, color).await
            && !fault.ambiguous
        {
            turn.did_not(&fault.message);
            return Err(refused(observed, port, color).cause(fault.message));
        }
        read_back(&world, port, color).await?;
    }
    Ok(())
}

/// Of the test port: production has moved by then.
fn refused(observed: &Observed, port: Port, color: Color) -> Error {
    let message = format!("{port} cannot be pointed at {color}");
    match port {
        Port::Prod => Error::failed(message)
            .untouched(observed)
            .hint(format!("`bgecs promote {color}` tries again")),
        Port::Test => Error::new(Exit::LookNow, message)
            .traffic(format!("port 80 -> {}", color.other()))
            .hint("`bgecs resume` tries again"),
    }
}

async fn read_back(world: &impl World, port: Port, color: Color) -> Result<()> {
    let began = Instant::now();
    loop {
        let seen = world.read_listener(port).await;
        if seen.as_ref().map(Forwarding::only) == Ok(Some(color)) {
            return Ok(());
        }
        if began.elapsed() > READ_DEADLINE {
            let cause = match seen {
                Ok(forwarding) => format!("{port} forwards to {forwarding}"),
                Err(reason) => reason,
            };
            return Err(Error::new(
                Exit::LookNow,
                format!("{port} does not show that it forwards to {color}"),
            )
            .cause(cause)
            .hint("`bgecs status` shows both listeners"));
        }
        sleep(READ_PAUSE).await;
    }
}
