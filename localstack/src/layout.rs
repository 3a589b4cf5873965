//! Where the harness keeps its files: all of them in `target/localstack`, so
//! that `cargo clean` forgets them. Nothing else decides on a path.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Enough to look at after a failed run of all tests.
const KEPT_LOGS: usize = 60;

/// The directory of the harness, with what is in it.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The one of this workspace; made if it is not there.
    pub(crate) fn find() -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"),
            PathBuf::from,
        );
        let layout = Self::at(&target.join("localstack"))?;
        // Paths are handed to other programs, with other working directories.
        let root = fs::canonicalize(&layout.root).map_err(|source| Error::File {
            action: "resolve",
            path: layout.root,
            source,
        })?;
        Ok(Self { root })
    }

    pub(crate) fn at(root: &Path) -> Result<Self> {
        let layout = Self {
            root: root.to_path_buf(),
        };
        for dir in [root, &layout.instances(), &layout.logs()] {
            make_dir(dir)?;
        }
        Ok(layout)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn lock(&self, name: &str) -> PathBuf {
        self.root.join(format!("{name}.lock"))
    }

    pub(crate) fn instances(&self) -> PathBuf {
        self.root.join("instances")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    /// Removes all but the newest logs of emulators, whose names begin with the
    /// time of their start.
    pub(crate) fn prune_logs(&self, prefix: &str) {
        let Ok(files) = fs::read_dir(self.logs()) else {
            return;
        };
        let mut logs: Vec<PathBuf> = files
            .filter_map(|file| Some(file.ok()?.path()))
            .filter(|path| {
                path.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
            })
            .collect();
        logs.sort();
        for old in &logs[..logs.len().saturating_sub(KEPT_LOGS)] {
            // Another process may have done it at the same time.
            let _ = fs::remove_file(old);
        }
    }

    /// For the temporary files of one emulator.
    pub(crate) fn scratch(&self, id: &str) -> PathBuf {
        self.root.join("run").join(id)
    }
}

pub(crate) fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|source| Error::File {
        action: "make the directory",
        path: path.to_path_buf(),
        source,
    })
}

pub(crate) fn write(path: &Path, content: &str) -> Result<()> {
    fs::write(path, content).map_err(|source| Error::File {
        action: "write",
        path: path.to_path_buf(),
        source,
    })
}
