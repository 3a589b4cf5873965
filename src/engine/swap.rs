//! The swap of the two listeners, as a state machine.
//!
//! `Swap::step` takes what happened and says what to do next; it does nothing
//! itself. At most one effect is under way at a time. The order is fixed: prod
//! first, then test, each noted in the journal and looked at ahead of its write,
//! which is not made if somebody else changed the listener meanwhile, and read
//! back after it; and back again the same way when users saw a failure. An answer that was lost
//! means *look again*, never *assume*.

mod journey;
mod last_look;
#[cfg(test)]
mod tests;
mod way;

use std::time::Duration;

use super::seen::Changed;
use crate::model::{Color, Forwarding, PerPort, Port};
use journey::Journey;

/// How long a listener may take to show a write.
const READ_DEADLINE: Duration = Duration::from_secs(10);
/// How long a listener, or an old colour's health, may stay unreadable: longer
/// than a throttled call takes that is tried again until it is given up.
const UNREADABLE_DEADLINE: Duration = Duration::from_secs(30);
/// The pause before a listener is read again.
const READ_PAUSE: Duration = Duration::from_millis(200);
/// The pause before a colour's health is asked for again.
const HEALTH_PAUSE: Duration = Duration::from_secs(1);
/// Good answers in a row that confirm a rollback.
const CONFIRMING_ANSWERS: u32 = 3;
/// How long they may take, beyond the probe's own pace.
const CONFIRM_DEADLINE: Duration = Duration::from_secs(10);
/// How many good answers make a baseline.
const BASELINE_ANSWERS: u32 = 3;
/// What a load balancer is given to settle before the answers of a swap away
/// from a failing colour are judged.
const SETTLE: Duration = Duration::from_secs(2);

/// Why a swap does not go on, though nothing failed.
const PROBE_ENDED: &str = "the probe has ended by itself";

/// What the person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub baseline: Duration,
    pub window: Duration,
    /// The time between two requests of the probe.
    pub pace: Duration,
    /// Whether a failing production forbids the swap. It does for a promotion,
    /// and not for a rollback, which is how one gets away from it.
    pub needs_clean_baseline: bool,
    /// Whether a failed swap is taken back.
    pub takes_back: bool,
    pub tolerates: Tolerated,
}

/// How many failures are no reason to judge otherwise. None, unless the person
/// says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tolerated {
    /// Ahead of the swap.
    pub baseline: u64,
    /// From the swap on.
    pub after: u64,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passed. `oldest_pending` is when the oldest unanswered request of
    /// the probe was due.
    Tick {
        oldest_pending: Option<Duration>,
    },
    /// The probe got an answer, or none.
    Answered {
        scheduled_at: Duration,
        ok: bool,
    },
    /// The probe ended by itself: nobody watches any more.
    ProbeEnded,
    /// Ctrl-C, or SIGTERM.
    Interrupt,
    Noted(Result<(), NoteFault>),
    Written(Result<(), WriteFault>),
    /// Another holds the lease, so the write was not sent.
    LeaseLost(String),
    Read(Result<Forwarding, String>),
    Health(Result<bool, String>),
}

/// A write that AWS did not confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteFault {
    /// Whether it may have happened all the same, or would the next time.
    pub ambiguous: bool,
    pub message: String,
}

/// An intent that is not in the journal: the write that it is about must not
/// happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFault {
    /// Whether another holds the lease now.
    pub is_lost: bool,
    pub message: String,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Write into the journal that the listener is about to be pointed there.
    Note(Port, Color),
    Write(Port, Color),
    Read {
        port: Port,
        after: Duration,
    },
    AskHealth {
        color: Color,
        after: Duration,
    },
}

/// How it ended, and who serves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The new colour serves.
    Committed,
    /// Users saw failures, or the person asked: the old colour serves again.
    RolledBack(Why),
    /// Nothing was changed, because production already failed.
    Unwell,
    /// Nothing was changed, because something else moved port 80 meanwhile, or
    /// another holds the lease now.
    Refused(String),
    /// Nothing was changed, because the person asked.
    Interrupted,
    /// Nothing was changed, because AWS would not.
    Unchanged(String),
    /// Failed, and left on the new colour.
    Left(Why),
    /// Nobody knows for sure, or the way back failed: look now.
    InDoubt(String),
}

