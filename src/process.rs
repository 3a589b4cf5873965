//! Identifies this process among all that ever ran, and says whether another one is
//! certainly gone. It never guesses: a lease whose holder is wrongly believed dead would
//! have two holders.

use crate::model::journal::Process;

/// This process; none where the system does not tell enough.
pub fn this() -> Option<Process> {
    let pid = std::process::id();
    Some(Process {
        realm: realm()?,
        pid,
        started: standing(pid)?.started,
    })
}

/// Whether that process ran here and runs no more.
pub fn is_gone(process: &Process) -> bool {
    if realm().as_deref() != Some(&process.realm) {
        return false;
    }
    match standing(process.pid) {
        // Its pid may be another's by now.
        Some(now) => now.is_dead || now.started != process.started,
        None => !std::path::Path::new("/proc")
            .join(process.pid.to_string())
            .exists(),
    }
}

/// The machine since its start, and this process's own set of pids: containers
/// on one machine have a set each, and maybe one host name.
fn realm() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let pids = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), pids.display()))
}

struct ProcessState {
    started: u64,
    is_dead: bool,
}

/// From `/proc/PID/stat`: see proc(5).
fn standing(pid: u32) -> Option<ProcessState> {
    standing_of(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn standing_of(stat: &str) -> Option<ProcessState> {
    // The second field is the program's name in brackets, with anything in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let state = fields.next()?;
    Some(ProcessState {
        // Field 22; the state is field 3.
        started: fields.nth(18)?.parse().ok()?,
        // Killed, and not yet waited for by its parent.
        is_dead: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_program_may_be_called_anything() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20 21";
        let found = standing_of(stat).unwrap();
        assert_eq!((found.started, found.is_dead), (777, false));
        assert!(
            standing_of("12 (sleep) Z 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1")
                .unwrap()
                .is_dead
        );
        assert!(standing_of("").is_none());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_process_is_gone_once_it_is_killed() {
        let own = this().unwrap();
        assert!(!is_gone(&own));
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let process = Process {
            pid: child.id(),
            started: standing(child.id()).unwrap().started,
            ..own.clone()
        };
        assert!(!is_gone(&process));
        let reborn = Process {
            started: process.started + 1,
            ..process.clone()
        };
        assert!(is_gone(&reborn), "its pid is another's");
        let elsewhere = Process {
            realm: "elsewhere".to_owned(),
            ..reborn
        };
        assert!(!is_gone(&elsewhere), "of another machine nothing is known");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(is_gone(&process));
    }
}
