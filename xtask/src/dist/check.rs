//! `--check`: that what was made is what it says. It is made again elsewhere and is the
//! same; and each is installed where nothing else is, and runs.

mod again;
mod container;
mod package;
mod pages;
mod rooted;
mod unpacked;

use super::Making;
use super::target::Target;
use crate::{Result, say};

/// # Errors
/// What is missing on this machine; it says what brings it.
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

pub async fn run(making: &Making) -> Result<()> {
    for target in &making.targets {
        if target.is_linux() || target.runs_here() {
            unpacked::check(making, *target).await?;
        }
        if target.is_linux() {
            package::check(making, *target)?;
        }
    }
    if making.targets.iter().any(Target::is_linux) {
        container::check(making).await?;
    }
    again::check(making).await?;
    say::line("all that was made is what it says");
    Ok(())
}

/// A line for what holds.
fn holds(what: &str) {
    say::line(&format!("  holds: {what}"));
}

/// # Errors
/// They differ.
fn expect(what: &str, found: &str, expected: &str) -> Result<()> {
    match found == expected {
        true => Ok(()),
        false => Err(format!("{what}: found `{found}`, expected `{expected}`").into()),
    }
}
