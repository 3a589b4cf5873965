//! Checks a Debian package: dpkg installs it into an empty root, where the program
//! runs, and removes it again.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use super::{expect, passed, rooted};
use crate::Result;
use crate::dist::target::Target;
use crate::dist::{Release, debian, program};

const INSTALLED: [&str; 6] = [
    "usr/bin/bgecs",
    "usr/share/bash-completion/completions/bgecs",
    "usr/share/doc/bgecs/copyright",
    "usr/share/fish/vendor_completions.d/bgecs.fish",
    "usr/share/man/man1/bgecs.1.gz",
    "usr/share/zsh/vendor-completions/_bgecs",
];

/// # Errors
/// dpkg is missing.
pub fn can_check() -> Result<()> {
    match program::in_path("dpkg") {
        Some(_) => Ok(()),
        None => Err("dpkg, which the Debian package is checked with, is not in PATH".into()),
    }
}

pub fn check(release: &Release, target: Target) -> Result<()> {
    let root = tempfile::tempdir()?;
    let root = root.path();
    for folder in ["info", "triggers", "updates"] {
        fs::create_dir_all(root.join("var/lib/dpkg").join(folder))?;
    }
    File::create(root.join("var/lib/dpkg/status"))?;
    let package = debian::file(release, target);
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
        &format!("bgecs {}\n", release.version),
    )?;
    program::said(dpkg(root).args(["--purge", "bgecs"]))?;
    if root.join("usr").exists() {
        return Err("files are left behind after the Debian package was removed".into());
    }
    passed(&format!(
        "the Debian package for {target} installs into an empty root, runs there and is removed"
    ));
    Ok(())
}

fn dpkg(root: &Path) -> Command {
    let mut dpkg = rooted::as_root("dpkg");
    dpkg.arg(format!("--root={}", root.display()))
        .args(["--log=/dev/null", "--force-architecture"]);
    dpkg
}
