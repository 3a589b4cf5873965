//! The paths in a bundle: a value of this type cannot lead out of the bundle, whoever
//! wrote the archive and however it was read.

use super::error::EntryMistake;
use super::limits::BundleLimits;

/// From the bundle's root, with `/` between its parts; empty for the root itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BundlePath(String);

/// An entry's name in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EntryName {
    pub(super) path: BundlePath,
    /// Whether it ends in `/` or `/.`, which is allowed for folders.
    pub(super) is_of_a_folder: bool,
}

impl EntryName {
    /// A part that is `.` is dropped.
    pub(super) fn read(name: &[u8], limits: &BundleLimits) -> Result<Self, EntryMistake> {
        if name.is_empty() {
            return Err(EntryMistake::NoName);
        }
        if name.len() > limits.path {
            let limit = limits.path;
            return Err(EntryMistake::LongPath { limit });
        }
        let name = std::str::from_utf8(name).map_err(|_| EntryMistake::NotUtf8)?;
        if name.chars().any(char::is_control) {
            return Err(EntryMistake::Control);
        }
        if is_absolute(name) {
            return Err(EntryMistake::Absolute);
        }
        if name.contains('\\') {
            return Err(EntryMistake::Backslash);
        }
        let without = name.strip_suffix('/');
        let mut parts = Vec::new();
        for part in without.unwrap_or(name).split('/') {
            match part {
                "" => return Err(EntryMistake::EmptyPart),
                ".." => return Err(EntryMistake::Outside),
                "." => {}
                part => parts.push(fitting(part, limits)?),
            }
        }
        if parts.len() > limits.depth {
            let limit = limits.depth;
            return Err(EntryMistake::Deep { limit });
        }
        Ok(Self {
            path: BundlePath(parts.join("/")),
            is_of_a_folder: without.is_some() || name.rsplit('/').next() == Some("."),
        })
    }
}

impl BundlePath {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The folders above it, outermost first, without the root.
    pub(super) fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(at, _)| &self.0[..at])
    }

    /// The target of a link at this place, if that is in the bundle.
    ///
    /// `..` is only allowed at the beginning: there it goes up from the folders that
    /// contain the link, and these are not links. After a name that is a link, `..` would
    /// go up from wherever that leads.
    pub(super) fn link_to<'a>(
        &self,
        target: &'a [u8],
        limits: &BundleLimits,
    ) -> Result<&'a str, EntryMistake> {
        if target.len() > limits.path {
            let limit = limits.path;
            return Err(EntryMistake::LinkLong { limit });
        }
        let text = std::str::from_utf8(target).map_err(|_| EntryMistake::LinkTarget)?;
        if is_absolute(text) {
            return Err(EntryMistake::LinkAbsolute);
        }
        if text.is_empty() || text.contains('\\') || text.chars().any(char::is_control) {
            return Err(EntryMistake::LinkTarget);
        }
        let mut above = self.folders().count();
        let mut goes_down = false;
        for part in text.split('/') {
            match part {
                "" | "." => {}
                ".." if goes_down => return Err(EntryMistake::LinkDots),
                ".." => above = above.checked_sub(1).ok_or(EntryMistake::LinkOutside)?,
                part => {
                    fitting(part, limits)?;
                    goes_down = true;
                }
            }
        }
        Ok(text)
    }
}

fn fitting<'a>(part: &'a str, limits: &BundleLimits) -> Result<&'a str, EntryMistake> {
    let limit = limits.part;
    match part.len() <= limit {
        true => Ok(part),
        false => Err(EntryMistake::LongPart { limit }),
    }
}

