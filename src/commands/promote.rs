//! `bgecs promote`

use std::time::Duration;

use super::asking::{as_asked, watching};
use super::swap;
use super::{ended, lease};
use crate::cli::Promote;
use crate::driver::asking::of_file;
use crate::driver::attempt::SwapKind;
use crate::driver::pause::{self, PauseEnd};
use crate::driver::unfinished::{self, Errand, Settled, Settlement};
use crate::driver::watching::Watching;
use crate::engine::plan::{self, AFTER_A_PAUSE, Aim, SwapPlan};
use crate::engine::unfinished::{Course, waiting};
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Asked, Command, Operation};
use crate::model::{Observed, Steps};
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;

pub async fn run(session: &Session, args: &Promote) -> Result<Exit> {
    if !args.watch.blind {
        session.secret_header().await?;
    }
    let exit = match (args.go_on, args.abort) {
        (false, false) => promote(session, args).await?,
        (true, _) => end_the_pause(session, args, End::Continue).await?,
        (false, true) => return end_the_pause(session, args, End::Abort).await,
    };
    match args
        .change
        .wait
        .filter(|_| exit == Exit::Done && !args.change.dry_run)
    {
        Some(time) => watch_the_pause(session, args, time).await,
        None => Ok(exit),
    }
}

async fn promote(session: &Session, args: &Promote) -> Result<Exit> {
    let watching = watching_of(session, args);
    let aim = aim(args);
    if args.change.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let plan = plan(&observed, &aim)?;
        swap::dry_run(session, SwapKind::Promote, &observed, plan, &watching).await?;
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    // What stands in line means what it meant when it was typed.
    let aim = match args.change.wait {
        Some(_) => {
            let observed = session.look(&infrastructure, None).await?;
            plan::fixed(&observed, aim)
        }
        None => aim,
    };
    lease::take(
        session,
        &infrastructure,
        Errand {
            is_blind: args.watch.blind,
            ..Command::Promote.into()
        },
        args.change.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed, &aim)?;
            if args.fix_forward && matches!(plan, SwapPlan::Swap { .. }) {
                work.session.report.tell(&ReportEvent::Warning(
                    "--fix-forward: production's failures do not prevent the swap, and are not held against the new release".to_owned(),
                ));
            }
            swap::run(work, SwapKind::Promote, observed, plan, watching).await
        },
    )
    .await
}

/// What the flags and the file say of how users go over.
pub fn watching_of(session: &Session, args: &Promote) -> Watching {
    let (file, flags) = (&session.config.shift, &args.shift);
    let asked = of_file(&session.config.probe);
    let limits = match flags.max_latency.is_empty() {
        true => &file.max_latency,
        false => &flags.max_latency,
    };
    let bake = flags.bake.or(args.watch.window).or(file.bake);
    let asked = Asked {
        window: bake.unwrap_or(asked.window),
        max_latency: limits.iter().map(ToString::to_string).collect(),
        ..asked
    };
    let said = [&flags.steps, &flags.canary, &flags.linear];
    let steps = match said.into_iter().flatten().next() {
        Some(steps) => steps.clone(),
        None if flags.all_at_once || args.fix_forward => Steps::default(),
        None => file.steps.clone(),
    };
    Watching {
        fixes_forward: args.fix_forward,
        before_shift: args.hook.before_shift,
        steps,
        ..watching(&args.watch, asked)
    }
}

/// What becomes of a pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Continue,
    Abort,
    /// What waited was seen to fail.
    TakeBack,
}

/// Watches what waits for a person, where it does, for so long.
async fn watch_the_pause(session: &Session, args: &Promote, time: Duration) -> Result<Exit> {
    let infrastructure = session.infrastructure().await?;
    let observed = session.look(&infrastructure, None).await?;
    let Ok(operation) = waiting(observed.journal.operation.as_ref()) else {
        return Ok(Exit::Done);
    };
    let Some(strategy) = &operation.strategy else {
        return Ok(Exit::Done);
    };
    let tell = |text: String| session.report.tell(&ReportEvent::Note(text));
    tell(format!(
        "watching it for {}, until somebody goes on with it or takes it back",
        in_words(time)
    ));
    let watching = as_asked(session, operation, &args.watch);
    match pause::watch(session, &observed, operation, strategy, &watching, time).await? {
        PauseEnd::Over => tell("somebody went on with it, or took it back".to_owned()),
        PauseEnd::Waiting => tell(format!("it waits on: {AFTER_A_PAUSE}")),
        PauseEnd::Complaint(why) if !watching.takes_back() => {
            let warning = format!("{why}; it is left as it is, and waits on: {AFTER_A_PAUSE}");
            session.report.tell(&ReportEvent::Warning(warning));
        }
        PauseEnd::Complaint(why) => {
            session.report.tell(&ReportEvent::Warning(format!(
                "{why}: taking the promotion back"
            )));
            let exit = end_the_pause(session, args, End::TakeBack).await?;
            return match exit {
                Exit::Done => Err(Error::new(
                    Exit::RolledBack,
                    format!("the {} was rolled back: {why}", operation.name()),
                )),
                exit => Ok(exit),
            };
        }
    }
    Ok(Exit::Done)
}

/// Goes on with the promotion that waits for a person, or takes it back.
async fn end_the_pause(session: &Session, args: &Promote, end: End) -> Result<Exit> {
    let infrastructure = session.infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        // What was begun is not met here: it is the command's own work.
        Command::Resume,
        args.change.wait,
        async |mut work| {
            let operation = waiting(work.turn.unfinished())?.clone();
            let course = match end {
                End::Continue => Course::Continue {
                    is_watched_anew: has_waited_too_long(session, &operation),
                },
                End::Abort => Course::Back,
                End::TakeBack => Course::TakeBack,
            };
            let watching = as_asked(session, &operation, &args.watch);
            let mut settlement = unfinished::end(&mut work, operation, course, &watching).await?;
            if end == End::Continue && settlement.settled == Settled::Undone {
                let error = rolled_back(&settlement, &work.turn.operation());
                settlement.error.get_or_insert(error);
            }
            Ok(ended::tell(session, Command::Promote, &settlement))
        },
    )
    .await
}

/// It was to go on, and was taken back.
fn rolled_back(settlement: &Settlement, ended: &Operation) -> Error {
    let why = ended.ending.as_ref().and_then(|it| it.reason.clone());
    let message = match why {
        Some(why) => why,
        None => format!("the {} was rolled back", ended.name()),
    };
    Error::new(Exit::RolledBack, message).traffic(format!("{}, confirmed", settlement.traffic))
}

/// What was seen then says nothing of now.
fn has_waited_too_long(session: &Session, operation: &Operation) -> bool {
    let limit = session.config.shift.pause_limit;
    let since = operation.pause().map(|pause| pause.at);
    let is_over = since.is_some_and(|since| session.aws.journal_time() > since + limit);
    if is_over {
        session.report.tell(&ReportEvent::Warning(format!(
            "it has waited for longer than {} ([shift] pause_limit): its step is watched again first",
            in_words(limit)
        )));
    }
    is_over
}

fn in_words(time: Duration) -> String {
    spoken_time::in_words(spoken_time::of(time))
}

fn aim(args: &Promote) -> Aim {
    match (&args.tag, args.color) {
        (Some(tag), on) => Aim::Tag {
            tag: tag.clone(),
            on,
        },
        (None, Some(color)) => Aim::Color(color),
        (None, None) => Aim::Newest,
    }
}

fn plan(observed: &Observed, aim: &Aim) -> Result<SwapPlan> {
    plan::promote(observed, aim).map_err(|refusal| Error::from(refusal).untouched(observed))
}
