//! Reproducible archives: entries are sorted, owned by root and have one timestamp, and
//! the gzip header has neither a name nor a time.

use std::collections::BTreeMap;
use std::fs::{self, File, FileTimes};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, SystemTime};

use flate2::{Compression, GzBuilder};
use tar::{Builder, EntryType, Header};

use crate::Result;

/// The timestamp of everything in a release, in seconds since the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub struct Stamp(pub u64);

impl Stamp {
    pub fn time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(self.0)
    }
}

/// Files by path, which is also their order in an archive.
pub type Parts = BTreeMap<String, Part>;

#[derive(Debug)]
pub struct Part {
    pub mode: u32,
    pub bytes: Vec<u8>,
}

impl Part {
    pub fn file(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self { mode: 0o644, bytes }
    }

    pub fn program(bytes: Vec<u8>) -> Self {
        Self { mode: 0o755, bytes }
    }
}

/// Writes a `.tar.gz` with all files below one folder.
pub fn write(path: &Path, folder: &str, parts: &Parts, stamp: Stamp) -> Result<()> {
    let file = BufWriter::new(File::create(path)?);
    let gzip = GzBuilder::new().write(file, Compression::best());
    let mut tar = Builder::new(gzip);
    for (name, part) in parts {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_mode(part.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(stamp.0);
        header.set_size(part.bytes.len() as u64);
        tar.append_data(&mut header, format!("{folder}/{name}"), &part.bytes[..])?;
    }
    tar.into_inner()?.finish()?.flush()?;
    Ok(())
}

/// Writes the files into a folder.
pub fn lay(folder: &Path, parts: &Parts, stamp: Stamp) -> Result<()> {
    for (name, part) in parts {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, &part.bytes)?;
        set_mode(&path, part.mode)?;
        date(&path, stamp)?;
    }
    Ok(())
}

/// Sets the modification time of a file or folder.
pub fn date(path: &Path, stamp: Stamp) -> Result<()> {
    File::open(path)?.set_times(FileTimes::new().set_modified(stamp.time()))?;
    Ok(())
}

pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_are_the_same_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let parts = |names: [&str; 2]| {
            let parts = names.map(|name| (name.to_owned(), Part::file(name)));
            Parts::from(parts)
        };
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        write(&one, "x-1", &parts(["a", "b/c"]), Stamp(1)).unwrap();
        write(&other, "x-1", &parts(["b/c", "a"]), Stamp(1)).unwrap();
        let one = fs::read(one).unwrap();
        assert_eq!(one, fs::read(other).unwrap());
        // The header's flags and time.
        assert_eq!(one[3..8], [0; 5]);
        let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(&one[..]));
        let entries = tar.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            let path = entry.path().unwrap().display().to_string();
            (path, header.mtime().unwrap(), header.uid().unwrap())
        });
        let expected = ["x-1/a", "x-1/b/c"].map(|path| (path.to_owned(), 1, 0));
        assert_eq!(entries.collect::<Vec<_>>(), expected);
    }
}
