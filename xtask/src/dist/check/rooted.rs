//! Runs programs in a chroot that holds only what a check put there, plus an emulator
//! if they were built for another architecture.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::dist::program;
use crate::dist::target::Target;

/// # Errors
/// A tool is missing; the message says how to install it.
pub fn can_run(target: Target) -> Result<()> {
    if std::env::consts::OS != "linux" {
        return Err("the Linux targets can only be checked on Linux".into());
    }
    emulator(target).map(drop)
}

/// Runs a program in the chroot with an empty environment, and returns its stdout.
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

/// A command that runs as root, if need be as the root of a user namespace of its own.
pub fn as_root(name: &str) -> Command {
    match rustix::process::getuid().is_root() {
        true => program::of(&[name]),
        false => program::of(&["unshare", "--map-root-user", name]),
    }
}

/// The emulator for another architecture. It has to be static to run in the chroot.
fn emulator(target: Target) -> Result<Option<PathBuf>> {
    if target.arch.is_this_machine() {
        return Ok(None);
    }
    let name = format!("qemu-{}-static", target.arch.as_str());
    let found = program::in_path(&name);
    found.map(Some).ok_or_else(|| {
        format!("{name}, which runs the binary for {target} here, is not in PATH: install Debian's package qemu-user-static").into()
    })
}
