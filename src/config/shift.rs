//! `[shift]`: how users go over to a new release. The flags say the same, and
//! win.

use std::time::Duration;

use super::ConfigError;
use super::document::Section;
use super::entry::Entry;
use crate::model::Steps;
use crate::spoken_time;

type Result<T> = std::result::Result<T, ConfigError>;

/// `[shift]`
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShiftSection {
    /// None is all at once.
    pub steps: Steps,
    /// For how long a release is watched once all users are on it.
    pub bake: Option<Duration>,
}

/// Three ways to say the same: one of them is enough.
const LAYOUTS: [(&str, fn(&Entry<'_>) -> Result<Steps>); 3] = [
    ("steps", |entry| {
        let steps = entry.strings()?;
        Steps::listed(steps.iter().map(String::as_str)).map_err(|why| entry.invalid(why))
    }),
    ("canary", |entry| entry.checked(Steps::canary)),
    ("linear", |entry| entry.checked(Steps::linear)),
];

pub(super) fn shift(section: &mut Section<'_>) -> Result<ShiftSection> {
    Ok(ShiftSection {
        steps: steps(section)?,
        bake: section.optional("bake", time)?,
    })
}

fn steps(section: &mut Section<'_>) -> Result<Steps> {
    let mut said: Option<(&str, Steps)> = None;
    for (key, read) in LAYOUTS {
        let Some(entry) = section.take(key) else {
            continue;
        };
        if let Some((other, _)) = said {
            return Err(entry.misplaced(format!("`{other}` says it already: keep one of them")));
        }
        said = Some((key, read(&entry)?));
    }
    Ok(said.map(|(_, steps)| steps).unwrap_or_default())
}

/// Such as `"15m"`: with its unit, and longer than none.
pub(super) fn time(entry: &Entry<'_>) -> Result<Duration> {
    entry.checked(spoken_time::with_unit)
}
