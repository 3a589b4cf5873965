use super::{BadPattern, Hits, Patterns, clean, name_fits};

/// The verdict of a walk from the root down to `path`.
fn matched(patterns: &[&str], path: &str) -> bool {
    let patterns = Patterns::new(patterns).expect("the patterns are well-formed");
    let mut parent = Hits::default();
    let mut matched = false;
    for (end, _) in path.match_indices('/').chain([(path.len(), "")]) {
        let mut own = Hits::default();
        matched = patterns.judge(&path[..end], &parent, &mut own);
        parent = own;
    }
    matched
}

#[track_caller]
fn check(cases: &[(&[&str], &str, bool)]) {
    for (patterns, path, expected) in cases {
        assert_eq!(
            matched(patterns, path),
            *expected,
            "{patterns:?} on {path:?}"
        );
    }
}

#[test]
fn names_and_wildcards() {
    check(&[
        (&["abc.def"], "abc.def", true),
        (&["abc.def"], "abcdef", false),
        (&["abc.def"], "abcZdef", false),
        (&["abc?def"], "abcZdef", true),
        (&["abc?def"], "abcdef", false),
        (&["abc?def"], "abc/def", false),
        (&["a?b"], "a☺b", true),
        (&["*"], "a", true),
        (&["*"], "a/b", true), // its folder is matched
        (&["*.go"], "x.go", true),
        (&["*.go"], "a/x.go", false), // Docker's, not Git's
        (&["a/*.txt"], "a/file.txt", true),
        (&["a/*.txt"], "a/dir/file.txt", false),
        (&["*/temp*"], "somedir/temporary.txt", true),
        (&["*/*/temp*"], "somedir/subdir/temporary.txt", true),
        (&["temp?"], "tempa", true),
        (&[".*"], ".foo", true),
        (&[".*"], "foo", false),
        (&["a*b?c*x"], "abxbbxdbxebxczzx", true),
        (&["a*b?c*x"], "abxbbxdbxebxczzy", false),
    ]);
}

