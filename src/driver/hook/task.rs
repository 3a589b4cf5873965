//! A hook that is a task of the new release and runs once for it. Each attempt is written
//! to the journal first, so that whoever continues after a process has died finds that
//! very task. A task that nobody waits for any more keeps running to its own end, because
//! half a migration is worse than none.

use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{HookFailure, LastLines, in_words};
use crate::aws::AwsError;
use crate::driver::one_off::{OneOffCut, OneOffDone, OneOffRun};
use crate::engine::hook_task::{self, HookTaskOrder, HookTaskStanding, HookTaskStep};
use crate::engine::one_off::{OneOffEnd, id_of};
use crate::interrupt::Interrupts;
use crate::model::journal::Fate;
use crate::model::{ColorServices, Deployed, HookTask, HookTaskRecord, OneOff, Revision};
use crate::report::ReportEvent;
use crate::session::Session;

/// A task that has just started may still be unknown to ECS.
const UNKNOWN_FOR: time::Duration = time::Duration::minutes(1);
/// Clocks differ; the stream holds only this task's lines, so reading from earlier does
/// no harm.
const EARLIER: time::Duration = time::Duration::minutes(5);

pub struct HookTaskRun<'a> {
    pub session: &'a Session,
    pub services: &'a ColorServices,
    /// The release whose revision runs the task.
    pub release: &'a Deployed,
    pub revision: &'a Revision,
    pub it: HookTask,
    pub who: &'a str,
    pub order: Option<HookTaskOrder>,
}

impl HookTaskRun<'_> {
    /// Runs the task and waits for its end, unless it has already succeeded.
    ///
    /// # Errors
    /// It failed, took too long, or cannot be started or followed; or it is not known
    /// whether it has run.
    pub async fn run(&self) -> Result<(), HookFailure> {
        let name = self.it.hook;
        self.tell(&ReportEvent::Doing(format!("running {name}")));
        let known = self
            .session
            .aws
            .read_hook_task(&self.table(), &self.it)
            .await;
        let known = known.map_err(|error| self.io("cannot be looked up in the journal", &error))?;
        let standing = self.standing(known.as_ref()).await?;
        let attempt = known.as_ref().map_or(0, |known| known.attempt);
        match (hook_task::step(standing, self.order), known) {
            (HookTaskStep::Skip, known) => {
                let task = known.and_then(|known| known.task);
                let by = task.map(|task| format!(", by the task {}", id_of(&task)));
                let release = self.release.release();
                let told = format!("{name} has run for {release}{}", by.unwrap_or_default());
                self.tell(&ReportEvent::Done(told));
                Ok(())
            }
            (HookTaskStep::TakeAsDone, _) => {
                let mut record = self.begin(attempt + 1).await?;
                self.note(&mut record, Fate::Done).await?;
                self.tell(&ReportEvent::Done(format!("{name} is taken as done")));
                Ok(())
            }
            (HookTaskStep::Ask, Some(record)) => self.ask(record).await,
            (HookTaskStep::Follow(task), Some(record)) => self.follow(record, &task).await,
            (HookTaskStep::Refuse, Some(record)) => Err(self.nobody_knows(&record).await),
            // If nothing is known, it has to run.
            (_, _) => self.ask(self.begin(attempt + 1).await?).await,
        }
    }

    async fn standing(
        &self,
        known: Option<&HookTaskRecord>,
    ) -> Result<HookTaskStanding, HookFailure> {
        let aws = &self.session.aws;
        let now = aws.journal_time();
        let standing = hook_task::standing(known, now);
        if let (HookTaskStanding::Started(task), Some(known)) = (&standing, known) {
            let read = aws.read_one_off(&self.services.cluster, task).await;
            let read = read.map_err(|error| self.io("cannot be followed", &error))?;
            if read.is_none() && now - known.begun > UNKNOWN_FOR {
                return Ok(HookTaskStanding::Forgotten);
            }
        }
        Ok(standing)
    }

    async fn begin(&self, attempt: u32) -> Result<HookTaskRecord, HookFailure> {
        let aws = &self.session.aws;
        let now = aws.journal_time();
        let record = HookTaskRecord {
            it: self.it.clone(),
            attempt,
            begun: now.replace_nanosecond(0).unwrap_or(now),
            who: self.who.to_owned(),
            task: None,
            fate: None,
        };
        let begun = aws.begin_hook_task(&self.table(), &record).await;
        match begun.map_err(|error| self.io("cannot be written down", &error))? {
            true => Ok(record),
            false => Err(self.failure("was started by somebody else meanwhile", None)),
        }
    }

    /// Asks ECS to start the task; asked again, ECS says which task it has started.
    async fn ask(&self, mut record: HookTaskRecord) -> Result<(), HookFailure> {
        let it = self.task(&record);
        let task = match self.one_off(&it, Duration::ZERO).start().await {
            Ok(task) => task,
            // The service has changed since, so the request cannot be repeated as it was.
            Err(error) if error.has_code("ConflictException") => {
                return Err(self.nobody_knows(&record).await);
            }
            // ECS may have started it: the next run asks again.
            Err(error) if error.is_retryable() => {
                return Err(self.io("may not have started", &error));
            }
            Err(error) => {
                let fate = Fate::Failed(format!("it was not started: {error}"));
                self.note(&mut record, fate).await?;
                return Err(self.io("cannot be started", &error));
            }
        };
        record.task = Some(task.clone());
        let goes_on = GoesOn::new(self, &task);
        self.write(&record).await?;
        goes_on.was_followed();
        self.follow(record, &task).await
    }

    async fn follow(&self, mut record: HookTaskRecord, task: &str) -> Result<(), HookFailure> {
        let (report, limit) = (&self.session.report, self.session.config.hooks.timeout);
        report.tell(&ReportEvent::Doing(format!(
            "following the task {}",
            id_of(task)
        )));
        let mut last = LastLines::default();
        let mut show = |line: &str| {
            report.tell(&ReportEvent::Hook(line));
            last.push(line);
        };
        let goes_on = GoesOn::new(self, task);
        let it = self.task(&record);
        let done = self
            .one_off(&it, limit)
            .follow(task, since(&record), &mut Interrupts::none(), &mut show)
            .await
            .map_err(|error| HookFailure {
                cause: Some(error.causes.first().unwrap_or(&error.message).clone()),
                ..self.failure("cannot be followed", None)
            })?;
        goes_on.was_followed();
        let ended = ended(&done, limit);
        let fate = ended.clone().map_or_else(Fate::Failed, |()| Fate::Done);
        self.note(&mut record, fate).await?;
        if let Err(how) = ended {
            let is_late = done.cut.is_some();
            return Err(HookFailure {
                is_late,
                ..self.failure(&how, last.said())
            });
        }
        let told = format!("ran {} in the task {}", self.it.hook, done.task);
        self.tell(&ReportEvent::Done(told));
        Ok(())
    }

    async fn note(&self, record: &mut HookTaskRecord, fate: Fate) -> Result<(), HookFailure> {
        record.fate = Some(fate);
        self.write(record).await
    }

    async fn write(&self, record: &HookTaskRecord) -> Result<(), HookFailure> {
        let written = self.session.aws.note_hook_task(&self.table(), record).await;
        written.map_err(|error| self.io("cannot be written down", &error))
    }

    /// With what the task wrote, if its lines still exist.
    async fn nobody_knows(&self, record: &HookTaskRecord) -> HookFailure {
        let HookTaskRecord {
            begun, who, task, ..
        } = record;
        let mut last = LastLines::default();
        if let Some(task) = task {
            let it = self.task(record);
            let one_off = self.one_off(&it, Duration::ZERO);
            let lines = one_off.lines_of(task, since(record)).await;
            lines.iter().for_each(|line| last.push(line));
        }
        let begun = begun.format(&Rfc3339).unwrap_or_default();
        let task = task
            .as_deref()
            .map(|task| format!(" (task {})", id_of(task)));
        let what = format!(
            "was started for {} by {who} at {begun}{}, and ECS no longer says how it ended: check whether it has run, then say `--before-shift done`, or `again` to run it",
            self.release.release(),
            task.unwrap_or_default(),
        );
        self.failure(&what, last.said())
    }

    fn task(&self, record: &HookTaskRecord) -> OneOff {
        OneOff {
            color: self.release.color,
            revision: self.revision.clone(),
            container: self.session.config.container.name.clone(),
            command: self.it.command.clone(),
            token: self.it.token(record.attempt),
        }
    }

    fn one_off<'o>(&'o self, it: &'o OneOff, limit: Duration) -> OneOffRun<'o> {
        OneOffRun {
            session: self.session,
            services: self.services,
            it,
            limit,
        }
    }

    fn table(&self) -> String {
        self.session.stack_name()
    }

    fn tell(&self, event: &ReportEvent<'_>) {
        self.session.report.tell(event);
    }

    fn failure(&self, what: &str, cause: Option<String>) -> HookFailure {
        HookFailure::of("hook", self.it.hook.as_str(), what, cause)
    }

    fn io(&self, what: &str, error: &AwsError) -> HookFailure {
        self.failure(what, Some(error.to_string()))
    }
}

