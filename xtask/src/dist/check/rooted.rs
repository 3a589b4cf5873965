//! Programs that have a folder for the whole system: nothing of this machine but its
//! kernel, and an emulator of the processor where it is another.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::dist::program;
use crate::dist::target::Target;

/// # Errors
/// What is missing on this machine; it says what brings it.
pub fn can_run(target: Target) -> Result<()> {
    if std::env::consts::OS != "linux" {
        return Err("what is built for Linux is checked on Linux".into());
    }
    emulator(target).map(drop)
}

/// What a program of the folder writes to its stdout, in an empty environment.
pub fn said(folder: &Path, target: Target, words: &[&str]) -> Result<String> {
    let emulator = match emulator(target)? {
        None => None,
        Some(path) => {
            fs::copy(path, folder.join("emulator"))?;
            Some("/emulator")
        }
    };
    let chroot = program::in_path("chroot").ok_or("there is no chroot in PATH")?;
    let mut command = as_root(program::text(&chroot)?);
    command.arg(folder).args(emulator).args(words).env_clear();
    let said = program::said(&mut command);
    if emulator.is_some() {
        fs::remove_file(folder.join("emulator"))?;
    }
    said
}

/// A program as root, or as one who is root nowhere else.
pub fn as_root(name: &str) -> Command {
    match rustix::process::getuid().is_root() {
        true => program::of(&[name]),
        false => program::of(&["unshare", "--map-root-user", name]),
    }
}

/// What runs another processor's programs: linked statically, as nothing is beside it.
fn emulator(target: Target) -> Result<Option<PathBuf>> {
    if target.arch.is_this_machine() {
        return Ok(None);
    }
    let name = format!("qemu-{}-static", target.arch.as_str());
    let found = program::in_path(&name);
    found.map(Some).ok_or_else(|| {
        format!("{name}, by which {target} is run here, is not in PATH: Debian's package qemu-user-static brings it").into()
    })
}
