//! The same from a copy of the sources in another folder: to the byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::holds;
use crate::dist::{Making, sources, sums};
use crate::{Result, say};

/// What follows from the others, and from what else lies beside them.
const DERIVED: [&str; 2] = ["SHA256SUMS", "bgecs.rb"];

pub async fn check(making: &Making) -> Result<()> {
    let folder = making.root.join("target/dist-check");
    say::line(&format!("making it again in {}", folder.display()));
    sources::copy(&making.root, &folder)?;
    let again = making.from(&folder);
    if again.folder().exists() {
        fs::remove_dir_all(again.folder())?;
    }
    again.make().await?;
    let (first, second) = (files(&making.folder())?, files(&again.folder())?);
    let differ = second
        .iter()
        .filter(|(name, sum)| first.get(*name) != Some(*sum));
    let differ: Vec<&str> = differ.map(|(name, _)| name.as_str()).collect();
    if !differ.is_empty() {
        return Err(format!(
            "made again in {}, these have other bytes: {}",
            folder.display(),
            differ.join(", ")
        )
        .into());
    }
    holds(&format!(
        "made again in another folder, all {} files have the same bytes",
        second.len()
    ));
    Ok(())
}

/// The checksum of each file of a folder, and of the folders in it.
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
