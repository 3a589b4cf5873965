//! Stops what runs on a colour that bgecs does not run, once nobody is led there any
//! more.

use std::time::Duration;

use time::OffsetDateTime;

use super::deploy::with;
use super::own::Own;
use crate::driver::asking::{Asking, of_file};
use crate::driver::attempt::identities;
use crate::driver::turn::Turn;
use crate::driver::update;
use crate::engine::preflight::TEST_ANSWERS;
use crate::engine::seen::{OLD, Releases};
use crate::error::{Error, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{Effect, Operation, OwnCommand};
use crate::model::{Color, HostedRelease, Observed};
use crate::probe::ask_once;
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;

/// How many operations are searched for the last one that moved users.
const RECENT: i32 = 20;

/// Runs the colour's own command.
///
/// # Errors
/// It has none (exit 2); the command's own.
pub async fn retire(
    session: &Session,
    turn: &Turn,
    interrupts: &mut Interrupts,
    observed: &Observed,
    (color, timeout): (Color, Duration),
) -> Result<()> {
    let line = command(session, color)?;
    let effect = Effect::RunOwn {
        own: OwnCommand::Retire,
        color,
        context: None,
    };
    update::intend(session, turn, observed, color, effect).await?;
    let hosted = observed.color(color).hosted.clone();
    let own = Own {
        command: OwnCommand::Retire,
        line,
        color,
        tag: hosted.as_ref().and_then(|it| it.tag.as_ref()),
        context: None,
        timeout,
    };
    let running = own.run(session);
    let left = "`bgecs retire` runs it again";
    interrupts
        .or_stop(&format!("retiring {color}"), left, running)
        .await?;
    turn.did().await?;
    let retired = hosted.map(|it| HostedRelease {
        is_retired: true,
        ..it
    });
    turn.saw(&with(observed, color, retired));
    Ok(())
}

/// # Errors
/// The colour has none (exit 2).
pub fn command(session: &Session, color: Color) -> Result<&str> {
    let hosted = session.config.hosted(color);
    hosted
        .and_then(|it| it.line(OwnCommand::Retire))
        .ok_or_else(|| {
            Error::usage(format!(
                "[colors.{color}] has no `retire`: bgecs cannot stop what it does not run"
            ))
            .hint("write the command that stops it as `retire` of that colour")
        })
}

/// As long as something caches an old answer, users may still be led to the colour that
/// they left. Until `drain` is over, that keeps it running.
///
/// # Errors
/// Users still are (exit 6).
pub async fn refuse_while_shown(session: &Session, observed: &Observed, idle: Color) -> Result<()> {
    let Some(edge) = &session.config.edge else {
        return Ok(());
    };
    let asking = Asking::new(of_file(&session.config.probe), Vec::new());
    let colors = (idle, idle.other());
    let who = identities(session, &asking, observed, colors, asking.timeout).await?;
    let mut releases = Releases::Two(who);
    let infra = &observed.infrastructure;
    let mut showing = Vec::new();
    for address in session.production_addresses(infra, &asking.path).await? {
        for _ in 0..TEST_ANSWERS {
            let asked = ask_once(&address, &asking.question, asking.timeout).await;
            if releases.who(&asked.answer) == Some(OLD) {
                showing.push(address.way());
                break;
            }
        }
    }
    if showing.is_empty() {
        return Ok(());
    }
    let told = format!("users are still led to {idle}: {}", showing.join(", "));
    let table = infra.journal_table();
    let ended = session.aws.read_history(table, RECENT).await?;
    let moved = ended.iter().find_map(Operation::moved_production_at);
    let left = moved.and_then(|at| left(at, edge.drain, session.aws.journal_time()));
    match left {
        None => {
            session
                .report
                .tell(&ReportEvent::Warning(format!("{told}; `drain` is over")));
            Ok(())
        }
        Some(left) => Err(Error::refused(told).untouched(observed).hint(format!(
            "wait until the old answers have expired; in {} ([router] drain) it can be retired regardless",
            spoken_time::in_words(left)
        ))),
    }
}

fn left(moved: OffsetDateTime, drain: Duration, now: OffsetDateTime) -> Option<time::Duration> {
    let left = moved + drain - now;
    left.is_positive().then_some(left)
}
