//! What only a `.zip` can be or hold.

use std::io::{Cursor, Read, Write};

use ::zip::write::SimpleFileOptions;
use ::zip::{CompressionMethod, ZipWriter};

use super::archives::{Item, RELEASE, Zip, deflated, zip};
use super::*;

const DIFFER: &str = "has a in it: a file's header and the archive's directory disagree about it";
const UNNAMED: &str = "cannot be read: it has data that the directory at its end does not name";
const DIRECTORY: &str = "cannot be read: the directory at its end is damaged";
const NO_DIRECTORY: &str = "cannot be read: it has no directory at its end, as each zip file has";

/// An entry `a` comes first, so that its headers are in a known place.
fn sample() -> Zip {
    zip(&[
        Item::file("a", "aaaaaaaaaa"),
        Item::file("release.toml", RELEASE),
    ])
}

fn zip_refused(bytes: &[u8]) -> String {
    let sentence = refused("a.zip", bytes);
    sentence.strip_prefix("a.zip ").unwrap().to_owned()
}

/// The sample with bytes of `a`'s headers changed.
fn changed(local: &[(usize, &[u8])], central: &[(usize, &[u8])]) -> Vec<u8> {
    let mut zip = sample();
    for (header, changes) in [(&mut zip.local, local), (&mut zip.central, central)] {
        for (at, bytes) in changes {
            header[*at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
    zip.bytes()
}

fn short(number: u16) -> [u8; 2] {
    number.to_le_bytes()
}

#[test]
fn the_sample_is_taken() {
    let folder = opened("a.zip", &sample().bytes());
    let a = fs::read(folder.path().join("into/a")).unwrap();
    assert_eq!(a, b"aaaaaaaaaa");
}

#[test]
fn an_entry_of_which_two_headers_say_two_things_is_refused() {
    for (at, bytes) in [
        (30, &b"b"[..]),
        (6, &short(1 << 11)),
        (8, &short(0)),
        (14, b"\0"),
        (18, b"\x7f"),
        (22, b"\x7f"),
    ] {
        assert_eq!(zip_refused(&changed(&[(at, bytes)], &[])), DIFFER, "{at}");
    }
}

#[test]
fn what_cannot_be_unpacked_is_named() {
    let encrypted = "has a in it: it is encrypted";
    let compression = "has a in it: it is compressed with a method other than deflate";
    let header = "has a in it: its header is damaged";
    for (at, bytes, sentence) in [
        (8, short(1), encrypted),
        (8, short(1 << 6), encrypted),
        (8, short(1 << 13), encrypted),
        (8, short(1 << 5), header),
        (34, short(1), header),
        (10, short(1), compression),
        (10, short(9), compression),
        (10, short(12), compression),
        (10, short(14), compression),
        (10, short(93), compression),
        (10, short(99), compression),
    ] {
        assert_eq!(
            zip_refused(&changed(&[], &[(at, &bytes)])),
            sentence,
            "{at} {bytes:?}"
        );
    }
    let device = "has a in it: a bundle may not have devices, pipes or sockets";
    for kind in [0o010_000, 0o020_000, 0o060_000, 0o140_000] {
        let bytes = changed(&[], &[(40, &short(kind))]);
        assert_eq!(zip_refused(&bytes), device, "{kind:o}");
    }
    let unknown = "has a in it: it is neither a file nor a folder nor a link";
    assert_eq!(
        zip_refused(&changed(&[], &[(40, &short(0o150_000))])),
        unknown
    );
    let contents = "has a in it: a folder or a link has no contents";
    assert_eq!(
        zip_refused(&changed(&[], &[(40, &short(0o040_000))])),
        contents
    );
}

#[test]
fn a_mode_counts_where_unix_wrote_it() {
    // A Unix link is an ordinary file if it comes from Windows.
    let link = [(40, &short(0o120_755)[..])];
    let folder = opened("a.zip", &changed(&[], &link));
    assert!(folder.path().join("into/a").is_symlink());
    let of_windows = [&link[..], &[(5, &[0])]].concat();
    let folder = opened("a.zip", &changed(&[], &of_windows));
    let found = fs::symlink_metadata(folder.path().join("into/a")).unwrap();
    assert!(found.is_file());
    assert_eq!(found.mode() & 0o7777, 0o644);
    // An entry without a kind is judged by its name.
    let zip = sample().packed(b"b/", 0, 0, b"");
    let folder = opened("a.zip", &zip.bytes());
    assert!(folder.path().join("into/b").is_dir());
    let slash = "has b/ in it: only a folder's name ends in / or /.";
    assert_eq!(
        zip_refused(&sample().packed(b"b/", 0o100_644, 0, b"").bytes()),
        slash
    );
}

#[test]
fn contents_are_held_to_their_size_and_sum() {
    let size = "has a in it: it is not as long as its header says";
    let contents = "has a in it: its contents are damaged";
    let both = |at: usize, bytes: &[u8]| changed(&[(at, bytes)], &[(at + 2, bytes)]);
    assert_eq!(zip_refused(&both(14, b"\0")), contents);
    for length in [0, 9, 11] {
        assert_eq!(zip_refused(&both(22, &[length])), size, "{length}");
    }
    // Data that is not deflated, and data after its end.
    let broken = Zip::default().packed(b"a", 0, 0, b"\xff\xff\xff");
    let as_deflated = |mut zip: Zip, length: u8| {
        for (bytes, at) in [(&mut zip.local, 8), (&mut zip.central, 10)] {
            bytes[at] = 8;
            bytes[at + 14] = length;
        }
        zip.bytes()
    };
    assert_eq!(zip_refused(&as_deflated(broken, 3)), contents);
    let longer = [&deflated(b"aaa")[..], b"hidden"].concat();
    let mut zip = Zip::default().packed(b"a", 0, 0, &longer);
    let mut sum = flate2::Crc::new();
    sum.update(b"aaa");
    zip.local[14..18].copy_from_slice(&sum.sum().to_le_bytes());
    zip.central[16..20].copy_from_slice(&sum.sum().to_le_bytes());
    assert_eq!(zip_refused(&as_deflated(zip, 3)), size);
}

#[test]
fn each_byte_belongs_to_an_entry_or_to_the_directory() {
    // Before everything else, with the offsets unchanged and corrected.
    let whole = sample().bytes();
    assert_eq!(zip_refused(&[b"#!/bin/sh\n", &whole[..]].concat()), UNNAMED);
    let mut moved = sample();
    moved.local.splice(0..0, *b"junk");
    for at in [42, 46 + 1 + 42] {
        moved.central[at] += 4;
    }
    assert_eq!(zip_refused(&moved.bytes()), UNNAMED);
    // After the last entry, between two entries, and an entry that no directory names.
    let mut after = sample();
    after.local.extend(b"junk");
    assert_eq!(zip_refused(&after.bytes()), UNNAMED);
    let mut hidden = sample();
    let other = zip(&[Item::file("a", "other")]);
    hidden.local.extend(other.local);
    assert_eq!(zip_refused(&hidden.bytes()), UNNAMED);
    let mut first = zip(&[Item::file("b", "first")]);
    let length = u8::try_from(first.local.len()).unwrap();
    let mut rest = sample();
    first.local.extend(rest.local);
    rest.local = first.local;
    for at in [42, 46 + 1 + 42] {
        rest.central[at] += length;
    }
    assert_eq!(zip_refused(&rest.bytes()), UNNAMED);
    // Between the directory and the end.
    let mut between = sample();
    between.central.extend(b"junk");
    assert_eq!(zip_refused(&between.bytes()), DIRECTORY);
    let mut elsewhere = sample();
    let start = elsewhere.local.len();
    elsewhere.local.extend(b"junk");
    assert_eq!(zip_refused(&elsewhere.with_end_at(start)), UNNAMED);
    // After it.
    assert_eq!(zip_refused(&[&whole[..], b"x"].concat()), NO_DIRECTORY);
}

#[test]
fn entries_may_not_share_data() {
    // Both of the directory's entries lead to the first.
    let mut zip = sample();
    let second = 46 + 1;
    zip.central[second + 42..second + 46].copy_from_slice(&[0; 4]);
    assert_eq!(zip_refused(&zip.bytes()), UNNAMED);
    // One entry is within another.
    let inner = Zip::default().entry(b"b", 0o100_644, b"b");
    let outer = Zip::default().packed(b"a", 0o100_644, 0, &inner.local);
    let mut central = outer.central;
    central.extend(inner.central);
    central[47 + 42] = 31;
    let zip = Zip {
        local: outer.local,
        central,
        count: 2,
        comment: Vec::new(),
    };
    assert_eq!(zip_refused(&zip.bytes()), UNNAMED);
}

#[test]
fn the_directory_names_as_many_entries_as_it_says() {
    for count in [0, 1, 3] {
        let mut zip = sample();
        zip.count = count;
        assert_eq!(zip_refused(&zip.bytes()), DIRECTORY, "{count}");
    }
    let mut zip = sample();
    zip.central[0] = b'Q';
    assert_eq!(zip_refused(&zip.bytes()), DIRECTORY);
    let mut zip = sample();
    zip.local[0] = b'Q';
    assert_eq!(zip_refused(&zip.bytes()), UNNAMED);
}

#[test]
fn the_order_of_the_directory_is_free() {
    let mut zip = sample();
    zip.central.rotate_left(46 + 1);
    opened("a.zip", &zip.bytes());
}

#[test]
fn one_end_and_no_other_is_looked_for() {
    let mut zip = sample();
    zip.comment = b"of a commit".to_vec();
    opened("a.zip", &zip.bytes());
    // A comment that is itself an archive, or looks like an end record.
    for comment in [sample().bytes(), b"PK\x05\x06".to_vec()] {
        let mut zip = sample();
        zip.comment = comment;
        let sentence = zip_refused(&zip.bytes());
        assert!(
            [NO_DIRECTORY, UNNAMED].contains(&&sentence[..]),
            "{sentence}"
        );
    }
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", &[0; 100]] {
        assert_eq!(zip_refused(bytes), NO_DIRECTORY);
    }
}

#[test]
fn parts_and_what_is_larger_than_a_bundle_may_be_are_refused() {
    let zip64 = "cannot be read: it is of the kind for more than 4 GiB or 65,535 entries (zip64)";
    let part = "cannot be read: it is one of several parts";
    let whole = sample().bytes();
    let end = whole.len() - 22;
    for (at, bytes, sentence) in [
        (10, &[0xff; 2][..], zip64),
        (12, &[0xff; 4], zip64),
        (16, &[0xff; 4], zip64),
        (4, &[1], part),
        (6, &[1], part),
        (8, &[1], part),
    ] {
        let mut changed = whole.clone();
        changed[end + at..end + at + bytes.len()].copy_from_slice(bytes);
        assert_eq!(zip_refused(&changed), sentence, "{at}");
    }
    let zip64 = "has a in it: its header is of the kind for more than 4 GiB (zip64)";
    for at in [20, 24, 42] {
        assert_eq!(
            zip_refused(&changed(&[], &[(at, &[0xff; 4])])),
            zip64,
            "{at}"
        );
    }
}

/// Only the sample's first entry, with extra fields in one of its headers.
fn with_extra(local: &[u8], central: &[u8]) -> Vec<u8> {
    let mut zip = zip(&[Item::file("a", "")]);
    let length = |bytes: &[u8]| u8::try_from(bytes.len()).unwrap();
    zip.local[28] = length(local);
    zip.local.extend(local);
    zip.central[30] = length(central);
    zip.central.extend(central);
    zip.bytes()
}

#[test]
fn further_fields_may_not_say_something_else() {
    let zip64 = "has a in it: its header is of the kind for more than 4 GiB (zip64)";
    let name = "has a in it: its headers disagree about its name or size";
    let header = "has a in it: its header is damaged";
    let unicode = |name: &[u8]| {
        let length = u8::try_from(5 + name.len()).unwrap();
        [b"up", &[length, 0, 1, 0, 0, 0, 0][..], name].concat()
    };
    for (extra, sentence) in [
        (b"\x01\0\x08\0\0\0\0\0\0\0\0\0".to_vec(), zip64),
        (unicode(b"b"), name),
        (unicode(b"../b"), name),
        (b"up\0\0".to_vec(), name),
        (b"UT\x05\0\0".to_vec(), header),
        (b"x".to_vec(), header),
    ] {
        assert_eq!(zip_refused(&with_extra(&extra, b"")), sentence);
        assert_eq!(zip_refused(&with_extra(b"", &extra)), sentence);
    }
    let none = "has no release.toml at its root";
    let harmless = [&unicode(b"a")[..], b"UT\x01\0\0"].concat();
    assert_eq!(zip_refused(&with_extra(&harmless, &harmless)), none);
}

/// An entry whose checksum and sizes come after it.
fn described(descriptor: &[u8]) -> Vec<u8> {
    let mut zip = Zip::default().entry(b"a", 0o100_644, b"aaa");
    zip.local[6] = 1 << 3;
    zip.local[14..26].fill(0);
    zip.central[8] = 1 << 3;
    zip.local.extend(descriptor);
    zip.bytes()
}

#[test]
fn a_descriptor_says_what_the_directory_does() {
    let whole = Zip::default().entry(b"a", 0o100_644, b"aaa");
    let numbers = &whole.central[16..28];
    let none = "has no release.toml at its root";
    let signed = [b"PK\x07\x08", numbers].concat();
    assert_eq!(zip_refused(&described(numbers)), none);
    assert_eq!(zip_refused(&described(&signed)), none);
    // As Info-ZIP writes it: the size, which it knows, in both places.
    let mut with_size = described(&signed);
    with_size[22] = 3;
    assert_eq!(zip_refused(&with_size), none);
    with_size[22] = 2;
    assert_eq!(zip_refused(&with_size), DIFFER);
    for at in [0, 4, 8] {
        let mut other = numbers.to_owned();
        other[at] ^= 1;
        assert_eq!(zip_refused(&described(&other)), DIFFER, "{at}");
    }
    let unsigned = [b"PK\x07\x09", numbers].concat();
    for descriptor in [
        &b""[..],
        &numbers[..11],
        &unsigned,
        &[&signed[..], b"x"].concat(),
    ] {
        assert_eq!(zip_refused(&described(descriptor)), UNNAMED);
    }
    // A descriptor for an entry that has none.
    let mut zip = whole;
    zip.local.extend(&signed);
    assert_eq!(zip_refused(&zip.bytes()), UNNAMED);
}

#[test]
fn a_zip_that_ends_too_early_is_refused() {
    let whole = sample().bytes();
    for length in 0..whole.len() {
        let sentence = zip_refused(&whole[..length]);
        assert_eq!(sentence, NO_DIRECTORY, "{length}");
    }
}

#[test]
fn what_other_writers_make_is_read() {
    let options = SimpleFileOptions::default();
    let script = options.unix_permissions(0o755);
    let stored = options.compression_method(CompressionMethod::Stored);
    let write = |zip: &mut dyn FnMut(&str, SimpleFileOptions, &str)| {
        zip("release.toml", options, RELEASE);
        zip("web/run", script, "#!/bin/sh");
        zip("web/ä", stored, "stored");
    };
    let mut whole = ZipWriter::new(Cursor::new(Vec::new()));
    whole.add_directory("web/", options).unwrap();
    whole.add_symlink("web/link", "run", options).unwrap();
    write(&mut |name, options, text| {
        whole.start_file(name, options).unwrap();
        whole.write_all(text.as_bytes()).unwrap();
    });
    let whole = whole.finish().unwrap().into_inner();
    // A writer that cannot go back, and writes sizes after the contents.
    let mut stream = ZipWriter::new_stream(Vec::new());
    write(&mut |name, options, text| {
        stream.start_file(name, options).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
    });
    let stream = stream.finish().unwrap().into_inner();
    for (bytes, has_link) in [(whole, true), (stream, false)] {
        let folder = opened("a.zip", &bytes);
        let into = folder.path().join("into");
        let text = |name: &str| {
            let mut text = String::new();
            File::open(into.join(name))
                .unwrap()
                .read_to_string(&mut text)
                .unwrap();
            text
        };
        assert_eq!([text("web/run"), text("web/ä")], ["#!/bin/sh", "stored"]);
        let mode = fs::metadata(into.join("web/run")).unwrap().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(into.join("web/link").is_symlink(), has_link);
    }
}
