//! Process-id files that an engine which was killed has left. An engine believes
//! them, and refuses to start if another process has got that id meanwhile.

use std::fs;
use std::path::Path;

use crate::{Error, Progress, Result, process};

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// No file, or a stale one that is gone now.
    None,
    /// The program does run.
    Runs(u32),
}

/// Looks whether the process of the file is the program; if not, removes it.
pub(super) fn check(path: &Path, program: &str, progress: &Progress) -> Result<Claim> {
    let Ok(text) = fs::read_to_string(path) else {
        return Ok(Claim::None);
    };
    if let Ok(pid) = text.trim().parse()
        && is_program(pid, program)
    {
        return Ok(Claim::Runs(pid));
    }
    progress(&format!("removing {}: no {program} runs", path.display()));
    fs::remove_file(path).map_err(|source| Error::File {
        action: "remove the stale",
        path: path.to_path_buf(),
        source,
    })?;
    Ok(Claim::None)
}

/// Whether the process runs that program, by whatever path it was called.
pub(super) fn is_program(pid: u32, program: &str) -> bool {
    process::command_line(pid).is_some_and(|line| {
        line.split_whitespace()
            .next()
            .is_some_and(|first| first.rsplit('/').next() == Some(program))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(_: &str) {}

    #[test]
    fn no_file_claims_nothing() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let claim = check(&dir.path().join("x.pid"), "sleep", &quiet).expect("check");
        assert_eq!(claim, Claim::None);
    }

    #[test]
    fn a_file_of_another_program_is_removed() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("x.pid");
        for content in [
            std::process::id().to_string(),
            "4194305".to_owned(),
            "?".to_owned(),
        ] {
            fs::write(&path, &content).expect("write");
            assert_eq!(check(&path, "sleep", &quiet).expect("check"), Claim::None);
            assert!(!path.exists(), "{content}");
        }
    }

    #[test]
    fn a_file_of_the_running_program_stays() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("x.pid");
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .expect("sleep");
        // For a moment after its start a program has no command line yet.
        while !is_program(child.id(), "sleep") {
            std::thread::yield_now();
        }
        fs::write(&path, format!("{}\n", child.id())).expect("write");
        let claim = check(&path, "sleep", &quiet);
        child.kill().expect("kill");
        child.wait().expect("wait");
        assert_eq!(claim.expect("check"), Claim::Runs(child.id()));
        assert!(path.exists());
    }
}
