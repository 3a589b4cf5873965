//! Why a bundle is refused, in sentences for whoever uploaded it.

use std::fmt::Write;
use std::io;
use std::path::{Path, PathBuf};

use crate::config::ConfigError;
use crate::error::Error;

/// A refused bundle, and the reason.
#[derive(Debug, thiserror::Error)]
#[error("{bundle} {problem}")]
pub struct BundleError {
    /// The name under which it was uploaded.
    pub bundle: String,
    #[source]
    pub problem: BundleProblem,
}

/// What comes after the bundle's name.
#[derive(Debug, thiserror::Error)]
pub enum BundleProblem {
    #[error("is not a bundle: its name has to end in .zip, .tar.gz or .tgz")]
    NoFormat,
    #[error("is larger than a bundle may be: {}", bytes(*.limit))]
    LargeFile { limit: u64 },
    #[error("unpacks to more than a bundle may: {}", bytes(*.limit))]
    LargeContents { limit: u64 },
    #[error("has more files and folders in it than a bundle may: {limit}")]
    ManyEntries { limit: usize },
    #[error("cannot be read: {0}")]
    Broken(Damage),
    #[error("has {entry} in it: {mistake}")]
    Entry {
        entry: String,
        mistake: EntryMistake,
    },

    #[error("has no release.toml at its root")]
    NoReleaseFile,
    #[error("has a release.toml of more than {}", bytes(*.limit))]
    LargeReleaseFile { limit: u64 },
    #[error("has a mistake in it: {0}")]
    ReleaseFile(#[source] ConfigError),

    #[error("is not signed: there is no text of a minisign signature beside it")]
    NoSignature,
    #[error(
        "has a signature that is not minisign's: one of those has four lines, as in a .minisig file"
    )]
    BrokenSignature,
    #[error(
        "has a signature of an old kind: sign it again with minisign 0.10 or later, without -l"
    )]
    LegacySignature,
    #[error("is signed with another key than the one that is expected")]
    OtherKey,
    #[error("is not what was signed: it or its signature was changed")]
    WrongSignature,

    /// Not the bundle's fault.
    #[error("cannot be unpacked: {}", .path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("cannot be unpacked: {} is not empty", .0.display())]
    NotEmpty(PathBuf),
}

/// What is wrong with an archive as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    #[error("it ends too early")]
    Truncated,
    #[error("its compressed data are damaged")]
    Compression,
    #[error("something comes after its end")]
    AfterTheEnd,
    #[error("a header of its tar is damaged")]
    TarHeader,
    #[error("it has a header for all entries with fields that are only allowed for one entry")]
    GlobalHeader,
    #[error("it has no directory at its end, as each zip file has")]
    NoDirectory,
    #[error("the directory at its end is damaged")]
    Directory,
    #[error("it has data that the directory at its end does not name")]
    Unnamed,
    #[error("it is of the kind for more than 4 GiB or 65,535 entries (zip64)")]
    Zip64,
    #[error("it is one of several parts")]
    Part,
}

/// What is wrong with one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryMistake {
    #[error("it has no name")]
    NoName,
    #[error("the name is not UTF-8")]
    NotUtf8,
    #[error("a name may not have control characters")]
    Control,
    #[error("the parts of a path are separated by /, not by \\")]
    Backslash,
    #[error("a path may not be absolute")]
    Absolute,
    #[error("a path may not lead out of the bundle")]
    Outside,
    #[error("a part of the path is empty")]
    EmptyPart,
    #[error("its path has more than {limit} bytes")]
    LongPath { limit: usize },
    #[error("a part of its path has more than {limit} bytes")]
    LongPart { limit: usize },
    #[error("its path has more than {limit} parts")]
    Deep { limit: usize },

    #[error("it is there twice")]
    Twice,
    #[error("there is a folder of that name")]
    IsFolder,
    #[error("a folder on its path is a file")]
    BelowFile,
    #[error("a folder on its path is a symbolic link")]
    BelowLink,
    #[error("only a folder's name ends in / or /.")]
    Slash,

    #[error("a link may not lead to an absolute path")]
    LinkAbsolute,
    #[error("a link may not lead out of the bundle")]
    LinkOutside,
    #[error("a link may have .. only where its path begins")]
    LinkDots,
    #[error(
        "a link has to lead to a path, in UTF-8 and without backslashes and control characters"
    )]
    LinkTarget,
    #[error("it leads to a path of more than {limit} bytes")]
    LinkLong { limit: usize },
    #[error("a bundle may not have hard links")]
    HardLink,
    #[error("a bundle may not have devices, pipes or sockets")]
    Device,
    #[error("a bundle may not have sparse files")]
    Sparse,
    #[error("it is neither a file nor a folder nor a link")]
    UnknownKind,

    #[error("it is encrypted")]
    Encrypted,
    #[error("it is compressed with a method other than deflate")]
    Compression,
    #[error("a file's header and the archive's directory disagree about it")]
    HeadersDiffer,
    #[error("its headers disagree about its name or size")]
    SaidTwice,
    #[error("its header is of the kind for more than 4 GiB (zip64)")]
    Zip64,
    #[error("its header is damaged")]
    Header,
    #[error("it is not as long as its header says")]
    Size,
    #[error("its contents are damaged")]
    Contents,
    #[error("a folder or a link has no contents")]
    HasContents,
}

pub(super) type Result<T, E = BundleProblem> = std::result::Result<T, E>;

impl BundleProblem {
    pub(super) fn entry(name: &[u8], mistake: EntryMistake) -> Self {
        Self::Entry {
            entry: shown(name),
            mistake,
        }
    }

    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }

    /// An error of reading the file: distinguishes the fault of its contents from that of
    /// the disk.
    pub(super) fn reading(path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => Self::Broken(Damage::Truncated),
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                Self::Broken(Damage::Compression)
            }
            _ => Self::io(path, source),
        }
    }

    pub(super) fn of(self, bundle: &str) -> BundleError {
        BundleError {
            bundle: bundle.to_owned(),
            problem: self,
        }
    }
}

impl BundleError {
    /// Whether the same bundle could be accepted another time, because the bundle was not
    /// the problem.
    pub fn is_of_this_machine(&self) -> bool {
        matches!(
            self.problem,
            BundleProblem::Io { .. } | BundleProblem::NotEmpty(_)
        )
    }
}

impl From<BundleError> for Error {
    fn from(error: BundleError) -> Self {
        let out = match error.is_of_this_machine() {
            true => Self::failed(error.to_string()),
            false => Self::usage(error.to_string()),
        };
        match &error.problem {
            BundleProblem::Io { source, .. } => out.because(source),
            BundleProblem::ReleaseFile(mistake) => match mistake.hint() {
                Some(hint) => out.hint(hint),
                None => out,
            },
            _ => out,
        }
    }
}

/// Makes a name that anybody may have invented fit into a sentence.
fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 100;
    let text = String::from_utf8_lossy(name);
    let mut out = String::new();
    for c in text.chars().take(LONGEST) {
        match c.is_control() {
            true => out.extend(c.escape_default()),
            false => out.push(c),
        }
    }
    match text.chars().nth(LONGEST) {
        Some(_) => out.push('…'),
        None if out.is_empty() => out.push_str("an entry"),
        None => {}
    }
    out
}

fn bytes(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    let fits =
        |(shift, _): &&(u64, &str)| number >= 1 << shift && number.is_multiple_of(1 << shift);
    let mut text = String::new();
    let _ = match UNITS.iter().find(fits) {
        Some((shift, unit)) => write!(text, "{} {unit}", number >> shift),
        None => write!(text, "{number} bytes"),
    };
    text
}
