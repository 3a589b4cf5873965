//! How a swap ended: for people, for the journal, and as an exit code.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::SwapKind;
use crate::driver::asking::Asking;
use crate::driver::shift::Finished;
use crate::driver::turn::{Conclusion, Turn};
use crate::engine::evidence::{TimedEvidence, Upshot};
use crate::engine::plan::WarmCost;
use crate::engine::seen::{Failure, ProbeReport, Seen, StageReport};
use crate::engine::shift::{MoveTimes, Outcome, Shift, Why};
use crate::error::{Error, Exit};
use crate::model::Check;
use crate::model::journal::{self, Command, Watched};
use crate::model::{Color, Observed, Route};

#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct SwapTimes {
    /// From sending the write until the change was read back.
    prod_ms: Option<u64>,
    test_ms: Option<u64>,
    /// From sending the first write until both changes were read back.
    window_ms: Option<u64>,
    /// For how long users got no answer while they were moved, if the router cannot avoid
    /// that.
    #[serde(skip_serializing_if = "Option::is_none")]
    gap_ms: Option<u64>,
}

impl SwapTimes {
    pub fn gap(&self) -> Option<Duration> {
        self.gap_ms.map(Duration::from_millis)
    }
}

/// The result of a swap that was tried.
#[derive(Debug, Serialize)]
pub struct Swapped {
    pub operation: Command,
    pub from: Color,
    pub to: Color,
    pub outcome: Upshot,
    /// Whether production was not probed.
    pub blind: bool,
    pub checks: Vec<Check>,
    pub probe: ProbeReport,
    /// In a gradual shift: the shares that the new release was given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stages: Vec<StageReport>,
    pub swap: SwapTimes,
    /// Why the time of the changeover is not known, if it is not.
    pub changeover_unknown: Option<String>,
    pub traffic: String,
    /// What the colour that users left still costs.
    pub warm: Option<WarmCost>,
    /// The reason, if it did not commit.
    pub reason: Option<String>,
    /// What it was judged by instead of the probe, in words.
    #[serde(skip)]
    pub judged: Option<&'static str>,
    #[serde(skip)]
    pub names: (String, String),
    /// For each name, where to find what is wrong with it.
    #[serde(skip)]
    pub logs: (String, String),
    #[serde(skip)]
    pub exit: Exit,
    #[serde(skip)]
    first_failure: Option<String>,
    /// Whether `reason` states that failure already, so that only its time is added.
    #[serde(skip)]
    is_said: bool,
    #[serde(skip)]
    ending: Outcome,
    /// Whether users were left on both colours: the next command finds the operation
    /// unfinished.
    #[serde(skip)]
    is_half_way: bool,
    /// For the report of its set, if this is one module of it.
    #[serde(skip)]
    pub evidence: Option<Arc<TimedEvidence>>,
}

impl Swapped {
    pub fn new(
        kind: SwapKind,
        before: &Observed,
        finished: &Finished,
        checks: Vec<Check>,
        asking: &Asking,
        traffic: String,
    ) -> Self {
        let shift = &finished.shift;
        let began = shift.changed().began;
        let rate = asking.schedule.rate;
        let mut probe = finished.seen.report(rate, began, finished.unsent);
        let first = probe.failures.first();
        let (outcome, exit, reason) = ending(shift, first);
        let stages = finished.seen.stages(shift.shares(), began);
        let changeover_unknown =
            changeover_unknown(outcome, &finished.seen, &probe, asking, shift.strategy.to);
        if outcome != Upshot::Committed || !stages.is_empty() {
            // A swap that went back has no changeover, nor has one that was meant to take
            // its time.
            probe.forget_changeover();
        }
        let first = probe.failures.first();
        let is_said = first.is_some_and(|first| {
            let reason = reason.as_deref().unwrap_or_default();
            reason.starts_with(&first.what())
        });
        let first_failure = first.map(|first| failure_sentence(first, began.is_some(), is_said));
        Self {
            operation: kind.command(),
            from: shift.strategy.from,
            to: shift.strategy.to,
            outcome,
            blind: false,
            judged: None,
            checks,
            probe,
            stages,
            swap: times(shift),
            changeover_unknown,
            traffic,
            warm: WarmCost::of(before.color(shift.strategy.from))
                .filter(|_| outcome == Upshot::Committed),
            reason,
            names: (
                before.named(shift.strategy.from),
                before.named(shift.strategy.to),
            ),
            logs: (
                before.says_why(shift.strategy.from),
                before.says_why(shift.strategy.to),
            ),
            exit,
            first_failure,
            is_said,
            ending: shift.outcome().cloned().unwrap_or(Outcome::InDoubt(
                "it was abandoned before its end".to_owned(),
            )),
            is_half_way: shift.is_half_way(),
            evidence: None,
        }
    }

