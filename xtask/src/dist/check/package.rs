//! The Debian package: dpkg installs it into a root that has nothing, the program runs
//! there, and is gone when it is removed.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use super::{expect, holds, rooted};
use crate::Result;
use crate::dist::target::Target;
use crate::dist::{Making, debian, program};

const INSTALLED: [&str; 6] = [
    "usr/bin/bgecs",
    "usr/share/bash-completion/completions/bgecs",
    "usr/share/doc/bgecs/copyright",
    "usr/share/fish/vendor_completions.d/bgecs.fish",
    "usr/share/man/man1/bgecs.1.gz",
    "usr/share/zsh/vendor-completions/_bgecs",
];

/// # Errors
/// There is no dpkg.
pub fn can_check() -> Result<()> {
    match program::in_path("dpkg") {
        Some(_) => Ok(()),
        None => Err("there is no dpkg in PATH, which is to install the Debian package".into()),
    }
}

pub fn check(making: &Making, target: Target) -> Result<()> {
    let root = tempfile::tempdir()?;
    let root = root.path();
    for folder in ["info", "triggers", "updates"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(folder))?;
    }
    File::create(root.join("var/lib/dpkg/status"))?;
    let package = debian::file(making, target);
    program::said(dpkg(root).arg("--install").arg(&package))?;
    for name in INSTALLED {
        if !root.join(name).is_file() {
            return Err(format!("{name} is not in the Debian package for {target}").into());
        }
    }
    let said = rooted::said(root, target, &["/usr/bin/bgecs", "--version"])?;
    expect(
        "bgecs --version",
        &said,
        &format!("bgecs {}\n", making.version),
    )?;
    program::said(dpkg(root).args(["--purge", "bgecs"]))?;
    if root.join("usr").exists() {
        return Err("dpkg leaves something of the package behind".into());
    }
    holds(&format!(
        "the Debian package for {target} is installed into an empty root, runs there, and is removed"
    ));
    Ok(())
}

fn dpkg(root: &Path) -> Command {
    let mut dpkg = rooted::as_root("dpkg");
    dpkg.arg(format!("--root={}", root.display()))
        .args(["--log=/dev/null", "--force-architecture"]);
    dpkg
}
