//! `bgecs logs`

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;
use tokio::time::sleep;

use super::lapse::Lapse;
use crate::aws::{LogLine, LogQuery};
use crate::cli::LogsFlags;
use crate::definition::Loaded;
use crate::driver::log_follower::LogFollower;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Color, Observed};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;
use crate::spoken_time;

/// Between two looks for new lines.
const PAUSE: Duration = Duration::from_secs(2);

pub async fn run(session: &Session, args: &LogsFlags) -> Result<Exit> {
    if args.follow && session.report.wants_json() {
        return Err(
            Error::usage("--follow has no end, and --json prints one document")
                .hint("leave one of them out"),
        );
    }
    let infra = session.ecs_infrastructure().await?;
    let color = match args.color {
        Some(color) => color,
        None => live(session).await?,
    };
    // What runs was deployed from a file that was well: a mistake made since does
    // not keep one from looking.
    if let Ok(loaded) = Loaded::from(&session.config) {
        for sentence in loaded.logs_elsewhere(session.log_place(&infra)) {
            session.report.tell(&ReportEvent::Warning(sentence));
        }
    }
    let stream_prefix = format!("{}/", session.log_place(&infra).prefix(color));
    let mut log = LogFollower::of(LogQuery {
        group: infra.log_group,
        stream_prefix,
        since: OffsetDateTime::now_utc() - args.since,
    });
    let (mut is_any, mut is_said) = (false, false);
    let mut interrupts = Interrupts::listen()?;
    let mut lapse = Lapse::default();
    let mut lines = log.new_lines(&session.aws).await?;
    loop {
        if session.report.wants_json() {
            session.report.result(&LogsResult { color, lines });
            return Ok(Exit::Done);
        }
        lines.iter().for_each(|line| print(session, color, line));
        is_any |= !lines.is_empty();
        if !is_any {
            say_there_is_none(session, color, args, &mut is_said).await?;
        }
        if !args.follow {
            return Ok(Exit::Done);
        }
        tokio::select! {
            () = sleep(session.poll_pause(PAUSE)) => {}
            // How one leaves it, and no failure.
            _ = interrupts.next() => return Ok(Exit::Done),
        }
        let looked = log.new_lines(&session.aws).await.map_err(Error::from);
        lines = lapse.ride_out(&session.report, looked).unwrap_or_default();
    }
}

#[derive(Debug, Serialize)]
struct LogsResult {
    color: Color,
    lines: Vec<LogLine>,
}

impl CommandResult for LogsResult {
    fn human(&self, _: &Style) -> String {
        let messages: Vec<&str> = self
            .lines
            .iter()
            .map(|line| line.message.as_str())
            .collect();
        messages.join("\n")
    }
}

/// Nothing printed would be taken for a failure, or for an app that says nothing.
async fn say_there_is_none(
    session: &Session,
    color: Color,
    args: &LogsFlags,
    is_said: &mut bool,
) -> Result<()> {
    if std::mem::replace(is_said, true) {
        return Ok(());
    }
    let observed = session.observe().await?;
    if plan::is_bare(&observed) && !args.follow {
        return Err(nothing_is_deployed(&observed));
    }
    session
        .report
        .tell(&ReportEvent::Note(no_lines(color, args)));
    Ok(())
}

fn no_lines(color: Color, args: &LogsFlags) -> String {
    let since = spoken_time::of(args.since);
    let last = spoken_time::span(since);
    let further = match since.whole_hours() {
        0 => "1h",
        1..24 => "24h",
        _ => "168h",
    };
    let hint = match args.follow {
        true => "new ones are shown as they come".to_owned(),
        false => format!("`--since {further}` looks further back"),
    };
    format!("no lines of {color} in the last {last} ({hint})")
}

/// No colour could be named that has any.
fn nothing_is_deployed(observed: &Observed) -> Error {
    Error {
        exit: Exit::Usage,
        ..plan::nothing_is_live(observed).into()
    }
}

async fn live(session: &Session) -> Result<Color> {
    let observed = session.observe().await?;
    if plan::is_bare(&observed) {
        return Err(nothing_is_deployed(&observed));
    }
    observed.live_color().ok_or_else(|| {
        let why = match plan::unclear(&observed) {
            Some(refusal) => refusal.message,
            None => "nothing is live".to_owned(),
        };
        Error::usage(format!("{why}, so it is not clear whose logs are meant"))
            .hint("name a colour: `bgecs logs blue`")
    })
}

fn print(session: &Session, color: Color, line: &LogLine) {
    let clock = format_description!("[hour]:[minute]:[second].[subsecond digits:3]");
    let at = line
        .at
        .and_then(|at| at.format(&clock).ok())
        .unwrap_or_default();
    let task = line.stream.rsplit('/').next().unwrap_or_default();
    let task = task.get(..8).unwrap_or(task);
    session
        .report
        .data(&format!("{at} {color}/{task} {}", line.message));
}

#[cfg(test)]
mod tests;
