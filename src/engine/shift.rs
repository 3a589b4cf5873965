//! A shift of traffic along a strategy, as a state machine.
//!
//! `Shift::step` takes what happened and says what to do next; it does nothing
//! itself. Each stage's move is noted in the journal and looked at ahead of its
//! write, which is not made if somebody else changed the route meanwhile, and
//! read back after it; and back again the same way. An answer that was lost means
//! *look again*, never *assume*.
//!
//! Users come first: what they see of production, and what the person says, is
//! judged at once, whatever is under way (see `judging`). And no call is waited
//! for without end: one that does not answer in time has failed.

mod back;
mod baseline;
mod gap;
mod journey;
mod judging;
mod last_look;
mod shares;
mod targets;
#[cfg(test)]
pub mod testing;
#[cfg(test)]
mod tests;
mod way;
mod words;

use std::time::Duration;

use super::analysis::{Complaint, Heard, Stretch};
use super::seen::Changed;
use crate::model::{Condition, PerRoute, Route, Stage, Strategy};
use gap::Gap;
use targets::TargetsSeen;
pub use words::{
    Action, Before, Event, JudgedBy, Milestone, MoveTimes, NoteFault, Outcome, Phase, Policy,
    Tolerated, Why, WriteEffect, WriteFault,
};

/// How long a call may take: two attempts of its own, and the pause between them.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// The pause before a colour's health is asked for again.
const HEALTH_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct Shift {
    pub strategy: Strategy,
    pub policy: Policy,
    pub phase: Phase,
    /// In the order in which they left.
    pub moves: Vec<MoveTimes>,
    /// Which of the strategy's is on, or next.
    stage: usize,
    before: Before,
    /// The call that is under way, and since when.
    awaited: Option<(Action, Duration)>,
    /// Whether a write of the way forward was sent whose end is not known: it may
    /// still take effect.
    may_land_late: PerRoute<bool>,
    /// Whether a route was last seen at what nobody here did.
    is_strange: PerRoute<bool>,
    /// Whether production was moved back and could not be read any more.
    is_unseen: bool,
    good: u64,
    failures: u64,
    /// Failures of requests that were due when the new colour should have
    /// settled; judged only where the baseline was not clean.
    failures_after_settling: u64,
    /// When those requests were due that failed ahead of the first move.
    baseline_failures: Vec<Duration>,
    gap: Gap,
    /// What was heard since a stage was watched last, once users may be on the new
    /// colour.
    stretch: Option<Stretch>,
    /// The verdict on a stretch that is over.
    verdict: Option<Complaint>,
    was_mostly_failing: bool,
    has_probe_ended: bool,
    /// What an alarm has against it.
    objection: Option<String>,
    /// Since when no alarm can be read.
    deaf_since: Option<Duration>,
    /// Where they are what it is judged by.
    targets: TargetsSeen,
    /// What failed of that with which it was to go live.
    recalled: Option<String>,
    interrupts: u32,
}

