//! `bgecs promote`

use super::asking::watching;
use super::swap;
use super::{ended, lease};
use crate::cli::Promote;
use crate::driver::asking::{base, of_file};
use crate::driver::attempt::Kind;
use crate::driver::unfinished;
use crate::driver::watching::Watching;
use crate::engine::plan::{self, Aim, SwapPlan};
use crate::engine::unfinished::{Course, waiting};
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Asked, Command, Operation};
use crate::model::{Observed, Steps};
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;

pub async fn run(session: &Session, args: &Promote) -> Result<Exit> {
    if args.go_on || args.abort {
        return end_the_pause(session, args).await;
    }
    let watching = watching_of(session, args);
    let aim = aim(args);
    if args.dry_run.dry_run {
        let observed = session.observe_settled().await?;
        lease::tell_of_unfinished(session, &observed);
        let plan = plan(&observed, &aim)?;
        swap::dry_run(session, Kind::Promote, &observed, plan, &watching)?;
        return Ok(Exit::Done);
    }
    let infrastructure = session.settled_infrastructure().await?;
    // What stands in line means what it meant when it was typed.
    let aim = match args.lease.wait {
        Some(_) => {
            let observed = session.aws.observe(&infrastructure, None).await?;
            plan::fixed(&observed, aim)
        }
        None => aim,
    };
    lease::take(
        session,
        &infrastructure,
        Command::Promote,
        args.lease.wait,
        async |work| {
            let observed = work.observe().await?;
            let plan = plan(&observed, &aim)?;
            if args.fix_forward && matches!(plan, SwapPlan::Swap { .. }) {
                work.session.report.tell(&ReportEvent::Warning(
                    "--fix-forward: production's failures do not prevent the swap, and are not held against the new release".to_owned(),
                ));
            }
            swap::run(work, Kind::Promote, observed, plan, watching).await
        },
    )
    .await
}

/// What the flags and the file say of how users go over.
fn watching_of(session: &Session, args: &Promote) -> Watching {
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
        None if flags.all_at_once => Steps::default(),
        None => file.steps.clone(),
    };
    Watching {
        fixes_forward: args.fix_forward,
        steps,
        ..watching(&args.watch, asked)
    }
}

/// Goes on with the promotion that waits for a person, or takes it back.
async fn end_the_pause(session: &Session, args: &Promote) -> Result<Exit> {
    let infrastructure = session.infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        // What was begun is not met here: it is the command's own work.
        Command::Resume,
        args.lease.wait,
        async |mut work| {
            let operation = waiting(work.turn.unfinished())?.clone();
            let course = match args.go_on {
                true => Course::Continue {
                    is_watched_anew: has_waited_too_long(session, &operation),
                },
                false => Course::Back,
            };
            let asked = base(Some(&operation), &session.config.probe);
            let watching = watching(&args.watch, asked);
            let settled = unfinished::settle(&mut work, operation.clone(), course, &watching);
            let settled = settled.await?;
            let settlement = unfinished::look_at_the_end(&work, operation, settled, &watching);
            Ok(ended::tell(session, Command::Promote, &settlement.await?))
        },
    )
    .await
}

/// What was seen then says nothing of now.
fn has_waited_too_long(session: &Session, operation: &Operation) -> bool {
    let limit = session.config.shift.pause_limit;
    let since = operation.pause().map(|pause| pause.at);
    let is_over = since.is_some_and(|since| session.aws.journal_time() > since + limit);
    if is_over {
        session.report.tell(&ReportEvent::Warning(format!(
            "it has waited for longer than {} ([shift] pause_limit): its step is watched again first",
            spoken_time::in_words(time::Duration::try_from(limit).unwrap_or(time::Duration::MAX))
        )));
    }
    is_over
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
