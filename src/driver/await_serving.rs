//! The only poll loop of a deploy: look at the colour until it serves, cannot serve, or
//! takes too long. The SDK's waiter is not used: once a failed deployment is in the list,
//! it never succeeds again.

mod target_health;

use std::collections::HashSet;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::look_ahead::tell_users;
use super::reach;
use super::turn::Turn;
use super::update;
use crate::aws::{AwsError, ServiceChange};
use crate::counted::counted;
use crate::engine::serving::{
    self, Counts, Judgement, ServingFault, ServingReading, Wanted, Watch,
};
use crate::engine::stopped;
use crate::error::{Error, Exit, Result};
use crate::model::{Barrier, Color, Observed, Revision, StoppedTask};
use crate::report::ReportEvent;
use crate::session::Session;
use target_health::TargetHealth;

/// Between two readings without news.
const PAUSE: Duration = Duration::from_secs(1);
/// Between two good readings: the third one ends the wait. Target health is read once for
/// all of them.
const SHORT_PAUSE: Duration = Duration::from_millis(100);
/// How long the log lines of a dead container may take to arrive.
const LOG_PATIENCE: Duration = Duration::from_secs(5);
const LAST_LINES: i32 = 20;
/// A key among the events already told; no event of ECS has this text.
const BARRIER: &str = "barrier";
/// AWS's time is known to half a second, and some report a task's creation in whole
/// seconds.
const CLOCKS_DIFFER: Duration = Duration::from_secs(2);

pub struct Wait<'a> {
    pub observed: &'a Observed,
    pub color: Color,
    pub requested: &'a Revision,
    /// By AWS's clock.
    pub began: OffsetDateTime,
    pub timeout: Duration,
    /// Whether target health is enough, so that the colour itself is not asked.
    pub is_blind: bool,
}

/// What the service was asked for, as far as its readings must show it.
#[derive(Debug, Clone, Default)]
pub struct ExpectedService {
    /// `the deploy onto blue`, for sentences.
    pub what: String,
    pub count: Option<i32>,
    /// The deployment that a restart of the same revision replaces.
    pub replaces: Option<String>,
}

impl ExpectedService {
    pub fn of_deploy(color: Color) -> Self {
        Self {
            what: format!("the deploy onto {color}"),
            ..Self::default()
        }
    }
}

/// Waits until the requested revision serves on its colour.
///
/// # Errors
/// As [`await_asked`].
pub async fn await_serving(session: &Session, wait: &Wait<'_>) -> Result<()> {
    await_asked(session, wait, &ExpectedService::of_deploy(wait.color)).await
}

/// The same, if more is known about what was asked for.
///
/// # Errors
/// A task that cannot start, a health check that keeps failing, a deployment that was
/// rolled back or replaced (exit 1); the timeout (exit 5); any of these while users are
/// on the colour (exit 4).
pub async fn await_asked(
    session: &Session,
    wait: &Wait<'_>,
    asked: &ExpectedService,
) -> Result<()> {
    match until_it_serves(session, wait, asked).await {
        Ok(()) => Ok(()),
        Err(error) => Err(tell_users(session, wait.observed, wait.color, true, error).await),
    }
}

async fn until_it_serves(
    session: &Session,
    wait: &Wait<'_>,
    asked: &ExpectedService,
) -> Result<()> {
    let started = Instant::now();
    let mut watch = Watch::new(Wanted {
        task_definition: wait.requested.clone(),
        count: asked.count,
        replaces: asked.replaces.clone(),
        grace: session.config.service.health_check_grace_period,
        is_blind: wait.is_blind,
    });
    let mut told = told_already(wait);
    let mut seen = Vec::new();
    let infra = wait.observed.ecs()?;
    let known = wait.observed.color(wait.color).targets.clone();
    let mut health = TargetHealth::of(&session.aws, infra, wait.color, known);
    loop {
        let reading = read(session, wait, &watch, &mut health, &mut seen).await?;
        tell_new_events(session, &reading, &mut told);
        tell_setbacks(session, &reading, &mut told);
        tell_of_barrier(session, wait, &reading, &mut told);
        let counts = match watch.judge(started.elapsed(), &reading) {
            Judgement::Serves => return Ok(()),
            Judgement::Failed(cause) => return Err(failure(session, wait, asked, cause).await),
            Judgement::Waiting(counts) => counts,
        };
        let trouble = serving::trouble(&reading);
        if started.elapsed() > wait.timeout {
            return Err(timed_out(wait, counts, trouble));
        }
        session.report.tell(&ReportEvent::Waiting {
            color: wait.color,
            counts,
            trouble,
            minutes: started.elapsed().as_secs() / 60,
        });
        let pause = if counts.good_answers > 0 {
            SHORT_PAUSE
        } else {
            session.poll_pause(PAUSE)
        };
        sleep(pause).await;
    }
}

