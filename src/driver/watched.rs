//! A command of the user that bgecs watches. It runs as it would without bgecs: with the
//! user's streams and signals. Its output goes through bgecs only if bgecs itself keeps a
//! moving line on the terminal.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::time::sleep;

use super::group::Group;
use super::lines::Lines;
use crate::interrupt::Interrupts;
use crate::report::{ReportEvent, Reporter};

/// A partial line that stays this long is a question to the user.
const QUESTION: Duration = Duration::from_millis(300);

/// Dropping it ends the command, and everything that it has started.
pub struct WatchedCommand {
    child: Child,
    output: Option<pipe::Receiver>,
    group: Option<Group>,
}

impl WatchedCommand {
    /// # Errors
    /// There is no such program, or it cannot be run.
    pub fn start(
        program: &OsString,
        arguments: &[OsString],
        report: &Reporter,
    ) -> io::Result<Self> {
        let group = Group::start()?;
        let (stdout, stderr, output) = streams(report)?;
        let started = Command::new(program)
            .args(arguments)
            .process_group(group.id())
            .stdin(input()?)
            .stdout(stdout)
            .stderr(stderr)
            .spawn();
        let child = match started {
            Ok(child) => child,
            Err(error) => {
                group.let_go();
                return Err(error);
            }
        };
        Ok(Self {
            child,
            output,
            group: Some(group),
        })
    }

    /// Waits for its end. The command handles the first interrupt itself; the second ends
    /// it. Also returns whether there was one.
    ///
    /// # Errors
    /// Its end cannot be read.
    pub async fn end(
        mut self,
        interrupts: &mut Interrupts,
        report: &Reporter,
    ) -> io::Result<(ExitStatus, bool)> {
        let mut tell = |line: &str| report.tell(&ReportEvent::Command(line));
        let mut lines = Lines::default();
        let mut is_interrupted = false;
        let status = loop {
            tokio::select! {
                status = self.child.wait() => break status?,
                signal = interrupts.next() => match &mut self.group {
                    Some(group) if !is_interrupted => {
                        is_interrupted = true;
                        group.pass_on(signal);
                    }
                    _ => self.group = None,
                },
                read = read(&mut self.output, &mut lines.partial) => match read {
                    Ok(read) if read > 0 => lines.tell(&mut tell),
                    _ => self.output = None,
                },
                () = sleep(QUESTION), if !lines.partial.is_empty() => {
                    std::mem::take(&mut lines).end(&mut tell);
                }
            }
        };
        if let Some(output) = self.output.take() {
            lines.rest(output, &mut tell).await?;
        }
        // What it leaves behind keeps running, as it would without bgecs.
        if let Some(group) = self.group.take().filter(|_| !is_interrupted) {
            group.let_go();
        }
        Ok((status, is_interrupted))
    }
}

/// The exit code as a shell reports it.
pub fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or(status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Never returns if there is no pipe.
async fn read(output: &mut Option<pipe::Receiver>, into: &mut Vec<u8>) -> io::Result<usize> {
    match output {
        Some(output) => output.read_buf(into).await,
        None => std::future::pending().await,
    }
}

/// Its stdout and stderr, and the pipe that they lead to if there is a moving line: one
/// pipe for both, so that lines keep their order. With --json, stdout is reserved for
/// bgecs's document.
fn streams(report: &Reporter) -> io::Result<(Stdio, Stdio, Option<pipe::Receiver>)> {
    let same = |stream: &dyn AsFd| stream.as_fd().try_clone_to_owned();
    let is_apart = !report.wants_json() && (!report.is_live() || !io::stdout().is_terminal());
    let (stderr, output) = match report.is_live() {
        false => (same(&io::stderr())?, None),
        true => {
            let (reader, writer) = io::pipe()?;
            let reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
            (OwnedFd::from(writer), Some(reader))
        }
    };
    let stdout = match is_apart {
        true => same(&io::stdout())?,
        false => stderr.try_clone()?,
    };
    Ok((stdout.into(), stderr.into(), output))
}

/// A process that reads from the terminal in the background is stopped by it, and the
/// command's group is in the background; so this process reads instead.
fn input() -> io::Result<Stdio> {
    if !io::stdin().is_terminal() {
        return Ok(Stdio::inherit());
    }
    let (reader, mut writer) = io::pipe()?;
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || io::copy(&mut io::stdin().lock(), &mut writer))?;
    Ok(reader.into())
}

#[cfg(test)]
mod tests;
