//! A task that runs one command: starts it, follows it to its end with its lines, and
//! stops it when nobody waits for it any more. The caller decides what its end means.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep, sleep_until};

use super::log_follower::LogFollower;
use crate::aws::{AwsError, AwsErrorKind, LogQuery};
use crate::engine::one_off::{self, OneOffEnd, OneOffLog};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{ColorServices, OneOff, OneOffState, StoppedTask};
use crate::report::ReportEvent;
use crate::session::Session;

/// Between two readings.
const PAUSE: Duration = Duration::from_secs(2);
/// A task that has just started may still be unknown to ECS, and AWS may fail for a
/// while: for this long the reading is repeated.
const PATIENCE: Duration = Duration::from_secs(60);
/// CloudWatch Logs gets a task's last lines a little after ECS reports its end, and
/// nothing marks the last line: stop when none has come for this long.
const SILENCE: Duration = Duration::from_secs(6);

pub struct OneOffRun<'a> {
    pub session: &'a Session,
    pub services: &'a ColorServices,
    pub it: &'a OneOff,
    /// After this time the task is stopped.
    pub limit: Duration,
}

/// Why bgecs stopped a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OneOffCut {
    Interrupted,
    Late,
}

#[derive(Debug)]
pub struct OneOffDone {
    /// The task's id.
    pub task: String,
    pub end: OneOffEnd,
    pub cut: Option<OneOffCut>,
}