/// Why a swap is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Failures,
    /// The probe ended by itself, so nobody would see a failure.
    Blind,
    Interrupt,
    /// The test port could not be moved.
    TestPort(String),
    /// The journal could not be written, so the test port was not moved.
    Journal(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Baseline,
    /// The intent to move that listener is being written.
    Noting(Port),
    Forward(Journey),
    Watching {
        until: Duration,
    },
    /// Is the old colour fit to serve again?
    LookingBack {
        why: Why,
        since: Duration,
    },
    Back {
        why: Why,
        journey: Journey,
    },
    Confirming {
        why: Why,
        since: Duration,
        good: u32,
    },
    Done(Outcome),
}

/// A listener pointed at a colour, there or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenerWrite {
    pub port: Port,
    pub color: Color,
    /// When it first left.
    pub sent: Duration,
    /// When it was read back.
    pub seen: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Swap {
    pub from: Color,
    pub to: Color,
    pub policy: Policy,
    pub phase: Phase,
    /// In the order in which they left.
    pub writes: Vec<ListenerWrite>,
    /// Where the listeners forwarded when it began.
    found: PerPort<Option<Color>>,
    good: u32,
    failures: u64,
    /// Failures of requests that were due when the new colour should have
    /// settled; judged only where the baseline was not clean.
    failures_after_settling: u64,
    baseline_failures: u64,
    is_blind: bool,
    interrupts: u32,
}

