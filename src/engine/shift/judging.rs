//! What the probe and the person say, judged at once: neither a call about the
//! test port nor one to the journal is waited for while users fail.

use std::time::Duration;

use super::{Action, Outcome, Phase, Shift, Why};
use crate::engine::seen::OLD;
use crate::model::Route;

/// How many good answers make a baseline.
const BASELINE_ANSWERS: u64 = 3;
/// By how many requests a baseline goes on that is mostly failures, where these
/// are tolerated.
const GRACE_REQUESTS: u32 = 3;

/// Why a swap does not go on, though nothing failed.
const PROBE_ENDED: &str = "the probe has ended by itself";

impl Shift {
    pub(super) fn on_answer(
        &mut self,
        at: Duration,
        scheduled_at: Duration,
        ok: bool,
        by: Option<usize>,
    ) -> Option<Action> {
        if matches!(self.phase, Phase::Confirming { .. }) {
            return self.confirm(at, scheduled_at, ok);
        }
        if ok {
            self.good += 1;
            return None;
        }
        if !self.may_be_on_new() {
            self.baseline_failures += 1;
        } else if self.strategy.is_gradual() && by == Some(OLD) {
            // It was there before, and says nothing against the new one.
            self.failures_of_old += 1;
        } else {
            self.failures += 1;
            let has_settled = self.settled_at().is_some_and(|at| scheduled_at > at);
            self.failures_after_settling += u64::from(has_settled);
        }
        self.judge(at)
    }

    pub(super) fn on_probe_ended(&mut self, at: Duration) -> Option<Action> {
        self.is_blind = true;
        match self.phase {
            Phase::Confirming { .. } => self.end(self.unconfirmed()),
            _ => self.judge(at),
        }
    }

    /// What cannot be read for a while is an alarm, too.
    pub(super) fn on_alarms(
        &mut self,
        at: Duration,
        result: Result<Option<String>, String>,
    ) -> Option<Action> {
        match result {
            Ok(objection) => {
                self.deaf_since = None;
                self.objection = objection;
            }
            Err(reason) => {
                let since = *self.deaf_since.get_or_insert(at);
                if at > since + self.policy.patience.unreadable {
                    self.objection = Some(reason);
                }
            }
        }
        self.judge(at)
    }

    pub(super) fn unconfirmed(&self) -> Outcome {
        let from = self.strategy.from;
        Outcome::InDoubt(format!(
            "both listeners point back at {from}, and no answer confirms it: {PROBE_ENDED}"
        ))
    }

    pub(super) fn on_interrupt(&mut self, at: Duration) -> Option<Action> {
        self.interrupts += 1;
        if self.interrupts > 1 {
            return self.end(Outcome::InDoubt(
                "left at the second interrupt, before the way back was finished".to_owned(),
            ));
        }
        self.judge(at)
    }

    pub(super) fn leave_baseline(&mut self, at: Duration) -> Option<Action> {
        let Some(baseline) = self.policy.baseline else {
            return self.begin_stage();
        };
        if at < baseline {
            return None;
        }
        let bad = self.baseline_failures + self.failures;
        let is_mostly_failing = bad > self.good;
        let is_enough = match self.policy.needs_clean_baseline {
            true => self.good >= BASELINE_ANSWERS && !is_mostly_failing,
            false => self.good >= BASELINE_ANSWERS || bad > 0,
        };
        if is_enough {
            self.was_mostly_failing = is_mostly_failing;
            return self.begin_stage();
        }
        let grace = self.policy.pace * GRACE_REQUESTS;
        match is_mostly_failing && at >= baseline + grace {
            true => self.refuse_or_turn_back(at),
            false => None,
        }
    }

    /// How many of how many requests failed ahead of any change.
    pub fn baseline(&self) -> (u64, u64) {
        let failed = self.baseline_failures + self.failures;
        (failed, failed + self.good)
    }

    /// Where production answers badly ahead of this swap's first write.
    fn refuse_or_turn_back(&mut self, at: Duration) -> Option<Action> {
        // Who is on the new colour already was brought there by this operation.
        let why = self.complaint().unwrap_or(Why::Failures);
        if self.found_on_new() && self.may_turn_back(&why) {
            return self.turn_back(at, why);
        }
        self.end(Outcome::Unwell)
    }

