//! What a release leaves behind for whoever asks later: all that `--report`
//! shows, as values. Draws nothing, writes nothing.

use serde::Serialize;
use time::OffsetDateTime;

use super::preflight::Check;
use super::seen::timeline::Timeline;
use super::seen::{Latencies, ProbeReport};
use crate::model::{Color, Digest, Route};

/// How it ended, in the word that programs read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Upshot {
    Committed,
    /// It waits for a person.
    Paused,
    /// There was nothing to do.
    Unchanged,
    RolledBack,
    Refused,
    InDoubt,
    /// Of a probe alone.
    Ok,
    /// Of a probe alone.
    Failed,
}

/// Times within are milliseconds since the first listener write; where nothing
/// was written, since the probe began.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// `promote`, `rollback` or `probe`.
    pub operation: &'static str,
    /// What happened, in one sentence.
    pub sentence: String,
    pub outcome: Upshot,
    pub is_good: bool,
    /// Why, where it did not end well.
    pub reason: Option<String>,
    /// None for a probe of any URL.
    pub app: Option<String>,
    /// What was asked, as a person would type it.
    pub url: String,
    /// Who ran it, and where, as the journal names them.
    pub who: Option<String>,
    /// The operation's id in the journal.
    pub operation_id: Option<String>,
    /// Of bgecs.
    pub version: &'static str,
    #[serde(with = "time::serde::rfc3339")]
    pub began: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339")]
    pub ended: OffsetDateTime,
    /// Which releases answered, in a swap the old one and the new one; a dot's
    /// `release` counts into it.
    pub releases: Vec<Answering>,
    /// Where the listeners point at the end; None for a probe.
    pub traffic: Option<String>,
    pub checks: Vec<Check>,
    /// The listener writes, in their order; those of the way back too.
    pub writes: Vec<ListenerWrite>,
    pub probe: ProbeReport,
    pub timeline: Timeline,
    pub latencies: Latencies,
}

/// A release that answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answering {
    /// `hello:2`, or what the release header said, or "a body that begins …".
    pub name: String,
    pub color: Option<Color>,
    pub digest: Option<Digest>,
}

/// A listener pointed at a colour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ListenerWrite {
    #[serde(rename = "port")]
    pub route: Route,
    pub color: Color,
    pub sent_ms: f64,
    /// When it was read back; None where it never was.
    pub seen_ms: Option<f64>,
}
