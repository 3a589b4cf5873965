//! The swap of the two listeners, as a state machine.
//!
//! `Swap::step` takes what happened and says what to do next; it does nothing
//! itself. The order is fixed: prod first, then test, each noted in the journal
//! and looked at ahead of its write, which is not made if somebody else changed
//! the listener meanwhile, and read back after it; and back again the same way.
//! An answer that was lost means *look again*, never *assume*.
//!
//! Users come first: what they see of production, and what the person says, is
//! judged at once, whatever is under way (see `judging`). And no call is waited
//! for without end: one that does not answer in time has failed.

mod back;
mod journey;
mod judging;
mod last_look;
#[cfg(test)]
mod tests;
mod way;
mod words;

use std::time::Duration;

use super::seen::Changed;
use crate::model::{Color, PerRoute, Route};
pub use words::{
    Action, Before, Event, ListenerWrite, NoteFault, Outcome, Phase, Policy, Tolerated, Urgency,
    Why, WriteFault,
};

/// How long a call may take: two attempts of its own, and the pause between them.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);
/// How long a listener may take to show a write.
const READ_DEADLINE: Duration = Duration::from_secs(10);
/// How long a listener, or an old colour's health, may stay unreadable: longer
/// than a throttled call takes that is tried again until it is given up.
const UNREADABLE_DEADLINE: Duration = Duration::from_secs(30);
/// The pause before a listener is read again.
const READ_PAUSE: Duration = Duration::from_millis(200);
/// How long a listener may show what nobody here did, before it is taken for
/// somebody else's doing: AWS's reads can be stale.
const SECOND_LOOK: Duration = Duration::from_secs(2);
const SECOND_LOOK_PAUSE: Duration = Duration::from_millis(500);
/// The pause before a colour's health is asked for again.
const HEALTH_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    pub from: Color,
    pub to: Color,
    pub policy: Policy,
    pub phase: Phase,
    /// In the order in which they left.
    pub writes: Vec<ListenerWrite>,
    before: Before,
    /// The call that is under way, and since when.
    awaited: Option<(Action, Duration)>,
    /// Whether a write of the way forward was sent whose end is not known: it may
    /// still take effect.
    may_land_late: PerRoute<bool>,
    /// Whether a listener was last seen at what nobody here did.
    is_strange: PerRoute<bool>,
    /// Whether port 80 was pointed back and could not be read any more.
    is_unseen: bool,
    good: u64,
    failures: u64,
    /// Failures of requests that were due when the new colour should have
    /// settled; judged only where the baseline was not clean.
    failures_after_settling: u64,
    baseline_failures: u64,
    was_mostly_failing: bool,
    is_blind: bool,
    interrupts: u32,
}

impl Swap {
    pub fn new(from: Color, to: Color, before: Before, policy: Policy) -> Self {
        Self {
            from,
            to,
            before,
            policy,
            phase: Phase::Baseline,
            writes: Vec::new(),
            awaited: None,
            may_land_late: PerRoute::default(),
            is_strange: PerRoute::default(),
            is_unseen: false,
            good: 0,
            failures: 0,
            failures_after_settling: 0,
            baseline_failures: 0,
            was_mostly_failing: false,
            is_blind: false,
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
            Event::Noted(_) | Event::Written(_) | Event::Read(_) | Event::Health(_)
        );
        // Of a look back, the other half may be still to come.
        if is_answer && !matches!(self.awaited, Some((Action::LookBack(_), _))) {
            self.awaited = None;
        }
        match event {
            Event::Answered { scheduled_at, ok } => self.on_answer(at, scheduled_at, ok),
            Event::ProbeEnded => self.on_probe_ended(at),
            Event::Interrupt => self.on_interrupt(at),
            Event::Tick { oldest_pending } => self.on_tick(at, oldest_pending),
            Event::Noted(result) => self.on_noted(at, result),
            Event::Written(result) => self.on_written(at, result),
            Event::LeaseLost(reason) => self.on_lease_lost(reason),
            Event::Read(result) => self.on_read(at, result),
            Event::Health(result) => self.on_health(at, result),
        }
    }

    /// What a call amounts to that has not answered in time.
    fn overdue(&mut self, at: Duration) -> Option<Event> {
        let (action, since) = self.awaited?;
        let pause = match action {
            Action::Read { after, .. } | Action::AskHealth { after, .. } => after,
            _ => Duration::ZERO,
        };
        if at < since + pause + ANSWER_DEADLINE {
            return None;
        }
        self.awaited = None;
        let message = format!("no answer within {} s", ANSWER_DEADLINE.as_secs());
        Some(match action {
            Action::Note(..) => Event::Noted(Err(NoteFault {
                is_lost: false,
                message: format!("the journal cannot be written: {message}"),
            })),
            Action::Write(..) => Event::Written(Err(WriteFault {
                ambiguous: true,
                message,
            })),
            Action::Read { .. } => Event::Read(Err(message)),
            Action::LookBack(_) | Action::AskHealth { .. } => Event::Health(Err(message)),
        })
    }

    fn end(&mut self, outcome: Outcome) -> Option<Action> {
        self.phase = Phase::Done(outcome);
        None
    }

    /// A listener's write on the way forward, once it left.
    pub fn write_of(&self, route: Route) -> Option<&ListenerWrite> {
        let color = self.destination(route);
        let is_it = |write: &&ListenerWrite| (write.route, write.color) == (route, color);
        self.writes.iter().find(is_it)
    }

    /// What is known by now of the listeners.
    pub fn changed(&self) -> Changed {
        let is_settled = matches!(
            self.phase,
            Phase::Watching { .. } | Phase::Confirming { .. } | Phase::Done(_)
        );
        let last = self.writes.last().filter(|_| is_settled);
        Changed {
            began: self.writes.first().map(|write| write.sent),
            ended: last.and_then(|write| write.seen),
        }
    }

    fn on_tick(&mut self, at: Duration, oldest_pending: Option<Duration>) -> Option<Action> {
        match &self.phase {
            Phase::Baseline => self.leave_baseline(at),
            Phase::Watching { until } => {
                // The last requests of the window may still be on their way.
                let all_answered = oldest_pending.is_none_or(|due| due >= *until);
                if at >= *until && all_answered {
                    return self.end(Outcome::Committed);
                }
                None
            }
            Phase::LookingBack { .. } => self.decide(at),
            Phase::Confirming { .. } => self.go_on_confirming(at),
            _ => None,
        }
    }
}