    /// What follows from all that was seen so far. Asked whenever users or the
    /// person say something, and where a phase begins that lets it count.
    pub(super) fn judge(&mut self, at: Duration) -> Option<Action> {
        match self.phase {
            Phase::LookingBack { .. }
            | Phase::Back { .. }
            | Phase::Confirming { .. }
            | Phase::Done(_) => None,
            _ if self.has_changed_nothing() => self.judge_unchanged(at),
            _ => self.judge_changed(at),
        }
    }

    /// Not by this shift, and users are where they were.
    pub(super) fn has_changed_nothing(&self) -> bool {
        self.moves.is_empty() && !self.is_past_production()
    }

    fn judge_unchanged(&mut self, at: Duration) -> Option<Action> {
        if self.interrupts > 0 {
            return self.end(Outcome::Interrupted);
        }
        if self.is_blind {
            return self.end(Outcome::Unchanged(PROBE_ENDED.to_owned()));
        }
        if let (Some(objection), false) = (&self.objection, self.found_on_new()) {
            return self.end(Outcome::Refused(objection.clone()));
        }
        let is_too_bad = match self.found_on_new() {
            true => self.complaint().is_some(),
            false => self.baseline_failures > self.policy.tolerates.baseline,
        };
        match is_too_bad && self.policy.needs_clean_baseline {
            true => self.refuse_or_turn_back(at),
            false => None,
        }
    }

    fn judge_changed(&mut self, at: Duration) -> Option<Action> {
        let why = match self.interrupts {
            0 => self.complaint()?,
            _ => Why::Interrupt,
        };
        if self.may_turn_back(&why) {
            return self.turn_back(at, why);
        }
        // Where prod's write is under way, its result decides.
        let moved_production = self.production_moves().next().is_some();
        let is_over = match why {
            Why::Interrupt => self.is_past_production(),
            // Both ports, not one.
            _ => matches!(self.phase, Phase::Baking { .. }) || !moved_production,
        };
        match (is_over, why) {
            (false, _) => None,
            (true, Why::Interrupt) if !moved_production => self.end(Outcome::Interrupted),
            (true, why) => self.end(Outcome::Left(why)),
        }
    }

    /// Whether users saw what a swap must not do to them, or might have.
    fn complaint(&self) -> Option<Why> {
        let failures = match self.is_old_bad() {
            false => self.failures,
            true => self.failures_after_settling,
        };
        if failures > self.policy.tolerates.after {
            return Some(Why::Failures);
        }
        if let Some(objection) = &self.objection {
            return Some(Why::Alarm(objection.clone()));
        }
        self.is_blind.then_some(Why::Blind)
    }

    /// Whether there is a way back to take, and it may be taken for that reason.
    pub(super) fn may_turn_back(&self, why: &Why) -> bool {
        let is_the_probe_s = matches!(why, Why::Failures | Why::Blind | Why::Alarm(_));
        self.before.origin == Some(self.strategy.from)
            && !self.is_old_bad()
            && (self.policy.takes_back || !is_the_probe_s)
    }

    /// A colour that failed before the swap is no place to go back to; nor is one
    /// that a person wanted to get away from, and that nobody could watch since.
    fn is_old_bad(&self) -> bool {
        self.baseline_failures > self.policy.tolerates.baseline
            || self.was_mostly_failing
            || (self.found_on_new() && !self.policy.needs_clean_baseline)
    }

    /// Whether users were on the new colour before this shift did anything.
    pub(super) fn found_on_new(&self) -> bool {
        self.before.found.production.reaches(self.strategy.to)
    }

    /// Whether users may be on the new colour.
    fn may_be_on_new(&self) -> bool {
        self.found_on_new() || self.production_moves().next().is_some()
    }

    /// Whether production is where it goes, and the test route's turn has come.
    fn is_past_production(&self) -> bool {
        let is_on = matches!(
            self.phase,
            Phase::Meeting { .. } | Phase::Noting | Phase::Forward(_) | Phase::Baking { .. }
        );
        is_on && self.current().it.route == Route::Test
    }

    /// From when on a failing answer is the new colour's own.
    fn settled_at(&self) -> Option<Duration> {
        match self.production_moves().last() {
            Some(moved) => moved.seen.map(|seen| seen + self.policy.patience.visible),
            None => Some(Duration::ZERO),
        }
    }
}