async fn read(
    session: &Session,
    wait: &Wait<'_>,
    watch: &Watch,
    health: &mut TargetHealth<'_>,
    seen: &mut Vec<StoppedTask>,
) -> Result<ServingReading> {
    let infra = wait.observed.ecs()?;
    let service = session.aws.read_service(&infra.services, wait.color);
    let service = service.await?;
    let has_rolled_out = |service| watch.has_rolled_out(service);
    let targets = health
        .read(service.as_ref().is_some_and(has_rolled_out))
        .await?;
    // ECS can call a deployment complete while its tasks keep ending.
    let stopped = match &service {
        Some(service) if !has_rolled_out(service) => stopped(session, wait, seen).await?,
        _ => Vec::new(),
    };
    let is_asked = !wait.is_blind && watch.is_ready_to_answer(service.as_ref(), &targets);
    let asked = match is_asked {
        true => Some(reach::ask_health(session, &wait.observed.infrastructure, wait.color).await?),
        false => None,
    };
    let (health, barrier) = asked.unzip();
    Ok(ServingReading {
        service,
        targets,
        health,
        barrier: barrier.flatten(),
        stopped,
    })
}

/// The tasks of the requested revision that stopped since this deploy began.
/// `seen` has all that were read so far.
async fn stopped(
    session: &Session,
    wait: &Wait<'_>,
    seen: &mut Vec<StoppedTask>,
) -> Result<Vec<StoppedTask>, AwsError> {
    let services = &wait.observed.ecs()?.services;
    let known = seen.iter().map(|task| task.id.as_str()).collect();
    let new = session
        .aws
        .stopped_tasks(services, wait.color, &known)
        .await?;
    seen.extend(new);
    let began = wait.began - CLOCKS_DIFFER;
    let is_ours = |task: &&StoppedTask| {
        &task.task_definition == wait.requested && task.created_at.is_none_or(|at| at >= began)
    };
    Ok(seen.iter().filter(is_ours).cloned().collect())
}

/// The service's events from before this deploy.
fn told_already(wait: &Wait<'_>) -> HashSet<String> {
    wait.observed
        .color(wait.color)
        .service
        .iter()
        .flat_map(|service| &service.events)
        .map(|event| event.id.clone())
        .collect()
}

fn tell_new_events(session: &Session, reading: &ServingReading, told: &mut HashSet<String>) {
    let events = reading
        .service
        .iter()
        .flat_map(|service| service.events.iter().rev());
    for event in events {
        if told.insert(event.id.clone()) {
            session.report.tell(&ReportEvent::Service(event));
        }
    }
}

/// Tells each setback that ECS retries, once for each text.
fn tell_setbacks(session: &Session, reading: &ServingReading, told: &mut HashSet<String>) {
    let causes = reading.stopped.iter().filter_map(stopped::why);
    for cause in causes.filter(stopped::StopCause::is_tried_again) {
        let sentence = format!("{cause}; ECS tries again");
        if told.insert(sentence.clone()) {
            session.report.tell(&ReportEvent::Warning(sentence));
        }
    }
}

/// Told once, as soon as it is known.
fn tell_of_barrier(
    session: &Session,
    wait: &Wait<'_>,
    reading: &ServingReading,
    told: &mut HashSet<String>,
) {
    let Some(barrier) = &reading.barrier else {
        return;
    };
    if told.insert(BARRIER.to_owned()) {
        let fault = ServingFault::Unasked(barrier.clone());
        let warning = format!(
            "{} cannot be asked: {fault}; --blind relies on its targets alone",
            wait.color
        );
        session.report.tell(&ReportEvent::Warning(warning));
    }
}

