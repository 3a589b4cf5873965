//! Judges at once what the probe and the person say: while users fail, nothing waits for
//! a call about the test route or for the journal.

use std::time::Duration;

use super::{Action, Outcome, Phase, Shift, Why};
use crate::engine::analysis::{Answerer, Complaint, Heard, Stretch};
use crate::model::{Found, Route};

/// Why a swap does not go on, though nothing failed.
const PROBE_ENDED: &str = "the probe has ended by itself";

impl Shift {
    pub(super) fn on_answer(
        &mut self,
        at: Duration,
        (scheduled_at, over_at): (Duration, Duration),
        heard: Heard,
    ) -> Option<Action> {
        let ok = heard.is_good;
        if matches!(self.phase, Phase::Confirming { .. }) {
            return self.confirm(at, scheduled_at, ok);
        }
        self.good += u64::from(ok);
        match self.on_new_since() {
            None => self.hear_old(scheduled_at, ok),
            Some(since) if over_at >= since => self.hear(scheduled_at, heard),
            // Heard of late. It says nothing of the new colour; nor does it forbid the
            // way back, as it did not forbid the way forward.
            Some(_) => {}
        }
        self.judge(at)
    }

    /// Whether nobody could be answered then, as the router cannot move users
    /// otherwise.
    pub(super) fn is_of_the_gap(&mut self, due: Duration, ok: bool, is_silence: bool) -> bool {
        let longest = self.policy.patience.gap;
        if longest.is_zero() {
            return false;
        }
        if ok {
            self.gap.hear_good(due);
        }
        let left = self.moves.last().map(|moved| moved.sent);
        is_silence && left.is_some_and(|left| self.gap.takes(due, left, longest))
    }

    /// For how long users were without an answer while the route moved, where the
    /// router cannot help it.
    pub fn gap(&self) -> Option<Duration> {
        self.gap.length()
    }

    /// Judges an answer of production, once users may be on the new colour.
    fn hear(&mut self, scheduled_at: Duration, heard: Heard) {
        let has_settled = self.settled_at().is_some_and(|at| scheduled_at > at);
        let is_watched = matches!(self.phase, Phase::Baking { .. });
        let who = match self.strategy.is_gradual() || heard.is_good {
            true => heard.who,
            // Users go over at once: whoever fails then does so because of it.
            false => Answerer::Unknown,
        };
        let is_failure = !heard.is_good && who != Answerer::Old;
        self.failures += u64::from(is_failure);
        self.failures_after_settling += u64::from(is_failure && has_settled);
        let stretch = match self.stretch.take() {
            Some(stretch) => stretch,
            None => self.next_stretch(),
        };
        self.stretch.insert(stretch).add(Heard {
            who,
            counts_for_share: is_watched && has_settled && self.policy.shares_requests,
            ..heard
        });
    }

    /// Up to the end of the next stage that is watched.
    fn next_stretch(&self) -> Stretch {
        let share = self.coming_share();
        let limits = self.policy.tolerates.after.clone();
        Stretch::new(limits, self.expected_answers(), share)
    }

    /// Of the new release, at the next stage that is watched, in basis points.
    fn coming_share(&self) -> u16 {
        let stages = &self.strategy.stages[..=self.watched_stage()];
        let mut moves = stages.iter().rev().map(|stage| stage.it);
        let to = self.strategy.to;
        let share = match moves.find(|it| it.route == Route::Production) {
            Some(it) => Some(it.to.share(to)),
            None => self.before.found.production.greatest_share(to),
        };
        share.unwrap_or(0)
    }

    fn watched_stage(&self) -> usize {
        // What comes after its watch is heard for the next one.
        let is_over = matches!(
            self.phase,
            Phase::Meeting {
                is_watched: true,
                ..
            }
        );
        let mut left = self.stage + usize::from(is_over)..self.strategy.stages.len();
        let is_watched = |stage: &usize| !self.strategy.stages[*stage].bake.is_zero();
        left.find(is_watched)
            .unwrap_or(self.strategy.stages.len() - 1)
    }

    /// How many answers the new release is expected to give in the current stretch.
    fn expected_answers(&self) -> u64 {
        let bake = self.strategy.stages[self.watched_stage()].bake;
        let due = bake
            .as_nanos()
            .checked_div(self.policy.pace.as_nanos())
            .unwrap_or(0);
        let of_new = due * u128::from(self.coming_share()) / 10_000;
        u64::try_from(of_new).unwrap_or(u64::MAX)
    }

    /// A stage was watched for its time: what is to be said of the whole of it
    /// decides whether it goes on.
    pub(super) fn end_the_stretch(&mut self, at: Duration) -> Option<Action> {
        self.verdict = self.stretch.as_ref().and_then(Stretch::at_the_end);
        let judged = self.judge(at);
        if judged.is_some() || self.outcome().is_some() {
            return judged;
        }
        self.stretch = None;
        self.verdict = None;
        self.meet(true, 0)
    }

