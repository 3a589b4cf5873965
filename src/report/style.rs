//! Colour, where the stream is a terminal and `NO_COLOR` is not set.

use console::Term;

use super::harmless::{Tone, painted};
use crate::model::Color;

#[derive(Debug, Clone, Copy)]
pub struct Style {
    is_colored: bool,
}

impl Style {
    pub fn of_stdout() -> Self {
        Self {
            is_colored: console::colors_enabled() && Term::stdout().is_term() && !is_refused(),
        }
    }

    pub fn of_stderr() -> Self {
        Self {
            is_colored: console::colors_enabled_stderr()
                && Term::stderr().is_term()
                && !is_refused(),
        }
    }

    /// Without colour, wherever it goes.
    pub fn plain() -> Self {
        Self { is_colored: false }
    }

    /// In colour, wherever the test runs.
    #[cfg(test)]
    pub fn colored() -> Self {
        Self { is_colored: true }
    }

    fn paint(self, ink: Tone, text: impl std::fmt::Display) -> String {
        let text = text.to_string();
        match self.is_colored {
            true => painted(ink, &text),
            false => text,
        }
    }

    pub fn good(self, text: impl std::fmt::Display) -> String {
        self.paint(Tone::Good, text)
    }

    pub fn bad(self, text: impl std::fmt::Display) -> String {
        self.paint(Tone::Bad, text)
    }

    pub fn warn(self, text: impl std::fmt::Display) -> String {
        self.paint(Tone::Warn, text)
    }

    pub fn dim(self, text: impl std::fmt::Display) -> String {
        self.paint(Tone::Dim, text)
    }

    pub fn strong(self, text: impl std::fmt::Display) -> String {
        self.paint(Tone::Strong, text)
    }

    pub fn color(self, color: Color, text: impl std::fmt::Display) -> String {
        match color {
            Color::Blue => self.paint(Tone::Blue, text),
            Color::Green => self.paint(Tone::Green, text),
        }
    }
}

/// <https://no-color.org>: any value that is not empty.
fn is_refused() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
