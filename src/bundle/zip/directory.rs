//! The directory at the end of a `.zip`, with the names of its entries and where each
//! begins.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::super::error::{BundleProblem, Damage, EntryMistake, Result};
use super::super::folder::EntryForm;
use super::super::limits::BundleLimits;
use super::super::path::EntryName;
use super::fields::Fields;

const END_SIGNATURE: [u8; 4] = *b"PK\x05\x06";
/// The length of the record that ends the file, without its comment.
const END_LENGTH: usize = 22;
const CENTRAL_SIGNATURE: u32 = u32::from_le_bytes(*b"PK\x01\x02");
const CENTRAL_LENGTH: usize = 46;

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;
const DESCRIBED_AFTER: u16 = 1 << 3;
/// The level of compression, and that names are UTF-8: these do not matter.
const INDIFFERENT: u16 = 1 << 1 | 1 << 2 | 1 << 11;

/// Kinds of extra fields, for values that do not fit into the header.
const ZIP64: u16 = 0x0001;
const UNICODE_NAME: u16 = 0x7075;

pub(super) struct Directory {
    /// Its position in the file.
    pub(super) start: u64,
    /// In the order of their positions.
    pub(super) entries: Vec<NamedEntry>,
}

/// What the directory says about an entry.
pub(super) struct NamedEntry {
    pub(super) name: Vec<u8>,
    /// A link's target is in its contents.
    pub(super) form: EntryForm,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc: u32,
    pub(super) compressed: u32,
    pub(super) size: u32,
    pub(super) offset: u64,
}

impl NamedEntry {
    pub(super) fn is_deflated(&self) -> bool {
        self.method == DEFLATED
    }

    pub(super) fn has_descriptor(&self) -> bool {
        self.flags & DESCRIBED_AFTER != 0
    }

    /// As other headers repeat them.
    pub(super) fn numbers(&self) -> (u32, u32, u32) {
        (self.crc, self.compressed, self.size)
    }
}

/// Whatever exceeds a bundle's limits is refused before it is kept in memory.
pub(super) fn read(
    input: &mut BufReader<File>,
    length: u64,
    limits: &BundleLimits,
    reading: &dyn Fn(io::Error) -> BundleProblem,
) -> Result<Directory> {
    let end = EndRecord::read(input, length, reading)?;
    if usize::from(end.count) > limits.entries {
        let limit = limits.entries;
        return Err(BundleProblem::ManyEntries { limit });
    }
    input.seek(SeekFrom::Start(end.start)).map_err(reading)?;
    let mut left = input.take(end.size);
    let mut entries = Vec::new();
    for _ in 0..end.count {
        entries.push(entry(&mut left, limits, reading)?);
    }
    if left.limit() > 0 {
        return Err(BundleProblem::Broken(Damage::Directory));
    }
    entries.sort_by_key(|entry| entry.offset);
    Ok(Directory {
        start: end.start,
        entries,
    })
}

/// The record at the end of the file.
struct EndRecord {
    count: u16,
    size: u64,
    start: u64,
}

impl EndRecord {
    /// The last place in the file that looks like it, which must be valid: no other is
    /// searched for, since two readers could then find two directories.
    fn read(
        input: &mut BufReader<File>,
        length: u64,
        reading: &dyn Fn(io::Error) -> BundleProblem,
    ) -> Result<Self> {
        let longest = (END_LENGTH + usize::from(u16::MAX)) as u64;
        let from = length.saturating_sub(longest);
        input.seek(SeekFrom::Start(from)).map_err(reading)?;
        let mut tail = Vec::new();
        input
            .take(longest)
            .read_to_end(&mut tail)
            .map_err(reading)?;
        let mut places = tail.windows(END_SIGNATURE.len());
        let at = places.rposition(|it| it == END_SIGNATURE);
        let at = at.ok_or(BundleProblem::Broken(Damage::NoDirectory))?;
        let fields = Fields(&tail[at..]);
        match tail.len() == at + END_LENGTH + usize::from(fields.short(20)) {
            true => Self::judged(&fields, from + at as u64),
            false => Err(BundleProblem::Broken(Damage::NoDirectory)),
        }
    }

