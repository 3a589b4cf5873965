//! `bgecs run`: one command in a task of its own, with the task definition that a colour
//! runs.

use std::time::Instant;

use serde::Serialize;
use time::OffsetDateTime;

use crate::aws::AwsError;
use crate::cli::RunArgs;
use crate::driver::one_off::{OneOffCut, OneOffDone, OneOffRun};
use crate::engine::one_off::OneOffEnd;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
use crate::hex;
use crate::interrupt::Interrupts;
use crate::model::{Color, ColorServices, Observed, OneOff};
use crate::report::{CommandResult, ReportEvent, Style};
use crate::session::Session;
use crate::spoken_time::{self, took};

#[derive(Debug, Serialize)]
struct RunResult {
    operation: &'static str,
    color: Color,
    revision: String,
    task: String,
    command: Vec<String>,
    /// None where it did not come to its own end.
    exit_code: Option<u8>,
    seconds: f64,
}

impl CommandResult for RunResult {
    fn human(&self, _: &Style) -> String {
        String::new()
    }
}

/// Gives the command's exit code.
///
/// # Errors
/// It has none: nothing is deployed there, the task was not started, was stopped or took
/// too long.
pub async fn run(session: &Session, args: &RunArgs) -> Result<u8> {
    let services = session.ecs_infrastructure().await?.services;
    let observed = session.observe().await?;
    let it = wanted(session, args, (&observed, &services))?;
    let mut interrupts = Interrupts::listen()?;
    let began = Instant::now();
    let running = OneOffRun {
        session,
        services: &services,
        it: &it,
        limit: args.timeout,
    };
    let is_for_programs = session.report.wants_json();
    let mut show = |line: &str| match is_for_programs {
        true => session.report.tell(&ReportEvent::Command(line)),
        false => session.report.data(line),
    };
    let since = OffsetDateTime::now_utc();
    let task = running.start().await;
    let task = task.map_err(|error| explained(error, args))?;
    let done = running.follow(&task, since, &mut interrupts, &mut show);
    let done = done.await?;
    let ended = ended(&done, &it, args);
    if ended.is_ok() {
        let told = format!("{} ran it in {}", it.color, took(began.elapsed()));
        session.report.tell(&ReportEvent::Done(told));
    }
    // For people, the command's own lines are all that goes to stdout.
    if is_for_programs {
        session.report.result(&RunResult {
            operation: "run",
            color: it.color,
            revision: it.revision.short().to_owned(),
            task: done.task,
            command: it.command,
            exit_code: ended.as_ref().ok().copied(),
            seconds: began.elapsed().as_secs_f64(),
        });
    }
    ended
}

/// # Errors
/// No colour is named, and none is live; or nothing is deployed on it.
fn wanted(
    session: &Session,
    args: &RunArgs,
    (observed, services): (&Observed, &ColorServices),
) -> Result<OneOff> {
    let color = args.color.or(observed.live_color());
    let color = color.ok_or_else(|| Error::from(plan::nothing_is_live(observed)))?;
    let service = observed.color(color).service.as_ref();
    let service = service.ok_or_else(|| {
        Error::new(Exit::Refused, format!("nothing is deployed on {color}"))
            .hint("`bgecs status` shows what is")
    })?;
    Ok(OneOff {
        color,
        revision: service.task_definition.clone(),
        container: session.config.container.name.clone(),
        command: args.command.clone(),
        token: match &args.once {
            // As long as ECS takes one.
            Some(name) => hex::sha256([session.app(), services.name(color), name].join("\n")),
            None => format!("{:032x}", fastrand::u128(..)),
        },
    })
}

/// ECS's error for a token that was used for something else says nothing of names.
fn explained(error: AwsError, args: &RunArgs) -> Error {
    match &args.once {
        Some(name) if error.has_code("ConflictException") => Error::new(
            Exit::Refused,
            format!("`--once {name}` has started another command or release"),
        )
        .hint("say another name"),
        _ => error.into(),
    }
}

fn ended(done: &OneOffDone, it: &OneOff, args: &RunArgs) -> Result<u8> {
    let OneOffDone { task, end, cut } = done;
    let because = |exit, what: String| {
        let logs = format!("`bgecs logs {}` shows its last lines", it.color);
        Err(Error::new(exit, what).hint(logs))
    };
    match (cut, end) {
        (Some(OneOffCut::Late), _) => because(
            Exit::TimedOut,
            format!(
                "the task {task} was stopped: it took longer than {}",
                spoken_time::span(spoken_time::of(args.timeout))
            ),
        ),
        (Some(OneOffCut::Interrupted), _) => because(
            Exit::Interrupted,
            format!("the task {task} was interrupted and is stopped"),
        ),
        (None, OneOffEnd::Exited(code)) => Ok(*code),
        (None, OneOffEnd::WithoutCode(why)) => because(
            Exit::Failed,
            format!("the task {task} ended without the command's exit code: {why}"),
        ),
    }
}
