//! All that `--report` shows, as values. Draws nothing, writes nothing.

mod set;

use std::time::Duration;

use serde::{Serialize, Serializer};
use time::OffsetDateTime;

use super::seen::timeline::Timeline;
use super::seen::timeline::since_ms;
use super::seen::{Latencies, ProbeReport, StageReport, percent};
use crate::counted::counted;
use crate::model::Check;
use crate::model::{Color, Condition, Digest, Endpoint, PerColor, Route, Split};
pub use set::{
    JobEvidence, ModuleEvidence, ModuleOutcome, ModuleSeen, SetEvidence, SetMove, SetOutcome,
    TimedEvidence,
};

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
    /// Of a probe, whatever happened meanwhile.
    Ok,
    /// Of a probe, whatever happened meanwhile.
    Failed,
}

/// Times within are milliseconds since the first listener write; where nothing
/// was written, since the probe began.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// `promote`, `rollback`, `probe` or `watch`.
    pub operation: &'static str,
    /// What happened, in one sentence.
    pub sentence: String,
    pub outcome: Upshot,
    pub is_good: bool,
    /// Why, where it did not end well.
    pub reason: Option<String>,
    /// Whether nobody asked production: target health and alarms alone judged it.
    pub blind: bool,
    /// None for a probe of any URL.
    pub app: Option<String>,
    /// What was asked, as a person would type it.
    pub url: String,
    /// Who ran it, and where, as the journal names them.
    pub who: Option<String>,
    /// The operation's id in the journal.
    pub operation_id: Option<String>,
    /// The version of bgecs.
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
    /// For a gradual shift: the shares that the new release was given, in order.
    pub stages: Vec<StageReport>,
    /// What else happened, in its order.
    pub marks: Vec<MarkReport>,
    pub probe: ProbeReport,
    pub timeline: Timeline,
    pub latencies: Latencies,
}

/// For sentences: what a release was judged by if it was not probed.
pub fn judged_blind(heeds_alarms: bool) -> &'static str {
    match heeds_alarms {
        true => "judged by target health and alarms alone; production was not probed",
        false => "judged by target health alone; production was not probed",
    }
}

/// A release that answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answering {
    /// `hello:2`, or what the release header said, or "a body that begins …".
    pub name: String,
    pub color: Option<Color>,
    pub digest: Option<Digest>,
}

/// A listener pointed at a colour, or at both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListenerWrite {
    #[serde(rename = "port")]
    pub route: Route,
    #[serde(skip)]
    pub endpoint: Endpoint,
    #[serde(flatten, serialize_with = "whither")]
    pub to: Split,
    pub sent_ms: f64,
    /// When it was read back; None where it never was.
    pub seen_ms: Option<f64>,
}

impl ListenerWrite {
    /// On an axis on which all is so much later.
    #[must_use]
    pub fn later(&self, ms: f64) -> Self {
        Self {
            sent_ms: self.sent_ms + ms,
            seen_ms: self.seen_ms.map(|seen| seen + ms),
            ..self.clone()
        }
    }
}

/// The colour that gets all, if one does, and the shares in percent.
fn whither<S: Serializer>(to: &Split, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Whither {
        color: Option<Color>,
        split: PerColor<f64>,
    }
    let of = |color| percent(to.share(color));
    let whither = Whither {
        color: to.only(),
        split: PerColor {
            blue: of(Color::Blue),
            green: of(Color::Green),
        },
    };
    whither.serialize(serializer)
}

/// What happened in a shift beside moves and answers; `at` as the samples' times.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Landmark {
    pub at: Duration,
    pub kind: LandmarkKind,
    /// In a line.
    pub text: String,
    /// Whether it speaks against the release, or could not be done.
    pub failed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LandmarkKind {
    Hook,
    Alarm,
    Pause,
    /// A module's turn in its set.
    Turn,
    Capacity,
    /// The new colour's, where there is no probe.
    Targets,
    /// What is watched began, or ended.
    Command,
}

