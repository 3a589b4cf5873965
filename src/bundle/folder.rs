//! The folder that a bundle is unpacked into, and the only file here that writes.
//!
//! The folder is empty at first and nobody else writes to it, so it contains exactly what
//! was made: entries are checked against that list, not against the disk. Links are made
//! at the end, so that nothing is ever written through one.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::error::{BundleProblem, EntryMistake, Result};
use super::limits::BundleLimits;
use super::path::{BundlePath, EntryName};

/// What kind of entry an archive says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryForm {
    Folder,
    File {
        is_executable: bool,
    },
    /// With its target.
    Link(Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum MadeEntry {
    Folder {
        /// Whether it has an entry of its own, and was not only implied by another's
        /// path.
        is_named: bool,
    },
    File,
    Link,
}

/// A bundle while it is unpacked.
pub(super) struct Unpacking<'a> {
    root: &'a Path,
    pub(super) limits: &'a BundleLimits,
    /// By path; the root's path is empty.
    made: BTreeMap<String, MadeEntry>,
    /// Their places and targets.
    links: Vec<(BundlePath, String)>,
    /// The number of uncompressed bytes so far.
    unpacked: u64,
}

/// A file that has been created but has no contents yet.
pub(super) struct NewFile {
    file: File,
    path: PathBuf,
}

impl<'a> Unpacking<'a> {
    /// # Errors
    /// A folder that is not empty, or cannot be read.
    pub(super) fn begin(root: &'a Path, limits: &'a BundleLimits) -> Result<Self> {
        let mut entries = fs::read_dir(root).map_err(|error| BundleProblem::io(root, error))?;
        if entries.next().is_some() {
            return Err(BundleProblem::NotEmpty(root.to_owned()));
        }
        let is_named = false;
        Ok(Self {
            root,
            limits,
            made: [(String::new(), MadeEntry::Folder { is_named })].into(),
            links: Vec::new(),
            unpacked: 0,
        })
    }

    /// Must be called for all uncompressed data before it is used.
    pub(super) fn count(&mut self, bytes: usize) -> Result<()> {
        self.unpacked = self.unpacked.saturating_add(bytes as u64);
        let limit = self.limits.unpacked;
        match self.unpacked <= limit {
            true => Ok(()),
            false => Err(BundleProblem::LargeContents { limit }),
        }
    }

    /// # Errors
    /// A name that leads out of the folder, or to a place that is taken.
    pub(super) fn folder(&mut self, name: &[u8]) -> Result<()> {
        let read = self.read(name)?;
        if let Some(MadeEntry::Folder { is_named }) = self.made.get_mut(read.path.as_str())
            && !*is_named
        {
            *is_named = true;
            return Ok(());
        }
        self.note(name, &read.path, MadeEntry::Folder { is_named: true })?;
        self.make_folder(read.path.as_str())
    }

    pub(super) fn file(&mut self, name: &[u8], is_executable: bool) -> Result<NewFile> {
        let path = self.read_without_slash(name)?;
        self.note(name, &path, MadeEntry::File)?;
        let path = self.root.join(path.as_str());
        let mode = match is_executable {
            true => 0o755,
            false => 0o644,
        };
        let open = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)
            // Independent of the umask, because the modes are part of what is built from
            // it.
            .and_then(|file| {
                file.set_permissions(Permissions::from_mode(mode))
                    .map(|()| file)
            });
        match open {
            Ok(file) => Ok(NewFile { file, path }),
            Err(error) => Err(BundleProblem::io(&path, error)),
        }
    }

    /// [`Self::finish`] creates it.
    pub(super) fn link(&mut self, name: &[u8], target: &[u8]) -> Result<()> {
        let path = self.read_without_slash(name)?;
        let target = path
            .link_to(target, self.limits)
            .map_err(|mistake| BundleProblem::entry(name, mistake))?
            .to_owned();
        self.note(name, &path, MadeEntry::Link)?;
        self.links.push((path, target));
        Ok(())
    }

    /// Creates the links, and returns what was unpacked.
    pub(super) fn finish(self) -> Result<Contained> {
        for (path, target) in &self.links {
            let path = self.root.join(path.as_str());
            symlink(target, &path).map_err(|error| BundleProblem::io(&path, error))?;
        }
        Ok(Contained(self.made))
    }

    fn read(&self, name: &[u8]) -> Result<EntryName> {
        EntryName::read(name, self.limits).map_err(|mistake| BundleProblem::entry(name, mistake))
    }

    fn read_without_slash(&self, name: &[u8]) -> Result<BundlePath> {
        let read = self.read(name)?;
        match read.is_of_a_folder {
            true => Err(BundleProblem::entry(name, EntryMistake::Slash)),
            false => Ok(read.path),
        }
    }

    /// Notes the entry and the folders that contain it, after checking that its place is
    /// free.
    fn note(&mut self, name: &[u8], path: &BundlePath, made: MadeEntry) -> Result<()> {
        let mistake = match self.made.get(path.as_str()) {
            None => None,
            Some(MadeEntry::Folder { .. }) if !matches!(made, MadeEntry::Folder { .. }) => {
                Some(EntryMistake::IsFolder)
            }
            Some(_) => Some(EntryMistake::Twice),
        };
        if let Some(mistake) = mistake {
            return Err(BundleProblem::entry(name, mistake));
        }
        for folder in path.folders() {
            let mistake = match self.made.get(folder) {
                Some(MadeEntry::Folder { .. }) => continue,
                Some(MadeEntry::File) => EntryMistake::BelowFile,
                Some(MadeEntry::Link) => EntryMistake::BelowLink,
                None => {
                    self.add(folder, MadeEntry::Folder { is_named: false })?;
                    self.make_folder(folder)?;
                    continue;
                }
            };
            return Err(BundleProblem::entry(name, mistake));
        }
        self.add(path.as_str(), made)
    }

    fn add(&mut self, path: &str, made: MadeEntry) -> Result<()> {
        let limit = self.limits.entries;
        // The root is one of them.
        if self.made.len() > limit {
            return Err(BundleProblem::ManyEntries { limit });
        }
        self.made.insert(path.to_owned(), made);
        Ok(())
    }

    fn make_folder(&self, path: &str) -> Result<()> {
        let path = self.root.join(path);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .and_then(|()| fs::set_permissions(&path, Permissions::from_mode(0o755)))
            .map_err(|error| BundleProblem::io(&path, error))
    }
}

impl NewFile {
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.file
            .write_all(bytes)
            .map_err(|error| BundleProblem::io(&self.path, error))
    }
}

/// The contents of an unpacked bundle.
#[derive(Debug)]
pub(super) struct Contained(BTreeMap<String, MadeEntry>);

impl Contained {
    /// Links are not followed.
    pub(super) fn has_folder(&self, path: &str) -> bool {
        matches!(self.0.get(path), Some(MadeEntry::Folder { .. }))
    }

    pub(super) fn has_file(&self, path: &str) -> bool {
        matches!(self.0.get(path), Some(MadeEntry::File))
    }
}
