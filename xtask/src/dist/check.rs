//! `--check`: installs and runs everything that was built, then builds it again in
//! another folder and compares.

mod again;
mod container;
mod package;
mod pages;
mod rooted;
mod unpacked;

use super::Release;
use super::target::Target;
use crate::{Result, say};

/// # Errors
/// A tool is missing; the message says how to install it.
pub async fn can_check(targets: &[Target]) -> Result<()> {
    pages::can_check().await?;
    for target in targets {
        if target.is_linux() {
            rooted::can_run(*target)?;
            package::can_check()?;
        }
    }
    Ok(())
}

pub async fn run(release: &Release) -> Result<()> {
    for target in &release.targets {
        if target.is_linux() || target.runs_here() {
            unpacked::check(release, *target).await?;
        }
        if target.is_linux() {
            package::check(release, *target)?;
        }
    }
    if release.targets.iter().any(Target::is_linux) {
        container::check(release).await?;
    }
    again::check(release).await?;
    say::line("all checks passed");
    Ok(())
}

/// Reports a check that passed.
fn passed(what: &str) {
    say::line(&format!("  ok: {what}"));
}

/// # Errors
/// The two differ.
fn expect(what: &str, found: &str, expected: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: found `{found}`, expected `{expected}`").into()),
    }
}
