//! The `[build] before` command: run ahead of the image build, its output shown
//! as it comes.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::Hook;
use crate::error::{Error, Result};
use crate::model::Tag;
use crate::report::Event;
use crate::session::Session;

/// Lines of a failed hook that the error repeats.
const LAST_LINES: usize = 20;

/// # Errors
/// A hook that cannot be started or ends with another code than 0 (exit 1).
pub(super) async fn run(session: &Session, hook: &Hook, tag: &Tag) -> Result<()> {
    session
        .report
        .tell(&Event::Doing(format!("running `{}`", hook.command)));
    let (mut child, mut output) = start(hook, tag).map_err(|error| {
        Error::failed(format!("the hook `{}` cannot be started", hook.command)).because(&error)
    })?;
    let mut last = VecDeque::new();
    let mut line = Vec::new();
    while output
        .read_until(b'\n', &mut line)
        .await
        .is_ok_and(|read| read > 0)
    {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        session.report.tell(&Event::Hook(&text));
        if last.len() == LAST_LINES {
            last.pop_front();
        }
        last.push_back(text);
        line.clear();
    }
    let status = child
        .wait()
        .await
        .map_err(|error| Error::failed("the hook's end cannot be seen").because(&error))?;
    if status.success() {
        session
            .report
            .tell(&Event::Done(format!("ran `{}`", hook.command)));
        return Ok(());
    }
    let mut error = Error::failed(format!("the hook `{}` failed: {status}", hook.command))
        .hint("it is [build] before in bgecs.toml; nothing was built or deployed");
    if !last.is_empty() {
        error = error.cause(format!("its last lines:\n{}", Vec::from(last).join("\n")));
    }
    Err(error)
}

/// Both of its streams go into one pipe, so that their lines come in the order
/// in which they were written.
fn start(hook: &Hook, tag: &Tag) -> io::Result<(Child, BufReader<pipe::Receiver>)> {
    let (reader, writer) = io::pipe()?;
    let child = Command::new("sh")
        .arg("-c")
        .arg(&hook.command)
        .current_dir(&hook.folder)
        .env("BGECS_CONTEXT", &hook.context)
        .env("BGECS_TAG", tag.as_str())
        .env("BGECS_PLATFORM", &hook.platform)
        .stdin(Stdio::null())
        .stdout(writer.try_clone()?)
        .stderr(writer)
        .kill_on_drop(true)
        .spawn()?;
    let output = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((child, BufReader::new(output)))
}
