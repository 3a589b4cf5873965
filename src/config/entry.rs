//! One value of a `bgecs.toml`, and how it is read as the type that is expected.

use std::fmt::Display;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;

use toml::de::DeValue;

use super::environments::Brought;
use super::error::ConfigError;
use super::source::{File, LineShown};

type Result<T> = std::result::Result<T, ConfigError>;

/// One key and its value.
pub(super) struct KeyValue<'a> {
    pub(super) file: &'a File<'a>,
    /// The whole key as it is written, such as `env.staging.container.port`.
    pub(super) key: String,
    /// Without the environment.
    pub(super) path: String,
    pub(super) brought: Rc<Brought>,
    /// The last part of it.
    pub(super) name: String,
    pub(super) key_span: Range<usize>,
    pub(super) span: Range<usize>,
    pub(super) shown: LineShown,
    pub(super) value: DeValue<'a>,
}

impl<'a> KeyValue<'a> {
    /// Whether the environment that is read says it.
    pub(super) fn is_of_environment(&self) -> bool {
        self.brought.has(&self.key_span)
    }

    pub(super) fn string(&self) -> Result<&str> {
        match &self.value {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wants("text in quotes")),
        }
    }

    /// A string of which `check` makes the value or says why it cannot.
    pub(super) fn checked<T>(
        &self,
        check: impl FnOnce(&str) -> std::result::Result<T, String>,
    ) -> Result<T> {
        check(self.string()?).map_err(|why| self.invalid(why))
    }

    pub(super) fn is_table(&self) -> bool {
        matches!(self.value, DeValue::Table(_))
    }

    pub(super) fn boolean(&self) -> Result<bool> {
        match &self.value {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.wants("true or false")),
        }
    }

    pub(super) fn number<N>(&self, range: RangeInclusive<u32>) -> Result<N>
    where
        N: TryFrom<u32>,
    {
        self.integer()
            .filter(|number| range.contains(number))
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| {
                self.wants(&format!(
                    "a whole number from {} to {}",
                    range.start(),
                    range.end()
                ))
            })
    }

    /// A number out of a list that somebody else made.
    pub(super) fn one_of<N>(&self, choices: &[N]) -> Result<N>
    where
        N: Copy + Display + TryFrom<u32> + PartialEq,
    {
        self.integer()
            .and_then(|number| N::try_from(number).ok())
            .filter(|number| choices.contains(number))
            .ok_or_else(|| {
                let choices: Vec<String> = choices.iter().map(ToString::to_string).collect();
                self.wants(&format!("one of {}", choices.join(", ")))
            })
    }

    fn integer(&self) -> Option<u32> {
        match &self.value {
            DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        }
    }

    pub(super) fn strings(&self) -> Result<Vec<String>> {
        let DeValue::Array(items) = &self.value else {
            return Err(self.wants("a list of texts in quotes"));
        };
        items
            .iter()
            .map(|item| match item.get_ref() {
                DeValue::String(text) => Ok(text.clone().into_owned()),
                _ => Err(self.file.invalid(
                    item.span(),
                    LineShown::NoValue,
                    &self.key,
                    "it takes a list of texts in quotes",
                )),
            })
            .collect()
    }

    /// An error about the value.
    pub(super) fn invalid(&self, message: impl Into<String>) -> ConfigError {
        self.file
            .invalid(self.span.clone(), self.shown, &self.key, message)
    }

    /// An error about a value in the place of a table, which may hold what the
    /// table would.
    pub(super) fn misused(&self, message: impl Into<String>) -> ConfigError {
        self.file
            .invalid(self.span.clone(), LineShown::NoValue, &self.key, message)
    }

    /// An error about the key's being there at all.
    pub(super) fn misplaced(&self, message: impl Into<String>) -> ConfigError {
        self.file.invalid(
            self.key_span.clone(),
            LineShown::NoValue,
            &self.key,
            message,
        )
    }

    fn wants(&self, what: &str) -> ConfigError {
        self.invalid(format!("it takes {what}"))
    }
}