#[test]
fn classes_and_escapes() {
    check(&[
        (&["a[b-d]e"], "ace", true),
        (&["a[b-d]e"], "aae", false),
        (&["a[b-d]e"], "ae", false),
        (&["a[^b-d]e"], "aze", true),
        (&["a[^b-d]e"], "ace", false),
        (&["[a-ζ]*"], "α", true),
        (&["*[a-ζ]"], "A", false),
        (&["[x&]y"], "&y", true),
        (&["[[a]"], "[", true),
        (&[r"a\*b"], "a*b", true),
        (&[r"a\*b"], "ab", false),
        (&[r"[\]a]"], "]", true),
        (&[r"[\-x]"], "-", true),
        (&[r"a\\"], r"a\", true),
        (&["a<b>"], "a<b>", true),
        (&["a*<b>"], "a<b>", true),
        (&["a.|)$(}+{bc"], "a.|)$(}+{bc", true),
        (
            &["dist/*.whl"],
            "dist/proxy.py-2.4.0rc3.dev36+g08acad9.whl",
            true,
        ),
    ]);
}

#[test]
fn double_stars() {
    check(&[
        (&["**"], "file", true),
        (&["**/"], "dir/file", true),
        (&["**/**"], "dir/file", true),
        (&["dir/**"], "dir", false),
        (&["dir/**"], "dir/dir2/file", true),
        (&["**/dir"], "dir", true),
        (&["**/dir"], "dir/file", true),
        (&["**/dir"], "x/y/dir/file", true),
        (&["**/dir2/*"], "dir/dir2/file", true),
        (&["**/dir2/**"], "dir/dir2/dir3/file", true),
        (&["**file"], "dir/dir/file", true),
        (&["**file"], "myfile", true),
        (&["**/file"], "myfile", false),
        (&["**/.foo"], "bar.foo", false),
        (&["**/file*.txt*"], "dir/dir/file.txt", true),
        (&["**/**/*.txt"], "file.txt", true),
        (&["**/*.go"], "a/b/c.go", true),
        (&["a**/*.txt"], "a/dir/dir/file.txt", true),
        (&["a/**/b"], "a/b", true),
        (&["a/**/b"], "a/x/y/b", true),
        (&["a/**/b"], "a/xb", false),
        (&["a/*.txt**"], "a/file.txt.gz", true),
    ]);
}

#[test]
fn the_last_match_wins() {
    check(&[
        (&["*.md", "!README.md"], "README.md", false),
        (&["*.md", "!README.md"], "other.md", true),
        (
            &["*.md", "!README*.md", "README-secret.md"],
            "README-secret.md",
            true,
        ),
        (
            &["*.md", "!README*.md", "README-secret.md"],
            "README-open.md",
            false,
        ),
        (
            &["*.md", "README-secret.md", "!README*.md"],
            "README-secret.md",
            false,
        ),
        (&["!a.go", "*.go"], "a.go", true),
        (&["docs", "!docs/README.md"], "docs/README.md", false),
        (&["docs", "!docs/README.md"], "docs/other.md", true),
        (&["docs/", "!docs/README.md"], "docs/README.md", false),
        (&["docs/*", "!docs/README.md"], "docs/README.md", false),
        (&["**", "!util/docker/web"], "util/docker/web/foo", false),
        (
            &["**", "!util/docker/web", "util/docker/web/foo"],
            "util/docker/web/foo",
            true,
        ),
        (&["*", "!src", "src/target"], "src/target/x", true),
        (&["*", "!src", "src/target"], "src/main.rs", false),
        // As in BuildKit: `!a` changed nothing at `a`, so it is not remembered.
        (&["!a", "a/b"], "a/b", true),
    ]);
}

#[test]
fn patterns_are_cleaned() {
    check(&[
        (&["docs/"], "docs/x", true),
        (&["./docs//x"], "docs/x", true),
        (&["a/../docs"], "docs", true),
        (&["  docs  ", ""], "docs", true),
        (&["*", "!docs/"], "docs/x", false),
    ]);
    assert_eq!(clean(""), ".");
    assert_eq!(clean("/../a/./b/"), "/a/b");
    assert_eq!(clean("../../a"), "../../a");
    assert!(
        Patterns::new([" ", ""])
            .expect("nothing to refuse")
            .is_empty()
    );
}

#[test]
fn malformed_patterns_are_refused() {
    for pattern in [
        "!", "[", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[^", r"[a\", r"a\",
    ] {
        assert_eq!(
            Patterns::new([pattern]).err(),
            Some(BadPattern(pattern.to_owned())),
            "{pattern}"
        );
    }
}

#[test]
fn a_folder_is_entered_only_for_a_negation_that_could_match_below() {
    let below = |patterns: &[&str], folder: &str| {
        Patterns::new(patterns)
            .expect("the patterns are well-formed")
            .may_match_below(folder, true)
    };
    assert!(!below(&["node_modules"], "node_modules"));
    assert!(!below(&["*", "!src"], "node_modules"));
    assert!(!below(&["*", "!src/keep"], "node_modules"));
    assert!(!below(&["*", "!src/keep"], "src/keep"));
    assert!(!below(&["*", "!src/*/x"], "src/a/x"));
    assert!(below(&["*", "!src/keep"], "src"));
    assert!(below(&["*", "!*/keep"], "anything"));
    assert!(!below(&["*", "!*/keep"], "any/thing"));
    assert!(below(&["*", "!**/keep"], "any/thing/at/all"));
    assert!(below(&["*", "!a/**"], "a/b/c"));
}

#[test]
fn a_name_fits_a_component() {
    assert!(name_fits("v*.txt", "v1.txt"));
    assert!(!name_fits("v*.txt", "w1.txt"));
    assert!(!name_fits("[", "["));
}
