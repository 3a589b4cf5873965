//! What in a folder belongs to a build, in the order that BuildKit requires: names sorted
//! byte by byte, a folder right before its contents.
//!
//! Only looks at names and metadata; opens no file, and no folder that is
//! excluded unless a `!` pattern could bring back something below it.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::ops::ControlFlow;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::dockerignore::{Hits, Patterns};
use super::error::DockerError;

/// A file, folder or symbolic link. Sockets, pipes and devices are never part of a build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ContextEntry {
    /// From the root of the context, with `/`.
    pub(super) path: String,
    pub(super) kind: EntryKind,
    /// Permission bits with set-uid, set-gid and sticky, as Unix has them.
    pub(super) mode: u32,
    /// In bytes; 0 for a folder, and for all names of a file but the first.
    pub(super) size: u64,
    /// Nanoseconds since 1970.
    pub(super) modified: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    /// Another name of a file that was sent under this path: a hard link.
    Twin(String),
    Folder,
    /// A symbolic link and its target.
    Link(String),
}

/// What to send: everything that `include` matches (all, if it is empty) and `exclude`
/// does not.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) include: Patterns,
    pub(super) exclude: Patterns,
}

/// The patterns' verdict on a path, and their hits for its children.
#[derive(Default)]
struct Judged {
    included: bool,
    excluded: bool,
    include: Hits,
    exclude: Hits,
}

impl Judged {
    fn taken(&self) -> bool {
        self.included && !self.excluded
    }
}

impl Selection {
    fn judge(&self, path: &str, parent: &Judged) -> Judged {
        let mut own = Judged::default();
        // Both are always evaluated, because children inherit the hits.
        own.included =
            self.include.is_empty() || self.include.judge(path, &parent.include, &mut own.include);
        own.excluded = self.exclude.judge(path, &parent.exclude, &mut own.exclude);
        own
    }

    /// Whether something below a folder may be sent although the folder itself is not.
    fn may_take_below(&self, folder: &str, own: &Judged) -> bool {
        (own.included || self.include.may_match_below(folder, false))
            && (!own.excluded || self.exclude.may_match_below(folder, true))
    }
}

/// Passes every selected entry of `root` to `emit`, until that breaks.
///
/// # Errors
/// The first file or folder that cannot be read, with its path. What disappears meanwhile
/// is skipped.
pub(super) fn walk(
    root: &Path,
    selection: &Selection,
    emit: &mut dyn FnMut(ContextEntry) -> ControlFlow<()>,
) -> Result<(), DockerError> {
    let mut walk = ContextWalk {
        root,
        selection,
        emit,
        pending: Vec::new(),
        names: HashMap::new(),
    };
    walk.folder(Path::new(""), true, &Judged::default())
        .map(|_| ())
}

struct ContextWalk<'a> {
    root: &'a Path,
    selection: &'a Selection,
    emit: &'a mut dyn FnMut(ContextEntry) -> ControlFlow<()>,
    /// Parents that are not selected themselves: they are sent if a child is.
    pending: Vec<ContextEntry>,
    /// For files with several names, the name that was sent first, by device and inode.
    names: HashMap<(u64, u64), String>,
}

