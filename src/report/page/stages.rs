//! What came of each stage of a gradual shift, and what else happened.

use maud::{Markup, html};

use super::figures::grouped;
use super::tables::{none, table};
use crate::engine::evidence::{Evidence, LandmarkKind};
use crate::engine::seen::{NEW, OLD, ReleaseFigures, StageReport};
use crate::report::drawing::{instant, name, span};
use crate::spoken_time::took;

pub fn stages(evidence: &Evidence) -> Markup {
    let called = |release: usize| evidence.releases.get(release).map_or_else(none, name);
    let heads = [
        "asked",
        "seen",
        "from",
        "for",
        "new",
        "failed",
        "p50",
        "p99",
        "old",
        "failed",
        "p50",
        "p99",
        "unknown failed",
    ];
    html! {
        @if !evidence.stages.is_empty() {
            section.stages {
                h2 { "Stages" }
                p.about {
                    "The new release is " (called(NEW)) ", the old one " (called(OLD)) ". What \
                     failed, and nobody knows whose it was, is held against the new one."
                }
                (table(&heads, evidence.stages.iter().map(|stage| row(evidence, stage))))
            }
        }
    }
}

fn row(evidence: &Evidence, stage: &StageReport) -> [String; 13] {
    let figures = |of: ReleaseFigures| {
        let time = |ms: Option<f64>| ms.map_or_else(none, span);
        [
            grouped(of.requests),
            grouped(of.failed),
            time(of.p50_ms),
            time(of.p99_ms),
        ]
    };
    let [new, new_failed, new_p50, new_p99] = figures(stage.new);
    let [old, old_failed, old_p50, old_p99] = figures(stage.old);
    [
        format!("{}%", stage.share),
        stage
            .seen_share
            .map_or_else(none, |seen| format!("{seen:.1}%")),
        instant(stage.from_ms, whole(evidence)),
        took(stage.lasted()),
        new,
        new_failed,
        new_p50,
        new_p99,
        old,
        old_failed,
        old_p50,
        old_p99,
        grouped(stage.unknown.failed),
    ]
}

fn whole(evidence: &Evidence) -> f64 {
    evidence.timeline.until_ms - evidence.timeline.from_ms
}

pub fn landmarks(evidence: &Evidence) -> Markup {
    html! {
        @if !evidence.marks.is_empty() {
            section.landmarks {
                h2 { "What else happened" }
                (table(&["at", "what", ""], evidence.marks.iter().map(|mark| [
                    instant(mark.at_ms, whole(evidence)),
                    kind(mark.kind, mark.failed),
                    mark.text.clone(),
                ])))
            }
        }
    }
}

fn kind(kind: LandmarkKind, failed: bool) -> String {
    let kind = match kind {
        LandmarkKind::Hook => "hook",
        LandmarkKind::Alarm => "alarm",
        LandmarkKind::Pause => "pause",
        LandmarkKind::Turn => "turn",
        LandmarkKind::Capacity => "capacity",
        LandmarkKind::Targets => "targets",
        LandmarkKind::Command => "command",
    };
    match failed {
        true => format!("✗ {kind}"),
        false => kind.to_owned(),
    }
}