fn since(record: &HookTaskRecord) -> OffsetDateTime {
    record.begun - EARLIER
}

/// # Errors
/// How it failed, in words.
fn ended(done: &OneOffDone, limit: Duration) -> Result<(), String> {
    let task = &done.task;
    Err(match (&done.end, done.cut) {
        // A program that is asked to stop may well exit with 0.
        (_, Some(OneOffCut::Late | OneOffCut::Interrupted)) => format!(
            "took longer than {}, and its task {task} was stopped",
            in_words(limit)
        ),
        (OneOffEnd::Exited(0), None) => return Ok(()),
        (OneOffEnd::Exited(code), None) => format!("failed: its task {task} ended with {code}"),
        (OneOffEnd::WithoutCode(why), None) => {
            format!("failed: its task {task} ended without an exit code: {why}")
        }
    })
}

/// A running task, which keeps running if nobody waits for it any more.
struct GoesOn<'a> {
    run: &'a HookTaskRun<'a>,
    task: &'a str,
    is_left: bool,
}

impl<'a> GoesOn<'a> {
    fn new(run: &'a HookTaskRun<'a>, task: &'a str) -> Self {
        Self {
            run,
            task,
            is_left: true,
        }
    }

    fn was_followed(mut self) {
        self.is_left = false;
    }
}

impl Drop for GoesOn<'_> {
    fn drop(&mut self) {
        if self.is_left {
            let HookTaskRun { it, release, .. } = self.run;
            self.run.tell(&ReportEvent::Warning(format!(
                "the task {} of {} keeps running: the next promotion of {} waits for its end",
                id_of(self.task),
                it.hook,
                release.release(),
            )));
        }
    }
}
