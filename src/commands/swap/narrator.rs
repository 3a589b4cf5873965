//! What a person sees while a swap is under way: each phase, the probe's count,
//! and each different answer.

use std::time::Duration;

use super::result;
use crate::driver::swap::Notice;
use crate::engine::seen::{NEW, OLD, signed_ms};
use crate::engine::swap::{Phase, Swap};
use crate::model::{Answer, Route};
use crate::report::{Answered, Event, Release};
use crate::session::Session;

/// Answers that all differ tell nobody anything.
const MOST_SHOWN: usize = 10;

/// Turns what happens during a swap into lines.
pub(super) struct Narrator<'a> {
    session: &'a Session,
    swap: &'a Swap,
    /// When the window ends.
    ends: Option<Duration>,
    /// The answers that were shown.
    shown: Vec<(u16, String)>,
}

impl<'a> Narrator<'a> {
    pub(super) fn new(session: &'a Session, swap: &'a Swap) -> Self {
        Self {
            session,
            swap,
            ends: None,
            shown: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, notice: &Notice<'_>) {
        match notice {
            Notice::Phase { phase } => self.phase(phase),
            Notice::Sample {
                sample,
                release,
                seen,
                changed,
            } => {
                self.session.report.tell(&Event::Answered(Answered {
                    at: sample.answered_at(),
                    release: release.map(|number| self.release(number)),
                    failed: !sample.is_good(),
                }));
                let whole = self
                    .ends
                    .unwrap_or(self.swap.policy.baseline + self.swap.policy.window);
                self.session.report.tell(&Event::Probing {
                    sent: seen.sent(),
                    failed: seen.failed(),
                    share: sample.answered_at().as_secs_f64() / whole.as_secs_f64().max(0.001),
                });
                self.body(sample.answered_at(), changed.began, &sample.answer);
            }
        }
    }

    fn release(&self, number: usize) -> Release {
        let color = match number {
            OLD => Some(self.swap.from),
            NEW => Some(self.swap.to),
            _ => None,
        };
        Release { number, color }
    }

    /// The last answer is in.
    pub(super) fn end(&self) {
        self.session.report.tell(&Event::Probed);
    }

    fn phase(&mut self, phase: &Phase) {
        let report = &self.session.report;
        let (from, to) = (self.swap.from, self.swap.to);
        match phase {
            Phase::Baseline | Phase::Done(_) => {}
            Phase::Noting(Route::Production) => {
                report.tell(&Event::Note("production answers well; swapping".to_owned()));
            }
            Phase::Noting(Route::Test) => {
                report.tell(&Event::Note(format!("port 80 -> {to}, read back")));
            }
            Phase::Forward(_) => {}
            Phase::Watching { until } => {
                self.ends = Some(*until);
                report.tell(&Event::Note(format!(
                    "port 81 -> {from}, read back; watching for {} s",
                    self.swap.policy.window.as_secs_f64()
                )));
            }
            Phase::LookingBack { why, .. } => {
                report.tell(&Event::Warning(format!(
                    "{}: taking the swap back",
                    result::reason(why)
                )));
                // The old ones again are news.
                self.shown.clear();
            }
            Phase::Back { journey, .. } => report.tell(&Event::Note(format!(
                "pointing {} back at {}",
                journey.route, journey.color
            ))),
            Phase::Confirming { .. } => {
                report.tell(&Event::Note(format!("port 80 -> {from} again, read back")));
            }
        }
    }

    /// Shows each different answer once, as one wants to see it happen: while
    /// nodes change over one by one, old and new take turns.
    /// The time counts from the first write, as the result's do.
    fn body(&mut self, at: Duration, began: Option<Duration>, answer: &Answer) {
        let Answer::Http { status, body, .. } = answer else {
            return;
        };
        let is_it = |shown: &(u16, String)| (shown.0, &shown.1) == (*status, body);
        if self.shown.len() == MOST_SHOWN || self.shown.iter().any(is_it) {
            return;
        }
        let at_ms = began.map(|began| signed_ms(at, began));
        self.session.report.tell(&Event::Body {
            at_ms,
            status: *status,
            body,
        });
        self.shown.push((*status, body.clone()));
    }
}

#[cfg(test)]
mod tests;
