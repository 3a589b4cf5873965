//! The text of a `bgecs.toml`, and excerpts of it. What the text means is not known here.

use std::ops::Range;
use std::path::Path;

use super::error::{ConfigError, FilePlace};
use super::veil;

/// A text and where it came from.
pub(super) struct File<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl File<'_> {
    pub(super) fn place(&self, span: Range<usize>, shown: LineShown) -> FilePlace {
        let start = self.boundary(span.start);
        let end = self.boundary(span.end.max(start));
        let before = &self.text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line = self.text[line_start..].lines().next().unwrap_or_default();
        let line_span = line_start..line_start + line.len();
        // A line ends before its CR. What is beyond that is placed there, and
        // what goes on over it is marked up to there.
        let start = start.min(line_span.end);
        let end = end.clamp(start, line_span.end);
        FilePlace {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: self.text[line_start..start].chars().count() + 1,
            width: self.text[start..end].chars().count().max(1),
            text: match shown {
                LineShown::Keys => veil::all_values(self.text, line_span),
                LineShown::Marked => veil::other_values(self.text, line_span, start..end),
                LineShown::NoValue => veil::other_values(self.text, line_span, 0..0),
            },
        }
    }

    /// The nearest place at or before `index` where a character begins.
    fn boundary(&self, index: usize) -> usize {
        (0..=index.min(self.text.len()))
            .rev()
            .find(|index| self.text.is_char_boundary(*index))
            .unwrap_or(0)
    }

    pub(super) fn invalid(
        &self,
        span: Range<usize>,
        shown: LineShown,
        key: &str,
        message: impl Into<String>,
    ) -> ConfigError {
        ConfigError::Invalid {
            at: Box::new(self.place(span, shown)),
            key: key.to_owned(),
            message: message.into(),
            hint: None,
        }
    }
}

/// How much of its line an error may show: of a mistake's neighbours the keys,
/// and never the values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineShown {
    /// The value that the error is about, too.
    Marked,
    /// That one is the user's secret, for all that is known here.
    NoValue,
    /// What is not TOML has no values, only what comes after a key.
    Keys,
}
