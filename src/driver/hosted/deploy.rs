//! Puts a release onto a colour that bgecs does not run: its owner's command deploys it,
//! and its own answers show when it is there.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::own::Own;
use super::state;
use crate::driver::asking::of_health;
use crate::driver::edge;
use crate::driver::turn::Turn;
use crate::driver::update;
use crate::engine::preflight::TEST_ANSWERS;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{Effect, OwnCommand};
use crate::model::{Answer, Color, HostedRelease, Observed, Revision, Tag};
use crate::probe::ask_once;
use crate::provenance::Provenance;
use crate::report::ReportEvent;
use crate::session::Session;

/// Before each further request.
const PAUSE: Duration = Duration::from_secs(1);

/// What to put where.
#[derive(Debug, Clone)]
pub struct HostedRequest<'a> {
    pub color: Color,
    pub tag: &'a Tag,
    /// The context named on the command line.
    pub context: Option<String>,
    pub timeout: Duration,
    /// The command has already finished, but what follows it has not.
    pub has_run: bool,
    /// Whether to skip asking the colour for its answers.
    pub is_blind: bool,
}

/// Runs the colour's own command, if it has one, and waits until the release answers.
/// Returns the app as it is then.
///
/// # Errors
/// The command's own; a release that does not answer in time (exit 5); a router that
/// something else has moved (exit 6).
pub async fn deploy(
    session: &Session,
    turn: &Turn,
    interrupts: &mut Interrupts,
    observed: &Observed,
    request: &HostedRequest<'_>,
) -> Result<Observed> {
    let color = request.color;
    if !request.is_blind {
        let unled = edge::unled(session, &observed.infrastructure, color).await?;
        if let Some(why) = unled {
            return Err(Error::refused(why).untouched(observed).hint(
                "`bgecs init` first: requests for that colour would be answered by the other one",
            ));
        }
    }
    if !request.has_run {
        let effect = Effect::RunOwn {
            own: OwnCommand::Deploy,
            color,
            context: request.context.clone(),
        };
        update::intend(session, turn, observed, color, effect).await?;
    }
    // Whatever the command does, what ran there before is no longer certain.
    let emptied = with(observed, color, None);
    turn.saw(&emptied);
    let hosted = session.config.hosted(color);
    let line = hosted.and_then(|it| it.line(OwnCommand::Deploy));
    let doing = format!("deploying to {color}");
    let work = async {
        match line {
            _ if request.has_run => {}
            Some(line) => request.own(line).run(session).await?,
            None => session.report.tell(&ReportEvent::Note(format!(
                "[colors.{color}] has no `deploy`: its owner is taken to have put tag {} there",
                request.tag
            ))),
        }
        turn.did().await?;
        await_answers(session, &emptied, request).await
    };
    let left = format!("what runs on {color} is not known: run the same command again");
    interrupts.or_stop(&doing, &left, work).await?;
    let provenance = Provenance::gather(None);
    let hosted = HostedRelease {
        revision: Revision::new(turn.operation().id.as_str()),
        tag: Some(request.tag.clone()),
        deployed_at: provenance.when,
        deployed_by: provenance.who,
        is_retired: false,
    };
    let mut now = with(observed, color, Some(hosted));
    now.colors.get_mut(color).targets =
        super::health(session, &observed.infrastructure, color).await?;
    turn.saw(&now);
    Ok(now)
}

impl HostedRequest<'_> {
    fn own<'a>(&'a self, line: &'a str) -> Own<'a> {
        Own {
            command: OwnCommand::Deploy,
            line,
            color: self.color,
            tag: Some(self.tag),
            context: self.context.as_deref(),
            timeout: self.timeout,
        }
    }
}

/// The same app, with this release on the colour.
pub fn with(observed: &Observed, color: Color, hosted: Option<HostedRelease>) -> Observed {
    let mut now = observed.clone();
    let targets = now.color(color).targets.clone();
    *now.colors.get_mut(color) = state(hosted, targets);
    now
}

/// Waits until the health path has answered well some times in a row, and with this
/// release's tag if the app names its release.
async fn await_answers(
    session: &Session,
    observed: &Observed,
    request: &HostedRequest<'_>,
) -> Result<()> {
    if request.is_blind {
        return Ok(());
    }
    let (color, config) = (request.color, &session.config);
    let path = &config.container.health_path;
    let address = session
        .color_address(&observed.infrastructure, color, path)
        .await?;
    let question = of_health(&config.probe);
    session.report.tell(&ReportEvent::Doing(format!(
        "waiting until {address} answers as tag {}",
        request.tag
    )));
    let (begun, mut good) = (Instant::now(), 0);
    let mut told = String::new();
    loop {
        let asked = ask_once(&address, &question, config.probe.timeout).await;
        let objection = objection(&asked.answer, request.tag);
        match &objection {
            None => good += 1,
            Some(_) => good = 0,
        }
        if good >= TEST_ANSWERS {
            return Ok(());
        }
        if let Some(objection) = objection {
            if begun.elapsed() > request.timeout {
                return Err(Error::new(
                    Exit::TimedOut,
                    format!(
                        "{color} does not serve tag {} after {} s: {objection}",
                        request.tag,
                        request.timeout.as_secs()
                    ),
                )
                .untouched(observed)
                .hint(format!(
                    "[container] health_path is {path}; see what {address} answers, or give it longer with --timeout"
                )));
            }
            if told != objection {
                session
                    .report
                    .tell(&ReportEvent::Doing(format!("{color}: {objection}")));
                told = objection;
            }
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
}

/// What is still wrong with the answer, if anything.
fn objection(answer: &Answer, tag: &Tag) -> Option<String> {
    match answer {
        Answer::Nothing { error, .. } => Some(format!("no answer: {error}")),
        Answer::Http { status, .. } if !answer.is_ok() => {
            Some(format!("the health path answers HTTP {status}"))
        }
        Answer::Http {
            release: Some(release),
            ..
        } if release != tag.as_str() => Some(format!("it answers as release {release}, not {tag}")),
        Answer::Http { .. } => None,
    }
}

#[cfg(test)]
mod tests;
