//! What the container image is built from: `dist/Dockerfile`, and for each kind of
//! machine the files that are all there is in the image.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{self, Part, Parts};
use super::target::Target;
use super::{Making, roots};
use crate::Result;

const DOCKERFILE: &str = include_str!("../../dist/Dockerfile");

pub fn folder(making: &Making) -> PathBuf {
    making.folder().join("image")
}

/// Before the first is laid.
pub fn clear(making: &Making) -> Result<()> {
    match folder(making) {
        folder if folder.exists() => Ok(fs::remove_dir_all(folder)?),
        _ => Ok(()),
    }
}

/// Lays the files of one kind of machine.
pub fn lay(making: &Making, target: Target, exe: &Path) -> Result<()> {
    let folder = folder(making);
    let dockerfile = ("Dockerfile".to_owned(), Part::file(DOCKERFILE));
    archive::lay(&folder, &Parts::from([dockerfile]), making.stamp)?;
    let system = folder.join(target.arch.debian());
    let parts = Parts::from([
        (
            "etc/ssl/certs/ca-certificates.crt".to_owned(),
            Part::file(roots::pem()),
        ),
        (
            "usr/local/bin/bgecs".to_owned(),
            Part::program(fs::read(exe)?),
        ),
    ]);
    archive::lay(&system, &parts, making.stamp)?;
    let tmp = system.join("tmp");
    fs::create_dir_all(&tmp)?;
    archive::set_mode(&tmp, 0o1777)?;
    for name in [
        "etc/ssl/certs",
        "etc/ssl",
        "etc",
        "usr/local/bin",
        "usr/local",
        "usr",
    ] {
        let folder = system.join(name);
        archive::set_mode(&folder, 0o755)?;
        archive::date(&folder, making.stamp)?;
    }
    archive::date(&tmp, making.stamp)?;
    archive::date(&system, making.stamp)
}