    fn judged(fields: &Fields<'_>, at: u64) -> Result<Self> {
        let (count, size, start) = (fields.short(10), fields.long(12), fields.long(16));
        if count == u16::MAX || size == u32::MAX || start == u32::MAX {
            return Err(BundleProblem::Broken(Damage::Zip64));
        }
        if fields.short(4) != 0 || fields.short(6) != 0 || fields.short(8) != count {
            return Err(BundleProblem::Broken(Damage::Part));
        }
        let end = Self {
            count,
            size: u64::from(size),
            start: u64::from(start),
        };
        match end.start + end.size == at {
            true => Ok(end),
            false => Err(BundleProblem::Broken(Damage::Unnamed)),
        }
    }
}

fn entry(
    input: &mut impl Read,
    limits: &BundleLimits,
    reading: &dyn Fn(io::Error) -> BundleProblem,
) -> Result<NamedEntry> {
    // If the directory's stated size cuts it off, the directory is wrong, not the file's
    // end.
    let read = |error: io::Error| match error.kind() {
        io::ErrorKind::UnexpectedEof => BundleProblem::Broken(Damage::Directory),
        _ => reading(error),
    };
    let mut header = [0; CENTRAL_LENGTH];
    input.read_exact(&mut header).map_err(read)?;
    let fields = Fields(&header);
    if fields.long(0) != CENTRAL_SIGNATURE {
        return Err(BundleProblem::Broken(Damage::Directory));
    }
    let mut texts = [28, 30, 32].map(|at| vec![0; usize::from(fields.short(at))]);
    for text in &mut texts {
        input.read_exact(text).map_err(read)?;
    }
    let [name, extra, _comment] = texts;
    match judged(&fields, &name, &extra, limits) {
        Ok(form) => Ok(NamedEntry {
            form,
            flags: fields.short(8),
            method: fields.short(10),
            crc: fields.long(16),
            compressed: fields.long(20),
            size: fields.long(24),
            offset: u64::from(fields.long(42)),
            name,
        }),
        Err(mistake) => Err(BundleProblem::entry(&name, mistake)),
    }
}

fn judged(
    fields: &Fields<'_>,
    name: &[u8],
    extra: &[u8],
    limits: &BundleLimits,
) -> Result<EntryForm, EntryMistake> {
    let read = EntryName::read(name, limits)?;
    let flags = fields.short(8);
    if flags & ENCRYPTED != 0 {
        return Err(EntryMistake::Encrypted);
    }
    if ![STORED, DEFLATED].contains(&fields.short(10)) {
        return Err(EntryMistake::Compression);
    }
    if [20, 24, 42].iter().any(|at| fields.long(*at) == u32::MAX) {
        return Err(EntryMistake::Zip64);
    }
    // The number of the disk in a split archive, at 34.
    if flags & !(DESCRIBED_AFTER | INDIFFERENT) != 0 || fields.short(34) != 0 {
        return Err(EntryMistake::Header);
    }
    judge_extra(extra, name)?;
    form(fields, read.is_of_a_folder)
}

/// Checks the extra fields of a header, which must not contradict it.
pub(super) fn judge_extra(mut extra: &[u8], name: &[u8]) -> Result<(), EntryMistake> {
    while let [a, b, c, d, rest @ ..] = extra {
        let (kind, length) = (u16::from_le_bytes([*a, *b]), u16::from_le_bytes([*c, *d]));
        let split = rest.split_at_checked(usize::from(length));
        let (value, rest) = split.ok_or(EntryMistake::Header)?;
        match kind {
            ZIP64 => return Err(EntryMistake::Zip64),
            // After a version and a checksum.
            UNICODE_NAME if value.get(5..) != Some(name) => return Err(EntryMistake::SaidTwice),
            _ => {}
        }
        extra = rest;
    }
    match extra {
        [] => Ok(()),
        _ => Err(EntryMistake::Header),
    }
}

/// By the mode if Unix wrote it, else by the name.
fn form(fields: &Fields<'_>, is_of_a_folder: bool) -> Result<EntryForm, EntryMistake> {
    const UNIX: u16 = 3;
    const MACOS: u16 = 19;
    let mode = match [UNIX, MACOS].contains(&(fields.short(4) >> 8)) {
        true => fields.long(38) >> 16,
        false => 0,
    };
    match mode & 0o170_000 {
        0 if is_of_a_folder => Ok(EntryForm::Folder),
        0 | 0o100_000 => Ok(EntryForm::File {
            is_executable: mode & 0o100 != 0,
        }),
        0o040_000 => Ok(EntryForm::Folder),
        0o120_000 => Ok(EntryForm::Link(Vec::new())),
        0o010_000 | 0o020_000 | 0o060_000 | 0o140_000 => Err(EntryMistake::Device),
        _ => Err(EntryMistake::UnknownKind),
    }
}
