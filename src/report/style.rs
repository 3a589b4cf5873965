//! Colour, where the stream is a terminal and `NO_COLOR` is not set.

use console::{Style as Ansi, Term};

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

    /// Without colour, wherever the test runs.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self { is_colored: false }
    }

    fn paint(self, ansi: &Ansi, text: impl std::fmt::Display) -> String {
        match self.is_colored {
            true => ansi.clone().force_styling(true).apply_to(text).to_string(),
            false => text.to_string(),
        }
    }

    pub fn good(self, text: impl std::fmt::Display) -> String {
        self.paint(&Ansi::new().green(), text)
    }

    pub fn bad(self, text: impl std::fmt::Display) -> String {
        self.paint(&Ansi::new().red().bold(), text)
    }

    pub fn warn(self, text: impl std::fmt::Display) -> String {
        self.paint(&Ansi::new().yellow(), text)
    }

    pub fn dim(self, text: impl std::fmt::Display) -> String {
        self.paint(&Ansi::new().dim(), text)
    }

    pub fn strong(self, text: impl std::fmt::Display) -> String {
        self.paint(&Ansi::new().bold(), text)
    }

    pub fn color(self, color: Color, text: impl std::fmt::Display) -> String {
        match color {
            Color::Blue => self.paint(&Ansi::new().blue().bold(), text),
            Color::Green => self.paint(&Ansi::new().green().bold(), text),
        }
    }
}

/// <https://no-color.org>: any value that is not empty.
fn is_refused() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}
