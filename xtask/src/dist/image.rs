//! The build context of the container image: `dist/Dockerfile`, and for each
//! architecture a folder with every file of the image.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{self, Part, Parts};
use super::target::Target;
use super::{Release, roots};
use crate::Result;

const DOCKERFILE: &str = include_str!("../../dist/Dockerfile");

pub fn folder(release: &Release) -> PathBuf {
    release.folder().join("image")
}

/// Removes the context of an earlier build.
pub fn clear(release: &Release) -> Result<()> {
    match folder(release) {
        folder if folder.exists() => Ok(fs::remove_dir_all(folder)?),
        _ => Ok(()),
    }
}

/// Adds the files for one architecture.
pub fn lay(release: &Release, target: Target, exe: &Path) -> Result<()> {
    let folder = folder(release);
    let dockerfile = ("Dockerfile".to_owned(), Part::file(DOCKERFILE));
    archive::lay(&folder, &Parts::from([dockerfile]), release.stamp)?;
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
    archive::lay(&system, &parts, release.stamp)?;
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
        archive::date(&folder, release.stamp)?;
    }
    archive::date(&tmp, release.stamp)?;
    archive::date(&system, release.stamp)
}
