//! Mistakes in a `bgecs.toml`, each with its place in the file.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::nearest::nearest;
use crate::text::NotText;

/// Why there is no [`Config`](super::Config).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("there is no bgecs.toml in {} or in a folder above it", .folder.display())]
    Missing { folder: PathBuf },
    #[error("there is no {}", .path.display())]
    NotFound { path: PathBuf },
    #[error("cannot read {}", .path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("there is no environment `{name}` in {}: {there}", .path.display())]
    NoEnvironment {
        path: PathBuf,
        name: String,
        there: String,
        hint: Option<String>,
    },
    #[error("{}: {what}", .path.display())]
    NotText { path: PathBuf, what: NotText },
    /// Not TOML.
    #[error("{at}: {message}\n{}", .at.excerpt())]
    Syntax { at: Box<FilePlace>, message: String },
    /// TOML, and not what bgecs takes.
    #[error("{at}: `{key}`: {message}\n{}", .at.excerpt())]
    Invalid {
        at: Box<FilePlace>,
        /// The whole key, such as `container.port`.
        key: String,
        message: String,
        hint: Option<String>,
    },
}

impl ConfigError {
    /// `there` are those that the file has.
    pub(super) fn no_environment(path: &Path, name: &str, there: &[String]) -> Self {
        let known: Vec<&str> = there.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(known) => format!("did you mean `--env {known}`?"),
            None => format!("a section [env.{name}] with the keys that differ makes one"),
        };
        Self::NoEnvironment {
            path: path.to_owned(),
            name: name.to_owned(),
            there: match known.is_empty() {
                true => "it has none".to_owned(),
                false => format!("it has {}", known.join(", ")),
            },
            hint: Some(hint),
        }
    }

    /// What to do next, where more than the message can be said.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Missing { .. } | Self::NotFound { .. } => Some(
                "`bgecs init --write-config` writes a commented starter, `bgecs import` that of a service that runs already",
            ),
            Self::Invalid { hint, .. } | Self::NoEnvironment { hint, .. } => hint.as_deref(),
            Self::Unreadable { .. } | Self::NotText { .. } | Self::Syntax { .. } => None,
        }
    }

    /// Where in the file it is, if it is in the file.
    #[cfg(test)]
    pub fn place(&self) -> Option<&FilePlace> {
        match self {
            Self::Syntax { at, .. } | Self::Invalid { at, .. } => Some(at),
            Self::Missing { .. }
            | Self::NotFound { .. }
            | Self::NoEnvironment { .. }
            | Self::Unreadable { .. }
            | Self::NotText { .. } => None,
        }
    }
}

/// A stretch of one line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePlace {
    pub path: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// How many characters the stretch has on this line; at least 1.
    pub width: usize,
    /// The whole line.
    pub text: String,
}

impl FilePlace {
    /// The line with a mark under the stretch.
    pub fn excerpt(&self) -> String {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        let before = " ".repeat(self.column.saturating_sub(1));
        let mark = "^".repeat(self.width);
        // A tab has one character and no fixed width: the mark needs one.
        let text = self.text.replace('\t', " ");
        format!("  {number} | {text}\n  {margin} | {before}{mark}")
    }
}

impl fmt::Display for FilePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path.display(), self.line, self.column)
    }
}
