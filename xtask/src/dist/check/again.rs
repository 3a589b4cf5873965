//! Checks that a build from a copy of the sources in another folder gives the same bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::passed;
use crate::dist::{Release, sources, sums};
use crate::{Result, say};

/// These depend on which other files are in the folder.
const DERIVED: [&str; 2] = ["SHA256SUMS", "bgecs.rb"];

pub async fn check(release: &Release) -> Result<()> {
    let folder = release.root.join("target/dist-check");
    say::line(&format!("building again in {}", folder.display()));
    sources::copy(&release.root, &folder)?;
    let again = release.in_folder(&folder);
    if again.folder().exists() {
        fs::remove_dir_all(again.folder())?;
    }
    again.make().await?;
    let (first, second) = (files(&release.folder())?, files(&again.folder())?);
    let differ = second
        .iter()
        .filter(|(name, sum)| first.get(*name) != Some(*sum));
    let differ: Vec<&str> = differ.map(|(name, _)| name.as_str()).collect();
    if !differ.is_empty() {
        return Err(format!(
            "these files differ when built in {}: {}",
            folder.display(),
            differ.join(", ")
        )
        .into());
    }
    passed(&format!(
        "built again in another folder, all {} files are identical",
        second.len()
    ));
    Ok(())
}

/// The checksums of all files in a folder and its subfolders.
fn files(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(folder)?.display().to_string();
            if !DERIVED.contains(&name.as_str()) {
                files.insert(name, sums::of(&path)?);
            }
        }
    }
    Ok(files)
}
