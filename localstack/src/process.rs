//! Other programs: run one to its end with its output in a log, tell whether a
//! process is still the one that was started, end one.

use std::fs::{self, OpenOptions};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::error::LogEnd;
use crate::{Error, Result};

const POLL: Duration = Duration::from_millis(20);
/// How much of a log goes into an error.
pub(crate) const TAIL: usize = 15;

/// A program to run to its end.
#[derive(Debug)]
pub(crate) struct Run<'a> {
    pub(crate) doing: &'static str,
    pub(crate) program: &'a str,
    pub(crate) args: &'a [&'a str],
    pub(crate) env: &'a [(&'a str, &'a str)],
    pub(crate) log: &'a Path,
    pub(crate) hint: &'static str,
}

impl Run<'_> {
    /// Runs it; what it prints is added to the log.
    pub(crate) async fn to_end(&self) -> Result<()> {
        let status = tokio::process::Command::new(self.program)
            .args(self.args)
            .envs(self.env.iter().copied())
            .stdin(Stdio::null())
            .stdout(append(self.log)?)
            .stderr(append(self.log)?)
            .kill_on_drop(true)
            .status()
            .await
            .map_err(|source| Error::Spawn {
                program: self.program.to_owned(),
                source,
                hint: self.hint,
            })?;
        if status.success() {
            return Ok(());
        }
        Err(Error::Command {
            doing: self.doing,
            program: self.program.to_owned(),
            status,
            log: LogEnd::of_file(self.log),
        })
    }
}

pub(crate) fn append(log: &Path) -> Result<fs::File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(log)
        .map_err(|source| Error::File {
            action: "write",
            path: log.to_path_buf(),
            source,
        })
}

/// The last lines of a file; empty if it cannot be read.
pub(crate) fn tail(path: &Path, lines: usize) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    last_lines(&String::from_utf8_lossy(&bytes), lines)
}

pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

/// The command line of a process; none if it has ended, also if nobody has
/// taken notice of its end yet.
pub(crate) fn command_line(pid: u32) -> Option<String> {
    let line = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).replace('\0', " "),
        Err(_) if Path::new("/proc/self").exists() => return None,
        Err(_) => ask_ps(pid)?,
    };
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}

/// For systems without `/proc`.
fn ask_ps(pid: u32) -> Option<String> {
    let output = std::process::Command::new("ps")
        .args(["-ww", "-o", "command=", "-p", &pid.to_string()])
        .output()
        .ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether the process is there and has `mark` in its command line: a process
/// id alone may by now be someone else's.
pub(crate) fn is(pid: u32, mark: &str) -> bool {
    command_line(pid).is_some_and(|line| line.contains(mark))
}

/// Asks the process to end, if it is still the one with that mark.
pub(crate) fn ask_to_end(pid: u32, mark: &str) {
    if is(pid, mark)
        && let Some(pid) = to_pid(pid)
    {
        // An error means that it has ended meanwhile.
        let _ = rustix::process::kill_process(pid, Signal::TERM);
    }
}

/// Ends the marked process: politely, and after `patience` by force.
pub(crate) async fn end_one(pid: u32, mark: &str, patience: Duration) {
    ask_to_end(pid, mark);
    if !gone_within(pid, mark, patience).await
        && let Some(raw) = to_pid(pid)
    {
        let _ = rustix::process::kill_process(raw, Signal::KILL);
        gone_within(pid, mark, Duration::from_secs(5)).await;
    }
}

/// Ends the process group that the marked process leads: politely, and after
/// `patience` by force. Says whether it is gone.
pub(crate) async fn end_group(pid: u32, mark: &str, patience: Duration) -> bool {
    let Some(group) = to_pid(pid) else {
        return true;
    };
    if !is(pid, mark) {
        return true;
    }
    let _ = rustix::process::kill_process_group(group, Signal::TERM);
    let polite = gone_within(pid, mark, patience).await;
    // Also after a polite end: what the leader had started may be left. The id
    // is still that of this group, for nobody has reaped the leader yet or
    // members of it are left.
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
    polite || gone_within(pid, mark, Duration::from_secs(5)).await
}

/// Waits for the process to be gone; says whether it is.
pub(crate) async fn gone_within(pid: u32, mark: &str, patience: Duration) -> bool {
    let start = Instant::now();
    while is(pid, mark) {
        if start.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(POLL).await;
    }
    true
}

fn to_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_failing_program_is_told_with_the_end_of_its_output() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let error = Run {
            doing: "trying",
            program: "sh",
            args: &["-c", "echo first; echo last >&2; exit 3"],
            env: &[],
            log: &dir.path().join("log"),
            hint: "install it",
        }
        .to_end()
        .await
        .expect_err("it fails");
        let text = error.to_string();
        assert!(
            text.starts_with("trying failed: sh ended with exit status: 3"),
            "{text}"
        );
        assert!(text.ends_with("first\nlast"), "{text}");
    }

    #[tokio::test]
    async fn only_the_marked_process_is_ended_and_by_force_if_it_must_be() {
        use std::os::unix::process::CommandExt;
        let dir = tempfile::tempdir().expect("temporary directory");
        let ready = dir.path().join("ready");
        let mut child = std::process::Command::new("sh")
            .args([
                "-c",
                "trap '' TERM; touch \"$1\"; while :; do sleep 1; done",
                "the-mark",
            ])
            .arg(&ready)
            .process_group(0)
            .spawn()
            .expect("sh");
        while !ready.exists() {
            tokio::time::sleep(POLL).await;
        }
        assert!(end_group(child.id(), "another-mark", Duration::ZERO).await);
        assert!(is(child.id(), "the-mark"));
        assert!(end_group(child.id(), "the-mark", Duration::from_millis(100)).await);
        assert!(!is(child.id(), "the-mark"));
        child.wait().expect("its end");
    }

    #[test]
    fn the_last_lines_are_the_last() {
        assert_eq!(last_lines("a\nb\nc", 2), "b\nc");
        assert_eq!(last_lines("a", 2), "a");
        assert_eq!(last_lines("", 2), "");
    }
}
