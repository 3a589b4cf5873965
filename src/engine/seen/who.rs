//! Which release answered: by a header, else by the body; else unknown.

use crate::model::Answer;

/// The old release of a swap, as samples and dots count releases.
pub const OLD: usize = 0;
/// The new one.
pub const NEW: usize = 1;

/// So many are told apart where nobody says which there are.
const FOUND: usize = 8;
/// So much of a body names it.
const NAMING: usize = 40;

/// How a colour's answers can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// How to call it.
    pub name: String,
    /// What it says in the release header.
    pub release: Option<String>,
    /// What the colour answered to the probe's own question before the swap.
    pub body: Option<String>,
}

/// Both colours' identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    pub old: Identity,
    pub new: Identity,
}

impl Identities {
    /// Whether both gave the same body, so that a header alone can tell them apart.
    fn are_alike(&self) -> bool {
        self.old.body.is_some() && self.old.body == self.new.body
    }

    /// By the release header where the two differ in it, else by the body.
    fn who(&self, answer: &Answer) -> Option<usize> {
        let Answer::Http { release, body, .. } = answer else {
            return None;
        };
        let by = |old: Option<&str>, new: Option<&str>, seen: &str| match () {
            () if old == new => None,
            () if new == Some(seen) => Some(NEW),
            () if old == Some(seen) => Some(OLD),
            () => None,
        };
        let (old, new) = (&self.old, &self.new);
        let by_header = release
            .as_deref()
            .and_then(|seen| by(old.release.as_deref(), new.release.as_deref(), seen));
        by_header.or_else(|| by(old.body.as_deref(), new.body.as_deref(), body))
    }
}

/// The releases that answer, numbered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Releases {
    /// Those of a swap are known ahead.
    Two(Identities),
    /// Those of anything else are numbered as they come.
    Found(FoundVoices),
}

impl Default for Releases {
    fn default() -> Self {
        Self::Found(FoundVoices::default())
    }
}

impl Releases {
    /// The number of the one that answered.
    pub fn who(&mut self, answer: &Answer) -> Option<usize> {
        match self {
            Self::Two(identities) => identities.who(answer),
            Self::Found(found) => found.who(answer),
        }
    }

    /// Whether those of a swap can be told apart by a header alone.
    pub fn are_alike(&self) -> bool {
        matches!(self, Self::Two(identities) if identities.are_alike())
    }

    /// How to call them, in the order of their numbers.
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Two(two) => vec![two.old.name.clone(), two.new.name.clone()],
            Self::Found(found) => {
                let names = found.voices.iter().filter_map(|voice| found.name(voice));
                names.collect()
            }
        }
    }

    /// Its place among the names: None for one that turned out to be none.
    pub fn number(&self, heard: usize) -> Option<usize> {
        match self {
            Self::Two(_) => Some(heard),
            Self::Found(found) => {
                found.name(found.voices.get(heard)?)?;
                let ahead = found.voices.iter().take(heard);
                Some(ahead.filter_map(|voice| found.name(voice)).count())
            }
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FoundVoices {
    voices: Vec<Voice>,
    /// Each body is another one: they tell nothing.
    bodies_vary: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Voice {
    Header(String),
    Body(String),
}

impl Voice {
    fn is(&self, header: Option<&str>, body: &str) -> bool {
        match self {
            Self::Header(known) => header == Some(known),
            Self::Body(known) => header.is_none() && known == body,
        }
    }
}

impl FoundVoices {
    fn who(&mut self, answer: &Answer) -> Option<usize> {
        let Answer::Http { release, body, .. } = answer else {
            return None;
        };
        let header = release.as_deref();
        // What an error page says is no release.
        if header.is_none() && (self.bodies_vary || !answer.is_ok()) {
            return None;
        }
        if let Some(known) = self.voices.iter().position(|voice| voice.is(header, body)) {
            return Some(known);
        }
        if self.voices.len() == FOUND {
            self.bodies_vary |= header.is_none();
            return None;
        }
        self.voices.push(match header {
            Some(header) => Voice::Header(header.to_owned()),
            None => Voice::Body(body.clone()),
        });
        Some(self.voices.len() - 1)
    }

    fn name(&self, voice: &Voice) -> Option<String> {
        match voice {
            Voice::Header(release) => Some(release.clone()),
            Voice::Body(_) if self.bodies_vary => None,
            Voice::Body(body) => {
                let line = body.lines().next().unwrap_or_default();
                let start: String = line.chars().take(NAMING).collect();
                Some(match start.trim() {
                    "" => "an empty body".to_owned(),
                    start => format!("\u{201c}{start}\u{201d}"),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(release: Option<&str>, body: &str) -> Answer {
        Answer::Http {
            status: 200,
            release: release.map(str::to_owned),
            body: body.to_owned(),
        }
    }

    fn identity(release: &str) -> Identity {
        Identity {
            name: format!("hello:{release}"),
            release: Some(release.to_owned()),
            body: Some(format!("body of {release}")),
        }
    }

    #[test]
    fn a_release_is_told_by_its_header() {
        let mut releases = Releases::Two(Identities {
            old: identity("1"),
            new: identity("2"),
        });
        assert_eq!(releases.who(&answer(Some("1"), "")), Some(OLD));
        assert_eq!(releases.who(&answer(Some("2"), "")), Some(NEW));
        assert_eq!(releases.who(&answer(Some("3"), "")), None);
    }

    #[test]
    fn the_same_header_twice_is_told_by_body_and_else_unknown() {
        let mut same = Identities {
            old: identity("1"),
            new: identity("2"),
        };
        same.new.release.clone_from(&same.old.release);
        let mut same = Releases::Two(same);
        assert_eq!(same.who(&answer(Some("1"), "body of 2")), Some(NEW));
        assert_eq!(same.who(&answer(Some("1"), "body of 1")), Some(OLD));
        assert_eq!(same.who(&answer(Some("1"), "something else")), None);
    }

    #[test]
    fn releases_that_nobody_named_are_numbered_as_they_come() {
        let mut releases = Releases::default();
        assert_eq!(releases.who(&answer(Some("1"), "a")), Some(0));
        assert_eq!(releases.who(&answer(None, "hello\nworld")), Some(1));
        assert_eq!(releases.who(&answer(Some("1"), "b")), Some(0));
        assert_eq!(releases.who(&answer(None, "hello\nworld")), Some(1));
        let error = Answer::Http {
            status: 503,
            release: None,
            body: "sorry".to_owned(),
        };
        assert_eq!(releases.who(&error), None);
        assert_eq!(releases.names(), ["1", "\u{201c}hello\u{201d}"]);
        assert_eq!(releases.number(1), Some(1));
    }

    #[test]
    fn bodies_that_always_differ_tell_nothing() {
        let mut releases = Releases::default();
        releases.who(&answer(None, "first"));
        releases.who(&answer(Some("1"), ""));
        for n in 0..=FOUND {
            releases.who(&answer(None, &n.to_string()));
        }
        assert_eq!(releases.who(&answer(None, "0")), None);
        assert_eq!(releases.who(&answer(Some("1"), "")), Some(1));
        assert_eq!(releases.names(), ["1"]);
        assert_eq!((releases.number(0), releases.number(1)), (None, Some(0)));
    }
}
