//! What a person sees while a swap is under way: each phase, the probe's count,
//! and each different answer.

use std::time::Duration;

use super::swapped;
use crate::counted::counted;
use crate::driver::shift::Notice;
use crate::engine::seen::{NEW, OLD, Seen, ShareAsked, StageSoFar, percent, signed_ms};
use crate::engine::shift::{Milestone, Phase, Shift};
use crate::model::{Answer, Condition, Targets};
use crate::report::{Answered, AnsweringRelease, ReportEvent, StageNow};
use crate::session::Session;
use crate::spoken_time;

/// If all answers differ, showing more of them tells nobody anything.
const MOST_SHOWN: usize = 10;

/// Turns what happens during a swap into lines.
pub(super) struct Narrator<'a> {
    session: &'a Session,
    shift: &'a Shift,
    /// When the watching ends.
    ends: Option<Duration>,
    /// The share of users that is being watched, in a gradual shift.
    watched: Option<WatchedShare>,
    /// The answers that were shown.
    shown: Vec<(u16, String)>,
    /// The last line that was told about the new colour's targets.
    targets: String,
}

/// A share of users while it is being watched.
#[derive(Debug, Clone, Copy)]
struct WatchedShare {
    /// Counted from 0.
    number: usize,
    asked: ShareAsked,
    bake: Duration,
    until: Duration,
    /// The time of the last sample.
    at: Duration,
    so_far: StageSoFar,
}

impl WatchedShare {
    fn of(now: &Shift, until: Duration) -> Option<Self> {
        let (number, asked) = now.shares().enumerate().last()?;
        let bake = now.current().bake;
        Some(Self {
            number,
            asked,
            bake,
            until,
            at: until.saturating_sub(bake),
            so_far: StageSoFar::default(),
        })
    }

    fn look(&mut self, at: Duration, seen: &Seen) {
        self.at = self.at.max(at);
        self.so_far = seen.stage_so_far(self.number);
    }

    fn now(&self) -> StageNow {
        StageNow {
            share: self.asked.share,
            bake: self.bake,
            left: self.until.saturating_sub(self.at),
            so_far: self.so_far,
        }
    }

    /// The summary, once the watching is over.
    fn in_a_line(&self) -> String {
        // It may be cut short, and samples may arrive after its end.
        let watched = (self.at.min(self.until) + self.bake).saturating_sub(self.until);
        self.so_far.in_a_line(percent(self.asked.share), watched)
    }
}

impl<'a> Narrator<'a> {
    pub(super) fn new(session: &'a Session, shift: &'a Shift) -> Self {
        Self {
            session,
            shift,
            ends: None,
            watched: None,
            shown: Vec::new(),
            targets: String::new(),
        }
    }

