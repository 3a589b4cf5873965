//! Private Python environments, such as MiniStack's, each made from a list of
//! requirements alone: versions and hashes are pinned there. Made once, and anew
//! when that list or the Python behind it changes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::layout::{Layout, write};
use crate::process::Run;
use crate::{Error, Progress, Result, debian, lock};

/// The pinned versions and hashes.
pub(crate) const REQUIREMENTS: &str = include_str!("../requirements.txt");

const STAMP: &str = "made-from";
/// Succeeds only where an environment can be made; says what it is made from.
const LOOK: &str = "import sys, venv, ensurepip
assert sys.version_info >= (3, 10), 'it is ' + sys.version.split()[0]
print(sys.version)";

/// The environment's Python, which has MiniStack.
pub(crate) async fn ensure(layout: &Layout, progress: &Progress) -> Result<PathBuf> {
    let ministack = Environment {
        name: "venv",
        contents: "MiniStack",
        requirements: REQUIREMENTS,
    };
    ministack.ensure(layout, progress).await
}

/// A private Python environment.
#[derive(Debug, Clone, Copy)]
pub struct Environment {
    /// What its directory is called.
    pub name: &'static str,
    /// What it is made for, such as `MiniStack`.
    pub contents: &'static str,
    /// All packages, pinned and hashed, as pip reads them.
    pub requirements: &'static str,
}

impl Environment {
    /// Makes it, unless it is there; gives its Python. What is in it has to be
    /// run as `python -m`.
    ///
    /// # Errors
    /// If there is no fitting Python, or pip cannot install what is wanted.
    pub async fn python(&self, progress: &Progress) -> Result<PathBuf> {
        self.ensure(&Layout::find()?, progress).await
    }

    async fn ensure(&self, layout: &Layout, progress: &Progress) -> Result<PathBuf> {
        let contents = self.contents;
        let dir = layout.root().join(self.name);
        let _lock = lock::exclusive(&layout.lock(self.name), "install Python packages").await?;
        if self.is_current(&dir) {
            return Ok(python_of(&dir));
        }
        let begin = Instant::now();
        let python = find_python(layout, progress).await?;
        progress(&format!(
            "installing {contents} into a Python environment of its own"
        ));
        let new = layout.root().join(format!("{}.new", self.name));
        remove(&new)?;
        self.install(layout, &new, &python).await?;
        // Only a whole one gets the name under which it is looked for. It is run as
        // `python -m`, never by the scripts in it, which name the old directory.
        remove(&dir)?;
        fs::rename(&new, &dir).map_err(|source| Error::File {
            action: "move the Python environment to",
            path: dir.clone(),
            source,
        })?;
        progress(&format!(
            "{contents} is installed after {:.1?}",
            begin.elapsed()
        ));
        Ok(python_of(&dir))
    }

    /// The stamp names the real interpreter too: when the system moves on to the
    /// next Python, the packages of the last one are of no use to it.
    fn stamp(&self, dir: &Path) -> Option<String> {
        let python = fs::canonicalize(python_of(dir)).ok()?;
        Some(format!("{}\n{}", python.display(), self.requirements))
    }

    fn is_current(&self, dir: &Path) -> bool {
        self.stamp(dir)
            .is_some_and(|stamp| fs::read_to_string(dir.join(STAMP)).is_ok_and(|is| is == stamp))
    }

    async fn install(&self, layout: &Layout, dir: &Path, python: &str) -> Result<()> {
        let log = layout.log(self.name);
        write(&log, "")?;
        let hint = "install Python 3.10 or later";
        let dir_name = dir.to_string_lossy();
        Run {
            doing: "making a Python environment",
            program: python,
            args: &["-m", "venv", "--clear", &dir_name],
            env: &[],
            log: &log,
            hint,
        }
        .to_end()
        .await?;
        let requirements = dir.join("requirements.txt");
        write(&requirements, self.requirements)?;
        let mut args = vec!["-m", "pip", "install", "--quiet"];
        args.extend(PIP);
        let requirements = requirements.to_string_lossy();
        args.extend(["--requirement", &requirements]);
        Run {
            doing: "installing Python packages",
            program: &python_of(dir).to_string_lossy(),
            args: &args,
            env: &[],
            log: &log,
            hint,
        }
        .to_end()
        .await?;
        let stamp = self.stamp(dir).ok_or_else(|| Error::Python {
            reason: format!("the environment in {} has none", dir.display()),
            hint,
        })?;
        write(&dir.join(STAMP), &stamp)
    }
}

fn python_of(dir: &Path) -> PathBuf {
    dir.join("bin/python")
}

/// What holds whenever pip is used here: nothing but what is pinned, and no
/// code of a package is run to install it.
pub(crate) const PIP: &[&str] = &[
    "--disable-pip-version-check",
    "--no-input",
    "--no-deps",
    "--require-hashes",
    "--only-binary=:all:",
];

/// The system's Python; the package that makes environments is installed if it
/// is only that which is missing.
async fn find_python(layout: &Layout, progress: &Progress) -> Result<String> {
    let python = "python3";
    let Err(reason) = look(python).await else {
        return Ok(python.to_owned());
    };
    if debian::may_install() {
        progress(&format!("Python cannot make environments yet: {reason}"));
        debian::install(layout, &["python3", "python3-venv"], progress).await?;
    }
    look(python).await.map_err(|reason| Error::Python {
        reason,
        hint: "install it (on Debian and Ubuntu: the package python3-venv)",
    })?;
    Ok(python.to_owned())
}

async fn look(python: &str) -> std::result::Result<(), String> {
    let output = tokio::process::Command::new(python)
        .args(["-I", "-c", LOOK])
        .output()
        .await
        .map_err(|error| format!("{python} cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{python} says: {}",
        stderr.lines().last().unwrap_or_default()
    ))
}

fn remove(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(Error::File {
            action: "remove",
            path: dir.to_path_buf(),
            source,
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_package_is_pinned_and_hashed() {
        let pins = REQUIREMENTS
            .lines()
            .filter(|line| line.contains("=="))
            .filter(|line| !line.starts_with('#'));
        for pin in pins {
            assert!(pin.ends_with('\\'), "no hash follows: {pin}");
        }
        for line in REQUIREMENTS.lines().filter(|line| line.starts_with(' ')) {
            assert!(line.trim().starts_with("--hash=sha256:"), "{line}");
        }
        assert!(REQUIREMENTS.contains("\nministack=="));
        assert!(REQUIREMENTS.contains("\ndocker=="));
        assert!(!REQUIREMENTS.contains("://"));
    }

    #[test]
    fn an_environment_that_is_not_there_is_not_current() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let environment = Environment {
            name: "venv",
            contents: "nothing",
            requirements: "",
        };
        assert!(!environment.is_current(dir.path()));
    }
}
