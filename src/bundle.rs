//! A bundle: a `.zip` or a `.tar.gz` that somebody uploaded, with a `release.toml` at its root.
//!
//! Makes of such a file, which may hold anything at all, a release that was checked: nothing is
//! written outside of the folder that the caller names, nothing goes over the limits, and what
//! could be read in two ways is refused. It knows files and values: no AWS, no processes, and
//! it prints nothing. It blocks while it reads.

mod error;
mod folder;
mod gzip_tar;
mod limits;
mod path;
mod signature;
#[cfg(test)]
mod tests;
mod zip;

use std::fs::{self, File};
use std::path::Path;

pub use error::{BundleError, BundleProblem};
pub use limits::BundleLimits;

use crate::config::{ConfigError, ReleaseFile};
use crate::model::PublicKey;
use crate::text;
use error::Result;
use folder::{Contained, Unpacking};

const RELEASE_FILE: &str = "release.toml";
/// It is held in memory.
const LARGEST_RELEASE_FILE: u64 = 64 << 10;

/// How much of an entry is in memory at a time.
const CHUNK: usize = 64 << 10;

/// By what a bundle is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleFormat {
    Zip,
    GzipTar,
}

impl BundleFormat {
    /// Told by the end of its name, whatever the case.
    ///
    /// # Errors
    /// A name that is of neither.
    pub fn of_name(name: &str) -> Result<Self, BundleError> {
        let lower = name.to_ascii_lowercase();
        let ends_in = |endings: &[&str]| endings.iter().any(|it| lower.ends_with(it));
        if ends_in(&[".zip"]) {
            Ok(Self::Zip)
        } else if ends_in(&[".tar.gz", ".tgz"]) {
            Ok(Self::GzipTar)
        } else {
            Err(BundleProblem::NoFormat.of(name))
        }
    }
}

/// Whether a file is what the owner of that key signed, by the text of a `.minisig` file.
/// `name` is what the file was uploaded as, and stands in messages.
///
/// # Errors
/// An empty text, one that is no signature, one by another key, one of something else.
pub fn verify(
    file: &Path,
    name: &str,
    signature: &str,
    key: &PublicKey,
) -> Result<(), BundleError> {
    signature::verify(file, signature, key).map_err(|problem| problem.of(name))
}

/// Unpacks a bundle into an empty folder and reads its `release.toml`; `name` is what the file
/// was uploaded as, which tells its format and stands in messages.
///
/// # Errors
/// The first thing that a bundle may not have or be. What was unpacked until then is left in
/// the folder: it is the caller's to remove.
pub fn open(
    file: &Path,
    name: &str,
    into: &Path,
    limits: &BundleLimits,
) -> Result<ReleaseFile, BundleError> {
    let format = BundleFormat::of_name(name)?;
    let read =
        unpack(file, format, into, limits).and_then(|contained| release_file(into, &contained));
    read.map_err(|problem| problem.of(name))
}

fn unpack(
    path: &Path,
    format: BundleFormat,
    into: &Path,
    limits: &BundleLimits,
) -> Result<Contained> {
    let io = |error| BundleProblem::io(path, error);
    let file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    if length > limits.file {
        let limit = limits.file;
        return Err(BundleProblem::LargeFile { limit });
    }
    let mut unpacking = Unpacking::begin(into, limits)?;
    match format {
        BundleFormat::Zip => zip::unpack(file, length, path, &mut unpacking)?,
        BundleFormat::GzipTar => gzip_tar::unpack(file, path, &mut unpacking)?,
    }
    unpacking.finish()
}

fn release_file(folder: &Path, contained: &Contained) -> Result<ReleaseFile> {
    if !contained.has_file(RELEASE_FILE) {
        return Err(BundleProblem::NoReleaseFile);
    }
    let path = folder.join(RELEASE_FILE);
    let io = |error| BundleProblem::io(&path, error);
    if fs::metadata(&path).map_err(io)?.len() > LARGEST_RELEASE_FILE {
        let limit = LARGEST_RELEASE_FILE;
        return Err(BundleProblem::LargeReleaseFile { limit });
    }
    let bytes = fs::read(&path).map_err(io)?;
    // Where it was unpacked to is nothing that its writer knows of.
    let named = Path::new(RELEASE_FILE);
    let has_folder = |path: &str| contained.has_folder(path);
    let text = text::decode(&bytes).map_err(|what| ConfigError::NotText {
        path: named.to_owned(),
        what,
    });
    text.and_then(|text| ReleaseFile::parse(&text, named, &has_folder))
        .map_err(BundleProblem::ReleaseFile)
}
