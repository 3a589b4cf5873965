//! What is true for any archive at all, whoever made it.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use flate2::read::GzDecoder;
use proptest::prelude::*;

use super::archives::{Item, RELEASE, What, both, gzipped, tar, zip};
use super::*;

/// So small that archives often exceed them.
const SMALL: BundleLimits = BundleLimits {
    file: 20_000,
    unpacked: 12_000,
    entries: 12,
    path: 24,
    part: 12,
    depth: 4,
};

fn any_part() -> impl Strategy<Value = Vec<u8>> {
    let hostile: Vec<&[u8]> = vec![
        b"..",
        b".",
        b"",
        b"..\\x",
        b"C:",
        b"a\0b",
        b"\xff",
        b"sentinel",
        b"release.toml",
    ];
    prop_oneof![
        6 => prop::sample::select(vec![&b"a"[..], b"b", b"c"]).prop_map(<[u8]>::to_vec),
        2 => prop::sample::select(hostile).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn any_path() -> impl Strategy<Value = Vec<u8>> {
    let start = prop::sample::select(vec![&b""[..], b"", b"", b"", b"/", b"../", b"./"]);
    let parts = prop::collection::vec(any_part(), 1..5);
    let end = prop::sample::select(vec![&b""[..], b"", b"", b"/"]);
    (start, parts, end).prop_map(|(start, parts, end)| [start, &parts.join(&b'/'), end].concat())
}

fn any_item() -> impl Strategy<Value = Item> {
    let contents = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        (0..5000usize).prop_map(|length| vec![0; length]),
    ];
    let what = prop_oneof![
        3 => (contents, 0..0o10_000u32).prop_map(|(contents, mode)| What::File { contents, mode }),
        1 => Just(What::Folder),
        2 => any_path().prop_map(What::Link),
    ];
    (any_path(), what).prop_map(|(name, what)| Item { name, what })
}

/// One or two hostile items among others, so that much of an archive is often unpacked.
fn any_items() -> impl Strategy<Value = Vec<Item>> {
    prop::collection::vec(any_item(), 0..6).prop_map(|items| {
        let release = Item::file("release.toml", RELEASE);
        [vec![release], items].concat()
    })
}

/// The paths in a folder and their lengths, without following links.
fn all_below(folder: &Path) -> BTreeMap<std::path::PathBuf, u64> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let length = match metadata.is_file() {
                true => metadata.len(),
                false => 0,
            };
            if metadata.is_dir() {
                folders.push(entry.path());
            }
            found.insert(entry.path(), length);
        }
    }
    found
}

/// Opens it deep in a folder with other things, and checks all of these.
fn stays_inside(name: &str, bytes: &[u8]) -> (TempDir, bool) {
    let outer = TempDir::new().unwrap();
    let middle = outer.path().join("a");
    let into = middle.join("b");
    fs::create_dir_all(&into).unwrap();
    let file = outer.path().join("upload");
    fs::write(&file, bytes).unwrap();
    for sentinel in [outer.path().join("sentinel"), middle.join("sentinel")] {
        fs::write(sentinel, "untouched").unwrap();
    }
    let before = all_below(outer.path());
    let opened = open(&file, name, &into, &SMALL);
    if let Err(error) = &opened {
        assert!(!error.is_of_this_machine(), "{error}");
    }

    let mut after = all_below(outer.path());
    after.retain(|path, _| !path.starts_with(&into) || *path == into);
    assert_eq!(after, before, "outside of the folder");
    assert_eq!(fs::read(middle.join("sentinel")).unwrap(), b"untouched");
    assert_eq!(fs::read(&file).unwrap(), bytes);

    let inside = all_below(&into);
    assert!(inside.len() <= SMALL.entries, "{inside:?}");
    assert!(inside.values().sum::<u64>() <= SMALL.unpacked, "{inside:?}");
    let root = into.canonicalize().unwrap();
    for path in inside.keys() {
        let below = path.strip_prefix(&into).unwrap();
        assert!(below.as_os_str().len() <= SMALL.path, "{below:?}");
        assert!(below.components().count() <= SMALL.depth, "{below:?}");
        // Wherever links lead, and through however many.
        if let Ok(real) = path.canonicalize() {
            assert!(real.starts_with(&root), "{path:?} is {real:?}");
        }
        let found = fs::symlink_metadata(path).unwrap();
        assert!(found.is_symlink() || found.mode() & 0o7000 == 0, "{path:?}");
    }
    (outer, opened.is_ok())
}

/// What another reader finds in an accepted archive is what is in the folder.
fn reads_as_others_do(name: &str, bytes: &[u8], into: &Path) {
    let mut files = 0;
    let mut compare = |name: &str, contents: &[u8]| {
        let path = into.join(name);
        let found = match path.is_symlink() {
            true => fs::read_link(&path)
                .unwrap()
                .into_os_string()
                .into_encoded_bytes(),
            false => fs::read(&path).unwrap(),
        };
        assert_eq!(found, contents, "{name}");
        files += 1;
    };
    if name.ends_with(".zip") {
        let mut other = ::zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for n in 0..other.len() {
            let mut entry = other.by_index(n).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).unwrap();
            if !into.join(&name).is_dir() || entry.is_symlink() {
                compare(&name, &contents);
            }
        }
    } else {
        let mut other = ::tar::Archive::new(GzDecoder::new(bytes));
        for entry in other.entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = entry.path().unwrap().to_str().unwrap().to_owned();
            let mut contents = Vec::new();
            entry.read_to_end(&mut contents).unwrap();
            match entry.header().entry_type() {
                ::tar::EntryType::Directory => {}
                ::tar::EntryType::Symlink => compare(&name, &entry.link_name_bytes().unwrap()),
                _ => compare(&name, &contents),
            }
        }
    }
    let found = all_below(into);
    let made = found
        .keys()
        .filter(|path| path.is_symlink() || path.is_file());
    assert_eq!(made.count(), files, "{found:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever the names are, and wherever links lead.
    #[test]
    fn an_archive_stays_in_its_folder_and_its_limits(items in any_items()) {
        for (name, bytes) in both(&items) {
            let (outer, is_taken) = stays_inside(name, &bytes);
            if is_taken {
                reads_as_others_do(name, &bytes, &outer.path().join("a/b"));
            }
        }
    }

    /// Whatever its headers say.
    #[test]
    fn a_damaged_archive_stays_there_too(
        items in any_items(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        keeps in any::<prop::sample::Index>(),
    ) {
        let damaged = |mut bytes: Vec<u8>| {
            for (at, byte) in &damage {
                let at = at.index(bytes.len());
                bytes[at] = *byte;
            }
            if damage.len() == 3 {
                bytes.truncate(keeps.index(bytes.len() + 1));
            }
            bytes
        };
        stays_inside("a.zip", &damaged(zip(&items).bytes()));
        stays_inside("a.tgz", &gzipped(&damaged(tar(&items).bytes())));
        stays_inside("a.tgz", &damaged(gzipped(&tar(&items).bytes())));
    }
}