    pub(super) fn take(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Phase { now } => self.phase(now),
            Notice::Targets(targets) => self.targets(targets),
            Notice::Sample {
                sample,
                release,
                seen,
                changed,
            } => {
                self.session.report.tell(&ReportEvent::Answered(Answered {
                    at: sample.answered_at(),
                    release: release.map(|number| self.release(number)),
                    failed: !sample.is_good(),
                }));
                if let Some(watched) = &mut self.watched {
                    watched.look(sample.answered_at(), seen);
                }
                let whole = self
                    .ends
                    .unwrap_or_else(|| self.shift.policy.baseline() + self.shift.strategy.bakes());
                self.session.report.tell(&ReportEvent::Probing {
                    sent: seen.sent(),
                    failed: seen.failed(),
                    share: sample.answered_at().as_secs_f64() / whole.as_secs_f64().max(0.001),
                    stage: self.watched.as_ref().map(WatchedShare::now),
                });
                self.body(sample.answered_at(), changed.began, &sample.answer);
            }
        }
    }

    /// Tells each change of the targets: without a probe there is nothing else to see.
    fn targets(&mut self, targets: &Targets) {
        let (healthy, of) = (targets.healthy(), targets.registered());
        let color = self.shift.strategy.to;
        let line = format!("{color}: {healthy} of {} healthy", counted(of, "target"));
        if line != self.targets {
            self.session.report.tell(&ReportEvent::Note(line.clone()));
            self.targets = line;
        }
    }

    fn release(&self, number: usize) -> AnsweringRelease {
        let color = match number {
            OLD => Some(self.shift.strategy.from),
            NEW => Some(self.shift.strategy.to),
            _ => None,
        };
        AnsweringRelease { number, color }
    }

    /// The last answer is in.
    pub(super) fn end(&self) {
        self.session.report.tell(&ReportEvent::Probed);
    }

    fn phase(&mut self, now: &Shift) {
        let report = &self.session.report;
        if let Some(watched) = self.watched.take()
            && !now.policy.is_blind()
        {
            report.tell(&ReportEvent::Note(watched.in_a_line()));
        }
        let stages = &self.shift.strategy.stages;
        let endpoints = &now.policy.endpoints;
        let arrived = |stage: usize| {
            let it = stages.get(stage)?.it;
            Some(format!(
                "{} -> {}, read back",
                endpoints.get(it.route),
                it.to
            ))
        };
        let note = |text: String| report.tell(&ReportEvent::Note(text));
        match (now.milestone(), &now.phase) {
            (Milestone::Meeting(..), Phase::Meeting { .. }) => {
                // Hooks are told by their runner, and pauses by the result.
                if let Some(Condition::Capacity(tasks)) = now.condition() {
                    let color = self.shift.strategy.to;
                    note(format!("scaling {color} to {}", counted(tasks, "task")));
                }
            }
            (Milestone::Noting(0), _) => {
                let how = match self.shift.strategy.is_gradual() {
                    true => "moving users step by step",
                    false => "swapping",
                };
                let is_known_well = now.policy.needs_clean_baseline && !now.policy.is_blind();
                note(match is_known_well {
                    true => format!("production answers well; {how}"),
                    false => how.to_owned(),
                });
            }
            // A stage that was watched has been told already.
            (Milestone::Noting(stage), _) if stages[stage - 1].bake.is_zero() => {
                arrived(stage - 1).into_iter().for_each(note);
            }
            (Milestone::Baking(stage), Phase::Baking { until }) => {
                self.watched = WatchedShare::of(now, *until);
                let later = stages.iter().skip(stage + 1);
                self.ends = Some(*until + later.map(|stage| stage.bake).sum::<Duration>());
                let watched = spoken(now.bake());
                let arrived = arrived(stage).into_iter();
                arrived.for_each(|arrived| note(format!("{arrived}; watching for {watched}")));
            }
            (_, Phase::LookingBack { why, .. }) => {
                report.tell(&ReportEvent::Warning(format!(
                    "{}: taking it back",
                    swapped::reason(why)
                )));
                // Answers of the old release are news again.
                self.shown.clear();
            }
            (_, Phase::Back { journey, .. }) => note(format!(
                "pointing {} back at {}",
                endpoints.get(journey.it.route),
                journey.it.to
            )),
            (_, Phase::Confirming { .. }) => {
                let from = self.shift.strategy.from;
                let mut line = format!("{} -> {from} again, read back", endpoints.production);
                if now.policy.is_blind() {
                    let wait = spoken(now.policy.patience.visible);
                    line += &format!("; {wait} until all nodes have it");
                }
                note(line);
            }
            _ => {}
        }
    }

    /// Shows each different answer once, as it is first seen: while nodes change over one
    /// by one, old and new alternate. The time counts from the first write, as in the
    /// result.
    fn body(&mut self, at: Duration, began: Option<Duration>, answer: &Answer) {
        let Answer::Http { status, body, .. } = answer else {
            return;
        };
        let is_it = |shown: &(u16, String)| (shown.0, &shown.1) == (*status, body);
        if self.shown.len() == MOST_SHOWN || self.shown.iter().any(is_it) {
            return;
        }
        let at_ms = began.map(|began| signed_ms(at, began));
        self.session.report.tell(&ReportEvent::Body {
            at_ms,
            status: *status,
            body,
        });
        self.shown.push((*status, body.clone()));
    }
}

/// `0.5 s`, `15 s`, and in minutes from one minute on: `10 min`.
fn spoken(time: Duration) -> String {
    match time::Duration::try_from(time) {
        Ok(long) if long.whole_minutes() > 0 => spoken_time::span(long),
        _ => format!("{} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests;
