//! Resolves the paths that BuildKit asks for.
//!
//! BuildKit names the paths that a Dockerfile copies; a path may go through
//! symbolic links, whose targets must then be sent as well. A link that leads
//! above the root ends at the root, as it will inside the build.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::dockerignore::{clean, name_fits};

/// Linux follows this many links in one path.
const MAX_LINKS: usize = 40;

/// The patterns that cover `paths` (which may contain wildcards) and every link and
/// target on the way. Empty if one of them is the root: then everything is wanted.
pub(super) fn follow(root: &Path, paths: &[String]) -> Vec<String> {
    let mut found = FollowedPaths {
        root,
        asked: BTreeSet::new(),
        patterns: BTreeSet::new(),
    };
    for path in paths {
        found.add(path, 0);
    }
    if found.patterns.contains("") {
        return Vec::new();
    }
    found.patterns.into_iter().collect()
}

struct FollowedPaths<'a> {
    root: &'a Path,
    /// Every path that was looked at, so that none is looked at twice.
    asked: BTreeSet<String>,
    patterns: BTreeSet<String>,
}

impl FollowedPaths<'_> {
    fn add(&mut self, path: &str, links: usize) {
        let path = clean(&format!("/{path}"));
        if links > MAX_LINKS || !self.asked.insert(path.clone()) {
            return;
        }
        let mut current = String::new();
        let mut rest = path.trim_start_matches('/');
        while !rest.is_empty() {
            let (name, after) = rest.split_once('/').unwrap_or((rest, ""));
            let targets = self.targets(&current, name);
            current = join(&current, name);
            rest = after;
            if !targets.is_empty() {
                for target in targets {
                    self.add(&join(&target, rest), links + 1);
                }
                break;
            }
        }
        // The whole path, or the link on the way.
        self.patterns.insert(current);
    }

    /// The targets of the links in `parent` that match `name`.
    fn targets(&self, parent: &str, name: &str) -> Vec<String> {
        if !name.contains(['*', '?', '[']) {
            return self.target(parent, name).into_iter().collect();
        }
        let Ok(children) = fs::read_dir(self.root.join(parent)) else {
            return Vec::new();
        };
        children
            .flatten()
            .filter_map(|child| child.file_name().into_string().ok())
            .filter(|child| name_fits(name, child))
            .filter_map(|child| self.target(parent, &child))
            .collect()
    }

    fn target(&self, parent: &str, name: &str) -> Option<String> {
        let target = fs::read_link(self.root.join(parent).join(name)).ok()?;
        let target = target.to_str()?;
        Some(if target.starts_with('/') {
            clean(target)
        } else {
            clean(&format!("/{parent}/{target}"))
        })
    }
}

/// A name after a folder; the root is the empty folder.
fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", path) | (path, "") => path.to_owned(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::follow;

    fn links(links: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (link, target) in links {
            let path = root.path().join(link);
            std::fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
            symlink(target, path).expect("a link");
        }
        root
    }

    fn followed(root: &tempfile::TempDir, paths: &[&str]) -> Vec<String> {
        let paths: Vec<_> = paths.iter().map(|path| (*path).to_owned()).collect();
        follow(root.path(), &paths)
    }

    #[test]
    fn plain_paths_are_themselves() {
        let root = links(&[]);
        assert_eq!(followed(&root, &["/b", "a/./x/"]), ["a/x", "b"]);
        assert_eq!(followed(&root, &["a*", "b/../c"]), ["a*", "c"]);
    }

    #[test]
    fn the_root_is_everything() {
        let root = links(&[("self", ".")]);
        assert!(followed(&root, &["a", "/"]).is_empty());
        assert!(followed(&root, &["."]).is_empty());
        assert!(followed(&root, &["self"]).is_empty());
    }

    #[test]
    fn links_are_followed_wherever_they_are() {
        let root = links(&[
            ("current", "releases/2"),
            ("releases/2/conf", "../../shared/conf"),
            ("abs", "/shared"),
            ("up", "../../../etc"),
        ]);
        assert_eq!(followed(&root, &["current"]), ["current", "releases/2"]);
        assert_eq!(
            followed(&root, &["current/conf/app.toml"]),
            ["current", "releases/2/conf", "shared/conf/app.toml"]
        );
        assert_eq!(
            followed(&root, &["current/a", "current/b"]),
            ["current", "releases/2/a", "releases/2/b"]
        );
        assert_eq!(followed(&root, &["abs/x"]), ["abs", "shared/x"]);
        assert_eq!(followed(&root, &["up"]), ["etc", "up"]);
    }

    #[test]
    fn wildcards_find_links() {
        let root = links(&[("v1.txt", "data/one"), ("v2.txt", "data/two"), ("w", "x")]);
        assert_eq!(
            followed(&root, &["v*.txt"]),
            ["data/one", "data/two", "v*.txt"]
        );
    }

    #[test]
    fn circles_end() {
        let root = links(&[("a", "b"), ("b", "a"), ("deeper", "deeper/deeper")]);
        assert_eq!(followed(&root, &["a/x"]), ["a", "b"]);
        assert_eq!(followed(&root, &["deeper"]), ["deeper"]);
    }
}
