//! Looks at the listeners right before an effect on a colour, and again after it: others
//! can move users at any moment, even by hand.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout};

use super::turn::Turn;
use crate::aws::{AwsError, Router};
use crate::engine::look_ahead::{self, Users};
use crate::error::{Error, Exit, Result};
use crate::model::{Color, Found, Observed, PerRoute, Route};
use crate::session::Session;

/// How long listeners that are not as expected are read again: reads are eventually
/// consistent and can show an earlier state.
const PATIENCE: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(500);
/// How long an error may be delayed to find out where users are.
const WHOLE_LOOK: Duration = Duration::from_secs(15);

/// Checks that users are where they were when an effect on the colour was planned. The
/// intent is in the journal by now; if the check fails, the journal then says that the
/// effect did not happen.
///
/// # Errors
/// A listener that something else has moved (exit 6); AWS's own. Then the effect must not
/// happen.
pub async fn look_ahead(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
) -> Result<()> {
    let is_as_planned = |found: &PerRoute<Found>| *found == observed.traffic;
    let error = match listeners(session, observed, is_as_planned).await {
        Ok(found) => match look_ahead::refuse_moved(observed, &found, color) {
            Ok(()) => return Ok(()),
            Err(refusal) => {
                Error::from(refusal).traffic(observed.with_traffic(found).traffic_line())
            }
        },
        Err(error) => Error::from(error).untouched(observed),
    };
    turn.did_not(&error.message);
    Err(error)
}

/// Where users are now that the work on the colour is over; the rest is as observed
/// before.
///
/// # Errors
/// AWS's own.
pub async fn look_again(
    session: &Session,
    observed: &Observed,
    color: Color,
) -> Result<(Users, Observed), AwsError> {
    let is_as_before = |found: &PerRoute<Found>| *found == observed.traffic;
    let found = listeners(session, observed, is_as_before).await?;
    let users = look_ahead::users(observed, &found, color);
    Ok((users, observed.with_traffic(found)))
}

/// Where users were seen after work on a colour had failed.
#[derive(Debug)]
struct UsersSeen {
    users: Users,
    now: Observed,
    /// What runs there, if users are on the colour.
    runs: String,
}

/// Adds to an error where users are, after work on a colour failed. `touched` says that
/// the work may have changed what the colour runs; if users are on that colour, they may
/// notice: exit 4.
pub async fn tell_users(
    session: &Session,
    observed: &Observed,
    color: Color,
    touched: bool,
    error: Error,
) -> Error {
    let seen = match timeout(WHOLE_LOOK, see(session, observed, color)).await {
        Ok(Ok(seen)) => Ok(seen),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("no answer in time".to_owned()),
    };
    told(observed, color, touched, seen, error)
}

async fn see(session: &Session, observed: &Observed, color: Color) -> Result<UsersSeen, AwsError> {
    let (users, now) = look_again(session, observed, color).await?;
    let runs = match users {
        Users::OnIt | Users::BroughtOntoIt => what_runs(session, &now, color).await,
        Users::Elsewhere | Users::Moved(_) => String::new(),
    };
    Ok(UsersSeen { users, now, runs })
}

async fn what_runs(session: &Session, now: &Observed, color: Color) -> String {
    let Ok(infra) = now.ecs() else {
        return format!("it runs {}", now.named(color));
    };
    match session.aws.read_service(&infra.services, color).await {
        Ok(Some(service)) => look_ahead::what_runs(color, &service),
        Ok(None) => format!("{color} has no service"),
        Err(_) => format!("what {color} runs cannot be read"),
    }
}

fn told(
    observed: &Observed,
    color: Color,
    touched: bool,
    seen: Result<UsersSeen, String>,
    error: Error,
) -> Error {
    let UsersSeen { users, now, runs } = match seen {
        Ok(seen) => seen,
        Err(why) => {
            let then = format!(
                "{} when this began; now it cannot be read",
                observed.traffic_line()
            );
            return error.cause(why).traffic(then);
        }
    };
    let by_whom = || {
        let endpoint = observed.endpoint(Route::Production);
        format!("{endpoint} was moved onto {color} meanwhile: something else did it")
    };
    let on_it = observed.users_on(format!("{color}, so users may see it: {runs}"));
    match (users, touched) {
        (Users::Elsewhere, _) | (Users::OnIt, false) => error.untouched(observed),
        (Users::Moved(how), _) => error.cause(how).traffic(now.traffic_line()),
        (Users::BroughtOntoIt, false) => error.cause(by_whom()).traffic(now.traffic_line()),
        (Users::OnIt, true) => {
            let exit = match error.exit {
                Exit::Failed | Exit::TimedOut => Exit::LookNow,
                exit => exit,
            };
            Error { exit, ..error }.traffic(on_it)
        }
        (Users::BroughtOntoIt, true) => {
            let exit = Exit::LookNow;
            Error { exit, ..error }.cause(by_whom()).traffic(on_it)
        }
    }
}

/// Reads both routes, and reads them again as long as they are not as expected and
/// patience lasts.
async fn listeners(
    session: &Session,
    observed: &Observed,
    is_expected: impl Fn(&PerRoute<Found>) -> bool,
) -> Result<PerRoute<Found>, AwsError> {
    let router = session.aws.router(&observed.infrastructure);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = router.read().await?;
        if is_expected(&found) || Instant::now() >= deadline {
            return Ok(found);
        }
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
