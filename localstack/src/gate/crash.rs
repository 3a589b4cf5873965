//! Killing a client at one of its writes, so that a test can go through all of
//! them. Which those are is read from the record of a run that nothing
//! disturbed: a write that is new is among them by itself.
//!
//! The gate holds the write, so the client is killed exactly there: before it
//! has its effect, or after it and before the client hears of it.

use std::fmt;
use std::io;
use std::process::Output;

use tokio::process::Command;

use super::Gate;
use super::faults::{Fault, FaultId, On};
use super::record::Call;

/// On which side of its effect a write is cut off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    Before,
    After,
}

impl Side {
    pub const BOTH: [Self; 2] = [Self::Before, Self::After];
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Before => "before",
            Self::After => "after",
        })
    }
}

/// One write of a client, among all that it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// From 1, in the order in which they came.
    pub number: u32,
    pub service: String,
    pub operation: String,
    pub resource: String,
}

impl Write {
    /// Those among the calls, in their order.
    pub fn all(calls: &[Call]) -> Vec<Self> {
        let writes = calls.iter().filter(|call| call.writes);
        (1..)
            .zip(writes)
            .map(|(number, call)| Self::of(number, call))
            .collect()
    }

    fn of(number: u32, call: &Call) -> Self {
        Self {
            number,
            service: call.service.clone(),
            operation: call.operation.clone(),
            resource: call.resource.clone(),
        }
    }

    /// Which it is of those that are the same as it, from 1.
    fn of_its_kind(&self, all: &[Self]) -> u32 {
        let is_same = |it: &&Self| it.is_like(self) && it.resource == self.resource;
        let earlier = all.iter().filter(|it| it.number < self.number);
        (1..)
            .zip(earlier.filter(is_same))
            .last()
            .map_or(1, |(count, _)| count + 1)
    }

    fn is_like(&self, other: &Self) -> bool {
        (&self.service, &self.operation) == (&other.service, &other.operation)
    }
}

impl Side {
    fn held(self, on: On) -> Fault {
        match self {
            Self::Before => on.hold_before(),
            Self::After => on.hold_after(),
        }
    }
}

impl fmt::Display for Write {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.service, self.operation)?;
        match self.resource.as_str() {
            "" => Ok(()),
            resource => write!(f, " {resource}"),
        }
    }
}

/// Why a client did not die where it should have.
#[derive(Debug, thiserror::Error)]
pub enum Missed {
    #[error("it made fewer than {number} writes and ended: {}\n{}", .output.status, String::from_utf8_lossy(&.output.stderr))]
    Ended { number: u32, output: Output },
    #[error("its write {} is {found} this time", .found.number)]
    Other { found: Write },
    #[error("the call that is held is not on record")]
    NotOnRecord,
    #[error("it cannot be run: {0}")]
    Run(#[from] io::Error),
}

/// Runs the client until that write, kills it there, and lets go of the write:
/// nothing is under way then. What was on its stderr is given.
///
/// Nobody else may write through the gate meanwhile.
///
/// # Errors
/// If it does not come to the write, or to another one in its place.
pub async fn kill_at(
    gate: &Gate,
    client: std::process::Command,
    write: &Write,
    side: Side,
) -> Result<String, Missed> {
    // Whichever it turns out to be.
    let this = Fault::on_writes().nth(write.number);
    kill_held(gate, client, write, side.held(this)).await
}

/// The same for a client that does several things side by side, so that a write has another
/// number each time: it is known by which of its kind it is, among `all` that it makes.
///
/// # Errors
/// As [`kill_at`].
pub async fn kill_at_its_kind(
    gate: &Gate,
    client: std::process::Command,
    (write, all): (&Write, &[Write]),
    side: Side,
) -> Result<String, Missed> {
    let kind = Fault::on(&write.service, &write.operation);
    let kind = match write.resource.as_str() {
        "" => kind,
        resource => kind.resource(resource),
    };
    let this = kind.nth(write.of_its_kind(all));
    kill_held(gate, client, write, side.held(this)).await
}

async fn kill_held(
    gate: &Gate,
    client: std::process::Command,
    write: &Write,
    fault: Fault,
) -> Result<String, Missed> {
    let fault = gate.faults().add(fault);
    let outcome = kill_when_held(gate, client, write, fault).await;
    gate.faults().remove(fault);
    outcome
}

async fn kill_when_held(
    gate: &Gate,
    client: std::process::Command,
    write: &Write,
    fault: FaultId,
) -> Result<String, Missed> {
    let mut client = Command::from(client);
    let child = client.kill_on_drop(true).spawn()?;
    let id = child.id();
    let ending = child.wait_with_output();
    tokio::pin!(ending);
    tokio::select! {
        () = gate.faults().until_held(fault) => {}
        output = &mut ending => {
            let number = write.number;
            return Err(Missed::Ended { number, output: output? });
        }
    }
    kill(id)?;
    let stderr = ending.await?.stderr;
    let found = held_by(gate, fault, write.number).ok_or(Missed::NotOnRecord)?;
    if !write.is_like(&found) {
        return Err(Missed::Other { found });
    }
    Ok(String::from_utf8_lossy(&stderr).into_owned())
}

/// It is not waited for yet, so its id is nobody else's.
fn kill(id: Option<u32>) -> io::Result<()> {
    let id = id.and_then(|id| i32::try_from(id).ok());
    let id = id.and_then(rustix::process::Pid::from_raw);
    let id = id.ok_or_else(|| io::Error::other("it has no process id"))?;
    Ok(rustix::process::kill_process(
        id,
        rustix::process::Signal::KILL,
    )?)
}

fn held_by(gate: &Gate, fault: FaultId, number: u32) -> Option<Write> {
    let calls = gate.calls().all();
    let is_held = |call: &&Call| call.struck.iter().any(|struck| struck.id == fault);
    let call = calls.iter().rev().find(is_held)?;
    Some(Write::of(number, call))
}
