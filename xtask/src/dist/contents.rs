//! The contents of an archive: the binary, documents, completions, man pages and the
//! SBOM.

use std::fs;
use std::path::{Path, PathBuf};

use super::archive::{Part, Parts};
use super::target::Target;
use super::{Release, program, sbom};
use crate::{Result, bgecs};

const DOCUMENTS: [&str; 4] = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md"];

/// Shells, and the usual names of their completion files.
pub const COMPLETIONS: [(&str, &str); 3] = [
    ("bash", "bgecs.bash"),
    ("fish", "bgecs.fish"),
    ("zsh", "_bgecs"),
];

/// The completions and man pages. They are the same for every target, so they come from
/// any binary that this machine can run.
pub async fn manual(built: &[(Target, PathBuf)]) -> Result<Parts> {
    let runs = built.iter().find(|(target, _)| target.runs_here());
    let exe = match runs {
        Some((_, exe)) => exe.clone(),
        None => bgecs::build().await?,
    };
    let exe = program::text(&exe)?;
    let mut parts = Parts::new();
    for (shell, file) in COMPLETIONS {
        let script = program::said(&mut program::of(&[exe, "completions", shell]))?;
        parts.insert(format!("completions/{file}"), Part::file(script));
    }
    let folder = tempfile::tempdir()?;
    let pages = program::text(folder.path())?;
    program::said(&mut program::of(&[exe, "man", "--dir", pages]))?;
    for page in fs::read_dir(folder.path())? {
        let page = page?;
        let name = format!("man/man1/{}", page.file_name().to_string_lossy());
        parts.insert(name, Part::file(fs::read(page.path())?));
    }
    Ok(parts)
}

pub fn of(release: &Release, target: Target, exe: &Path, manual: &Parts) -> Result<Parts> {
    let mut parts = Parts::new();
    for name in DOCUMENTS {
        let text = fs::read(release.root.join(name))?;
        parts.insert(name.to_owned(), Part::file(text));
    }
    for (name, part) in manual {
        parts.insert(name.clone(), Part::file(part.bytes.clone()));
    }
    let list = sbom::of(release, target)?;
    parts.insert("bgecs.cdx.json".to_owned(), Part::file(list));
    parts.insert("bgecs".to_owned(), Part::program(fs::read(exe)?));
    Ok(parts)
}
