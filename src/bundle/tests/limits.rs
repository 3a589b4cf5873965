//! Each limit: what is exactly as large is accepted, and what is larger by one is not.

use super::archives::{Item, RELEASE, Tar, Zip, both, gzipped, header, tar, zip};
use super::*;

const GENEROUS: BundleLimits = BundleLimits {
    file: 1 << 20,
    unpacked: 1 << 20,
    entries: 100,
    path: 1024,
    part: 255,
    depth: 32,
};

/// The bundle is accepted within the limits that `with` makes of `fits`, and refused
/// within those that it makes of one less.
#[track_caller]
fn is_the_limit(
    name: &str,
    bytes: &[u8],
    fits: u64,
    with: impl Fn(u64) -> BundleLimits,
    sentence: &str,
) {
    let (_folder, opened) = open_within(name, bytes, &with(fits));
    opened.unwrap();
    let refused = refused_within(name, bytes, &with(fits - 1));
    assert_eq!(refused, format!("{name} {sentence}"));
}

fn release() -> Item {
    Item::file("release.toml", RELEASE)
}

#[test]
fn the_documented_ones() {
    let limits = BundleLimits::default();
    assert_eq!((limits.file, limits.unpacked), (536_870_912, 2_147_483_648));
    assert_eq!((limits.entries, limits.depth), (20_000, 32));
    assert_eq!((limits.path, limits.part), (1024, 255));
}

#[test]
fn the_file() {
    for (name, bytes) in both(&[release()]) {
        let length = bytes.len() as u64;
        let with = |file| BundleLimits { file, ..GENEROUS };
        let limit = length - 1;
        let sentence = format!("is larger than a bundle may be: {limit} bytes");
        is_the_limit(name, &bytes, length, with, &sentence);
    }
}

#[test]
fn what_is_unpacked() {
    let items = [
        release(),
        Item::file("a", &"x".repeat(5000)),
        Item::link("l", "a"),
    ];
    let with = |unpacked| BundleLimits {
        unpacked,
        ..GENEROUS
    };
    let in_zip = RELEASE.len() as u64 + 5000 + 1;
    let in_tar = tar(&items).bytes().len() as u64;
    for ((name, bytes), fits) in both(&items).into_iter().zip([in_zip, in_tar]) {
        let sentence = format!("unpacks to more than a bundle may: {} bytes", fits - 1);
        is_the_limit(name, &bytes, fits, with, &sentence);
    }
}

#[test]
fn the_number_of_entries_with_the_folders_of_their_paths() {
    let items = [
        release(),
        Item::file("a/b/c", ""),
        Item::link("l", "a"),
        Item::folder("a/"),
    ];
    for (name, bytes) in both(&items) {
        let with = |entries| BundleLimits {
            entries: usize::try_from(entries).unwrap(),
            ..GENEROUS
        };
        let sentence = "has more files and folders in it than a bundle may: 4";
        is_the_limit(name, &bytes, 5, with, sentence);
    }
}

#[test]
fn a_path_and_its_parts() {
    let items = [release(), Item::file("folder/of/longest-names", "")];
    for (name, bytes) in both(&items) {
        let entry = "has folder/of/longest-names in it:";
        let usize = |limit| usize::try_from(limit).unwrap();
        let path = |limit| BundleLimits {
            path: usize(limit),
            ..GENEROUS
        };
        let sentence = format!("{entry} its path has more than 22 bytes");
        is_the_limit(name, &bytes, 23, path, &sentence);
        let part = |limit| BundleLimits {
            part: usize(limit),
            ..GENEROUS
        };
        let sentence = format!("{entry} a part of its path has more than 12 bytes");
        is_the_limit(name, &bytes, 13, part, &sentence);
        let depth = |limit| BundleLimits {
            depth: usize(limit),
            ..GENEROUS
        };
        let sentence = format!("{entry} its path has more than 2 parts");
        is_the_limit(name, &bytes, 3, depth, &sentence);
    }
}

