//! The sources of a release: their version, their time, and a copy of them.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::archive::Stamp;
use super::program;
use crate::Result;

/// What `Cargo.toml` says.
pub fn version(root: &Path) -> Result<String> {
    let text = fs::read_to_string(root.join("Cargo.toml"))?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("version = "));
    let version = line.map(|version| version.trim().trim_matches('"').to_owned());
    version.ok_or_else(|| "Cargo.toml has no version".into())
}

/// `SOURCE_DATE_EPOCH`, or the time of the last commit.
pub fn stamp(root: &Path) -> Result<Stamp> {
    let text = match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text,
        Err(_) => program::said(&mut git(root, &["log", "-1", "--format=%ct"])).map_err(|error| {
            format!("the time of the last commit is not known, and SOURCE_DATE_EPOCH is not set: {error}")
        })?,
    };
    let seconds = text.trim().parse();
    seconds
        .map(Stamp)
        .map_err(|_| format!("{} is no time in seconds", text.trim()).into())
}

/// Copies what git has, as it is now, with what it does not ignore. What the copy's
/// own builds left there stays, and is built upon.
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
        // One that is deleted and not committed yet is listed all the same.
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
