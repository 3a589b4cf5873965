//! A gate that outlives its owner, as a process of its own before an emulator
//! that is kept. Started here, found by the emulator's record, ended with it.

use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::Owned;
use crate::error::LogEnd;
use crate::{Error, Result, process};

/// It only has to open its port.
const BEGIN: Duration = Duration::from_secs(30);
/// It finishes what it serves, and has nothing else to put in order.
const END: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptGate {
    pid: u32,
    pub(super) endpoint: String,
}

/// Runs the command, which must print its endpoint as its first line, and
/// writes it into the emulator's record. The emulator's id is added to its
/// arguments, so that the process can be told from any other.
pub(super) async fn start(owned: &mut Owned, command: std::process::Command) -> Result<String> {
    let id = owned.record.entry().id.clone();
    let log = owned.record.layout().log(&format!("{id}-gate"));
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = Command::from(command)
        .arg(&id)
        // Of its own: a Ctrl-C is for whoever started it.
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(process::append(&log)?)
        .spawn()
        .map_err(|source| Error::Spawn {
            program,
            source,
            hint: "build the workspace and try again",
        })?;
    let kept = match first_line(&mut child).await {
        Some((pid, endpoint)) => {
            let gate = KeptGate {
                pid,
                endpoint: endpoint.clone(),
            };
            let kept = owned.record.update(|entry| entry.gate = Some(gate));
            kept.map(|()| endpoint)
        }
        None => Err(Error::GateSilent {
            log: LogEnd::of_file(&log),
        }),
    };
    if kept.is_err() {
        // Nobody would find it again. An error means that it has ended.
        let _ = child.kill().await;
    }
    kept
}

/// Its id and what it prints first; None if it ends or takes too long.
async fn first_line(child: &mut Child) -> Option<(u32, String)> {
    let mut lines = BufReader::new(child.stdout.take()?).lines();
    let line = tokio::time::timeout(BEGIN, lines.next_line()).await;
    let line = line.ok()?.ok()??.trim().to_owned();
    Some((child.id()?, line)).filter(|(_, line)| !line.is_empty())
}

/// Ends it; one that has ended is fine.
pub(super) async fn end(gate: &KeptGate, id: &str) {
    process::end_one(gate.pid, id, END).await;
}

#[cfg(test)]
mod tests {
    use super::super::record::{Entry, Record};
    use super::*;
    use crate::layout::Layout;

    /// An emulator that is nothing but its record.
    async fn owned(layout: &Layout) -> Owned {
        let entry = Entry {
            id: format!("{}{:016x}", super::super::ID_PREFIX, fastrand::u64(..)),
            account: "test".to_owned(),
            endpoint: String::new(),
            pid: None,
            kept: true,
            gate: None,
        };
        Owned {
            record: Record::create(layout, entry).await.unwrap(),
            process: None,
        }
    }

    /// Its last argument, which is added to it, is the shell's `$0`.
    fn shell(script: &str) -> std::process::Command {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_gate_is_on_record_until_it_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(dir.path()).unwrap();
        let mut owned = owned(&layout).await;
        let script = shell("echo http://127.0.0.1:1; while :; do sleep 0.1; done");
        let endpoint = start(&mut owned, script).await.unwrap();
        assert_eq!(endpoint, "http://127.0.0.1:1");
        let entry = owned.record.entry();
        let gate = entry.gate.clone().unwrap();
        assert_eq!(gate.endpoint, endpoint);
        assert!(process::is(gate.pid, &entry.id));
        end(&gate, &entry.id).await;
        assert!(!process::is(gate.pid, &entry.id));
        end(&gate, &entry.id).await;
    }

    #[tokio::test]
    async fn a_gate_that_says_nothing_is_an_error_with_the_end_of_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout::at(dir.path()).unwrap();
        let mut owned = owned(&layout).await;
        let script = shell("echo out of order >&2; exec >&-; while :; do sleep 0.1; done");
        let error = start(&mut owned, script).await.unwrap_err();
        assert!(error.to_string().contains("out of order"), "{error}");
        assert!(owned.record.entry().gate.is_none());
    }
}
