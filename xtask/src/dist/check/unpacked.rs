//! Checks an archive: it is complete, and its binary runs in an empty chroot.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::{expect, pages, passed, rooted};
use crate::Result;
use crate::dist::contents::COMPLETIONS;
use crate::dist::target::Target;
use crate::dist::{Release, program};

pub async fn check(release: &Release, target: Target) -> Result<()> {
    let unpacked = tempfile::tempdir()?;
    let archive = File::open(release.archive(target))?;
    tar::Archive::new(GzDecoder::new(archive)).unpack(unpacked.path())?;
    let folder = unpacked.path().join(release.name(target));
    for name in ["README.md", "LICENSE-APACHE", "LICENSE-MIT", "CHANGELOG.md"] {
        if !folder.join(name).is_file() {
            return Err(format!("{name} is not in the archive of {target}").into());
        }
    }
    let crates = bill(&folder)?;
    let pages = pages::check(&folder.join("man/man1")).await?;
    let shells = syntax(&folder)?;
    if target.is_linux() {
        alone(release, target, &folder)?;
        passed(&format!(
            "the binary for {target} runs in an otherwise empty chroot"
        ));
    }
    passed(&format!(
        "the archive for {target} has {pages} man pages without warnings, completions \
         (parsed by {shells}) and an SBOM of {crates} crates"
    ));
    Ok(())
}

/// Runs the binary alone in a chroot; its output has to match the files in the archive.
fn alone(release: &Release, target: Target, folder: &Path) -> Result<()> {
    let root = tempfile::tempdir()?;
    fs::copy(folder.join("bgecs"), root.path().join("bgecs"))?;
    let said = |words: &[&str]| rooted::said(root.path(), target, words);
    let version = format!("bgecs {}\n", release.version);
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
        false => Err(format!(
            "bgecs writes the man pages {made:?}, but the archive has {packed:?}"
        )
        .into()),
    }
}

fn names(folder: &Path) -> Result<BTreeSet<String>> {
    let names = fs::read_dir(folder)?.map(|entry| {
        let name = entry?.file_name();
        Ok(name.to_string_lossy().into_owned())
    });
    names.collect()
}

/// The number of crates in the SBOM.
fn bill(folder: &Path) -> Result<usize> {
    let text = fs::read_to_string(folder.join("bgecs.cdx.json"))?;
    let bill: Value = serde_json::from_str(&text)?;
    let format = bill["bomFormat"].as_str().unwrap_or_default();
    expect("the SBOM's format", format, "CycloneDX")?;
    let crates = bill["components"].as_array().map_or(0, Vec::len);
    match crates {
        0 => Err("the SBOM has no crates".into()),
        crates => Ok(crates),
    }
}

/// Has the installed shells parse their completions; returns the shells.
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
        true => "none of the shells".to_owned(),
        false => shells.join(" and "),
    })
}