    /// A check failed: nothing was tried.
    pub fn not_ready(kind: SwapKind, before: &Observed, shift: &Shift, checks: Vec<Check>) -> Self {
        let failed = checks.iter().filter(|check| !check.ok);
        let reasons: Vec<String> = failed
            .map(|check| format!("{}: {}", check.name, check.detail))
            .collect();
        Self {
            operation: kind.command(),
            from: shift.strategy.from,
            to: shift.strategy.to,
            outcome: Upshot::Refused,
            blind: false,
            judged: None,
            checks,
            probe: ProbeReport::default(),
            stages: Vec::new(),
            swap: SwapTimes::default(),
            changeover_unknown: None,
            traffic: before.traffic_line(),
            warm: None,
            reason: Some("a check failed".to_owned()),
            names: (
                before.named(shift.strategy.from),
                before.named(shift.strategy.to),
            ),
            logs: (
                before.says_why(shift.strategy.from),
                before.says_why(shift.strategy.to),
            ),
            exit: Exit::Refused,
            first_failure: None,
            is_said: false,
            ending: Outcome::Refused(reasons.join("; ")),
            is_half_way: false,
            evidence: None,
        }
    }

    /// Judged by `blindly` instead of the probe, which then has nothing to report.
    #[must_use]
    pub fn judged(self, blindly: Option<&'static str>) -> Self {
        if blindly.is_none() {
            return self;
        }
        Self {
            blind: true,
            judged: blindly,
            probe: ProbeReport::default(),
            stages: Vec::new(),
            ..self
        }
    }

    /// Whether nothing was tried, because a check failed.
    pub fn is_not_ready(&self) -> bool {
        self.checks.iter().any(|check| !check.ok)
    }

    /// The result in one sentence, for readers who stop there.
    pub fn in_a_sentence(&self) -> String {
        let requests = match self.judged {
            Some(judged) => judged.to_owned(),
            None => self.probe.in_a_sentence(),
        };
        match (self.headline(), self.probe.changeover_ms) {
            _ if self.outcome == Upshot::Paused => {
                format!(
                    "The promotion of {} waits for a person: {requests}.",
                    self.names.1
                )
            }
            (Some(headline), _)
                if self.probe.sent == 0 && (self.is_not_ready() || self.judged.is_none()) =>
            {
                sentence(&headline)
            }
            (Some(headline), _) => format!("{}: {requests}.", capital(&headline)),
            (None, Some(changeover)) => format!(
                "{} went live within {changeover} ms: {requests}.",
                capital(&self.names.1)
            ),
            (None, None) => format!("{} went live: {requests}.", capital(&self.names.1)),
        }
    }

    pub fn ending(&self) -> &Outcome {
        &self.ending
    }

    /// Writes the end to the journal; if it is not known, the operation stays open and
    /// the next command looks.
    pub fn conclude(&self, turn: &Turn) {
        let Some(outcome) = self.remembered() else {
            turn.leave_open();
            return;
        };
        turn.conclude(Conclusion {
            outcome,
            reason: self.reason_at_length(),
            watched: self.watched(),
        });
    }

    /// None if the operation has not ended yet.
    pub fn remembered(&self) -> Option<journal::OperationOutcome> {
        remembered(&self.ending).filter(|_| !self.is_half_way)
    }

    /// What the journal keeps of the probe's findings, if there was a probe.
    pub fn watched(&self) -> Option<Watched> {
        (!self.blind).then_some(Watched {
            requests: self.probe.sent,
            failed: self.probe.failed,
            changeover_ms: self.probe.changeover_ms,
        })
    }

    /// How it ended, if it did not commit; the reason is told elsewhere.
    fn headline(&self) -> Option<String> {
        if self.is_not_ready() {
            return Some(format!("{} is not ready to go live", self.to));
        }
        let (_, to) = &self.names;
        let what = match self.operation {
            Command::Rollback => format!("the rollback to {to}"),
            _ => format!("the promotion of {to}"),
        };
        let ended = match (self.exit, self.reason.as_deref()) {
            (Exit::Done, _) => return None,
            (Exit::RolledBack, _) => "was rolled back",
            (Exit::LookNow, _) => "did not end well",
            (Exit::Interrupted, Some("interrupted")) => "was interrupted before any change",
            (Exit::Interrupted, reason) => return Some(format!("{what} was {}", reason?)),
            (Exit::Refused, _) => "was refused",
            _ => "failed, and nothing was changed",
        };
        Some(format!("{what} {ended}"))
    }

