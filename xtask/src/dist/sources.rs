//! The sources of a release: their version, their timestamp, and how to copy them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::archive::Stamp;
use super::program;
use crate::Result;

/// The version in `Cargo.toml`.
pub fn version(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("Cargo.toml"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    let version = line.map(|version| version.trim().trim_matches('"').to_owned());
    version.ok_or_else(|| "Cargo.toml has no version".into())
}

/// `SOURCE_DATE_EPOCH` if it is set, otherwise the time of the last commit.
pub fn stamp(root: &Path) -> Result<Stamp> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => program::said(&mut git(root, &["log", "-1", "--format=%ct"])).map_err(|error| {
            format!("SOURCE_DATE_EPOCH is not set, and git cannot say when the last commit was made: {error}")
        })?,
    };
    let seconds = text.trim().parse();
    seconds
        .map(Stamp)
        .map_err(|_| format!("{} is not a number of seconds", text.trim()).into())
}

/// Copies the files that git tracks or does not ignore, as they are in the working tree.
/// An existing `target` folder in the copy is kept, so that a second check is faster.
pub fn copy(root: &Path, to: &Path) -> Result<()> {
    clear(to)?;
    let list = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let files = program::said(&mut git(root, &list))?;
    for file in files.split_terminator('\0') {
        let (from, to) = (root.join(file), to.join(file));
        // git also lists files whose deletion is not committed yet.
        if !from.is_file() {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::copy(from, to)?;
    }
    Ok(())
}

fn clear(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        match entry.file_type()?.is_dir() {
            true if entry.file_name() == "target" => {}
            true => fs::remove_dir_all(path)?,
            false => fs::remove_file(path)?,
        }
    }
    Ok(())
}

fn git(root: &Path, words: &[&str]) -> Command {
    let mut git = program::of(&["git"]);
    git.args(words).current_dir(root);
    git
}
