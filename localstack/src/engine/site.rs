//! The files by which all processes of this machine agree on the engine that
//! the harness started: who decides, who uses it, which processes it is.

use std::fs;
use std::path::{Path, PathBuf};

use crate::layout::{make_dir, write};
use crate::{Error, Result, process};

/// The engine that a guard runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) guard: u32,
    pub(super) engine: u32,
}

#[derive(Debug, Clone)]
pub(super) struct Site {
    dir: PathBuf,
}

impl Site {
    /// Not in `target`: two checkouts have two of those but one engine. What
    /// lies in `/run` is gone when the machine starts anew, as the processes
    /// are. Only root comes here, since only root can start an engine.
    pub(super) fn of_this_machine() -> Result<Self> {
        Self::at(Path::new("/run/bgecs-engine"))
    }

    pub(super) fn at(dir: &Path) -> Result<Self> {
        make_dir(dir)?;
        Ok(Self {
            dir: dir.to_path_buf(),
        })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Locked by whoever starts or ends an engine.
    pub(super) fn gate(&self) -> PathBuf {
        self.dir.join("engine.lock")
    }

    /// Locked shared by each user.
    pub(super) fn users(&self) -> PathBuf {
        self.dir.join("engine.users")
    }

    fn kept(&self) -> PathBuf {
        self.dir.join("engine.kept")
    }

    pub(super) fn is_kept(&self) -> bool {
        self.kept().exists()
    }

    pub(super) fn keep(&self) -> Result<()> {
        write(&self.kept(), "")
    }

    pub(super) fn unkeep(&self) -> Result<()> {
        match fs::remove_file(self.kept()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::File {
                action: "remove",
                path: self.kept(),
                source: error,
            }),
            _ => Ok(()),
        }
    }

    /// What the guard wrote down, if its engine still runs. The guard itself
    /// may be gone: somebody killed it.
    pub(super) fn running(&self) -> Option<Running> {
        let text = fs::read_to_string(self.dir.join("engine.pid")).ok()?;
        let mut ids = text.split_whitespace().map(str::parse);
        let guard = ids.next()?.ok()?;
        let engine = ids.next()?.ok()?;
        let lives = process::is(guard, super::guard::MARK)
            || super::pid_file::is_program(engine, super::start::PROGRAM);
        lives.then_some(Running { guard, engine })
    }
}