    /// The reason and when that began, in one line.
    pub fn reason_at_length(&self) -> Option<String> {
        if let (true, Outcome::Refused(checks)) = (self.is_not_ready(), &self.ending) {
            return Some(checks.clone());
        }
        let reason = self.reason.clone()?;
        Some(match self.first_failure.as_ref().filter(|_| self.is_said) {
            Some(when) => format!("{reason}, {when}"),
            None => reason,
        })
    }

    /// The error that a person is shown if the swap did not commit.
    pub fn error(&self) -> Option<Error> {
        if self.exit == Exit::Done {
            return None;
        }
        if let (true, Outcome::Refused(reasons)) = (self.is_not_ready(), &self.ending) {
            let headline = self.headline().unwrap_or_default();
            return Some(
                Error::refused(format!("{headline}: {reasons}"))
                    .traffic(format!("{}, unchanged", self.traffic))
                    .hint(format!("see `bgecs status` and {}", self.logs.1)),
            );
        }
        let headline = self.headline().unwrap_or_default();
        let reason = self.reason.as_deref().unwrap_or_default();
        let message = match self.exit {
            Exit::RolledBack | Exit::LookNow | Exit::Refused => format!("{headline}: {reason}"),
            _ => headline,
        };
        let confirmed = match self.exit {
            Exit::RolledBack => ", confirmed",
            Exit::LookNow => "",
            _ => ", unchanged",
        };
        let mut error =
            Error::new(self.exit, message).traffic(format!("{}{confirmed}", self.traffic));
        if self.exit == Exit::Failed {
            error = error.cause(reason);
        }
        if let Some(failure) = &self.first_failure {
            // Only "first 0.1 s after the swap began" would name no cause.
            error = error.cause(match self.is_said {
                true => format!("a request failed, {failure}"),
                false => failure.clone(),
            });
        }
        Some(error.hint(match self.exit {
            Exit::LookNow => format!(
                "look now: `bgecs status`, then `bgecs promote {}` or `bgecs promote {}`",
                self.from, self.to
            ),
            Exit::Interrupted => "run it again when you are ready".to_owned(),
            // Someone else changed something, or still does.
            Exit::Refused if self.ending != Outcome::Unwell => {
                "look at what changed: `bgecs status`".to_owned()
            }
            Exit::Refused => format!(
                "see `bgecs probe` and {}; if the last release is to blame, `bgecs rollback`; if {} is the fix, `bgecs promote --fix-forward`",
                self.logs.0, self.to
            ),
            Exit::Failed => format!(
                "fix that, or allow it for these credentials; then `bgecs {}` again",
                self.operation
            ),
            _ => match &self.ending {
                Outcome::RolledBack(why) => after(why, (self.to, &self.logs.1), self.operation),
                _ => "see `bgecs status`".to_owned(),
            },
        }))
    }
}

