//! A process group that ends when this process ends, however that happens.
//!
//! Its leader is a shell that waits for the other end of a pipe to close, which happens
//! even if this process is killed. As long as the leader waits, no other group can get
//! its number. It also passes signals on: once it reads, it is ready to survive them.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use crate::interrupt::Signal;

/// Sends its group the signals that it reads. At end of file it asks the group to end,
/// survives that itself, and two seconds later kills what is left.
const LEADER: &str = "trap '' TERM INT HUP; while read -r it; do kill -\"$it\" 0; done; \
    kill -TERM 0; sleep 2; kill -KILL 0";

/// Dropping it ends the group, just as the end of this process does. No signal is sent
/// from here: the leader may not be ready to survive one.
#[derive(Debug)]
pub(super) struct Group {
    leader: Child,
    /// This process holds the only copy of this end.
    held: Option<ChildStdin>,
}

/// Never dropped: the system closes the pipes when this process ends.
static KEPT: Mutex<Vec<Group>> = Mutex::new(Vec::new());

impl Group {
    pub(super) fn start() -> io::Result<Self> {
        let mut leader = Command::new("sh")
            .arg("-c")
            .arg(LEADER)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let held = leader.stdin.take();
        Ok(Self { leader, held })
    }

    /// Sends it to all of the group.
    pub(super) fn pass_on(&mut self, signal: Signal) {
        if let Some(held) = &mut self.held {
            // If the leader has gone, there is no group left.
            let _ = writeln!(held, "{}", signal.name());
        }
    }

    /// What is left of the group keeps running as if it had no leader.
    pub(super) fn let_go(mut self) {
        let _ = self.leader.kill();
        let _ = self.leader.wait();
    }

    /// For [`Command::process_group`].
    pub(super) fn id(&self) -> i32 {
        self.leader.id().cast_signed()
    }

    pub(super) fn keep_until_the_end(self) {
        let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
        kept.push(self);
    }
}
