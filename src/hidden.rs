//! Values that are never shown. Their type does not print them, and they are starred out
//! of any text, written by someone else, that may contain them.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::fmt;

/// What stands where a value stood.
const STARS: &str = "***";

/// Shorter values stay in others' texts: to star them out would star out
/// everything.
const SHORTEST: usize = 4;

/// A text that is passed on and not shown: it has no `Display`, no `Serialize`,
/// and a `Debug` that tells nothing of it. Who needs it asks by name.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden(String);

impl Hidden {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(STARS)
    }
}

/// Values to star out of what an engine, a registry or AWS says.
#[derive(Clone, Default)]
pub struct Mask(Vec<String>);

impl Mask {
    /// Line by line, as that is how texts are shown.
    pub fn of<T: AsRef<str>>(values: impl IntoIterator<Item = T>) -> Self {
        let mut lines: Vec<String> = values
            .into_iter()
            .flat_map(|value| {
                let lines = value.as_ref().lines().map(|line| line.trim().to_owned());
                lines.collect::<Vec<_>>()
            })
            .filter(|line| line.len() >= SHORTEST)
            .collect();
        // A value that is part of another must not lay the rest of that bare.
        lines.sort_unstable_by_key(|line| Reverse(line.len()));
        Self(lines)
    }

    /// This one's values and the other's.
    pub fn and(self, other: Self) -> Self {
        Self::of(self.0.into_iter().chain(other.0))
    }

    pub fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut shown = Cow::Borrowed(text);
        for line in &self.0 {
            if shown.contains(line) {
                shown = Cow::Owned(shown.replace(line, STARS));
            }
        }
        shown
    }
}

impl fmt::Debug for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mask of {} lines", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Hidden, Mask};

    #[test]
    fn a_hidden_text_is_not_shown() {
        let hidden = Hidden::new("hunter22");
        assert_eq!(
            format!("{hidden:?} {:#?}", Some(&hidden)),
            "*** Some(\n    ***,\n)"
        );
        assert_eq!(hidden.reveal(), "hunter22");
        assert!(!format!("{:?}", Mask::of(["hunter22"])).contains("hunter"));
    }

    #[test]
    fn values_are_starred_out_line_by_line() {
        let mask = Mask::of(["hunter22\nab\n  second-line\r\n"]);
        assert_eq!(mask.apply("ab: hunter22hunter22!"), "ab: ******!");
        assert_eq!(mask.apply("second-line"), "***");
        assert_eq!(mask.apply("nothing"), "nothing");
    }

    #[test]
    fn a_value_within_another_does_not_lay_its_rest_bare() {
        for values in [["hunter", "hunter-of-foxes"], ["hunter-of-foxes", "hunter"]] {
            assert_eq!(Mask::of(values).apply("a hunter-of-foxes"), "a ***");
        }
    }
}