#[test]
fn what_a_link_leads_to() {
    for (name, bytes) in both(&[release(), Item::link("l", "to/some/long/path")]) {
        let path = |limit| BundleLimits {
            path: usize::try_from(limit).unwrap(),
            ..GENEROUS
        };
        let sentence = "has l in it: it leads to a path of more than 16 bytes";
        is_the_limit(name, &bytes, 17, path, sentence);
    }
}

#[test]
fn the_release_file() {
    let of_length =
        |length: usize| format!("{RELEASE}\n#{}", "x".repeat(length - RELEASE.len() - 2));
    for (name, bytes) in both(&[Item::file("release.toml", &of_length(64 << 10))]) {
        opened(name, &bytes);
    }
    for (name, bytes) in both(&[Item::file("release.toml", &of_length((64 << 10) + 1))]) {
        let sentence = format!("{name} has a release.toml of more than 64 KiB");
        assert_eq!(refused(name, &bytes), sentence);
    }
}

/// Small to send but large to unpack: no more than the limit is ever written.
#[test]
fn bombs() {
    let zeros = "\0".repeat(8 << 20);
    let largest = "unpacks to more than a bundle may: 1 MiB";
    for (name, bytes) in both(&[release(), Item::file("bomb", &zeros)]) {
        assert!(bytes.len() < 100 << 10);
        let (folder, opened) = open_within(name, &bytes, &GENEROUS);
        assert_eq!(opened.unwrap_err().to_string(), format!("{name} {largest}"));
        let written = fs::metadata(folder.path().join("into/bomb")).unwrap().len();
        assert!(written <= GENEROUS.unpacked, "{written}");
    }
}

#[test]
fn a_zip_that_claims_to_be_small() {
    let mut bomb = zip(&[Item::file("bomb", &"\0".repeat(8 << 20))]);
    for bytes in [&mut bomb.local[22..26], &mut bomb.central[24..28]] {
        bytes.copy_from_slice(&3u32.to_le_bytes());
    }
    let (folder, opened) = open_within("a.zip", &bomb.bytes(), &GENEROUS);
    let sentence = "a.zip has bomb in it: it is not as long as its header says";
    assert_eq!(opened.unwrap_err().to_string(), sentence);
    assert_eq!(
        fs::metadata(folder.path().join("into/bomb")).unwrap().len(),
        0
    );
}

#[test]
fn a_tar_that_is_large_where_no_file_is() {
    let largest = "a.tgz unpacks to more than a bundle may: 1 MiB";
    let padding = [tar(&[release()]).bytes(), vec![0; 8 << 20]].concat();
    assert_eq!(
        refused_within("a.tgz", &gzipped(&padding), &GENEROUS),
        largest
    );

    // A name is in memory until it is complete; at most 64 KiB of it.
    let name = vec![b'a'; 8 << 20];
    let long = Tar::default().add(&header(b'L', b"", b"", 0, name.len()), &name);
    let sentence = "a.tgz cannot be read: a header of its tar is damaged";
    assert_eq!(
        refused_within("a.tgz", &gzipped(&long.bytes()), &GENEROUS),
        sentence
    );
    let records = format!("65536 comment={}\n", "a".repeat(65536 - 15));
    let fits = tar(&[release()]).pax(records.as_bytes());
    let fits = fits.entry(b'0', b"a", b"", 0o644, b"");
    opened("a.tgz", &gzipped(&fits.bytes()));
    let more =
        tar(&[release()]).pax(format!("65537 comment={}\n", "a".repeat(65537 - 15)).as_bytes());
    assert_eq!(refused("a.tgz", &gzipped(&more.bytes())), sentence);
}

/// Before its directory is read, which could fill the memory.
#[test]
fn a_zip_of_more_entries_than_it_may_have_is_refused_at_its_end() {
    let zip = Zip {
        count: 101,
        ..Zip::default()
    };
    let sentence = "a.zip has more files and folders in it than a bundle may: 100";
    assert_eq!(refused_within("a.zip", &zip.bytes(), &GENEROUS), sentence);
}
