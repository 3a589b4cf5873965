//! Has groff format the man pages.

use std::fs;
use std::path::Path;

use localstack::Tool;

use crate::dist::program;
use crate::{Result, say};

const GROFF: Tool = Tool {
    path: "/usr/bin/groff",
    package: "groff-base",
};

pub async fn can_check() -> Result<()> {
    if program::in_path("groff").is_none() {
        GROFF.ensure(&say::line).await?;
    }
    Ok(())
}

/// Fails if groff warns about a page; returns the number of pages.
pub async fn check(folder: &Path) -> Result<usize> {
    can_check().await?;
    let mut pages = 0;
    for page in fs::read_dir(folder)? {
        let page = page?.path();
        let mut groff = program::of(&["groff", "-man", "-Tutf8", "-ww", "-z"]);
        let output = program::ended(groff.arg(&page))?;
        if !output.stderr.is_empty() {
            let warnings = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{}: {warnings}", page.display()).into());
        }
        pages += 1;
    }
    Ok(pages)
}