impl Swap {
    /// `found` is where each listener forwards, where that is one colour alone.
    pub fn new(from: Color, to: Color, found: PerPort<Option<Color>>, policy: Policy) -> Self {
        Self {
            from,
            to,
            found,
            policy,
            phase: Phase::Baseline,
            writes: Vec::new(),
            good: 0,
            failures: 0,
            failures_after_settling: 0,
            baseline_failures: 0,
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

    fn end(&mut self, outcome: Outcome) -> Option<Action> {
        self.phase = Phase::Done(outcome);
        None
    }

    fn on_answer(&mut self, at: Duration, scheduled_at: Duration, ok: bool) -> Option<Action> {
        if let Phase::Confirming { why, since, good } = &mut self.phase {
            // Only what left after the way back was finished says anything of it.
            if scheduled_at >= *since {
                *good = if ok { *good + 1 } else { 0 };
            }
            if *good >= CONFIRMING_ANSWERS {
                let outcome = Outcome::RolledBack(why.clone());
                return self.end(outcome);
            }
            return None;
        }
        if ok {
            self.good += 1;
            return None;
        }
        match self.phase {
            Phase::Baseline | Phase::Noting(Port::Prod) => {
                self.baseline_failures += 1;
                let is_judged = self.policy.needs_clean_baseline && self.phase == Phase::Baseline;
                match is_judged && self.was_failing() {
                    true => self.end(Outcome::Unwell),
                    false => None,
                }
            }
            _ => {
                self.failures += 1;
                if self
                    .write_of(Port::Prod)
                    .and_then(|write| write.seen)
                    .is_some_and(|seen| scheduled_at > seen + SETTLE)
                {
                    self.failures_after_settling += 1;
                }
                self.turn_back_if_watching(at)
            }
        }
    }

    /// Whether production did not answer well ahead of the swap.
    fn was_failing(&self) -> bool {
        self.baseline_failures > self.policy.tolerates.baseline
    }

    /// A listener's write on the way forward, once it left.
    pub fn write_of(&self, port: Port) -> Option<&ListenerWrite> {
        let color = self.destination(port);
        let is_it = |write: &&ListenerWrite| (write.port, write.color) == (port, color);
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

    /// Whether users saw what a swap must not do to them, or might have.
    fn complaint(&self) -> Option<Why> {
        let failures = match self.was_failing() {
            false => self.failures,
            true => self.failures_after_settling,
        };
        if failures > self.policy.tolerates.after {
            return Some(Why::Failures);
        }
        self.is_blind.then_some(Why::Blind)
    }

    fn turn_back_if_watching(&mut self, at: Duration) -> Option<Action> {
        if !matches!(self.phase, Phase::Watching { .. }) {
            return None;
        }
        let why = self.complaint()?;
        self.turn_back(at, why)
    }

    fn turn_back(&mut self, at: Duration, why: Why) -> Option<Action> {
        // A colour that failed before the swap is no place to go back to.
        let old_was_failing = self.was_failing();
        let is_the_probe_s = matches!(why, Why::Failures | Why::Blind);
        if is_the_probe_s && (!self.policy.takes_back || old_was_failing) {
            return self.end(Outcome::Left(why));
        }
        self.phase = Phase::LookingBack { why, since: at };
        Some(Action::AskHealth {
            color: self.from,
            after: Duration::ZERO,
        })
    }

    fn on_probe_ended(&mut self, at: Duration) -> Option<Action> {
        self.is_blind = true;
        match self.phase {
            Phase::Baseline => self.end(Outcome::Unchanged(PROBE_ENDED.to_owned())),
            Phase::Confirming { .. } => self.end(self.unconfirmed()),
            // Where an effect is under way, its result decides.
            _ => self.turn_back_if_watching(at),
        }
    }

    fn unconfirmed(&self) -> Outcome {
        let from = self.from;
        Outcome::InDoubt(format!(
            "both listeners point back at {from}, and no answer confirms it: {PROBE_ENDED}"
        ))
    }

    fn on_interrupt(&mut self, at: Duration) -> Option<Action> {
        self.interrupts += 1;
        if self.interrupts > 1 {
            return self.end(Outcome::InDoubt(
                "left at the second interrupt, before the way back was finished".to_owned(),
            ));
        }
        match self.phase {
            Phase::Baseline => self.end(Outcome::Interrupted),
            Phase::Watching { .. } => self.turn_back(at, Why::Interrupt),
            // An effect is under way: its result decides.
            _ => None,
        }
    }

    fn on_tick(&mut self, at: Duration, oldest_pending: Option<Duration>) -> Option<Action> {
        match &self.phase {
            Phase::Baseline => {
                let judged = self.good >= BASELINE_ANSWERS || self.was_failing();
                if at < self.policy.baseline || !judged {
                    return None;
                }
                self.note(Port::Prod)
            }
            Phase::Watching { until } => {
                // The last requests of the window may still be on their way.
                let all_answered = oldest_pending.is_none_or(|due| due >= *until);
                if at >= *until && all_answered {
                    return self.end(Outcome::Committed);
                }
                None
            }
            Phase::Confirming { since, .. }
                if at > *since + CONFIRM_DEADLINE + self.policy.pace * CONFIRMING_ANSWERS =>
            {
                self.end(Outcome::InDoubt(format!(
                    "both listeners point back at {}, and port 80 does not answer well there either",
                    self.from
                )))
            }
            _ => None,
        }
    }

    fn on_noted(&mut self, at: Duration, result: Result<(), NoteFault>) -> Option<Action> {
        let Phase::Noting(port) = self.phase else {
            return None;
        };
        match (port, result) {
            (Port::Prod, Ok(())) => match self.reason_to_stay() {
                Some(outcome) => self.end(outcome),
                None => self.set_out(at, Port::Prod),
            },
            (Port::Test, Ok(())) => self.set_out(at, Port::Test),
            (Port::Prod, Err(fault)) if fault.is_lost => self.end(Outcome::Refused(fault.message)),
            (Port::Prod, Err(fault)) => self.end(Outcome::Unchanged(fault.message)),
            // Whoever holds the lease now decides which way it goes on.
            (Port::Test, Err(fault)) if fault.is_lost => self.end(Outcome::InDoubt(fault.message)),
            (Port::Test, Err(fault)) => self.turn_back(at, Why::Journal(fault.message)),
        }
    }

    /// Why the first write is not to be made, if so.
    fn reason_to_stay(&self) -> Option<Outcome> {
        if self.interrupts > 0 {
            return Some(Outcome::Interrupted);
        }
        self.is_blind
            .then(|| Outcome::Unchanged(PROBE_ENDED.to_owned()))
    }

    fn on_health(&mut self, at: Duration, result: Result<bool, String>) -> Option<Action> {
        let Phase::LookingBack { why, since } = self.phase.clone() else {
            return None;
        };
        match result {
            Ok(true) => self.set_out_back(at, why, Port::Prod),
            // The new copy may be the only healthy one: hold.
            Ok(false) => self.end(Outcome::Left(why)),
            Err(reason) if at > since + UNREADABLE_DEADLINE => self.end(Outcome::InDoubt(format!(
                "the health of {} cannot be read: {reason}",
                self.from
            ))),
            Err(_) => Some(Action::AskHealth {
                color: self.from,
                after: HEALTH_PAUSE,
            }),
        }
    }
}
