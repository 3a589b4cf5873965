use std::fs;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::{ContextEntry, DockerError, EntryKind, Selection, walk};
use crate::docker::dockerignore::Patterns;

fn tree(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = root.path().join(file);
        if file.ends_with('/') {
            fs::create_dir_all(path).expect("a folder");
        } else {
            fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            fs::write(path, file).expect("a file");
        }
    }
    root
}

fn selection(include: &[&str], exclude: &[&str]) -> Selection {
    Selection {
        include: Patterns::new(include).expect("well-formed"),
        exclude: Patterns::new(exclude).expect("well-formed"),
    }
}

fn entries(root: &Path, selection: &Selection) -> Result<Vec<ContextEntry>, DockerError> {
    let mut entries = Vec::new();
    walk(root, selection, &mut |entry| {
        entries.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok(entries)
}

fn paths(root: &Path, include: &[&str], exclude: &[&str]) -> Vec<String> {
    let entries = entries(root, &selection(include, exclude)).expect("all can be read");
    entries.into_iter().map(|entry| entry.path).collect()
}

#[test]
fn a_folder_comes_right_before_what_is_in_it() {
    let root = tree(&["b/x", "a.txt", "a/z", "a/B/c", "a-b", "Z"]);
    assert_eq!(
        paths(root.path(), &[], &[]),
        ["Z", "a", "a/B", "a/B/c", "a/z", "a-b", "a.txt", "b", "b/x"]
    );
}

#[test]
fn what_is_excluded_is_not_there() {
    let root = tree(&[
        "src/main.rs",
        "src/main.bak",
        "target/debug/x",
        ".git/HEAD",
        "a.bak",
    ]);
    assert_eq!(
        paths(root.path(), &[], &["target", ".git", "**/*.bak"]),
        ["src", "src/main.rs"]
    );
}

#[test]
fn what_is_brought_back_brings_its_folders() {
    let root = tree(&["docs/en/a.md", "docs/en/b.md", "docs/de/a.md", "x"]);
    assert_eq!(
        paths(root.path(), &[], &["docs", "!docs/en/a.md"]),
        ["docs", "docs/en", "docs/en/a.md", "x"]
    );
    assert_eq!(
        paths(root.path(), &[], &["*", "!docs/en", "docs/en/b.md"]),
        ["docs", "docs/en", "docs/en/a.md"]
    );
}

#[test]
fn only_what_is_included_is_taken() {
    let root = tree(&["src/a/x", "src/b/x", "other/x", "Dockerfile"]);
    assert_eq!(
        paths(root.path(), &["src/a", "Dockerfile"], &[]),
        ["Dockerfile", "src", "src/a", "src/a/x"]
    );
    assert_eq!(
        paths(root.path(), &["src"], &["**/x"]),
        ["src", "src/a", "src/b"]
    );
    assert_eq!(paths(root.path(), &["nothing"], &[]), Vec::<String>::new());
}

/// A name that no build may contain, so that reading it is an error: permissions do not
/// stop root, who runs many tests.
fn trap(folder: &Path) {
    fs::write(folder.join(std::ffi::OsStr::from_bytes(b"\xff")), "").expect("a file");
}

#[test]
fn an_excluded_folder_is_not_entered() {
    let root = tree(&["secret/", "open/x"]);
    trap(&root.path().join("secret"));
    let error = entries(root.path(), &selection(&[], &[])).expect_err("the trap is seen");
    assert!(matches!(error, DockerError::NotUtf8(_)), "{error}");
    assert_eq!(paths(root.path(), &[], &["secret"]), ["open", "open/x"]);
    assert_eq!(paths(root.path(), &["open"], &[]), ["open", "open/x"]);

    // Entered, because a `!` pattern may match below, but still not reported.
    assert_eq!(
        paths(root.path(), &[], &["secret", "!**/x"]),
        ["open", "open/x"]
    );

    fs::remove_dir_all(root.path().join("secret")).expect("removed");
    fs::write(root.path().join("closed"), "").expect("a file");
    fs::set_permissions(root.path().join("closed"), fs::Permissions::from_mode(0o0))
        .expect("closed");
    assert_eq!(paths(root.path(), &[], &["closed"]), ["open", "open/x"]);
}

#[test]
fn kinds_and_modes_are_kept_and_oddities_left_out() {
    let root = tree(&["run.sh", "dir/"]);
    let run = root.path().join("run.sh");
    fs::set_permissions(&run, fs::Permissions::from_mode(0o4755)).expect("set");
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_700_000_000, 5);
    fs::File::open(&run)
        .and_then(|file| file.set_modified(time))
        .expect("set");
    symlink("../elsewhere", root.path().join("link")).expect("a link");
    let socket = std::os::unix::net::UnixListener::bind(root.path().join("s.sock"));
    socket.expect("a socket");

    let entries = entries(root.path(), &Selection::default()).expect("all can be read");
    let [dir, link, run] = entries.as_slice() else {
        panic!("{entries:?}");
    };
    assert_eq!(
        (dir.path.as_str(), &dir.kind, dir.size),
        ("dir", &EntryKind::Folder, 0)
    );
    assert_eq!(link.kind, EntryKind::Link("../elsewhere".to_owned()));
    assert_eq!(
        *run,
        ContextEntry {
            path: "run.sh".to_owned(),
            kind: EntryKind::File,
            mode: 0o4755,
            size: 6,
            modified: 1_700_000_000_000_000_005,
        }
    );
}

#[test]
fn the_walk_ends_when_told() {
    let root = tree(&["a/b", "c"]);
    let mut seen = 0;
    walk(root.path(), &Selection::default(), &mut |_| {
        seen += 1;
        ControlFlow::Break(())
    })
    .expect("all can be read");
    assert_eq!(seen, 1);
}

#[test]
fn a_missing_root_is_empty_and_a_file_is_an_error() {
    let root = tree(&["file"]);
    assert_eq!(
        paths(&root.path().join("gone"), &[], &[]),
        Vec::<String>::new()
    );
    let file = root.path().join("file");
    let error = entries(&file, &Selection::default()).expect_err("it is no folder");
    assert_eq!(
        error.to_string(),
        format!("cannot read {} for the build", file.display())
    );
}
