//! The way there, listener by listener: each is looked at, written, and read
//! back before the next one's turn.

use std::time::Duration;

use super::journey::{Journey, Reading};
use super::{Action, ListenerWrite, NoteFault, Outcome, Phase, Swap, Urgency, Why, WriteFault};
use crate::model::{Color, Forwarding, PerPort, Port};

impl Swap {
    /// Where a listener goes on the way forward.
    pub(super) fn destination(&self, port: Port) -> Color {
        match port {
            Port::Prod => self.to,
            Port::Test => self.from,
        }
    }

    pub(super) fn note(&mut self, port: Port) -> Option<Action> {
        self.phase = Phase::Noting(port);
        Some(Action::Note(port, self.destination(port)))
    }

    pub(super) fn on_noted(
        &mut self,
        at: Duration,
        result: Result<(), NoteFault>,
    ) -> Option<Action> {
        let Phase::Noting(port) = self.phase else {
            return None;
        };
        match (port, result) {
            (_, Ok(())) => self.set_out(at, port),
            (Port::Prod, Err(fault)) if fault.is_lost => self.end(Outcome::Refused(fault.message)),
            (Port::Prod, Err(fault)) => self.end(Outcome::Unchanged(fault.message)),
            // Whoever holds the lease now decides which way it goes on.
            (Port::Test, Err(fault)) if fault.is_lost => self.end(Outcome::InDoubt(fault.message)),
            (Port::Test, Err(fault)) => self.turn_back(at, Why::Journal(fault.message)),
        }
    }

    /// Forward: prod takes the new colour, test the old one.
    fn set_out(&mut self, at: Duration, port: Port) -> Option<Action> {
        let (color, found) = (self.destination(port), *self.before.found.get(port));
        self.phase = Phase::Forward(Journey::forward(at, port, color, found));
        Some(look(port))
    }

    pub(super) fn on_written(
        &mut self,
        at: Duration,
        result: Result<(), WriteFault>,
    ) -> Option<Action> {
        let is_forward = matches!(self.phase, Phase::Forward(_));
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        journey.written(at, result);
        let (port, after) = (journey.port, journey.pause());
        if is_forward && !journey.may_land_late() {
            *slot(&mut self.may_land_late, port) = false;
        }
        Some(Action::Read { port, after })
    }

    /// Whoever holds the lease now decides which way it goes on. Nothing was
    /// changed if this was to be the first write.
    pub(super) fn on_lease_lost(&mut self, reason: String) -> Option<Action> {
        match &self.phase {
            Phase::Forward(journey) if journey.port == Port::Prod && !journey.has_written() => {
                self.end(Outcome::Refused(reason))
            }
            Phase::Forward(_) | Phase::Back { .. } => self.end(Outcome::InDoubt(reason)),
            _ => None,
        }
    }

    pub(super) fn on_read(
        &mut self,
        at: Duration,
        result: Result<Forwarding, String>,
    ) -> Option<Action> {
        if let Phase::LookingBack { look, .. } = &mut self.phase {
            if let Ok(seen) = &result {
                self.is_strange.prod = seen.only().is_none();
            }
            look.listener = Some(result);
            return self.decide(at);
        }
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        let (port, color) = (journey.port, journey.color);
        let reading = journey.read(at, result);
        *slot(&mut self.is_strange, port) = journey.is_strange();
        match reading {
            Reading::Arrived => {
                self.saw(at, port, color);
                self.arrived(at)
            }
            Reading::Again(after) => Some(Action::Read { port, after }),
            Reading::Write => Some(self.send(at, port, color)),
            other => match self.phase {
                Phase::Back { .. } => self.back_fails(at, other),
                _ => self.forward_fails(at, port, other),
            },
        }
    }

    pub(super) fn send(&mut self, at: Duration, port: Port, color: Color) -> Action {
        let is_it = |write: &ListenerWrite| (write.port, write.color) == (port, color);
        if !self.writes.iter().any(is_it) {
            let (sent, seen) = (at, None);
            self.writes.push(ListenerWrite {
                port,
                color,
                sent,
                seen,
            });
        }
        let urgency = match self.phase {
            Phase::Back { .. } => Urgency::Back,
            _ => Urgency::Forward,
        };
        if urgency == Urgency::Forward {
            // Until it is answered.
            *slot(&mut self.may_land_late, port) = true;
        }
        Action::Write(port, color, urgency)
    }

    /// The listener shows that colour.
    fn saw(&mut self, at: Duration, port: Port, color: Color) {
        let writes = self.writes.iter_mut();
        for write in writes.filter(|write| (write.port, write.color) == (port, color)) {
            write.seen.get_or_insert(at);
        }
    }

    fn arrived(&mut self, at: Duration) -> Option<Action> {
        let next = match &self.phase {
            Phase::Forward(journey) if journey.port == Port::Prod => self.note(Port::Test),
            Phase::Forward(_) => {
                let until = at + self.policy.window;
                self.phase = Phase::Watching { until };
                None
            }
            _ => return self.is_back(at),
        };
        // What had to wait for this counts now.
        let judged = self.judge(at);
        match self.outcome().is_some() || judged.is_some() {
            true => judged,
            false => next,
        }
    }

    fn forward_fails(&mut self, at: Duration, port: Port, reading: Reading) -> Option<Action> {
        match (port, reading) {
            // Whatever it is with the test port, users are not left half-way.
            (
                Port::Test,
                Reading::Refused(reason)
                | Reading::Drifted(reason)
                | Reading::Strange(reason)
                | Reading::Unseen { reason, .. },
            ) => self.turn_back(at, Why::TestPort(reason)),
            // AWS refused the write, and the listener shows that nothing changed.
            (Port::Prod, Reading::Refused(reason)) => self.end(Outcome::Unchanged(reason)),
            // Somebody else was here: what they did is not overwritten.
            (Port::Prod, Reading::Drifted(reason)) => self.end(Outcome::Refused(reason)),
            (Port::Prod, Reading::Unseen { reason, .. }) => {
                let why = Why::Unseen(reason.clone());
                match self.may_turn_back(&why) {
                    true => self.turn_back(at, why),
                    false => self.end(Outcome::InDoubt(reason)),
                }
            }
            (Port::Prod, Reading::Strange(reason)) => self.end(Outcome::InDoubt(reason)),
            (_, Reading::Arrived | Reading::Again(_) | Reading::Write) => None,
        }
    }
}

/// Ahead of a write, at once.
pub(super) fn look(port: Port) -> Action {
    Action::Read {
        port,
        after: Duration::ZERO,
    }
}

fn slot<T>(of: &mut PerPort<T>, port: Port) -> &mut T {
    match port {
        Port::Prod => &mut of.prod,
        Port::Test => &mut of.test,
    }
}
