//! The checksums of the files that people download.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Release;
use crate::Result;

/// Checksums by file name.
pub type Sums = BTreeMap<String, String>;

/// Writes `SHA256SUMS` for all archives and packages of this version in the folder,
/// including any that were built earlier or copied there from another machine.
pub fn write(release: &Release) -> Result<Sums> {
    let folder = release.folder();
    let mut sums = Sums::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if is_of(&name, &release.version) {
            sums.insert(name, of(&entry.path())?);
        }
    }
    let lines = sums.iter().map(|(name, sum)| format!("{sum}  {name}\n"));
    fs::write(folder.join("SHA256SUMS"), lines.collect::<String>())?;
    Ok(sums)
}

fn is_of(name: &str, version: &str) -> bool {
    let archive = name.starts_with(&format!("bgecs-{version}-")) && name.ends_with(".tar.gz");
    let package = name.starts_with(&format!("bgecs_{version}_")) && name.ends_with(".deb");
    archive || package
}

pub fn of(path: &Path) -> Result<String> {
    let sum = Sha256::digest(fs::read(path)?);
    Ok(sum.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The files in a folder with their sizes, one line each.
pub fn told(folder: &Path) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let kilobytes = metadata.len().div_ceil(1000);
            lines.push(format!("  {name}  {kilobytes} kB"));
        }
    }
    lines.sort();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_downloaded_has_a_sum() {
        assert!(is_of("bgecs-1.2.0-aarch64-apple-darwin.tar.gz", "1.2.0"));
        assert!(is_of("bgecs_1.2.0_arm64.deb", "1.2.0"));
        assert!(!is_of("bgecs-1.1.0-aarch64-apple-darwin.tar.gz", "1.2.0"));
        assert!(!is_of("bgecs.rb", "1.2.0"));
        assert!(!is_of("SHA256SUMS", "1.2.0"));
    }
}
