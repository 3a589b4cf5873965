//! The `[build] before` command: run ahead of the image build, its output shown
//! as it comes. It is over when the command is; what it leaves running may help
//! the build, and ends with this process.

mod group;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::process::{ExitStatus, Stdio};

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use self::group::Group;
use super::Hook;
use crate::error::{Error, Result};
use crate::model::Tag;
use crate::report::ReportEvent;
use crate::session::Session;

/// Lines of a failed hook that the error repeats.
const LAST_LINES: usize = 20;

/// # Errors
/// A hook that cannot be started or ends with another code than 0 (exit 1).
pub(super) async fn run(session: &Session, hook: &Hook, tag: &Tag) -> Result<()> {
    session
        .report
        .tell(&ReportEvent::Doing(format!("running `{}`", hook.command)));
    let running = Running::start(hook, tag).map_err(|error| {
        Error::failed(format!("the hook `{}` cannot be started", hook.command)).because(&error)
    })?;
    let mut last = VecDeque::new();
    let mut tell = |text: &str| {
        session.report.tell(&ReportEvent::Hook(text));
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text.to_owned());
    };
    let (status, group) = running
        .follow(&mut tell)
        .await
        .map_err(|error| Error::failed("the hook's end cannot be seen").because(&error))?;
    if status.success() {
        group.keep_until_the_end();
        session
            .report
            .tell(&ReportEvent::Done(format!("ran `{}`", hook.command)));
        return Ok(());
    }
    let mut error = Error::failed(format!("the hook `{}` failed: {status}", hook.command))
        .hint("it is [build] before in bgecs.toml; nothing was built or deployed");
    if !last.is_empty() {
        error = error.cause(format!("its last lines:\n{}", Vec::from(last).join("\n")));
    }
    Err(error)
}

/// A hook under way. Dropping it ends it, and all that it has started.
struct Running {
    child: Child,
    output: pipe::Receiver,
    group: Group,
}

impl Running {
    /// Both of its streams go into one pipe, so that their lines come in the
    /// order in which they were written.
    fn start(hook: &Hook, tag: &Tag) -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        let group = Group::start()?;
        let child = Command::new("sh")
            .arg("-c")
            .arg(&hook.command)
            .current_dir(&hook.folder)
            .env("BGECS_CONTEXT", &hook.context)
            .env("BGECS_TAG", tag.as_str())
            .env("BGECS_PLATFORM", &hook.platform)
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

    /// Tells its lines until the command ends. A process that it has left in the
    /// background may hold the pipe open for ever, and is not waited for.
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
        // What the command itself wrote is in the pipe by now.
        let left = rustix::io::ioctl_fionread(&self.output)?;
        let mut rest = (&mut self.output).take(left);
        rest.read_to_end(&mut lines.partial).await?;
        lines.tell(tell);
        lines.end(tell);
        // Who still writes is not to fail for want of a reader.
        let mut output = self.output;
        tokio::spawn(async move { tokio::io::copy(&mut output, &mut tokio::io::sink()).await });
        Ok((status, self.group))
    }
}

/// Cuts into lines what comes in pieces.
#[derive(Default)]
struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    fn tell(&mut self, tell: &mut dyn FnMut(&str)) {
        let Some(end) = self.partial.iter().rposition(|byte| *byte == b'\n') else {
            return;
        };
        let rest = self.partial.split_off(end + 1);
        let whole = std::mem::replace(&mut self.partial, rest);
        for line in String::from_utf8_lossy(&whole).lines() {
            tell(line.trim_end());
        }
    }

    fn end(self, tell: &mut dyn FnMut(&str)) {
        if !self.partial.is_empty() {
            tell(String::from_utf8_lossy(&self.partial).trim_end());
        }
    }
}
