//! How production does before any change: whether it is healthy enough for one.

use std::time::Duration;

use super::{Action, JudgedBy, Outcome, Shift, Why};
use crate::model::Condition;

/// How many good answers make a baseline.
const BASELINE_ANSWERS: u64 = 3;
/// By how many requests a baseline goes on that is mostly failures, where these
/// are tolerated.
const GRACE_REQUESTS: u32 = 3;

impl Shift {
    /// Ahead of the first move. What is long past when its turn comes says nothing.
    pub(super) fn hear_old(&mut self, scheduled_at: Duration, ok: bool) {
        if !ok {
            self.baseline_failures.push(scheduled_at);
        }
        if self.waits_for_its_turn() {
            let recent = self.policy.baseline();
            self.baseline_failures
                .retain(|failure| *failure + recent >= scheduled_at);
        }
    }

    /// Whether other modules of its set are waited for, and users are where they were.
    pub(super) fn waits_for_its_turn(&self) -> bool {
        self.has_changed_nothing() && matches!(self.condition(), Some(Condition::Set(_)))
    }

    /// How many requests failed ahead of the first move.
    pub(super) fn failures_before(&self) -> u64 {
        self.baseline_failures.len() as u64
    }

    pub(super) fn leave_baseline(&mut self, at: Duration) -> Option<Action> {
        let JudgedBy::Probe { baseline } = self.policy.judged_by else {
            return self.begin_stage();
        };
        if at < baseline {
            return None;
        }
        let bad = self.failures_before() + self.failures;
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
        let failed = self.failures_before() + self.failures;
        (failed, failed + self.good)
    }

    /// Where production answers badly ahead of this swap's first write.
    pub(super) fn refuse_or_turn_back(&mut self, at: Duration) -> Option<Action> {
        // Who is on the new colour already was brought there by this operation.
        let why = self.complaint().unwrap_or(Why::Failures);
        if self.found_on_new() && self.may_turn_back(&why) {
            return self.turn_back(at, why);
        }
        self.end(match self.policy.is_blind() {
            true => Outcome::Left(why),
            false => Outcome::Unwell,
        })
    }
}
