//! Reads a TOML text key by key, and knows where each key stands.
//!
//! A section remembers the keys it was asked for; what is left over is unknown
//! and an error, so no list of keys has to be kept beside the code that reads
//! them. Nothing here knows what the keys mean.

use std::ops::Range;
use std::rc::Rc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::entry::KeyValue;
use super::environments::{self, Brought, EnvironmentSection};
use super::error::ConfigError;
use super::names::environment_name;
use super::source::{File, LineShown};
use crate::nearest::nearest;

type Result<T> = std::result::Result<T, ConfigError>;

impl<'a> File<'a> {
    /// Reads the whole file as it is in an environment; what `read` does not ask
    /// for is an error, also in the other environments.
    pub(super) fn read<T>(
        &'a self,
        environment: Option<&str>,
        read: impl Fn(&mut Section<'a>) -> Result<T>,
    ) -> Result<T> {
        let document = DeTable::parse(self.text).map_err(|error| ConfigError::Syntax {
            at: Box::new(self.place(error.span().unwrap_or_default(), LineShown::Keys)),
            message: error.message().to_owned(),
        })?;
        let mut top = document.into_inner();
        let mut environments = self.environments(&mut top)?;
        let chosen = environment.map(|name| {
            let at = environments.iter().position(|it| it.name == name);
            at.map(|at| environments.remove(at)).ok_or_else(|| {
                let there: Vec<String> = environments.iter().map(|it| it.name.clone()).collect();
                ConfigError::no_environment(self.path, name, &there)
            })
        });
        let value = match chosen.transpose()? {
            Some(environment) => self.read_in(top.clone(), environment, &read)?,
            None => self.read_top(top.clone(), None, &read)?,
        };
        for other in environments {
            self.read_in(top.clone(), other, &read)?;
        }
        Ok(value)
    }

    fn environments(&self, top: &mut DeTable<'a>) -> Result<Vec<EnvironmentSection<'a>>> {
        let is_section = |name: &str| format!("it is a section: write [{name}]");
        let Some(all) = environments::take(top) else {
            return Ok(Vec::new());
        };
        let span = all.span();
        let DeValue::Table(all) = all.into_inner() else {
            let message = is_section("env.<name>");
            return Err(self.invalid(span, LineShown::NoValue, environments::KEY, message));
        };
        let all = environments::list(all);
        for it in &all {
            let key = format!("{}.{}", environments::KEY, it.name);
            if !matches!(it.value, DeValue::Table(_)) {
                let message = is_section(&key);
                return Err(self.invalid(it.span.clone(), LineShown::NoValue, &key, message));
            }
            if let Err(message) = environment_name(&it.name) {
                return Err(self.invalid(it.key.clone(), LineShown::NoValue, &key, message));
            }
        }
        Ok(all)
    }

    fn read_in<T>(
        &'a self,
        mut top: DeTable<'a>,
        environment: EnvironmentSection<'a>,
        read: &impl Fn(&mut Section<'a>) -> Result<T>,
    ) -> Result<T> {
        let DeValue::Table(over) = environment.value else {
            // `environments` has seen to it.
            return self.read_top(top, None, read);
        };
        let brought = environments::merge(&mut top, &environment.name, over);
        let inside = Inside {
            name: environment.name,
            key: environment.key,
            brought,
        };
        self.read_top(top, Some(inside), read)
    }

    fn read_top<T>(
        &'a self,
        entries: DeTable<'a>,
        inside: Option<Inside>,
        read: &impl Fn(&mut Section<'a>) -> Result<T>,
    ) -> Result<T> {
        let brought = inside.as_ref().map(|inside| Rc::clone(&inside.brought));
        let mut section = Section {
            file: self,
            name: String::new(),
            entries,
            known: Vec::new(),
            announced: Vec::new(),
            shown: LineShown::Marked,
            brought: brought.unwrap_or_default(),
            inside,
        };
        let value = read(&mut section).map_err(|error| section.misspelt().unwrap_or(error))?;
        if section.inside.is_none() {
            section.known.push(environments::KEY);
        }
        section.finish()?;
        Ok(value)
    }
}

/// The environment that is read.
#[derive(Clone)]
pub(super) struct Inside {
    pub(super) name: String,
    key: Range<usize>,
    brought: Rc<Brought>,
}

/// A table whose keys are taken out one by one.
pub(super) struct Section<'a> {
    file: &'a File<'a>,
    /// Empty for the top of the file.
    name: String,
    entries: DeTable<'a>,
    known: Vec<&'static str>,
    announced: Vec<&'static str>,
    /// Whether its values may be shown.
    shown: LineShown,
    brought: Rc<Brought>,
    /// At the top of the file.
    inside: Option<Inside>,
}

impl<'a> Section<'a> {
    /// A table whose keys the user makes up: there is none to ask for.
    pub(super) fn of_users(file: &'a File<'a>, name: String, brought: Rc<Brought>) -> Self {
        Self {
            file,
            name,
            entries: DeTable::new(),
            known: Vec::new(),
            announced: Vec::new(),
            shown: LineShown::NoValue,
            brought,
            inside: None,
        }
    }

    /// The environment that is read, at the top of the file.
    pub(super) fn environment(&self) -> Option<&str> {
        self.inside.as_ref().map(|inside| inside.name.as_str())
    }

    /// An error about what follows from the environment's name.
    pub(super) fn unfit_environment(&self, message: String) -> ConfigError {
        let (key, span) = match &self.inside {
            Some(inside) => (inside.name.as_str(), inside.key.clone()),
            None => ("", 0..0),
        };
        let key = format!("{}.{key}", environments::KEY);
        self.file.invalid(span, LineShown::NoValue, &key, message)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    /// Whether it is there as text, where it may be a list of tables as well.
    pub(super) fn is_text(&self, key: &str) -> bool {
        let value = self.entries.get(key).map(Spanned::get_ref);
        matches!(value, Some(DeValue::String(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn take(&mut self, key: &'static str) -> Option<KeyValue<'a>> {
        self.known.push(key);
        let (name, value) = self.entries.remove_entry(key)?;
        Some(self.entry(&name, value))
    }

    pub(super) fn optional<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&KeyValue<'a>) -> Result<T>,
    ) -> Result<Option<T>> {
        self.take(key).as_ref().map(read).transpose()
    }

    pub(super) fn or<T>(
        &mut self,
        key: &'static str,
        default: T,
        read: impl FnOnce(&KeyValue<'a>) -> Result<T>,
    ) -> Result<T> {
        Ok(self.optional(key, read)?.unwrap_or(default))
    }

    /// Reads a table, which is as good as empty if it is not there.
    pub(super) fn section<T>(
        &mut self,
        key: &'static str,
        read: impl FnOnce(&mut Section<'a>) -> Result<T>,
    ) -> Result<T> {
        let entries = match self.take(key) {
            None => DeTable::new(),
            Some(entry) => match entry.value {
                DeValue::Table(entries) => entries,
                _ => return Err(entry.misused(format!("it is a section: write [{key}]"))),
            },
        };
        self.inner(key, entries, read)
    }

    /// Reads a table, or each of a list of them; as good as one that is empty if
    /// there is none.
    pub(super) fn sections<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        let Some(entry) = self.take(key) else {
            return Ok(vec![self.inner(key, DeTable::new(), read)?]);
        };
        let no_section = entry.misused(format!(
            "it is a section: write [{key}], or [[{key}]] for each of several"
        ));
        let all = match entry.value {
            DeValue::Table(entries) => vec![entries],
            DeValue::Array(items) if !items.is_empty() => {
                let entries = items.into_iter().map(|item| match item.into_inner() {
                    DeValue::Table(entries) => Some(entries),
                    _ => None,
                });
                entries.collect::<Option<_>>().ok_or(no_section)?
            }
            _ => return Err(no_section),
        };
        let all = all.into_iter();
        all.map(|entries| self.inner(key, entries, &read)).collect()
    }

    /// The same, where it may be that there is none.
    pub(super) fn sections_if_any<T>(
        &mut self,
        key: &'static str,
        read: impl Fn(&mut Section<'a>) -> Result<T>,
    ) -> Result<Vec<T>> {
        match self.has(key) {
            true => self.sections(key, read),
            false => {
                self.known.push(key);
                Ok(Vec::new())
            }
        }
    }

    fn inner<T>(
        &self,
        key: &str,
        entries: DeTable<'a>,
        read: impl FnOnce(&mut Section<'a>) -> Result<T>,
    ) -> Result<T> {
        let mut section = Section {
            file: self.file,
            name: self.path_of(key),
            entries,
            known: Vec::new(),
            announced: Vec::new(),
            shown: self.shown,
            brought: Rc::clone(&self.brought),
            inside: None,
        };
        let value = read(&mut section).map_err(|error| section.misspelt().unwrap_or(error))?;
        section.finish()?;
        Ok(value)
    }

    /// A key that is nearly one that was asked for and is not there: what else is wrong
    /// may follow from it.
    fn misspelt(&self) -> Option<ConfigError> {
        let mut left: Vec<_> = self.entries.keys().collect();
        left.sort_by_key(|key| key.span().start);
        let is_near = |key: &&&Spanned<toml::de::DeString<'a>>| {
            let near = nearest(key.get_ref(), &self.known);
            near.is_some_and(|near| near != key.get_ref())
                && !self.announced.iter().any(|it| it == key.get_ref())
        };
        left.iter().find(is_near).map(|key| self.unknown(key))
    }

    /// Keys that are asked for later: none of them is another one, misspelt.
    pub(super) fn announce(&mut self, keys: &[&'static str]) {
        self.announced.extend(keys);
    }

    /// An error about something that is not there.
    pub(super) fn missing(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let key = self.path_of(key);
        self.file.invalid(0..0, LineShown::NoValue, &key, message)
    }

    fn finish(self) -> Result<()> {
        // The map is sorted; a person reads from the top.
        let first = self.entries.keys().min_by_key(|key| key.span().start);
        match first {
            Some(key) => Err(self.unknown(key)),
            None => Ok(()),
        }
    }

    fn unknown(&self, key: &Spanned<toml::de::DeString<'a>>) -> ConfigError {
        let place = match self.brought.whole(&key.span(), self.name.clone()).as_str() {
            "" => "at the top of the file".to_owned(),
            name => format!("in [{}]", name.trim_end_matches('.')),
        };
        let near = nearest(key.get_ref(), &self.known);
        ConfigError::Invalid {
            at: Box::new(self.file.place(key.span(), LineShown::NoValue)),
            key: self.whole(&key.span(), key.get_ref()),
            message: format!("there is no such key {place}"),
            hint: Some(match near {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("the keys {place}: {}", self.known.join(", ")),
            }),
        }
    }

    /// The key as it is written, from the top of the file.
    fn whole(&self, span: &Range<usize>, key: &str) -> String {
        self.brought.whole(span, self.path_of(key))
    }

    fn path_of(&self, key: &str) -> String {
        match self.name.as_str() {
            "" => key.to_owned(),
            name => format!("{name}.{key}"),
        }
    }

    pub(super) fn entry(
        &self,
        name: &Spanned<toml::de::DeString<'a>>,
        value: Spanned<DeValue<'a>>,
    ) -> KeyValue<'a> {
        KeyValue {
            file: self.file,
            key: self.whole(&name.span(), name.get_ref()),
            path: self.path_of(name.get_ref()),
            brought: Rc::clone(&self.brought),
            name: name.get_ref().clone().into_owned(),
            key_span: name.span(),
            span: value.span(),
            shown: self.shown,
            value: value.into_inner(),
        }
    }
}

impl<'a> KeyValue<'a> {
    /// The entries of a table with keys of the user's own.
    pub(super) fn table(self) -> Result<Vec<KeyValue<'a>>> {
        if !matches!(self.value, DeValue::Table(_)) {
            return Err(self.misused("it takes a table, such as { NAME = \"value\" }"));
        }
        let DeValue::Table(entries) = self.value else {
            return Ok(Vec::new());
        };
        let section = Section::of_users(self.file, self.path, self.brought);
        Ok(entries
            .into_iter()
            .map(|(name, value)| section.entry(&name, value))
            .collect())
    }
}
