//! Reads only a `.zip` that can be read in one way: each byte belongs to an entry or to
//! the directory at the end, and both agree about each entry.
//!
//! The `zip` crate tries to get something out of nearly any file: it looks for another
//! directory if one does not fit, takes the last of several entries with the same name,
//! and keeps a directory of any size in memory. So this module reads the few fields that
//! it needs by itself (<https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>),
//! and is tested against what the crate writes and reads.

mod directory;
mod fields;

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::CHUNK;
use super::error::{BundleProblem, Damage, EntryMistake, Result};
use super::folder::{EntryForm, Unpacking};
use directory::NamedEntry;
use fields::Fields;

const LOCAL_SIGNATURE: u32 = u32::from_le_bytes(*b"PK\x03\x04");
/// Before the checksum and sizes of an entry that has them after its contents.
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

pub(super) fn unpack(file: File, length: u64, path: &Path, into: &mut Unpacking<'_>) -> Result<()> {
    let mut input = BufReader::new(file);
    let reading = |error| BundleProblem::reading(path, error);
    let directory = directory::read(&mut input, length, into.limits, &reading)?;
    input.seek(SeekFrom::Start(0)).map_err(reading)?;
    let mut zip = ZipStream { input, path, into };
    let mut at = 0;
    for (n, entry) in directory.entries.iter().enumerate() {
        let next = directory.entries.get(n + 1);
        let end = next.map_or(directory.start, |next| next.offset);
        if entry.offset != at {
            return Err(BundleProblem::Broken(Damage::Unnamed));
        }
        zip.entry(entry, end)?;
        at = end;
    }
    match at == directory.start {
        true => Ok(()),
        false => Err(BundleProblem::Broken(Damage::Unnamed)),
    }
}

/// Read from the first byte to the last, without going back.
struct ZipStream<'a, 'b> {
    input: BufReader<File>,
    /// The path of the file.
    path: &'a Path,
    into: &'a mut Unpacking<'b>,
}

impl ZipStream<'_, '_> {
    /// Reads the entry that begins here; `end` is where the next one begins.
    fn entry(&mut self, entry: &NamedEntry, end: u64) -> Result<()> {
        let header = self.header(entry)?;
        let refused = |mistake| BundleProblem::entry(&entry.name, mistake);
        let begin = entry.offset + header;
        let after = end
            .checked_sub(begin)
            .and_then(|room| room.checked_sub(u64::from(entry.compressed)));
        let after = after.ok_or(BundleProblem::Broken(Damage::Unnamed))?;
        match &entry.form {
            EntryForm::Folder if entry.size > 0 => return Err(refused(EntryMistake::HasContents)),
            EntryForm::Folder => {
                self.contents(entry, &mut |_| Ok(()))?;
                self.into.folder(&entry.name)?;
            }
            EntryForm::File { is_executable } => {
                let mut file = self.into.file(&entry.name, *is_executable)?;
                self.contents(entry, &mut |bytes| file.write(bytes))?;
            }
            EntryForm::Link(_) => {
                let limit = self.into.limits.path;
                if u64::from(entry.size) > limit as u64 {
                    return Err(refused(EntryMistake::LinkLong { limit }));
                }
                let mut target = Vec::new();
                self.contents(entry, &mut |bytes| {
                    target.extend_from_slice(bytes);
                    Ok(())
                })?;
                self.into.link(&entry.name, &target)?;
            }
        }
        self.descriptor(entry, after)
    }

    /// The length of its header, if that agrees with the directory.
    fn header(&mut self, entry: &NamedEntry) -> Result<u64> {
        let refused = |mistake| BundleProblem::entry(&entry.name, mistake);
        let fields: [u8; 30] = self.array()?;
        let fields = Fields(&fields);
        if fields.long(0) != LOCAL_SIGNATURE {
            return Err(BundleProblem::Broken(Damage::Unnamed));
        }
        let (name, extra) = (fields.short(26), fields.short(28));
        let name = self.bytes(usize::from(name))?;
        let extra = self.bytes(usize::from(extra))?;
        let (crc, compressed, size) = entry.numbers();
        // Fields that come after the contents may be 0 here.
        let agrees = |at, number| {
            let said = fields.long(at);
            said == number || (said == 0 && entry.has_descriptor())
        };
        let says_the_same = name == entry.name
            && fields.short(6) == entry.flags
            && fields.short(8) == entry.method
            && agrees(14, crc)
            && agrees(18, compressed)
            && agrees(22, size);
        if !says_the_same {
            return Err(refused(EntryMistake::HeadersDiffer));
        }
        directory::judge_extra(&extra, &name).map_err(refused)?;
        Ok((30 + name.len() + extra.len()) as u64)
    }

    /// Passes its contents on, and checks their size and checksum.
    fn contents(
        &mut self,
        entry: &NamedEntry,
        sink: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let refused = |mistake| BundleProblem::entry(&entry.name, mistake);
        let mut packed = (&mut self.input).take(u64::from(entry.compressed));
        let mut inflated;
        let source: &mut dyn Read = match entry.is_deflated() {
            true => {
                inflated = DeflateDecoder::new(&mut packed);
                &mut inflated
            }
            false => &mut packed,
        };
        let mut chunk = vec![0; CHUNK];
        let (mut size, mut sum) = (0, Crc::new());
        let said = u64::from(entry.size);
        loop {
            let read = match source.read(&mut chunk) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) => {
                    return Err(match BundleProblem::reading(self.path, error) {
                        BundleProblem::Broken(_) => refused(EntryMistake::Contents),
                        other => other,
                    });
                }
            };
            self.into.count(read)?;
            size += read as u64;
            if size > said {
                return Err(refused(EntryMistake::Size));
            }
            sum.update(&chunk[..read]);
            sink(&chunk[..read])?;
        }
        if size != said || packed.limit() > 0 {
            return Err(refused(EntryMistake::Size));
        }
        match sum.sum() == entry.crc {
            true => Ok(()),
            false => Err(refused(EntryMistake::Contents)),
        }
    }

    /// What is between the contents and the next entry.
    fn descriptor(&mut self, entry: &NamedEntry, length: u64) -> Result<()> {
        let descriptor = match (entry.has_descriptor(), length) {
            (false, 0) => return Ok(()),
            (true, 12) => self.array()?,
            (true, 16) if self.array()? == DESCRIPTOR => self.array()?,
            _ => return Err(BundleProblem::Broken(Damage::Unnamed)),
        };
        let fields: [u8; 12] = descriptor;
        let fields = Fields(&fields);
        match (fields.long(0), fields.long(4), fields.long(8)) == entry.numbers() {
            true => Ok(()),
            false => Err(BundleProblem::entry(
                &entry.name,
                EntryMistake::HeadersDiffer,
            )),
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Vec<u8>> {
        let mut bytes = vec![0; length];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        let read = self.input.read_exact(bytes);
        read.map_err(|error| BundleProblem::reading(self.path, error))
    }
}