async fn failure(
    session: &Session,
    wait: &Wait<'_>,
    asked: &ExpectedService,
    cause: ServingFault,
) -> Error {
    let color = wait.color;
    let mut lines = Vec::new();
    let cause = match cause {
        ServingFault::Task { task, cause } => {
            lines = last_lines(session, wait, &task).await;
            let cause = cause.with_lines(&lines);
            ServingFault::Task { task, cause }
        }
        cause => cause,
    };
    let error = Error::failed(match &cause {
        ServingFault::Unasked(_) => format!("{} cannot be verified from here: {cause}", asked.what),
        _ => format!("{} failed: {cause}", asked.what),
    });
    let error = match &cause {
        ServingFault::Task { cause, .. } => error.hint(cause.hint(color)),
        ServingFault::Health { .. } => error.hint(format!(
            "[container] health_path is {}: see `bgecs logs {color}`",
            session.config.container.health_path
        )),
        ServingFault::Unasked(barrier) => {
            let infra = &wait.observed.infrastructure;
            let way_out = match barrier {
                Barrier::NoConnection(_) => reach::way_out(session, infra, true),
                Barrier::Tls { .. } => "--blind relies on its targets alone".to_owned(),
            };
            error.hint(format!("{way_out}\nnothing shows that the release is bad"))
        }
        ServingFault::TakenBack { .. } => error.hint("see `bgecs status`"),
        ServingFault::Replaced { .. } => error.hint(format!(
            "find out who else deploys onto {color} without bgecs, then deploy again"
        )),
        ServingFault::Deleted => error.hint("deploy again: that creates the service again"),
    };
    match lines.is_empty() {
        true => error,
        false => error.cause(format!("the container's last lines:\n{}", lines.join("\n"))),
    }
}

/// CloudWatch Logs gets a dead container's last lines a little after ECS reports its end.
/// Logs that cannot be read must not hide why the deploy failed.
async fn last_lines(session: &Session, wait: &Wait<'_>, task: &StoppedTask) -> Vec<String> {
    let blamed = stopped::to_blame(task).filter(|container| container.exit_code.is_some());
    let Some(container) = blamed else {
        return Vec::new();
    };
    let Ok(infra) = wait.observed.ecs() else {
        return Vec::new();
    };
    let (place, group) = (session.log_place(infra), &infra.log_group);
    let stream = format!(
        "{}/{}/{}",
        place.prefix(wait.color),
        container.name,
        task.id
    );
    let deadline = Instant::now() + LOG_PATIENCE;
    loop {
        let read = session.aws.last_lines(group, &stream, LAST_LINES).await;
        match read {
            Ok(lines) if lines.is_empty() && Instant::now() < deadline => {
                sleep(session.poll_pause(PAUSE)).await;
            }
            Ok(lines) => return lines.into_iter().map(|line| line.message).collect(),
            Err(error) => {
                tracing::debug!(%error, "the container's log cannot be read");
                return Vec::new();
            }
        }
    }
}

fn timed_out(wait: &Wait<'_>, counts: Counts, trouble: Option<String>) -> Error {
    let error = Error::new(
        Exit::TimedOut,
        format!(
            "{} does not serve after {} s: {} of {} running, {} healthy",
            wait.color,
            wait.timeout.as_secs(),
            counts.running,
            counted(counts.desired, "task"),
            counted(counts.healthy, "target")
        ),
    )
    .hint("ECS keeps trying: see `bgecs status --watch`, or give it longer with --timeout");
    match trouble {
        Some(trouble) => error.cause(trouble),
        None => error,
    }
}

/// Asks ECS to run that many tasks of a colour, without waiting for them.
///
/// # Errors
/// What forbids it, in the journal or at the listeners; AWS's own.
pub async fn ask_for(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    desired: i32,
) -> Result<()> {
    let change = ServiceChange {
        desired: Some(desired),
        ..ServiceChange::default()
    };
    update::update(session, turn, observed, color, &change).await?;
    Ok(turn.did().await?)
}

/// Scales a colour up and waits until every task is healthy.
///
/// # Errors
/// As [`await_serving`].
pub async fn scale(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    desired: i32,
    timeout: Duration,
) -> Result<()> {
    let Some(service) = &observed.color(color).service else {
        return Err(Error::refused(format!("{color} has no service")));
    };
    let began = session.aws.journal_time();
    ask_for(session, turn, observed, color, desired).await?;
    let wait = Wait {
        observed,
        color,
        requested: &service.task_definition,
        began,
        timeout,
        is_blind: turn.operation().blind,
    };
    let asked = ExpectedService {
        what: format!("scaling {color} to {}", counted(desired, "task")),
        count: Some(desired),
        replaces: None,
    };
    let scaled = await_asked(session, &wait, &asked).await;
    scaled.map_err(|error| {
        let left = format!(
            "{color} is left at {}: see `bgecs status`",
            counted(desired, "task")
        );
        error.hint_too(&left)
    })
}
