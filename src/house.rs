//! Tests of the structure, read from the sources: which part may use which other part,
//! and that no two types share a name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may be known by all: they know nothing of what bgecs does.
const PLAIN: &[&str] = &[
    "counted",
    "hex",
    "hidden",
    "nearest",
    "shell",
    "spoken_time",
    "text",
    "trust",
];

/// What a part may know beside itself and [`PLAIN`].
const ARROWS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("bundle", &["model", "config", "error"]),
    ("config", &["model", "error"]),
    ("error", &["model"]),
    ("interrupt", &["error"]),
    ("engine", &["model", "config", "error"]),
    ("aws", &["model", "error"]),
    ("docker", &["model", "error"]),
    ("probe", &["model", "error"]),
    ("report", &["model", "engine", "error"]),
];
/// Those that may know any but these.
const ONLY_MAIN: &[&str] = &["commands", "cli"];

/// Crates that are a part's own.
const FOREIGN: &[(&str, &[&str])] = &[
    ("model", &["clap", "tokio", "aws_", "bollard", "hyper"]),
    ("engine", &["clap", "tokio", "aws_", "bollard", "hyper"]),
    ("aws", &["clap", "bollard"]),
    ("bundle", &["clap", "tokio", "aws_", "bollard", "hyper"]),
    ("docker", &["clap", "aws_"]),
    ("probe", &["clap", "aws_", "bollard"]),
    ("driver", &["clap", "bollard"]),
];

#[test]
fn no_two_types_have_one_name() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for path in files(&source) {
        let text = std::fs::read_to_string(&path).unwrap();
        for name in types_of(without_tests(&text)) {
            *places.entry(name).or_default() += 1;
        }
    }
    let shared: Vec<&str> = places
        .iter()
        .filter(|(_, count)| **count > 1)
        .map(|(name, _)| name.as_str())
        .collect();
    assert!(shared.is_empty(), "names of two types: {shared:?}");
}

/// Those that stand at the margin: an associated type is named by its trait.
fn types_of(text: &str) -> Vec<String> {
    let name = |line: &str| {
        let line = match line.strip_prefix("pub") {
            Some(rest) => rest.split_once(' ')?.1,
            None => line,
        };
        let (kind, rest) = line.split_once(' ')?;
        let is_type = ["struct", "enum", "trait"].contains(&kind);
        is_type.then(|| rest.chars().take_while(|c| c.is_alphanumeric()).collect())
    };
    text.lines().filter_map(name).collect()
}

/// What a file tests itself with comes last.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(text)
}

#[test]
fn every_arrow_points_one_way() {
    let found = broken();
    assert!(found.is_empty(), "arrows that must not be: {found:#?}");
}

fn broken() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeSet::new();
    for path in files(&source) {
        let place = path.strip_prefix(&source).unwrap().with_extension("");
        let part = place.iter().next().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let text = without_tests(&text);
        for to in known_by(text) {
            if !may_know(&part, &to) {
                found.insert(format!("{part} -> {to}"));
            }
        }
        let foreign = FOREIGN.iter().filter(|(of, _)| *of == part);
        for name in foreign.flat_map(|(_, names)| *names) {
            if uses(text, name) {
                found.insert(format!("{part} -> {name}"));
            }
        }
    }
    found
}

fn may_know(part: &str, other: &str) -> bool {
    if part == other || PLAIN.contains(&other) || matches!(part, "main" | "commands") {
        return true;
    }
    match ARROWS.iter().find(|(of, _)| *of == part) {
        Some((_, known)) => known.contains(&other),
        None => !ONLY_MAIN.contains(&other),
    }
}

/// The parts of which a text names something, by `crate::part`.
fn known_by(text: &str) -> BTreeSet<String> {
    assert!(!text.contains("use crate::{"), "one part a line");
    let mut parts = text.split("crate::");
    parts.next();
    parts
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                .collect()
        })
        .filter(|part: &String| !part.is_empty())
        .collect()
}

/// Whether code, and not a comment, names something of a crate.
fn uses(text: &str, name: &str) -> bool {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with("//"))
        .any(|line| {
            let code = line.strip_prefix("use ").unwrap_or(line);
            let is_used = |at: usize| {
                let before = code[..at].chars().next_back();
                let rest =
                    code[at..].trim_start_matches(|c: char| c.is_ascii_lowercase() || c == '_');
                rest.starts_with("::")
                    && !before.is_some_and(|c| c.is_alphanumeric() || "_:\"/".contains(c))
            };
            code.match_indices(name).any(|(at, _)| is_used(at))
        })
}

/// All that is no test's.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let is_for_tests = [
            "tests",
            "testing",
            "capture",
            "accuracy",
            "house",
            "sequences",
        ]
        .contains(&name)
            || name.starts_with("tests_");
        if is_for_tests {
            continue;
        }
        if path.is_dir() {
            all.extend(files(&path));
        } else if path.extension().is_some_and(|it| it == "rs") {
            all.push(path);
        }
    }
    all
}

#[test]
fn what_a_text_names_is_found() {
    let types = "pub(super) struct A<'a> {\npub enum B {\ntrait C: D {\n    struct E;\nfn f() {";
    assert_eq!(types_of(types), ["A", "B", "C"]);
    let text = "use crate::model::Color;\nfn it() { crate::aws::ask() }";
    assert_eq!(known_by(text), ["aws", "model"].map(str::to_owned).into());
    assert!(uses("use tokio::time;", "tokio") && uses("    aws_types::Region", "aws_"));
    assert!(!uses("// use tokio::time;", "tokio") && !uses("let tokio_is = 1;", "tokio"));
    assert!(!may_know("driver", "cli") && may_know("driver", "aws"));
    assert!(!may_know("model", "engine") && may_know("engine", "model"));
}
