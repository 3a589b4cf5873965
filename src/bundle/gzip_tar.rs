//! Reads a `.tar.gz` block by block: one gzip stream with one tar in it, and nothing
//! after it.
//!
//! From the `tar` crate this uses the fields of headers only. The crate's own reader
//! keeps long names in memory however long they are, and accepts an archive without an
//! end. Paths in PAX and GNU extensions are checked like any other.

mod extensions;

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::GzDecoder;
use tar::{EntryType, Header};

use super::CHUNK;
use super::error::{BundleProblem, Damage, EntryMistake, Result};
use super::folder::{EntryForm, Unpacking};
use extensions::Extensions;

const BLOCK: usize = 512;
/// The size of a header that only extends the next one.
const LARGEST_EXTENSION: usize = 64 << 10;

pub(super) fn unpack(file: File, path: &Path, into: &mut Unpacking<'_>) -> Result<()> {
    let mut tar = TarStream {
        input: GzDecoder::new(BufReader::new(file)),
        path,
        into,
    };
    let mut is_first = true;
    while let Some(header) = tar.header()? {
        match header.entry_type() {
            EntryType::XGlobalHeader if is_first => tar.global(&header)?,
            _ => tar.entry(header)?,
        }
        is_first = false;
    }
    tar.end()
}

struct TarStream<'a, 'b> {
    input: GzDecoder<BufReader<File>>,
    /// The path of the file.
    path: &'a Path,
    into: &'a mut Unpacking<'b>,
}

impl TarStream<'_, '_> {
    /// `None` at the tar's end, which is a block of zeros.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        self.fill(header.as_mut_bytes())?;
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let mut summed = header.clone();
        summed.set_cksum();
        match (header.cksum(), summed.cksum()) {
            (Ok(said), Ok(is)) if said == is => Ok(Some(header)),
            _ => Err(BundleProblem::Broken(Damage::TarHeader)),
        }
    }

    /// The global header with which `git archive` and others begin: a comment is skipped;
    /// a path or a size for all entries makes no sense.
    fn global(&mut self, header: &Header) -> Result<()> {
        let text = self.extension(header)?;
        let mut all = Extensions::default();
        match all.read(EntryType::XHeader, &text) {
            Ok(()) if all.says_nothing() => Ok(()),
            _ => Err(BundleProblem::Broken(Damage::GlobalHeader)),
        }
    }

    /// An entry with the headers that extend its own; each of these may occur once.
    fn entry(&mut self, mut header: Header) -> Result<()> {
        let mut more = Extensions::default();
        while Extensions::is_one(header.entry_type()) {
            let text = self.extension(&header)?;
            more.read(header.entry_type(), &text)
                .map_err(|mistake| BundleProblem::entry(more.path(), mistake))?;
            let Some(next) = self.header()? else {
                return Err(BundleProblem::Broken(Damage::TarHeader));
            };
            header = next;
        }
        let name = more
            .path
            .take()
            .unwrap_or_else(|| header.path_bytes().into_owned());
        let refused = |mistake| BundleProblem::entry(&name, mistake);
        let size = size_of(&header)?;
        if more.size.is_some_and(|said| said != size) {
            return Err(refused(EntryMistake::SaidTwice));
        }
        match form(&header, more.link.take()).map_err(refused)? {
            EntryForm::File { is_executable } => self.file(&name, is_executable, size),
            _ if size > 0 => Err(refused(EntryMistake::HasContents)),
            EntryForm::Folder => self.into.folder(&name),
            EntryForm::Link(target) => self.into.link(&name, &target),
        }
    }

    fn file(&mut self, name: &[u8], is_executable: bool, size: u64) -> Result<()> {
        let mut file = self.into.file(name, is_executable)?;
        let mut chunk = vec![0; CHUNK];
        let mut left = size;
        while left > 0 {
            let next = CHUNK.min(usize::try_from(left).unwrap_or(CHUNK));
            self.fill(&mut chunk[..next])?;
            file.write(&chunk[..next])?;
            left -= next as u64;
        }
        self.pass_padding(size)
    }

    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = size_of(header)?;
        let fits = usize::try_from(size)
            .ok()
            .filter(|size| *size <= LARGEST_EXTENSION);
        let size_in_memory = fits.ok_or(BundleProblem::Broken(Damage::TarHeader))?;
        let mut text = vec![0; size_in_memory];
        self.fill(&mut text)?;
        self.pass_padding(size)?;
        Ok(text)
    }

    /// Contents are padded to whole blocks.
    fn pass_padding(&mut self, size: u64) -> Result<()> {
        let beyond = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        match beyond {
            0 => Ok(()),
            beyond => self.fill(&mut [0; BLOCK][beyond..]),
        }
    }

    /// After the first block of zeros there must be another, and there may be more.
    fn end(mut self) -> Result<()> {
        self.fill(&mut [0; BLOCK])?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let read = self.read(&mut chunk)?;
            if chunk[..read].iter().any(|byte| *byte != 0) {
                return Err(BundleProblem::Broken(Damage::AfterTheEnd));
            }
            if read == 0 {
                break;
            }
        }
        let mut file = self.input.into_inner();
        match file.fill_buf() {
            Ok([]) => Ok(()),
            Ok(_) => Err(BundleProblem::Broken(Damage::AfterTheEnd)),
            Err(error) => Err(BundleProblem::reading(self.path, error)),
        }
    }

    fn fill(&mut self, mut bytes: &mut [u8]) -> Result<()> {
        while !bytes.is_empty() {
            match self.read(bytes)? {
                0 => return Err(BundleProblem::Broken(Damage::Truncated)),
                read => bytes = &mut bytes[read..],
            }
        }
        Ok(())
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<usize> {
        let read = self.input.read(bytes);
        let read = read.map_err(|error| BundleProblem::reading(self.path, error))?;
        self.into.count(read)?;
        Ok(read)
    }
}

fn size_of(header: &Header) -> Result<u64> {
    let size = header.entry_size();
    size.map_err(|_| BundleProblem::Broken(Damage::TarHeader))
}

fn form(header: &Header, long_link: Option<Vec<u8>>) -> Result<EntryForm, EntryMistake> {
    match header.entry_type() {
        EntryType::Regular => {
            let mode = header.mode().map_err(|_| EntryMistake::Header)?;
            Ok(EntryForm::File {
                is_executable: mode & 0o100 != 0,
            })
        }
        EntryType::Directory => Ok(EntryForm::Folder),
        EntryType::Symlink => {
            let short = || header.link_name_bytes().map(Cow::into_owned);
            Ok(EntryForm::Link(
                long_link.or_else(short).unwrap_or_default(),
            ))
        }
        EntryType::Link => Err(EntryMistake::HardLink),
        EntryType::Char | EntryType::Block | EntryType::Fifo => Err(EntryMistake::Device),
        EntryType::GNUSparse => Err(EntryMistake::Sparse),
        _ => Err(EntryMistake::UnknownKind),
    }
}
