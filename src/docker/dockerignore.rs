//! The patterns that choose what the engine gets to see of a folder.
//!
//! BuildKit itself reads `.dockerignore` (comments, blank lines, slashes, which file
//! takes precedence) and passes its patterns on; this module decides what they match, as
//! Docker does: Go's `filepath.Match` with `**`, the last match wins, and a match on a
//! folder applies to everything below it. It touches no file. `globset` and `ignore` do
//! not fit: they give `**`, `!` and parent folders Git's meaning, which is different.

use regex_lite::Regex;

/// A pattern whose syntax Go's `filepath.Match` refuses.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadPattern(pub(super) String);

/// Patterns in the order of their file.
#[derive(Debug, Default)]
pub(super) struct Patterns(Vec<Pattern>);

impl Patterns {
    pub(super) fn new<S: AsRef<str>>(
        lines: impl IntoIterator<Item = S>,
    ) -> Result<Self, BadPattern> {
        let patterns = lines
            .into_iter()
            .map(|line| line.as_ref().trim().to_owned())
            .filter(|line| !line.is_empty())
            .map(|line| Pattern::new(&line).ok_or(BadPattern(line)));
        patterns.collect::<Result<_, _>>().map(Self)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `path` is matched, given the `hits` of its parent folder; the path's own
    /// hits, for its children, replace the contents of `own`.
    ///
    /// A pattern that could not change the outcome is not tried, and counts as
    /// no hit. That is observable below (`!a` before a pattern that matches
    /// only `a/b` does not bring `a/b` back), so it must stay as it is.
    pub(super) fn judge(&self, path: &str, parent: &Hits, own: &mut Hits) -> bool {
        let mut matched = false;
        own.0.clear();
        for (index, pattern) in self.0.iter().enumerate() {
            let inherited = parent.0.get(index).copied().unwrap_or(false);
            let hit = inherited || (pattern.negated == matched && pattern.matcher.matches(path));
            own.0.push(hit);
            if hit {
                matched = !pattern.negated;
            }
        }
        matched
    }

    /// Whether a pattern (a `negated` one or a plain one) could match
    /// something below `folder`. Errs on the side of yes.
    pub(super) fn may_match_below(&self, folder: &str, negated: bool) -> bool {
        self.0
            .iter()
            .any(|pattern| pattern.negated == negated && pattern.may_match_below(folder))
    }
}

/// Which patterns matched a folder or one of its parents.
#[derive(Debug, Clone, Default)]
pub(super) struct Hits(Vec<bool>);

#[derive(Debug)]
struct Pattern {
    negated: bool,
    text: String,
    matcher: Matcher,
}

impl Pattern {
    /// `None` if the syntax is wrong.
    fn new(line: &str) -> Option<Self> {
        let cleaned = clean(line);
        let (negated, text) = match cleaned.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, cleaned.as_str()),
        };
        if text.is_empty() {
            return None;
        }
        Some(Self {
            negated,
            text: text.to_owned(),
            matcher: Matcher::new(text)?,
        })
    }

    fn may_match_below(&self, folder: &str) -> bool {
        let mut pattern = self.text.split('/');
        for name in folder.split('/') {
            match pattern.next() {
                None => return false,
                Some(part) if part.contains("**") => return true,
                Some(part) if part.contains(['*', '?', '[', '\\']) => {}
                Some(part) if part == name => {}
                Some(_) => return false,
            }
        }
        pattern.next().is_some()
    }
}

/// The compiled form of a pattern. The first three cover most patterns, and need no
/// regular expression.
#[derive(Debug)]
enum Matcher {
    Exact(String),
    Prefix(String),
    /// `**/name` or `**name`.
    Suffix(String),
    Regex(Regex),
}

impl Matcher {
    fn new(pattern: &str) -> Option<Self> {
        let plain = |text: &str| !text.contains(['*', '?', '[', ']', '\\']);
        if plain(pattern) {
            return Some(Self::Exact(pattern.to_owned()));
        }
        if let Some(rest) = pattern.strip_prefix("**").filter(|rest| plain(rest)) {
            return Some(Self::Suffix(rest.to_owned()));
        }
        if let Some(rest) = pattern.strip_suffix("**").filter(|rest| plain(rest)) {
            return Some(Self::Prefix(rest.to_owned()));
        }
        Regex::new(&translate(pattern)?).ok().map(Self::Regex)
    }

    fn matches(&self, path: &str) -> bool {
        match self {
            Self::Exact(text) => path == text,
            Self::Prefix(prefix) => path.starts_with(prefix),
            Self::Suffix(suffix) => {
                path.ends_with(suffix) || suffix.strip_prefix('/').is_some_and(|name| path == name)
            }
            Self::Regex(regex) => regex.is_match(path),
        }
    }
}

/// Whether a single name (no slash in it) fits a pattern of one component.
pub(super) fn name_fits(pattern: &str, name: &str) -> bool {
    Matcher::new(pattern).is_some_and(|matcher| matcher.matches(name))
}

/// The regular expression for a pattern; `None` if the pattern is malformed.
fn translate(pattern: &str) -> Option<String> {
    let mut regex = String::from("^");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                // `**/` is `**`: any number of folders, none included.
                chars.next_if_eq(&'/');
                regex.push_str(match chars.peek() {
                    None => ".*",
                    Some(_) => "(.*/)?",
                });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => translate_class(&mut chars, &mut regex)?,
            '\\' => push_literal(&mut regex, chars.next()?),
            c => push_literal(&mut regex, c),
        }
    }
    regex.push('$');
    Some(regex)
}

/// A class after its `[`: `^` negates, `\` escapes, `-` makes ranges.
fn translate_class(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    regex: &mut String,
) -> Option<()> {
    fn member(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<char> {
        match chars.next()? {
            '\\' => chars.next(),
            '-' | ']' => None,
            c => Some(c),
        }
    }
    regex.push('[');
    if chars.next_if_eq(&'^').is_some() {
        regex.push('^');
    }
    let mut empty = true;
    while empty || chars.peek() != Some(&']') {
        empty = false;
        let low = member(chars)?;
        push_literal(regex, low);
        if chars.next_if_eq(&'-').is_some() {
            regex.push('-');
            push_literal(regex, member(chars)?);
        }
    }
    chars.next();
    regex.push(']');
    Some(())
}

fn push_literal(regex: &mut String, c: char) {
    // Not all punctuation is escaped: `\<` would mean the start of a word.
    if r"\.+*?()|[]{}^$#&-~".contains(c) {
        regex.push('\\');
    }
    regex.push(c);
}

/// Go's `path.Clean`: no empty, `.` or inner `..` components.
pub(super) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests;
