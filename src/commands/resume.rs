//! `bgecs resume`

use super::asking::as_asked;
use super::ended::{self, Ended};
use super::lease;
use super::plan::PlanResult;
use super::release;
use crate::aws::Router as _;
use crate::cli::{Global, Resume};
use crate::driver::make_live::hook_of_first;
use crate::driver::unfinished;
use crate::driver::watching::Watching;
use crate::driver::work::Work;
use crate::engine::plan::Step;
use crate::engine::unfinished::{Course, Resolution, refuse_waiting};
use crate::error::{Exit, Result};
use crate::model::journal::{Command, Operation};
use crate::model::{Infrastructure, Observed, Strategy};
use crate::report::Audience;
use crate::session::Session;

pub async fn run(
    global: &Global,
    audience: Audience,
    session: &Session,
    args: &Resume,
) -> Result<Exit> {
    if !args.watch.blind {
        session.secret_header().await?;
    }
    if args.change.dry_run {
        let observed = session.observe().await?;
        let steps = match &observed.journal.operation {
            Some(operation) => {
                release::refuse_alone(operation)?;
                refuse_waiting(operation, &observed)?;
                let watching = as_asked(session, operation, &args.watch);
                planned(session, &observed, operation, Course::AsItIs, &watching).await?
            }
            None => Vec::new(),
        };
        session
            .report
            .result(&PlanResult::of(Command::Resume, steps));
        return Ok(Exit::Done);
    }
    // What one module of a set was in the middle of, all of them were.
    let wait = args.change.wait;
    let infrastructure = session.infrastructure().await?;
    let of_its_set = release::end_unfinished(global, audience, session, &infrastructure, wait);
    if let Some(exit) = Box::pin(of_its_set).await? {
        return Ok(exit);
    }
    of_this_app(session, &infrastructure, args).await
}

/// What is unfinished here, where it is no part of a set.
///
/// # Errors
/// It is (exit 6); as every `resume`'s.
pub async fn of_this_app(
    session: &Session,
    infrastructure: &Infrastructure,
    args: &Resume,
) -> Result<Exit> {
    lease::take(
        session,
        infrastructure,
        Command::Resume,
        args.change.wait,
        async |work| resume(work, args).await,
    )
    .await
}

async fn resume(mut work: Work<'_>, args: &Resume) -> Result<Exit> {
    let session = work.session;
    let Some(operation) = work.turn.unfinished().cloned() else {
        let traffic = work.observe().await?.traffic_line();
        session
            .report
            .result(&Ended::nothing(Command::Resume, traffic));
        return Ok(Exit::Done);
    };
    release::refuse_alone(&operation)?;
    unfinished::refuse_waiting(&work, &operation).await?;
    let course = Course::AsItIs;
    let watching = Watching {
        before_shift: args.hook.before_shift,
        ..as_asked(session, &operation, &args.watch)
    };
    let settled = unfinished::settle(&mut work, operation.clone(), course, &watching).await?;
    if operation.command == Command::Destroy {
        let mut ended = Ended::new(Command::Resume, &operation);
        ended.traffic = "everything is gone".to_owned();
        session.report.result(&ended);
        return Ok(Exit::Done);
    }
    let settlement = unfinished::look_at_the_end(&work, operation, settled, &watching).await?;
    Ok(ended::tell(session, Command::Resume, &settlement))
}

/// How an unfinished operation would be brought to its end.
///
/// # Errors
/// As [`unfinished::way`].
pub async fn planned(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
    course: Course,
    watching: &Watching,
) -> Result<Vec<Step>> {
    let way = unfinished::way(session, operation, course, observed, watching).await?;
    Ok(steps(session, observed, operation.command, &way, watching))
}

fn steps(
    session: &Session,
    observed: &Observed,
    command: Command,
    way: &Resolution,
    watching: &Watching,
) -> Vec<Step> {
    let found = &observed.traffic;
    match way {
        Resolution::Undone | Resolution::Hold { .. } => Vec::new(),
        Resolution::MakeLive { color } => {
            let hook = hook_of_first(&session.config);
            Step::first(hook, &Strategy::first(*color, found), observed.endpoints())
        }
        Resolution::Shift { strategy, is_back } => {
            let router = session.aws.router(&observed.infrastructure);
            let spread = router.patience().spread;
            let mut steps = Step::of(strategy, observed.endpoints(), spread);
            let kind = unfinished::kind(command, *is_back);
            let heeds_alarms = watching.heeds_alarms(kind, &session.config.shift);
            steps.push(watching.step(observed, strategy.to, heeds_alarms));
            steps
        }
        Resolution::AwaitServing { color, .. } => vec![Step::Await {
            color: *color,
            blind: watching.is_blind,
        }],
        Resolution::ForgetRevision => vec![Step::DeleteTaskDefinitions {
            family: session.stack_name(),
            count: 1,
        }],
        Resolution::AwaitRetired { color } => vec![Step::Retire {
            service: observed.infrastructure.named(*color),
        }],
        Resolution::RunOwn { own, color } => {
            let line = session.config.hosted(*color);
            let line = line.and_then(|it| it.line(*own)).unwrap_or_default();
            vec![Step::RunOwn {
                own: *own,
                color: *color,
                line: line.to_owned(),
            }]
        }
        Resolution::GoOnDestroying => vec![Step::DeleteStack {
            name: session.stack_name(),
        }],
        Resolution::AwaitStack => vec![Step::AwaitStack {
            name: session.stack_name(),
        }],
    }
}

#[cfg(test)]
mod tests;
