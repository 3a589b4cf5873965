//! Signals, for those who start a process and let it run.

use std::process::Command;

use crate::support::Outcome;

/// Sends `INT`, `STOP` and so on.
pub fn send(process: u32, name: &str) -> Outcome {
    // The shell's own `kill`: no other is sure to be there.
    let kill = format!("kill -{name} {process}");
    match Command::new("sh").args(["-c", &kill]).status()?.success() {
        true => Ok(()),
        false => Err(format!("`{kill}` failed").into()),
    }
}