/// Why the changeover's time is not known after a swap that committed.
fn changeover_unknown(
    outcome: Upshot,
    seen: &Seen,
    probe: &ProbeReport,
    asking: &Asking,
    to: Color,
) -> Option<String> {
    let is_over = matches!(outcome, Upshot::Committed);
    if !is_over || probe.changeover_ms.is_some() || probe.sent == 0 {
        return None;
    }
    let header = &asking.question.release_header;
    let cure = format!("return the header `{header}: $BGECS_RELEASE`");
    Some(match (probe.first_new_ms, probe.last_old_ms) {
        (None, None) if seen.releases_are_alike() => {
            format!("both releases give the same answers; {cure}")
        }
        (None, None) => format!("no answer matches either release; {cure}"),
        (None, Some(_)) if probe.unknown > 0 => format!("no answer matches {to}; {cure}"),
        (None, Some(_)) => format!("{to} was not seen to answer in the window"),
        (Some(_), _) => {
            format!("not every node was seen to answer from {to}, over each kind of connection")
        }
    })
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

fn sentence(text: &str) -> String {
    format!("{}.", capital(text))
}

/// None for an operation that stays open.
fn remembered(ending: &Outcome) -> Option<journal::OperationOutcome> {
    use journal::OperationOutcome;
    Some(match ending {
        Outcome::Committed => OperationOutcome::Done,
        Outcome::RolledBack(_) => OperationOutcome::RolledBack,
        Outcome::Unwell | Outcome::Refused(_) => OperationOutcome::Refused,
        Outcome::Interrupted => OperationOutcome::Interrupted,
        Outcome::Unchanged(_) => OperationOutcome::Failed,
        Outcome::Left(_) => OperationOutcome::Left,
        Outcome::Paused | Outcome::InDoubt(_) => return None,
    })
}

fn times(shift: &Shift) -> SwapTimes {
    let span = |from: Option<Duration>, to: Option<Duration>| {
        Some(u64::try_from(to?.checked_sub(from?)?.as_millis()).unwrap_or(u64::MAX))
    };
    let times = |route| {
        let mut stages = shift.strategy.stages.iter();
        let last = stages.rfind(|stage| stage.it.route == route)?;
        shift.times_of(last)
    };
    let (production, test) = (times(Route::Production), times(Route::Test));
    let sent = |write: Option<&MoveTimes>| write.map(|write| write.sent);
    let seen = |write: Option<&MoveTimes>| write?.seen;
    SwapTimes {
        prod_ms: span(sent(production), seen(production)),
        test_ms: span(sent(test), seen(test)),
        window_ms: span(sent(production), seen(test)),
        gap_ms: span(Some(Duration::ZERO), shift.gap()),
    }
}

/// `first` is the first failed request, which is the reason if failures are.
fn ending(shift: &Shift, first: Option<&Failure>) -> (Upshot, Exit, Option<String>) {
    let failed = |text: &str| Some(text.to_owned());
    let reason = |why: &Why| match (why, first) {
        (Why::Failures, Some(first)) => first.what(),
        _ => reason(why),
    };
    match shift.outcome() {
        Some(Outcome::Committed) => (Upshot::Committed, Exit::Done, None),
        Some(Outcome::Paused) => (Upshot::Paused, Exit::Done, None),
        Some(Outcome::RolledBack(why)) => (Upshot::RolledBack, Exit::RolledBack, Some(reason(why))),
        Some(Outcome::Unwell) => {
            let (bad, all) = shift.baseline();
            let text =
                format!("production failed before anything was changed ({bad} of {all} requests)");
            (Upshot::Refused, Exit::Refused, Some(text))
        }
        Some(Outcome::Refused(why)) => (Upshot::Refused, Exit::Refused, failed(why)),
        Some(Outcome::Interrupted) if !shift.moves.is_empty() => {
            let text = "interrupted; the test port was moved, and production was not";
            (Upshot::Refused, Exit::Interrupted, failed(text))
        }
        Some(Outcome::Interrupted) => (Upshot::Refused, Exit::Interrupted, failed("interrupted")),
        Some(Outcome::Unchanged(why)) => (Upshot::Refused, Exit::Failed, failed(why)),
        Some(Outcome::Left(why)) => {
            let text = format!("{}; the swap was left in place", reason(why));
            (Upshot::InDoubt, Exit::LookNow, Some(text))
        }
        Some(Outcome::InDoubt(why)) => (Upshot::InDoubt, Exit::LookNow, failed(why)),
        None => (
            Upshot::InDoubt,
            Exit::LookNow,
            failed("the swap did not end"),
        ),
    }
}

pub fn reason(why: &Why) -> String {
    match why {
        Why::Failures => "requests failed after the swap".to_owned(),
        Why::ProbeEnded => "the probe has ended by itself".to_owned(),
        Why::Interrupt => "interrupted".to_owned(),
        Why::Worse(reason)
        | Why::Journal(reason)
        | Why::Unseen(reason)
        | Why::Unmet(reason)
        | Why::Alarm(reason)
        | Why::Recalled(reason)
        | Why::Unhealthy(reason) => reason.clone(),
        Why::Unmoved(Route::Test, reason) => {
            format!("the test port could not be moved: {reason}")
        }
        Why::Unmoved(Route::Production, reason) => {
            format!("production could not be moved further: {reason}")
        }
    }
}

/// What to do next after it was taken back. The logs are named only if the tasks may be
/// to blame.
fn after(why: &Why, (to, logs): (Color, &str), operation: Command) -> String {
    match why {
        Why::Failures | Why::Worse(_) | Why::Alarm(_) | Why::Unhealthy(_) => {
            format!("see {logs}")
        }
        Why::Interrupt => "run it again when you are ready".to_owned(),
        Why::ProbeEnded | Why::Unseen(_) | Why::Recalled(_) => {
            format!("nothing speaks against {to}: `bgecs {operation}` again")
        }
        Why::Unmoved(..) | Why::Journal(_) | Why::Unmet(_) => {
            format!("fix that, or allow it for these credentials; then `bgecs {operation}` again")
        }
    }
}

/// Times count from the beginning of the swap, if it began. With `is_said`, the failure
/// itself has been stated already.
fn failure_sentence(failure: &Failure, has_begun: bool, is_said: bool) -> String {
    let when = match u64::try_from(failure.at_ms) {
        Ok(after) if has_begun => format!(
            "first {:.1} s after the swap began",
            Duration::from_millis(after).as_secs_f64()
        ),
        _ => "before the swap".to_owned(),
    };
    match is_said {
        true => when,
        false => format!("{}, {when}", failure.what()),
    }
}