impl Shift {
    pub fn new(strategy: Strategy, before: Before, policy: Policy) -> Self {
        Self {
            strategy,
            policy,
            phase: Phase::Baseline,
            moves: Vec::new(),
            stage: 0,
            before,
            awaited: None,
            may_land_late: PerRoute::default(),
            is_strange: PerRoute::default(),
            is_unseen: false,
            good: 0,
            failures: 0,
            failures_after_settling: 0,
            baseline_failures: Vec::new(),
            gap: Gap::default(),
            stretch: None,
            verdict: None,
            was_mostly_failing: false,
            has_probe_ended: false,
            objection: None,
            recalled: None,
            deaf_since: None,
            targets: TargetsSeen::default(),
            interrupts: 0,
        }
    }

    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.phase {
            Phase::Done(outcome) => Some(outcome),
            _ => None,
        }
    }

    /// Whether the new colour was live and taken back, and nobody asked for it.
    pub fn was_taken_back(&self) -> bool {
        let outcome = self.outcome();
        matches!(outcome, Some(Outcome::RolledBack(why)) if *why != Why::Interrupt)
    }

    /// What is being seen to.
    pub fn condition(&self) -> Option<Condition> {
        match self.phase {
            Phase::Meeting { is_watched, number } => {
                self.conditions(is_watched).get(number).copied()
            }
            _ => None,
        }
    }

    fn conditions(&self, is_watched: bool) -> &[Condition] {
        let stage = self.current();
        match is_watched {
            true => &stage.after,
            false => &stage.before,
        }
    }

    /// Whether it left users on both colours, or found them so and did nothing.
    pub fn is_half_way(&self) -> bool {
        let has_moved = !matches!(self.outcome(), Some(Outcome::Unchanged(_)));
        let last = self.production_moves().last().filter(|_| has_moved);
        let is_on_both = match last {
            Some(moved) => moved.it.to.is_shared(),
            None => self.before.found.production.is_on_both(),
        };
        let is_back = matches!(self.outcome(), Some(Outcome::RolledBack(_)));
        !is_back && is_on_both
    }

    /// Where it is, for noticing that it goes on.
    pub fn milestone(&self) -> Milestone {
        match &self.phase {
            Phase::Baseline => Milestone::Baseline,
            Phase::Meeting { number, .. } => Milestone::Meeting(self.stage, *number),
            Phase::Noting => Milestone::Noting(self.stage),
            Phase::Forward(_) => Milestone::Moving(self.stage),
            Phase::Baking { .. } => Milestone::Baking(self.stage),
            Phase::LookingBack { .. } => Milestone::LookingBack,
            Phase::Back { journey, .. } => Milestone::Back(journey.it.route),
            Phase::Confirming { .. } => Milestone::Confirming,
            Phase::Done(_) => Milestone::Done,
        }
    }

    /// Takes one event at a time of the operation, and says what to do.
    pub fn step(&mut self, at: Duration, event: Event) -> Option<Action> {
        if self.outcome().is_some() {
            return None;
        }
        let event = match event {
            Event::Tick { .. } => self.overdue(at).unwrap_or(event),
            event => event,
        };
        let action = self.take(at, event);
        if let Some(action) = action {
            self.awaited = Some((action, at));
        }
        action
    }

    fn take(&mut self, at: Duration, event: Event) -> Option<Action> {
        let is_answer = matches!(
            event,
            Event::Noted(_) | Event::Written(_) | Event::Read(_) | Event::Health(_) | Event::Met(_)
        );
        // After a look back, the other half may still be missing.
        if is_answer && !matches!(self.awaited, Some((Action::LookBack(_), _))) {
            self.awaited = None;
        }
        match event {
            Event::Answered {
                scheduled_at,
                over_at,
                ok,
                is_silence,
                by,
                latency,
            } => {
                if self.is_of_the_gap(scheduled_at, ok, is_silence) {
                    return self.judge(at);
                }
                let heard = Heard {
                    who: by,
                    is_good: ok,
                    latency,
                    counts_for_share: false,
                };
                self.on_answer(at, (scheduled_at, over_at), heard)
            }
            Event::ProbeEnded => self.on_probe_ended(at),
            Event::Interrupt => self.on_interrupt(at),
            Event::Recalled(why) => {
                self.recalled = Some(why);
                self.judge(at)
            }
            Event::Tick { oldest_pending } => self.on_tick(at, oldest_pending),
            Event::Noted(result) => self.on_noted(at, result),
            Event::Written(result) => self.on_written(at, result),
            Event::LeaseLost(reason) => self.on_lease_lost(reason),
            Event::Read(result) => self.on_read(at, result),
            Event::Health(result) => self.on_health(at, result),
            Event::Met(result) => self.on_met(at, result),
            Event::Alarms(result) => self.on_alarms(at, result),
            Event::Targets { asked_at, result } => self.on_targets(at, asked_at, result),
            Event::OldHealth(result) => {
                // One that cannot be asked is asked again when that counts.
                self.before.was_healthy = result == Ok(true);
                None
            }
        }
    }

    /// What a call amounts to that has not answered in time.
    fn overdue(&mut self, at: Duration) -> Option<Event> {
        let (action, since) = self.awaited?;
        let pause = match action {
            // It has a limit of its own.
            Action::Meet(_) => return None,
            Action::Read { after, .. } | Action::AskHealth { after, .. } => after,
            _ => Duration::ZERO,
        };
        if at < since + pause + ANSWER_DEADLINE {
            return None;
        }
        self.awaited = None;
        let message = format!("no answer within {} s", ANSWER_DEADLINE.as_secs());
        Some(match action {
            Action::Note(_) => Event::Noted(Err(NoteFault {
                is_lost: false,
                message: format!("the journal cannot be written: {message}"),
            })),
            Action::Apply(..) => {
                Event::Written(Err(WriteFault::new(WriteEffect::Unknown, message)))
            }
            Action::Read { .. } => Event::Read(Err(message)),
            Action::Meet(_) => Event::Met(Err(message)),
            Action::LookBack(_) | Action::AskHealth { .. } => Event::Health(Err(message)),
        })
    }

    fn end(&mut self, outcome: Outcome) -> Option<Action> {
        self.phase = Phase::Done(outcome);
        None
    }

    pub fn current(&self) -> &Stage {
        &self.strategy.stages[self.stage]
    }

    /// Whether the stage that is on is watched at all.
    pub fn is_watched(&self) -> bool {
        !self.current().bake.is_zero()
    }

    /// A stage's move, once it left.
    pub fn times_of(&self, stage: &Stage) -> Option<&MoveTimes> {
        self.moves.iter().find(|moved| moved.it == stage.it)
    }

    /// The moves of production on the way forward that left.
    pub fn production_moves(&self) -> impl Iterator<Item = &MoveTimes> {
        let stages = self.strategy.stages.iter();
        let of_production = stages.filter(|stage| stage.it.route == Route::Production);
        of_production.filter_map(|stage| self.times_of(stage))
    }

    /// What is known by now of the routes.
    pub fn changed(&self) -> Changed {
        let is_settled = match self.phase {
            Phase::Baking { .. } => self.is_last_stage(),
            Phase::Confirming { .. } | Phase::Done(_) => true,
            _ => false,
        };
        let last = self.moves.last().filter(|_| is_settled);
        Changed {
            began: self.moves.first().map(|moved| moved.sent),
            ended: last.and_then(|moved| moved.seen),
        }
    }

    fn on_tick(&mut self, at: Duration, oldest_pending: Option<Duration>) -> Option<Action> {
        match &self.phase {
            Phase::Baseline => self.leave_baseline(at),
            Phase::Baking { until } => {
                // The last requests of the window may still be on their way.
                let all_answered = oldest_pending.is_none_or(|due| due >= *until);
                match at >= *until && all_answered && self.has_looked_since(*until) {
                    true => self.end_the_stretch(at),
                    false => None,
                }
            }
            Phase::LookingBack { .. } => self.decide(at),
            Phase::Confirming { .. } => self.go_on_confirming(at),
            _ => None,
        }
    }
}