    pub(super) fn on_probe_ended(&mut self, at: Duration) -> Option<Action> {
        self.has_probe_ended = true;
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
        let (production, from) = (&self.policy.endpoints.production, self.strategy.from);
        Outcome::InDoubt(format!(
            "{production} points back at {from}, and no answer confirms it: {PROBE_ENDED}"
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
        if self.has_probe_ended {
            return self.end(Outcome::Unchanged(PROBE_ENDED.to_owned()));
        }
        if let Some(why) = &self.recalled {
            return self.end(Outcome::Refused(why.clone()));
        }
        let objection = self.objection.as_ref().or(self.targets.objection());
        if let (Some(objection), false) = (objection, self.found_on_new()) {
            return self.end(Outcome::Refused(objection.clone()));
        }
        let is_too_bad = match self.found_on_new() {
            true => self.complaint().is_some(),
            // It is judged by how production is when its turn comes.
            false if self.waits_for_its_turn() => false,
            false => self.failures_before() > self.policy.tolerates.baseline,
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
        // Nobody more is brought to it.
        let is_between = self.strategy.is_gradual()
            && matches!(
                self.phase,
                Phase::Meeting { .. } | Phase::Noting | Phase::Baking { .. }
            );
        let is_over = match why {
            Why::Interrupt => is_between || self.is_past_production(),
            // Both routes, not one.
            _ => is_between || matches!(self.phase, Phase::Baking { .. }) || !moved_production,
        };
        match (is_over, why) {
            (false, _) => None,
            (true, Why::Interrupt) if !moved_production => self.end(Outcome::Interrupted),
            (true, why) => self.end(Outcome::Left(why)),
        }
    }

    /// What a shift must not do to users, where they saw it, or might have.
    pub(super) fn complaint(&self) -> Option<Why> {
        if let Some(why) = self.complaint_of_the_probe() {
            return Some(why);
        }
        if let Some(objection) = &self.objection {
            return Some(Why::Alarm(objection.clone()));
        }
        if let Some(objection) = self.targets.objection() {
            return Some(Why::Unhealthy(objection.clone()));
        }
        if let Some(why) = &self.recalled {
            return Some(Why::Recalled(why.clone()));
        }
        self.has_probe_ended.then_some(Why::ProbeEnded)
    }

    fn complaint_of_the_probe(&self) -> Option<Why> {
        if self.is_old_bad() {
            let tolerated = &self.policy.tolerates.after.failures;
            let is_too_bad = self.failures_after_settling > tolerated.of(self.expected_answers());
            return is_too_bad.then_some(Why::Failures);
        }
        let so_far = || self.stretch.as_ref().and_then(Stretch::so_far);
        Some(match self.verdict.clone().or_else(so_far)? {
            Complaint::Failures { .. } => Why::Failures,
            other => Why::Worse(other.to_string()),
        })
    }

    /// Whether there is a way back to take, and it may be taken for that reason.
    pub(super) fn may_turn_back(&self, why: &Why) -> bool {
        let is_of_the_release = matches!(
            why,
            Why::Failures | Why::Worse(_) | Why::ProbeEnded | Why::Alarm(_) | Why::Unhealthy(_)
        );
        self.before.origin == Some(self.strategy.from)
            && !self.is_old_bad()
            && (self.policy.takes_back || !is_of_the_release)
    }

    /// A colour that failed before the swap is no place to go back to; nor is one
    /// that a person wanted to get away from, and that nobody could watch since.
    fn is_old_bad(&self) -> bool {
        self.failures_before() > self.policy.tolerates.baseline
            || self.was_mostly_failing
            || (self.found_on_new() && !self.policy.needs_clean_baseline)
    }

    /// Whether users were on the new colour before this shift did anything.
    pub(super) fn found_on_new(&self) -> bool {
        self.before.found.production.reaches(self.strategy.to)
    }

    /// Whether users were on both colours before.
    pub(super) fn found_on_both(&self) -> bool {
        self.before.found.production.is_on_both()
    }

    /// Since when users may be on the new colour; none as long as they are not.
    fn on_new_since(&self) -> Option<Duration> {
        match self.found_on_new() {
            true => Some(Duration::ZERO),
            false => self.production_moves().next().map(|first| first.sent),
        }
    }

    /// Whether production is where it goes: the test route's turn has come, or
    /// there is none and all users are watched.
    fn is_past_production(&self) -> bool {
        let is_watched = matches!(
            self.phase,
            Phase::Baking { .. }
                | Phase::Meeting {
                    is_watched: true,
                    ..
                }
        );
        let is_on = matches!(
            self.phase,
            Phase::Meeting { .. } | Phase::Noting | Phase::Forward(_) | Phase::Baking { .. }
        );
        match self.current().it.route {
            Route::Test => is_on,
            Route::Production => is_watched && self.is_last_stage(),
        }
    }

    /// From when on a failing answer is the new colour's own.
    fn settled_at(&self) -> Option<Duration> {
        match self.production_moves().last() {
            Some(moved) => moved.seen.map(|seen| seen + self.policy.patience.visible),
            None => (self.before.found.production == Found::from(self.strategy.to))
                .then_some(Duration::ZERO),
        }
    }
}
