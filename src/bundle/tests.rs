//! Bundles, good and bad, as uploaders could make them.

mod any_archive;
mod archives;
mod gzip_tars;
mod limits;
mod signatures;
mod zips;

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};

use tempfile::TempDir;

use super::*;
use crate::error::{Error, Exit};
use archives::{Item, RELEASE, both};

/// Opens the bytes as a file that was uploaded under that name.
fn open_within(
    name: &str,
    bytes: &[u8],
    limits: &BundleLimits,
) -> (TempDir, Result<ReleaseFile, BundleError>) {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("upload");
    let into = folder.path().join("into");
    fs::write(&file, bytes).unwrap();
    fs::create_dir(&into).unwrap();
    let opened = open(&file, name, &into, limits);
    (folder, opened)
}

fn opened(name: &str, bytes: &[u8]) -> TempDir {
    let (folder, opened) = open_within(name, bytes, &BundleLimits::default());
    opened.unwrap();
    folder
}

/// The message with which a bundle is refused.
fn refused(name: &str, bytes: &[u8]) -> String {
    refused_within(name, bytes, &BundleLimits::default())
}

fn refused_within(name: &str, bytes: &[u8], limits: &BundleLimits) -> String {
    let (_folder, opened) = open_within(name, bytes, limits);
    let error = opened.unwrap_err();
    assert!(!error.is_of_this_machine(), "{error}");
    error.to_string()
}

/// Packed in both ways together with a release, they are refused for the entry of that
/// name.
#[track_caller]
fn both_refuse(items: &[Item], shown: &str, mistake: &str) {
    let items = [&[Item::file("release.toml", RELEASE)], items].concat();
    for (name, bytes) in both(&items) {
        let sentence = format!("{name} has {shown} in it: {mistake}");
        assert_eq!(refused(name, &bytes), sentence);
    }
}

#[test]
fn the_format_is_told_by_the_name() {
    for (name, format) in [
        ("shop-7.zip", BundleFormat::Zip),
        ("in/SHOP-7.ZIP", BundleFormat::Zip),
        ("shop-7.tar.gz", BundleFormat::GzipTar),
        ("shop-7.tgz", BundleFormat::GzipTar),
    ] {
        assert_eq!(BundleFormat::of_name(name).unwrap(), format);
    }
    for name in [
        "shop-7",
        "shop-7.tar",
        "shop-7.zip.minisig",
        "zip",
        "shop.gz",
    ] {
        let error = BundleFormat::of_name(name).unwrap_err().to_string();
        let end = "is not a bundle: its name has to end in .zip, .tar.gz or .tgz";
        assert_eq!(error, format!("{name} {end}"));
    }
}

#[test]
fn a_bundle_is_unpacked_with_its_folders_links_and_modes() {
    let items = [
        Item::folder("./"),
        Item::file(
            "./release.toml",
            "app = 'site'\ntag = '7'\ncontext = 'web/site'",
        ),
        Item::folder("web/"),
        Item::with_mode("web/site/run", "#!/bin/sh", 0o6755),
        Item::with_mode("web/site/empty", "", 0o666),
        Item::link("web/current", "site"),
        Item::link("web/site/up", "../../release.toml"),
        Item::file("web/Readme", "A"),
        Item::file("web/README", "B"),
        Item::folder("web/site/"),
    ];
    for (name, bytes) in both(&items) {
        let folder = opened(name, &bytes);
        let into = folder.path().join("into");
        let text = |path: &str| fs::read_to_string(into.join(path)).unwrap();
        let mode = |path: &str| fs::symlink_metadata(into.join(path)).unwrap().mode() & 0o7777;
        assert_eq!(text("web/current/run"), "#!/bin/sh", "{name}");
        assert_eq!(
            text("web/site/empty") + &text("web/Readme") + &text("web/README"),
            "AB"
        );
        assert_eq!(mode("web/site/run"), 0o755, "{name}");
        assert_eq!(mode("web/site/empty"), 0o644, "{name}");
        assert_eq!(mode("web/site"), 0o755, "{name}");
        let up = fs::read_link(into.join("web/site/up")).unwrap();
        assert_eq!(up, Path::new("../../release.toml"), "{name}");
    }
}