/// A landmark as a report has it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkReport {
    pub at_ms: f64,
    pub kind: LandmarkKind,
    pub text: String,
    pub failed: bool,
}

impl Landmark {
    /// What a stage waited for is so, or cannot be.
    pub fn met(at: Duration, condition: Condition, to: Color, met: &Result<(), String>) -> Self {
        let (kind, text) = match condition {
            Condition::Capacity(tasks) => {
                let text = format!("{to} has {}", counted(tasks, "task"));
                (LandmarkKind::Capacity, text)
            }
            Condition::Hook { hook, stage } => (LandmarkKind::Hook, hook.at(stage)),
            Condition::Person => (LandmarkKind::Pause, "waits for a person".to_owned()),
            Condition::Set(gate) => (LandmarkKind::Turn, gate.to_string()),
        };
        Self {
            at,
            kind,
            text: match met {
                Ok(()) => text,
                Err(why) => why.lines().next().unwrap_or_default().to_owned(),
            },
            failed: met.is_err(),
        }
    }

    /// An alarm has something against it.
    pub fn rang(at: Duration, objection: &str) -> Self {
        Self {
            at,
            kind: LandmarkKind::Alarm,
            text: objection.to_owned(),
            failed: true,
        }
    }

    /// The new colour's targets are not as they should be.
    pub fn unhealthy(at: Duration, objection: &str) -> Self {
        Self {
            kind: LandmarkKind::Targets,
            ..Self::rang(at, objection)
        }
    }

    /// Whether it says no more than that one.
    pub fn repeats(&self, last: &Self) -> bool {
        let is_heard_again = matches!(self.kind, LandmarkKind::Alarm | LandmarkKind::Targets);
        is_heard_again && last.kind == self.kind
    }

    pub fn report(&self, origin: Duration) -> MarkReport {
        MarkReport {
            at_ms: since_ms(self.at, origin),
            kind: self.kind,
            text: self.text.clone(),
            failed: self.failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hook;

    #[test]
    fn a_write_says_the_colour_that_gets_all_and_the_shares_in_percent() {
        let write = |to| ListenerWrite {
            route: Route::Production,
            endpoint: Endpoint::Port(80),
            to,
            sent_ms: 0.0,
            seen_ms: Some(38.5),
        };
        let json = |to| serde_json::json!(write(to));
        assert_eq!(
            json(Split::all(Color::Blue)),
            serde_json::json!({
                "port": "prod", "color": "blue", "split": { "blue": 100.0, "green": 0.0 },
                "sent_ms": 0.0, "seen_ms": 38.5,
            })
        );
        let part = json(Split::with_share(Color::Blue, 250));
        assert!(part["color"].is_null());
        let split = serde_json::json!({ "blue": 2.5, "green": 97.5 });
        assert_eq!(part["split"], split);
    }

    #[test]
    fn what_a_stage_waited_for_is_a_landmark() {
        let at = Duration::from_secs(3);
        let met = |condition, met: Result<(), String>| {
            let mark = Landmark::met(at, condition, Color::Blue, &met);
            let mark = mark.report(Duration::from_secs(1));
            serde_json::json!(mark)
        };
        let hook = Condition::Hook {
            hook: Hook::BeforeStage,
            stage: Some(2),
        };
        let no = Err("no room for it".to_owned());
        assert_eq!(
            [
                met(Condition::Capacity(1), Ok(())),
                met(Condition::Capacity(3), no),
                met(Condition::Person, Ok(())),
                met(
                    hook,
                    Err("before_stage of stage 2 ended with 1\nout of beans".to_owned())
                ),
            ]
            .map(|mark| format!("{} {} {}", mark["kind"], mark["text"], mark["failed"])),
            [
                r#""capacity" "blue has 1 task" false"#,
                r#""capacity" "no room for it" true"#,
                r#""pause" "waits for a person" false"#,
                r#""hook" "before_stage of stage 2 ended with 1" true"#,
            ]
        );
        let rang = Landmark::rang(at, "shop-5xx rings");
        assert!(rang.failed && rang.repeats(&rang));
    }
}
