//! What is wrong with a task definition, and where.

use std::fmt;

/// Where a mistake is: a line of the text, or a key of what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MistakePlace {
    /// From 1 both.
    Line { line: usize, column: usize },
    Key {
        /// The container's name, where it is in one that has a name.
        container: Option<String>,
        /// As `environment[1].value`; empty for a container as a whole.
        key: String,
        /// The variable or secret that it is about.
        of: Option<String>,
    },
}

impl MistakePlace {
    pub(super) fn top(key: impl Into<String>) -> Self {
        Self::Key {
            container: None,
            key: key.into(),
            of: None,
        }
    }

    pub(super) fn in_container(name: &str, key: impl Into<String>) -> Self {
        Self::Key {
            container: Some(name.to_owned()),
            key: key.into(),
            of: None,
        }
    }

    fn map(&self, change: impl FnOnce(&str) -> String) -> Self {
        match self {
            Self::Line { .. } => self.clone(),
            Self::Key { container, key, of } => Self::Key {
                container: container.clone(),
                key: change(key),
                of: of.clone(),
            },
        }
    }

    pub(super) fn key(&self, name: &str) -> Self {
        self.map(|key| match key {
            "" => name.to_owned(),
            key => format!("{key}.{name}"),
        })
    }

    pub(super) fn item(&self, index: usize) -> Self {
        self.map(|key| format!("{key}[{index}]"))
    }

    /// The same, of a variable or a secret.
    pub(super) fn named(mut self, name: Option<&str>) -> Self {
        if let Self::Key { of, .. } = &mut self {
            *of = name.map(str::to_owned);
        }
        self
    }
}

impl fmt::Display for MistakePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line { line, column } => write!(f, "line {line}, column {column}"),
            Self::Key { container, key, of } => {
                match (container, key.as_str()) {
                    (Some(container), "") => write!(f, "container `{container}`")?,
                    (Some(container), key) => write!(f, "container `{container}`, `{key}`")?,
                    (None, "") => f.write_str("the whole")?,
                    (None, key) => write!(f, "`{key}`")?,
                }
                match of {
                    Some(name) if !name.is_empty() => write!(f, " ({name})"),
                    _ => Ok(()),
                }
            }
        }
    }
}

/// One thing to put right, in a sentence that says what is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub place: MistakePlace,
    pub what: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.what)
    }
}

/// All that were found, in the order in which they were: one a place, as the
/// second is seldom more than the first one's echo.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<Mistake>);

impl Mistakes {
    pub(super) fn add(&mut self, place: MistakePlace, what: impl Into<String>) {
        if self.0.iter().all(|known| known.place != place) {
            let what = what.into();
            self.0.push(Mistake { place, what });
        }
    }

    pub(super) fn into_list(self) -> Vec<Mistake> {
        self.0
    }
}
