//! A gate that outlives its owner, as a process of its own before an emulator
//! that is kept. Started here, found by the emulator's record, ended with it.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Owned;
use crate::error::LogEnd;
use crate::{Error, Result, process};

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
pub(super) fn start(owned: &mut Owned, mut command: Command) -> Result<String> {
    let id = owned.record.entry().id.clone();
    let log = owned.record.layout().log(&format!("{id}-gate"));
    let program = command.get_program().to_string_lossy().into_owned();
    let mut child = command
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
    let pid = child.id();
    let mut endpoint = String::new();
    if let Some(output) = child.stdout.take() {
        // An error is as good as nothing: its log says more.
        let _ = BufReader::new(output).read_line(&mut endpoint);
    }
    let endpoint = endpoint.trim().to_owned();
    if endpoint.is_empty() {
        // It has ended or will not work; either way nobody else must meet it.
        let _ = child.kill();
        let _ = child.wait();
        return Err(Error::EmulatorEnded {
            what: "gate".to_owned(),
            log: LogEnd::of_file(&log),
        });
    }
    let gate = KeptGate {
        pid,
        endpoint: endpoint.clone(),
    };
    owned.record.update(|entry| entry.gate = Some(gate))?;
    Ok(endpoint)
}

/// Ends it; one that has ended is fine.
pub(super) async fn end(gate: &KeptGate, id: &str) {
    process::end_one(gate.pid, id, END).await;
}
