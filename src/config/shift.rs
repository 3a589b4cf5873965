//! `[shift]`: how users go over to a new release. Flags win over it.

use std::str::FromStr;
use std::time::Duration;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::sections::table;
use crate::model::{AlarmsWithoutData, LatencyLimit, Quantile, Steps};
use crate::spoken_time;

type Result<T> = std::result::Result<T, ConfigError>;

/// `[shift]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShiftSection {
    /// None is all at once.
    pub steps: Steps,
    /// For how long a release is watched once all users are on it.
    pub bake: Option<Duration>,
    /// How slow it may be.
    pub max_latency: Vec<LatencyLimit>,
    /// CloudWatch's, by their names: none of them may ring.
    pub alarms: Vec<String>,
    pub alarms_without_data: AlarmsWithoutData,
    /// For how long a user who has met a release meets it again while both have a
    /// share.
    pub stickiness: Option<Duration>,
    /// Who goes on with it after a pause that was longer sees its step watched
    /// again.
    pub pause_limit: Duration,
}

impl Default for ShiftSection {
    fn default() -> Self {
        Self {
            steps: Steps::default(),
            bake: None,
            max_latency: Vec::new(),
            alarms: Vec::new(),
            alarms_without_data: AlarmsWithoutData::default(),
            stickiness: None,
            pause_limit: Duration::from_secs(24 * 3600),
        }
    }
}

type Layout = (&'static str, fn(&KeyValue<'_>) -> Result<Steps>);

/// Three ways to say the same: one of them is enough.
const LAYOUTS: [Layout; 3] = [
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
        max_latency: max_latency(section)?,
        alarms: section.optional("alarms", alarms)?.unwrap_or_default(),
        alarms_without_data: section.or(
            "alarms_without_data",
            AlarmsWithoutData::default(),
            |entry| entry.checked(AlarmsWithoutData::from_str),
        )?,
        stickiness: section.optional("stickiness", stickiness)?,
        pause_limit: section.or("pause_limit", ShiftSection::default().pause_limit, time)?,
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

/// Such as `{ p99 = "400ms" }`.
fn max_latency(section: &mut Section<'_>) -> Result<Vec<LatencyLimit>> {
    let entries = table(section, "max_latency")?.into_iter();
    let limits = entries.map(|entry| {
        if let Err(why) = entry.name.parse::<Quantile>() {
            return Err(entry.misplaced(why));
        }
        entry.checked(|limit| LatencyLimit::new(&entry.name, limit))
    });
    limits.collect()
}

/// As many as one call tells of
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DescribeAlarms.html>).
const MOST_ALARMS: usize = 100;

fn alarms(entry: &KeyValue<'_>) -> Result<Vec<String>> {
    let names = entry.strings()?;
    let twice = names
        .iter()
        .enumerate()
        .find(|(n, name)| names[..*n].contains(name));
    match (names.iter().find(|name| name.trim().is_empty()), twice) {
        (Some(_), _) => Err(entry.invalid("an alarm has a name")),
        (None, Some((_, name))) => Err(entry.invalid(format!("`{name}` is in it twice"))),
        (None, None) if names.len() > MOST_ALARMS => {
            Err(entry.invalid(format!("{} are more than {MOST_ALARMS}", names.len())))
        }
        (None, None) => Ok(names),
    }
}

/// In seconds
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupStickinessConfig.html>).
const LONGEST_STICKINESS: u64 = 604_800;

fn stickiness(entry: &KeyValue<'_>) -> Result<Duration> {
    let time = time(entry)?;
    let fits = time.subsec_nanos() == 0 && time.as_secs() <= LONGEST_STICKINESS;
    match fits {
        true => Ok(time),
        false => Err(entry.invalid("it is whole seconds, from 1s to 168h")),
    }
}

/// Such as `"15m"`: with its unit, and longer than none.
pub(super) fn time(entry: &KeyValue<'_>) -> Result<Duration> {
    entry.checked(spoken_time::with_unit)
}
