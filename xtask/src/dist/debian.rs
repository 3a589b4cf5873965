//! The Debian package, which cargo-deb makes by what `[package.metadata.deb]` says.

use std::fs;

use super::archive::{self, Parts};
use super::target::Target;
use super::{Making, build, program};
use crate::Result;

/// Where `Cargo.toml` has the package's files from, below the sources.
const PARTS: &str = "target/dist-parts";

/// # Errors
/// There is no cargo-deb; it says what brings it.
pub fn can_package() -> Result<()> {
    match program::answers(&["cargo-deb", "--version"]) {
        true => Ok(()),
        false => Err(
            "nothing here makes a Debian package: `cargo install --locked cargo-deb` \
                      brings what does"
                .into(),
        ),
    }
}

pub fn package(making: &Making, target: Target, parts: &Parts) -> Result<()> {
    let laid = making.root.join(PARTS);
    if laid.exists() {
        fs::remove_dir_all(&laid)?;
    }
    archive::lay(&laid, parts, making.stamp)?;
    let package = file(making, target);
    let mut deb = build::cargo(
        &making.root,
        &["deb", "--quiet", "--locked", "--package", "bgecs"],
    );
    // It is built and stripped by now.
    deb.args(["--no-build", "--no-strip", "--no-dbgsym"])
        .args(["--target", target.as_str(), "--profile", &making.profile])
        .args(["--output", program::text(&package)?])
        .env("SOURCE_DATE_EPOCH", making.stamp.0.to_string());
    program::ended(&mut deb)?;
    fs::remove_dir_all(&laid)?;
    Ok(())
}

pub fn file(making: &Making, target: Target) -> std::path::PathBuf {
    let name = format!("bgecs_{}_{}.deb", making.version, target.arch.debian());
    making.folder().join(name)
}