impl ContextWalk<'_> {
    fn folder(
        &mut self,
        folder: &Path,
        taken: bool,
        judged: &Judged,
    ) -> Result<ControlFlow<()>, DockerError> {
        let children = match sorted_children(&below(self.root, folder)) {
            Ok(children) => children,
            // It was only entered because a pattern might bring something back.
            Err(error) if !taken && error.kind() == ErrorKind::PermissionDenied => Vec::new(),
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(unreadable(below(self.root, folder), error)),
        };
        for (name, is_folder) in children {
            let path = folder.join(name);
            let flow = if is_folder {
                self.subfolder(&path, judged)?
            } else {
                self.leaf(&path, judged)?
            };
            if flow.is_break() {
                return Ok(flow);
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn leaf(&mut self, path: &Path, parent: &Judged) -> Result<ControlFlow<()>, DockerError> {
        if !self
            .selection
            .judge(&path.to_string_lossy(), parent)
            .taken()
        {
            return Ok(ControlFlow::Continue(()));
        }
        let Some((entry, found)) = look(self.root, path)? else {
            return Ok(ControlFlow::Continue(()));
        };
        let entry = self.or_twin(entry, &found);
        Ok(self.take(entry))
    }

    /// The entry, or a hard link if its file has been sent already. Only names that were
    /// sent count, because the first name may be excluded.
    fn or_twin(&mut self, mut entry: ContextEntry, found: &Metadata) -> ContextEntry {
        if entry.kind != EntryKind::File || found.nlink() < 2 {
            return entry;
        }
        let known = self.names.entry((found.dev(), found.ino()));
        let first = known.or_insert_with(|| entry.path.clone());
        if *first != entry.path {
            entry.kind = EntryKind::Twin(first.clone());
            entry.size = 0;
        }
        entry
    }

    fn subfolder(&mut self, path: &Path, parent: &Judged) -> Result<ControlFlow<()>, DockerError> {
        let text = path.to_string_lossy();
        let own = self.selection.judge(&text, parent);
        let taken = own.taken();
        if !taken && !self.selection.may_take_below(&text, &own) {
            return Ok(ControlFlow::Continue(()));
        }
        let Some((entry, _)) = look(self.root, path)? else {
            return Ok(ControlFlow::Continue(()));
        };
        if !taken {
            self.pending.push(entry);
        } else if self.take(entry).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let depth = self.pending.len();
        let flow = self.folder(path, taken, &own)?;
        if !taken && self.pending.len() == depth {
            self.pending.pop();
        }
        Ok(flow)
    }

    fn take(&mut self, entry: ContextEntry) -> ControlFlow<()> {
        for parent in self.pending.drain(..) {
            (self.emit)(parent)?;
        }
        (self.emit)(entry)
    }
}

/// The names in a folder, and whether each is a folder itself.
fn sorted_children(folder: &Path) -> io::Result<Vec<(OsString, bool)>> {
    let mut children = fs::read_dir(folder)?
        .map(|child| {
            let child = child?;
            Ok((child.file_name(), child.file_type()?.is_dir()))
        })
        .collect::<io::Result<Vec<_>>>()?;
    children.sort_unstable();
    Ok(children)
}

/// `root/path`, without the slash that joining an empty path leaves behind.
fn below(root: &Path, path: &Path) -> PathBuf {
    if path.as_os_str().is_empty() {
        root.to_owned()
    } else {
        root.join(path)
    }
}

/// `None` for what has disappeared, and for what is never part of a build.
fn look(root: &Path, path: &Path) -> Result<Option<(ContextEntry, Metadata)>, DockerError> {
    let full = root.join(path);
    let found = match fs::symlink_metadata(&full) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(full, error)),
    };
    let kind = if found.is_file() {
        EntryKind::File
    } else if found.is_dir() {
        EntryKind::Folder
    } else if found.is_symlink() {
        let target = fs::read_link(&full).map_err(|error| unreadable(full.clone(), error))?;
        match target.into_os_string().into_string() {
            Ok(target) => EntryKind::Link(target),
            Err(_) => return Err(DockerError::NotUtf8(full)),
        }
    } else {
        return Ok(None);
    };
    let Some(path) = path.to_str() else {
        return Err(DockerError::NotUtf8(full));
    };
    let entry = ContextEntry {
        path: path.to_owned(),
        size: if kind == EntryKind::Folder {
            0
        } else {
            found.len()
        },
        kind,
        mode: found.mode() & 0o7777,
        modified: found
            .mtime()
            .saturating_mul(1_000_000_000)
            .saturating_add(found.mtime_nsec()),
    };
    Ok(Some((entry, found)))
}

pub(super) fn unreadable(path: PathBuf, source: io::Error) -> DockerError {
    DockerError::Unreadable { path, source }
}

#[cfg(test)]
mod tests;