impl OneOffRun<'_> {
    /// Returns the task's ARN.
    ///
    /// # Errors
    /// ECS's own; if the error is ambiguous, the task may still have been started.
    pub async fn start(&self) -> Result<String, AwsError> {
        let Self { session, it, .. } = self;
        let told = format!("starting a task of {} ({})", it.color, it.revision.short());
        session.report.tell(&ReportEvent::Doing(told));
        let (aws, app) = (&session.aws, &session.config.app);
        let task = aws.run_task(app, self.services, it).await?;
        let told = format!("started the task {}", one_off::id_of(&task));
        session.report.tell(&ReportEvent::Done(told));
        Ok(task)
    }

    /// Waits for its end, and shows each line since `since` as it comes.
    ///
    /// # Errors
    /// AWS does not say how it is doing; a second interrupt leaves the task to its own
    /// end (exit 130).
    pub async fn follow(
        &self,
        task: &str,
        since: OffsetDateTime,
        interrupts: &mut Interrupts,
        show: &mut dyn FnMut(&str),
    ) -> Result<OneOffDone> {
        let Self { session, it, .. } = self;
        let mut log = self.log_of(task, since).await?;
        let (stopped, cut) = self.followed(task, &mut log, (interrupts, show)).await?;
        let mut silent_since = Instant::now();
        while log.is_some() && silent_since.elapsed() < session.poll_pause(SILENCE) {
            sleep(session.poll_pause(PAUSE)).await;
            if self.show_new(&mut log, show).await? {
                silent_since = Instant::now();
            }
        }
        Ok(OneOffDone {
            task: one_off::id_of(task).to_owned(),
            end: one_off::end(&stopped, &it.container),
            cut,
        })
    }

    /// What it has written, as far as that can be read.
    pub async fn lines_of(&self, task: &str, since: OffsetDateTime) -> Vec<String> {
        let mut lines = Vec::new();
        if let Ok(mut log) = self.log_of(task, since).await {
            let mut show = |line: &str| lines.push(line.to_owned());
            // The reason why lines cannot be read has been told.
            let _ = self.show_new(&mut log, &mut show).await;
        }
        lines
    }

    async fn followed(
        &self,
        task: &str,
        log: &mut Option<LogFollower>,
        (interrupts, show): (&mut Interrupts, &mut dyn FnMut(&str)),
    ) -> Result<(StoppedTask, Option<OneOffCut>)> {
        let deadline = Instant::now() + self.limit;
        let (mut cut, mut state, mut asked) = (None, String::new(), Instant::now());
        loop {
            match self.state(task, &mut asked).await? {
                Some(OneOffState::Stopped(stopped)) => return Ok((stopped, cut)),
                Some(OneOffState::UnderWay(now)) if now != state => {
                    let told = format!("the task is {now}");
                    self.session.report.tell(&ReportEvent::Doing(told));
                    state = now;
                }
                _ => {}
            }
            self.show_new(log, show).await?;
            let why = tokio::select! {
                () = sleep(self.session.poll_pause(PAUSE)) => continue,
                () = sleep_until(deadline), if cut.is_none() => OneOffCut::Late,
                _ = interrupts.next() => OneOffCut::Interrupted,
            };
            if cut.replace(why).is_some() {
                return Err(self.left(task));
            }
            self.stop(task, why).await?;
        }
    }

    /// None while it is not known; `asked` is when it was last known.
    async fn state(&self, task: &str, asked: &mut Instant) -> Result<Option<OneOffState>> {
        let cluster = &self.services.cluster;
        let read = self.session.aws.read_one_off(cluster, task).await;
        let is_patient = asked.elapsed() < PATIENCE;
        match read {
            Ok(Some(state)) => {
                *asked = Instant::now();
                Ok(Some(state))
            }
            Ok(None) if is_patient => Ok(None),
            Ok(None) => {
                let id = one_off::id_of(task);
                Err(Error::failed(format!("ECS no longer knows the task {id}"))
                    .hint("it forgets a task an hour after its end"))
            }
            Err(error) if is_patient && error.is_retryable() => {
                tracing::debug!(%error, "the task cannot be seen");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn stop(&self, task: &str, why: OneOffCut) -> Result<()> {
        let (doing, reason) = match why {
            OneOffCut::Late => ("took too long", "bgecs: it took too long"),
            OneOffCut::Interrupted => ("was interrupted", "bgecs: interrupted"),
        };
        let told = format!("stopping the task, which {doing}");
        self.session.report.tell(&ReportEvent::Doing(told));
        let (aws, cluster) = (&self.session.aws, &self.services.cluster);
        Ok(aws.stop_task(cluster, task, reason).await?)
    }

    fn left(&self, task: &str) -> Error {
        let (id, cluster) = (one_off::id_of(task), &self.services.cluster);
        Error::new(
            Exit::Interrupted,
            format!("the task {id} was told to stop, and is not waited for"),
        )
        .hint(format!(
            "`aws ecs describe-tasks --cluster {cluster} --tasks {id}` says how it ended"
        ))
    }

    /// None if its lines cannot be shown, which is told.
    async fn log_of(&self, task: &str, since: OffsetDateTime) -> Result<Option<LogFollower>> {
        let Self { session, it, .. } = self;
        let definition = session.aws.read_task_definition(&it.revision).await?;
        let log = one_off::log(&definition, &it.container, task);
        let is_here = |log: &OneOffLog| {
            let region = log.region.as_deref();
            region.is_none_or(|region| region == session.aws.region())
        };
        let Some(log) = log.filter(is_here) else {
            let told = format!(
                "the lines of {} go to a log that bgecs does not read",
                it.container
            );
            session.report.tell(&ReportEvent::Warning(told));
            return Ok(None);
        };
        Ok(Some(LogFollower::of(LogQuery {
            group: log.group,
            stream_prefix: log.stream,
            since,
        })))
    }

    /// Returns whether there were new lines.
    async fn show_new(
        &self,
        log: &mut Option<LogFollower>,
        show: &mut dyn FnMut(&str),
    ) -> Result<bool> {
        let Some(follower) = log else {
            return Ok(false);
        };
        let lines = match follower.new_lines(&self.session.aws).await {
            Ok(lines) => lines,
            // Nothing has been written yet.
            Err(error) if error.kind == AwsErrorKind::NotFound => Vec::new(),
            Err(error) if error.is_retryable() => Vec::new(),
            Err(error) => {
                // The command keeps running regardless.
                let told = format!("its lines cannot be read: {error}");
                self.session.report.tell(&ReportEvent::Warning(told));
                *log = None;
                Vec::new()
            }
        };
        lines.iter().for_each(|line| show(&line.message));
        Ok(!lines.is_empty())
    }
}
