//! The archive: all is in it, and its binary runs where there is nothing else.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{expect, holds, pages, rooted};
use crate::Result;
use crate::dist::contents::COMPLETIONS;
use crate::dist::target::Target;
use crate::dist::{Making, program};

pub async fn check(making: &Making, target: Target) -> Result<()> {
    let unpacked = tempfile::tempdir()?;
    let archive = File::open(making.archive(target))?;
    tar::Archive::new(GzDecoder::new(archive)).unpack(unpacked.path())?;
    let folder = unpacked.path().join(making.name(target));
    for name in ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"] {
        if !folder.join(name).is_file() {
            return Err(format!("{name} is not in the archive of {target}").into());
        }
    }
    let crates = list(&folder)?;
    let pages = pages::check(&folder.join("man/man1")).await?;
    let shells = syntax(&folder)?;
    if target.is_linux() {
        alone(making, target, &folder)?;
        holds(&format!(
            "the binary for {target} runs in a chroot with nothing else in it"
        ));
    }
    holds(&format!(
        "the archive for {target} has {pages} man pages without a warning, completions \
         that {shells} read, and a list of {crates} crates"
    ));
    Ok(())
}

/// The binary is all there is, and says what is beside it in the archive.
fn alone(making: &Making, target: Target, folder: &Path) -> Result<()> {
    let root = tempfile::tempdir()?;
    fs::copy(folder.join("bgecs"), root.path().join("bgecs"))?;
    let said = |words: &[&str]| rooted::said(root.path(), target, words);
    let version = format!("bgecs {}\n", making.version);
    expect(
        "bgecs --version",
        &said(&["/bgecs", "--version"])?,
        &version,
    )?;
    for (shell, file) in COMPLETIONS {
        let script = fs::read_to_string(folder.join("completions").join(file))?;
        let what = format!("bgecs completions {shell}");
        expect(&what, &said(&["/bgecs", "completions", shell])?, &script)?;
    }
    said(&["/bgecs", "man", "--dir", "/man"])?;
    let (made, packed) = (
        names(&root.path().join("man"))?,
        names(&folder.join("man/man1"))?,
    );
    match made == packed {
        true => Ok(()),
        false => Err(format!("the man pages are {made:?}, and {packed:?} in the archive").into()),
    }
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let names = fs::read_dir(folder)?.map(|entry| {
        let name = entry?.file_name();
        Ok(name.to_string_lossy().into_owned())
    });
    names.collect()
}

/// How many crates the list has.
fn list(folder: &Path) -> Result<usize> {
    let text = fs::read_to_string(folder.join("bgecs.cdx.json"))?;
    let list: Value = serde_json::from_str(&text)?;
    let format = list["bomFormat"].as_str().unwrap_or_default();
    expect("the list's format", format, "CycloneDX")?;
    let crates = list["components"].as_array().map_or(0, Vec::len);
    match crates {
        0 => Err("the list of crates is empty".into()),
        crates => Ok(crates),
    }
}

/// The completions, read by those of the shells that are here.
fn syntax(folder: &Path) -> Result<String> {
    let mut shells = Vec::new();
    for (shell, file) in COMPLETIONS {
        if program::in_path(shell).is_some() {
            let script = folder.join("completions").join(file);
            program::said(program::of(&[shell, "-n"]).arg(script))?;
            shells.push(shell);
        }
    }
    Ok(match shells.is_empty() {
        true => "no shell here".to_owned(),
        false => shells.join(" and "),
    })
}
