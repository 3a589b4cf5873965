//! A bundle: a `.zip` or a `.tar.gz` that somebody uploaded, with a `release.toml` at its root.
//!
//! Turns such a file, whatever it contains, into a release that has been checked: nothing
//! is written outside the folder that the caller names, nothing exceeds the limits, and
//! what could be read in two ways is refused. It knows files and values: no AWS, no
//! processes, and it prints nothing. It blocks while it reads.

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
/// It is kept in memory.
const LARGEST_RELEASE_FILE: u64 = 64 << 10;

/// How much of an entry is in memory at a time.
const CHUNK: usize = 64 << 10;

/// How a bundle is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BundleFormat {
    Zip,
    GzipTar,
}

impl BundleFormat {
    /// By the end of its name, whatever the case.
    ///
    /// # Errors
    /// A name with another ending.
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

/// Checks that the owner of that key signed a file, with the text of a `.minisig` file.
/// `name` is the name under which the file was uploaded, for messages.
///
/// # Errors
/// An empty text; one that is not a signature; a signature with another key, or of
/// another file.
pub fn verify(
    file: &Path,
    name: &str,
    signature: &str,
    key: &PublicKey,
) -> Result<(), BundleError> {
    signature::verify(file, signature, key).map_err(|problem| problem.of(name))
}

/// Unpacks a bundle into an empty folder and reads its `release.toml`. `name` is the name
/// under which the file was uploaded: it decides the format, and is for messages.
///
/// # Errors
/// The first thing that is not allowed in a bundle. What was unpacked before is left in
/// the folder for the caller to remove.
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
    // Its writer knows nothing of the place where it was unpacked.
    let named = Path::new(RELEASE_FILE);
    let has_folder = |path: &str| contained.has_folder(path);
    let text = text::decode(&bytes).map_err(|what| ConfigError::NotText {
        path: named.to_owned(),
        what,
    });
    text.and_then(|text| ReleaseFile::parse(&text, named, &has_folder))
        .map_err(BundleProblem::ReleaseFile)
}
