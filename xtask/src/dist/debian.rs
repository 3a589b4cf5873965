//! The Debian package, built by cargo-deb from `[package.metadata.deb]`.

use std::fs;

use super::archive::{self, Parts};
use super::target::Target;
use super::{Release, build, program};
use crate::Result;

/// The folder from which `[package.metadata.deb]` takes the files.
const PARTS: &str = "target/dist-parts";

/// # Errors
/// cargo-deb is missing; the message says how to install it.
pub fn can_package() -> Result<()> {
    match program::answers(&["cargo-deb", "--version"]) {
        true => Ok(()),
        false => Err("there is no cargo-deb: run `cargo install --locked cargo-deb`".into()),
    }
}

pub fn package(release: &Release, target: Target, parts: &Parts) -> Result<()> {
    let laid = release.root.join(PARTS);
    if laid.exists() {
        fs::remove_dir_all(&laid)?;
    }
    archive::lay(&laid, parts, release.stamp)?;
    let package = file(release, target);
    let mut deb = build::cargo(
        &release.root,
        &["deb", "--quiet", "--locked", "--package", "bgecs"],
    );
    // cargo has already built and stripped the binary.
    deb.args(["--no-build", "--no-strip", "--no-dbgsym"])
        .args(["--target", target.as_str(), "--profile", &release.profile])
        .args(["--output", program::text(&package)?])
        .env("SOURCE_DATE_EPOCH", release.stamp.0.to_string());
    program::ended(&mut deb)?;
    fs::remove_dir_all(&laid)?;
    Ok(())
}

pub fn file(release: &Release, target: Target) -> std::path::PathBuf {
    let name = format!("bgecs_{}_{}.deb", release.version, target.arch.debian());
    release.folder().join(name)
}