#[test]
fn a_path_that_leads_out_is_refused() {
    for (path, mistake) in [
        ("../etc/passwd", "a path may not lead out of the bundle"),
        ("a/../../b", "a path may not lead out of the bundle"),
        ("/etc/passwd", "a path may not be absolute"),
        ("C:\\a", "a path may not be absolute"),
        ("\\\\server\\a", "a path may not be absolute"),
        ("a\\b", "the parts of a path are separated by /, not by \\"),
        ("a//b", "a part of the path is empty"),
    ] {
        both_refuse(&[Item::file(path, "x")], path, mistake);
        both_refuse(&[Item::link(path, "x")], path, mistake);
    }
    both_refuse(
        &[Item::folder("../")],
        "../",
        "a path may not lead out of the bundle",
    );
}

#[test]
fn a_name_that_is_no_name_is_refused_and_does_nothing_to_a_terminal() {
    for (name, shown, mistake) in [
        (
            &b"a\x1b[2J"[..],
            "a\\u{1b}[2J",
            "a name may not have control characters",
        ),
        (b"a\nb", "a\\nb", "a name may not have control characters"),
        (b"a\xff", "a\u{fffd}", "the name is not UTF-8"),
    ] {
        both_refuse(&[Item::of_bytes(name, "x")], shown, mistake);
    }
    let long = "a".repeat(2000);
    let shown = format!("{}…", "a".repeat(100));
    both_refuse(
        &[Item::file(&long, "")],
        &shown,
        "its path has more than 1024 bytes",
    );
}

#[test]
fn what_is_there_twice_is_refused() {
    let folder = Item::folder("a/");
    let file = Item::file("a", "x");
    let link = Item::link("a", "release.toml");
    let below = Item::file("a/b", "x");
    let twice = "it is there twice";
    let is_folder = "there is a folder of that name";
    both_refuse(&[file.clone(), file.clone()], "a", twice);
    both_refuse(&[file.clone(), Item::file("./a", "x")], "./a", twice);
    both_refuse(&[link.clone(), link.clone()], "a", twice);
    both_refuse(&[file.clone(), link.clone()], "a", twice);
    both_refuse(&[link.clone(), file.clone()], "a", twice);
    both_refuse(&[folder.clone(), folder.clone()], "a/", twice);
    both_refuse(&[file.clone(), folder.clone()], "a/", twice);
    both_refuse(&[link.clone(), folder.clone()], "a/", twice);
    both_refuse(&[folder.clone(), file.clone()], "a", is_folder);
    both_refuse(&[folder, link.clone()], "a", is_folder);
    both_refuse(&[below.clone(), link.clone()], "a", is_folder);
    both_refuse(
        &[file, below.clone()],
        "a/b",
        "a folder on its path is a file",
    );
    both_refuse(
        &[link, below],
        "a/b",
        "a folder on its path is a symbolic link",
    );
    for name in [".", "b/", "b/.", "./"] {
        both_refuse(
            &[Item::file(name, "x")],
            name,
            "only a folder's name ends in / or /.",
        );
        both_refuse(
            &[Item::link(name, "x")],
            name,
            "only a folder's name ends in / or /.",
        );
    }
}