/// On any system: `/a`, `C:\a`, `\\server\a`.
fn is_absolute(path: &str) -> bool {
    let is_drive = matches!(path.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    is_drive || path.starts_with(['/', '\\'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: BundleLimits = BundleLimits {
        file: 0,
        unpacked: 0,
        entries: 0,
        path: 12,
        part: 5,
        depth: 4,
    };

    fn read(name: &[u8]) -> Result<EntryName, EntryMistake> {
        EntryName::read(name, &LIMITS)
    }

    #[test]
    fn a_name_is_a_path_in_the_bundle() {
        for (name, path, is_of_a_folder) in [
            ("a", "a", false),
            ("a/b", "a/b", false),
            ("a/b/", "a/b", true),
            ("./a", "a", false),
            ("a/./b", "a/b", false),
            ("./", "", true),
            (".", "", true),
            ("a/.", "a", true),
            ("...", "...", false),
            ("a..b", "a..b", false),
            ("ä/ö", "ä/ö", false),
            (" ", " ", false),
        ] {
            let found = read(name.as_bytes()).unwrap();
            assert_eq!(
                (found.path.as_str(), found.is_of_a_folder),
                (path, is_of_a_folder),
                "{name}"
            );
        }
        let found = read(b"a/b/c").unwrap();
        assert_eq!(found.path.folders().collect::<Vec<_>>(), ["a", "a/b"]);
    }

    #[test]
    fn a_name_that_is_no_path_in_the_bundle_is_refused() {
        for (name, mistake) in [
            (&b""[..], EntryMistake::NoName),
            (b"/a", EntryMistake::Absolute),
            (b"//a", EntryMistake::Absolute),
            (b"C:\\a", EntryMistake::Absolute),
            (b"c:a", EntryMistake::Absolute),
            (b"\\\\srv\\a", EntryMistake::Absolute),
            (b"\\a", EntryMistake::Absolute),
            (b"..", EntryMistake::Outside),
            (b"../a", EntryMistake::Outside),
            (b"a/../b", EntryMistake::Outside),
            (b"a/..", EntryMistake::Outside),
            (b"a/../", EntryMistake::Outside),
            (b"./../a", EntryMistake::Outside),
            (b"a\\b", EntryMistake::Backslash),
            (b"..\\a", EntryMistake::Backslash),
            (b"a//b", EntryMistake::EmptyPart),
            (b"a//", EntryMistake::EmptyPart),
            (b"a\0b", EntryMistake::Control),
            (b"a\nb", EntryMistake::Control),
            (b"a\x1b[2J", EntryMistake::Control),
            (b"a\x7f", EntryMistake::Control),
            ("a\u{85}".as_bytes(), EntryMistake::Control),
            (b"a\xff", EntryMistake::NotUtf8),
            (b"\xc0\xae\xc0\xae/a", EntryMistake::NotUtf8),
        ] {
            let shown = String::from_utf8_lossy(name);
            assert_eq!(read(name).unwrap_err(), mistake, "{shown}");
        }
    }

    #[test]
    fn a_path_is_as_long_as_it_may_be_and_no_longer() {
        for (fits, does_not, mistake) in [
            (
                "aaa/bbbb/ccc",
                "aaaa/bbbb/ccc",
                EntryMistake::LongPath { limit: 12 },
            ),
            ("aaaaa", "aaaaaa", EntryMistake::LongPart { limit: 5 }),
            (
                "a/b/ccccc",
                "a/b/cccccc",
                EntryMistake::LongPart { limit: 5 },
            ),
            ("a/b/c/d", "a/b/c/d/e", EntryMistake::Deep { limit: 4 }),
        ] {
            assert!(read(fits.as_bytes()).is_ok(), "{fits}");
            assert_eq!(read(does_not.as_bytes()).unwrap_err(), mistake);
        }
    }

    #[test]
    fn a_link_leads_to_what_is_in_the_bundle() {
        let link = |target: &str| {
            let at = read(b"a/b/l").unwrap().path;
            at.link_to(target.as_bytes(), &LIMITS).map(str::to_owned)
        };
        for target in [
            "x", "x/y", "./x", "..", "../x", "../..", "../../x", "x/", "x//y", ".",
        ] {
            assert_eq!(link(target).as_deref(), Ok(target));
        }
        for (target, mistake) in [
            ("", EntryMistake::LinkTarget),
            ("a\\b", EntryMistake::LinkTarget),
            ("a\0", EntryMistake::LinkTarget),
            ("/", EntryMistake::LinkAbsolute),
            ("/etc", EntryMistake::LinkAbsolute),
            ("C:\\x", EntryMistake::LinkAbsolute),
            ("../../..", EntryMistake::LinkOutside),
            (".././../..", EntryMistake::LinkOutside),
            ("x/..", EntryMistake::LinkDots),
            ("../x/../y", EntryMistake::LinkDots),
            ("aaaaaa", EntryMistake::LongPart { limit: 5 }),
            ("aaa/bbbb/cccc", EntryMistake::LinkLong { limit: 12 }),
        ] {
            assert_eq!(link(target).unwrap_err(), mistake, "{target}");
        }
        let at_root = read(b"l").unwrap().path;
        assert!(at_root.link_to(b"..", &LIMITS).is_err());
        assert!(at_root.link_to(b"\xff", &LIMITS).is_err());
    }
}
