//! Makes archives byte by byte, including those that no ordinary writer makes.

use std::io::Write;

use flate2::write::{DeflateEncoder, GzEncoder};
use flate2::{Compression, Crc};
use tar::Header;

pub const RELEASE: &str = "app = 'site'\ntag = '7'\nimage = 'r.io/site:7'";

#[derive(Debug, Clone)]
pub struct Item {
    pub name: Vec<u8>,
    pub what: What,
}

#[derive(Debug, Clone)]
pub enum What {
    File { contents: Vec<u8>, mode: u32 },
    Folder,
    Link(Vec<u8>),
}

impl Item {
    pub fn file(name: &str, contents: &str) -> Self {
        Self::with_mode(name, contents, 0o644)
    }

    pub fn with_mode(name: &str, contents: &str, mode: u32) -> Self {
        Self {
            name: name.into(),
            what: What::File {
                contents: contents.into(),
                mode,
            },
        }
    }

    pub fn of_bytes(name: &[u8], contents: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::file("", contents)
        }
    }

    pub fn of_contents(name: &str, contents: &[u8]) -> Self {
        Self {
            name: name.into(),
            what: What::File {
                contents: contents.to_owned(),
                mode: 0o644,
            },
        }
    }

    pub fn folder(name: &str) -> Self {
        Self {
            name: name.into(),
            what: What::Folder,
        }
    }

    pub fn link(name: &str, target: &str) -> Self {
        Self {
            name: name.into(),
            what: What::Link(target.into()),
        }
    }
}

/// In both formats, each with the name of a file.
pub fn both(items: &[Item]) -> [(&'static str, Vec<u8>); 2] {
    [
        ("site-7.zip", zip(items).bytes()),
        ("site-7.tar.gz", gzipped(&tar(items).bytes())),
    ]
}

pub fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

pub fn tar(items: &[Item]) -> Tar {
    items
        .iter()
        .fold(Tar::default(), |tar, item| match &item.what {
            What::File { contents, mode } => tar.entry(b'0', &item.name, b"", *mode, contents),
            What::Folder => tar.entry(b'5', &item.name, b"", 0o755, b""),
            What::Link(target) => tar.entry(b'2', &item.name, target, 0o777, b""),
        })
}

/// A tar without its end.
#[derive(Default)]
pub struct Tar(pub Vec<u8>);

impl Tar {
    /// With GNU's headers for long names.
    pub fn entry(self, kind: u8, name: &[u8], link: &[u8], mode: u32, contents: &[u8]) -> Self {
        let long = |tar: Self, kind: u8, text: &[u8]| match text.len() > 100 {
            true => tar.add(&header(kind, b"././@LongLink", b"", 0, text.len()), text),
            false => tar,
        };
        let header = header(kind, name, link, mode, contents.len());
        long(long(self, b'L', name), b'K', link).add(&header, contents)
    }

    pub fn pax(self, records: &[u8]) -> Self {
        self.add(
            &header(b'x', b"PaxHeaders/x", b"", 0o644, records.len()),
            records,
        )
    }

    pub fn add(mut self, header: &Header, contents: &[u8]) -> Self {
        self.0.extend_from_slice(header.as_bytes());
        self.0.extend_from_slice(contents);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    pub fn bytes(mut self) -> Vec<u8> {
        self.0.extend_from_slice(&[0; 1024]);
        self.0
    }
}

/// What is too long is cut off.
pub fn header(kind: u8, name: &[u8], link: &[u8], mode: u32, size: usize) -> Header {
    let mut header = Header::new_gnu();
    let old = header.as_old_mut();
    for (field, text) in [(&mut old.name, name), (&mut old.linkname, link)] {
        let length = text.len().min(100);
        field[..length].copy_from_slice(&text[..length]);
    }
    old.linkflag = [kind];
    header.set_mode(mode);
    header.set_size(size as u64);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    header
}

pub fn zip(items: &[Item]) -> Zip {
    items
        .iter()
        .fold(Zip::default(), |zip, item| match &item.what {
            What::File { contents, mode } => zip.entry(&item.name, 0o100_000 | mode, contents),
            What::Folder => zip.entry(&item.name, 0o040_755, b""),
            What::Link(target) => zip.entry(&item.name, 0o120_777, target),
        })
}

/// A zip whose parts can be changed before they are put together.
#[derive(Default)]
pub struct Zip {
    pub local: Vec<u8>,
    pub central: Vec<u8>,
    pub count: u16,
    pub comment: Vec<u8>,
}

impl Zip {
    /// Deflated, if it has contents.
    pub fn entry(self, name: &[u8], mode: u32, contents: &[u8]) -> Self {
        let method = match contents.is_empty() {
            true => 0,
            false => 8,
        };
        self.packed(name, mode, method, contents)
    }

    pub fn packed(mut self, name: &[u8], mode: u32, method: u16, contents: &[u8]) -> Self {
        let packed = match method {
            8 => deflated(contents),
            _ => contents.to_owned(),
        };
        let mut sum = Crc::new();
        sum.update(contents);
        // From the required version to the lengths of the name and the extra fields.
        let mut common = Vec::new();
        for short in [20, 0, method, 0, 0] {
            common.extend(u16::to_le_bytes(short));
        }
        common.extend(sum.sum().to_le_bytes());
        common.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
        common.extend(u32::try_from(contents.len()).unwrap().to_le_bytes());
        common.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend([0, 0]);
        let offset = u32::try_from(self.local.len()).unwrap();
        self.local.extend(b"PK\x03\x04");
        self.local.extend(&common);
        self.local.extend(name);
        self.local.extend(&packed);
        self.central.extend(b"PK\x01\x02\x14\x03");
        self.central.extend(&common);
        self.central.extend([0; 6]);
        self.central.extend((mode << 16).to_le_bytes());
        self.central.extend(offset.to_le_bytes());
        self.central.extend(name);
        self.count += 1;
        self
    }

    pub fn bytes(self) -> Vec<u8> {
        let start = self.local.len();
        self.with_end_at(start)
    }

    /// With the end record saying that the directory begins there.
    pub fn with_end_at(self, start: usize) -> Vec<u8> {
        let mut out = self.local;
        let size = u32::try_from(self.central.len()).unwrap();
        out.extend(self.central);
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend(self.count.to_le_bytes());
        out.extend(self.count.to_le_bytes());
        out.extend(size.to_le_bytes());
        out.extend(u32::try_from(start).unwrap().to_le_bytes());
        out.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        out.extend(self.comment);
        out
    }
}

pub fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}
