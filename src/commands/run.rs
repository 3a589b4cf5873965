//! `bgecs run`: one command in a task of its own, by what a colour runs.

use std::time::Instant;

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::cli::RunArgs;
use crate::driver::one_off::{OneOffCut, OneOffDone, OneOffRun};
use crate::engine::one_off::OneOffEnd;
use crate::engine::plan;
use crate::error::{Error, Exit, Result};
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
    let done = running.run(&mut interrupts, &mut show).await;
    let done = done.map_err(|error| explained(error, args))?;
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
            Some(name) => token(&[session.app(), services.name(color), name]),
            None => format!("{:032x}", fastrand::u128(..)),
        },
    })
}

/// As long as ECS takes one.
fn token(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// ECS's error for a token that was used for something else says nothing of names.
fn explained(error: Error, args: &RunArgs) -> Error {
    let is_conflict = error
        .causes
        .iter()
        .any(|it| it.contains("ConflictException"));
    match &args.once {
        Some(name) if is_conflict => Error::new(
            Exit::Refused,
            format!("`--once {name}` has started another command or release"),
        )
        .hint("say another name"),
        _ => error,
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