#[test]
fn a_link_that_leads_out_is_refused() {
    let out = "a link may not lead out of the bundle";
    for (at, target, mistake) in [
        ("l", "..", out),
        ("l", "../etc", out),
        ("a/l", "../../etc", out),
        ("a/b/c/l", "../../../../x", out),
        ("l", "/etc", "a link may not lead to an absolute path"),
        (
            "l",
            "x/../y",
            "a link may have .. only where its path begins",
        ),
        (
            "l",
            "",
            "a link has to lead to a path, in UTF-8 and without backslashes and control characters",
        ),
    ] {
        both_refuse(&[Item::link(at, target)], at, mistake);
    }
    // Each is inside by itself; by way of the first one, the second would be outside.
    let chain = [Item::link("a/up", ".."), Item::link("l", "a/up/../x")];
    both_refuse(&chain, "l", "a link may have .. only where its path begins");
}

#[test]
fn links_are_followed_by_nothing_that_is_written() {
    // The second would go through the first, whichever of them comes first.
    let link = Item::link("a", "b");
    let file = Item::file("a/x", "x");
    both_refuse(
        &[link.clone(), file.clone()],
        "a/x",
        "a folder on its path is a symbolic link",
    );
    both_refuse(&[file, link], "a", "there is a folder of that name");
}

#[test]
fn a_bundle_needs_a_release_file_at_its_root() {
    let none = "has no release.toml at its root";
    for items in [
        vec![],
        vec![Item::file("a/release.toml", RELEASE)],
        vec![Item::folder("release.toml/")],
        vec![
            Item::file("other.toml", RELEASE),
            Item::link("release.toml", "other.toml"),
        ],
    ] {
        for (name, bytes) in both(&items) {
            assert_eq!(refused(name, &bytes), format!("{name} {none}"));
        }
    }
}

#[test]
fn a_broken_release_file_is_shown_with_its_place() {
    let text = "app = 'site'\ntag = '7'\ncontext = 'current'";
    let items = [
        Item::file("release.toml", text),
        Item::folder("web/"),
        Item::link("current", "web"),
    ];
    for (name, bytes) in both(&items) {
        let sentence = refused(name, &bytes);
        let begin = format!(
            "{name} has a mistake in it: release.toml:3:11: `context`: the bundle has no folder `current`\n"
        );
        assert!(sentence.starts_with(&begin), "{sentence}");
    }
    for (contents, part) in [
        (&b"app = 'site"[..], "release.toml:1:"),
        (b"app = '\xff'", "release.toml: line 1 is neither UTF-8"),
    ] {
        for (name, bytes) in both(&[Item::of_contents("release.toml", contents)]) {
            let sentence = refused(name, &bytes);
            assert!(sentence.contains(part), "{sentence}");
        }
    }
}

#[test]
fn a_mistake_of_the_bundle_is_told_from_one_of_the_machine() {
    let (_folder, opened) = open_within("a.zip", b"", &BundleLimits::default());
    let error = Error::from(opened.unwrap_err());
    assert_eq!(error.exit, Exit::Usage);
    assert_eq!(
        error.message,
        "a.zip cannot be read: it has no directory at its end, as each zip file has"
    );

    let folder = TempDir::new().unwrap();
    let missing = open(
        &folder.path().join("no"),
        "a.zip",
        folder.path(),
        &BundleLimits::default(),
    );
    let missing = missing.unwrap_err();
    assert!(missing.is_of_this_machine());
    let error = Error::from(missing);
    assert_eq!(error.exit, Exit::Failed);
    assert!(error.causes[0].contains("No such file"), "{error}");
}

#[test]
fn the_folder_has_to_be_empty_and_there() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("upload");
    let [(name, bytes), _] = both(&[Item::file("release.toml", RELEASE)]);
    fs::write(&file, bytes).unwrap();
    // It may be a link that leads anywhere by now.
    symlink("/", folder.path().join("release.toml")).unwrap();
    let limits = BundleLimits::default();
    let error = open(&file, name, folder.path(), &limits).unwrap_err();
    assert!(error.to_string().ends_with("is not empty"), "{error}");
    let error = open(&file, name, &folder.path().join("no"), &limits).unwrap_err();
    assert!(error.is_of_this_machine(), "{error}");
}
