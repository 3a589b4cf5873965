//! Commands of the user that bgecs waits for: `[build] before`, and the `[hooks]` of a
//! shift. Their output is shown as it comes. A hook is over when its command ends; what
//! it leaves running may be needed by what follows, and ends with this process. The
//! caller decides what a failure means.

mod noted;
mod occasion;
mod task;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::group::Group;
use super::lines::Lines;
use crate::error::Error;
use crate::report::ReportEvent;
use crate::session::Session;
use crate::spoken_time;
pub use noted::{NotedHooks, tell_of_going_back};
use occasion::Occasion;
use task::HookTaskRun;

/// How many lines of a failed hook the error repeats.
const LAST_LINES: usize = 20;

/// What is run, and what it is given.
#[derive(Debug)]
pub struct HookCommand<'a> {
    /// `hook`, or another word for it.
    pub what: &'static str,
    /// Its name in messages: `before_stage of stage 2`.
    pub name: String,
    /// A line for `sh`.
    pub line: &'a str,
    pub folder: &'a Path,
    /// In addition to this process's own environment and the app's name.
    pub environment: Vec<(&'static str, OsString)>,
    /// None: no limit.
    pub limit: Option<Duration>,
}

/// Why a hook stops what was going on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookFailure {
    pub message: String,
    pub cause: Option<String>,
    /// Whether it was killed because it did not finish in time.
    pub is_late: bool,
}

impl HookFailure {
    fn of(kind: &str, name: &str, what: &str, cause: Option<String>) -> Self {
        Self {
            message: format!("the {kind} {name} {what}"),
            cause,
            is_late: false,
        }
    }

    /// The whole message, for a reason; its first line says enough by itself.
    pub fn told(&self) -> String {
        let Self { message, cause, .. } = self;
        match cause {
            Some(cause) if cause.contains('\n') => {
                format!("{message}\n    {}", cause.replace('\n', "\n    "))
            }
            Some(cause) => format!("{message}: {cause}"),
            None => message.clone(),
        }
    }
}

impl fmt::Display for HookFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<HookFailure> for Error {
    fn from(failure: HookFailure) -> Self {
        let error = Self::failed(failure.message);
        match failure.cause {
            Some(cause) => error.cause(cause),
            None => error,
        }
    }
}

impl HookCommand<'_> {
    /// If the future is dropped early, that ends the command and everything that it has
    /// started.
    ///
    /// # Errors
    /// It cannot be started, takes too long, or ends with another code than 0.
    pub async fn run(&self, session: &Session) -> Result<(), HookFailure> {
        let Self {
            what: kind, name, ..
        } = self;
        let because = |what: &str, cause| HookFailure::of(kind, name, what, cause);
        let io = |what: &str, error: io::Error| because(what, Some(error.to_string()));
        session
            .report
            .tell(&ReportEvent::Doing(format!("running {name}")));
        let running =
            Running::start(self, session.app()).map_err(|error| io("cannot be started", error))?;
        let mut last = LastLines::default();
        let mut tell = |text: &str| {
            session.report.tell(&ReportEvent::Hook(text));
            last.push(text);
        };
        let ended = within(self.limit, running.follow(&mut tell)).await;
        let is_late = ended.is_err();
        let failed = match ended {
            Ok(Ok((status, group))) if status.success() => {
                group.keep_until_the_end();
                session
                    .report
                    .tell(&ReportEvent::Done(format!("ran {name}")));
                return Ok(());
            }
            Ok(Ok((status, _))) => format!("failed: {status}"),
            Ok(Err(error)) => return Err(io("ended, but its exit status cannot be read", error)),
            Err(limit) => format!("took longer than {} and was killed", in_words(limit)),
        };
        Err(HookFailure {
            is_late,
            ..because(&failed, last.said())
        })
    }
}

/// The last lines that it wrote.
#[derive(Debug, Default)]
struct LastLines(VecDeque<String>);

impl LastLines {
    fn push(&mut self, line: &str) {
        if self.0.len() == LAST_LINES {
            self.0.pop_front();
        }
        self.0.push_back(line.to_owned());
    }

    fn said(self) -> Option<String> {
        let last = Vec::from(self.0).join("\n");
        (!last.is_empty()).then(|| format!("its last lines:\n{last}"))
    }
}

/// # Errors
/// The limit, once it has passed.
async fn within<T>(limit: Option<Duration>, it: impl Future<Output = T>) -> Result<T, Duration> {
    match limit {
        Some(limit) => tokio::time::timeout(limit, it).await.map_err(|_| limit),
        None => Ok(it.await),
    }
}

fn in_words(limit: Duration) -> String {
    spoken_time::span(spoken_time::of(limit))
}

/// A running hook. Dropping it ends it, and everything that it has started.
struct Running {
    child: Child,
    output: pipe::Receiver,
    group: Group,
}

impl Running {
    /// Both of its streams go into one pipe, so that lines keep the order in which they
    /// were written.
    fn start(hook: &HookCommand<'_>, app: &str) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let group = Group::start()?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(hook.line)
            .current_dir(hook.folder)
            .env("BGECS_APP", app)
            .envs(hook.environment.iter().map(|(name, value)| (name, value)))
            .process_group(group.id())
            .stdin(Stdio::null())
            .stdout(writer.try_clone()?)
            .stderr(writer)
            .spawn()?;
        let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
        Ok(Self {
            child,
            output,
            group,
        })
    }

    /// Tells its lines until the command ends. A process that it left in the background
    /// may hold the pipe open for ever, so that is not waited for.
    async fn follow(mut self, tell: &mut dyn FnMut(&str)) -> io::Result<(ExitStatus, Group)> {
        let mut lines = Lines::default();
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status?,
                read = self.output.read_buf(&mut lines.partial) => match read {
                    Ok(read) if read > 0 => lines.tell(tell),
                    _ => break self.child.wait().await?,
                },
            }
        };
        lines.rest(self.output, tell).await?;
        Ok((status, self.group))
    }
}
