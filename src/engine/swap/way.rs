//! The way there and the way back, listener by listener: each is looked at,
//! written, and read back before the next one's turn.

use std::time::Duration;

use super::journey::{Expected, Journey, Reading};
use super::{Action, ListenerWrite, Outcome, Phase, READ_PAUSE, Swap, Why, WriteFault};
use crate::model::{Color, Forwarding, Port};

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

    /// Forward: prod takes the new colour, test the old one.
    pub(super) fn set_out(&mut self, at: Duration, port: Port) -> Option<Action> {
        let color = self.destination(port);
        let expected = Expected::Only(*self.found.get(port));
        self.phase = Phase::Forward(Journey::new(at, port, color, expected));
        Some(look(port))
    }

    pub(super) fn set_out_back(&mut self, at: Duration, why: Why, port: Port) -> Option<Action> {
        let color = match port {
            Port::Prod => self.from,
            Port::Test => self.to,
        };
        let journey = Journey::new(at, port, color, Expected::Either);
        self.phase = Phase::Back { why, journey };
        Some(look(port))
    }

    pub(super) fn on_written(
        &mut self,
        at: Duration,
        result: Result<(), WriteFault>,
    ) -> Option<Action> {
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        journey.written(at, result);
        Some(Action::Read {
            port: journey.port,
            after: Duration::ZERO,
        })
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
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        match journey.read(at, result) {
            Reading::Arrived => self.arrived(at),
            Reading::Again => Some(Action::Read {
                port: journey.port,
                after: READ_PAUSE,
            }),
            Reading::Write => self.write(at),
            Reading::Refused(reason) => self.refused(at, reason),
            Reading::Drifted(reason) => self.drifted(at, reason),
            Reading::Lost(reason) => self.end(Outcome::InDoubt(reason)),
        }
    }

    /// Nothing stands against the write of the journey's listener, or it is to
    /// be sent anew.
    fn write(&mut self, at: Duration) -> Option<Action> {
        match self.phase {
            Phase::Forward(Journey { port, color, .. }) => self.write_forward(at, port, color),
            Phase::Back {
                journey: Journey { port, color, .. },
                ..
            } => Some(self.send(at, port, color)),
            _ => None,
        }
    }

    fn write_forward(&mut self, at: Duration, port: Port, color: Color) -> Option<Action> {
        let is_first = self.writes.is_empty();
        if let Some(outcome) = self.reason_to_stay().filter(|_| is_first) {
            return self.end(outcome);
        }
        Some(self.send(at, port, color))
    }

    fn send(&mut self, at: Duration, port: Port, color: Color) -> Action {
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
        Action::Write(port, color)
    }

    /// The journey's listener shows its colour.
    fn saw(&mut self, at: Duration) {
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &self.phase else {
            return;
        };
        let arrived = (journey.port, journey.color);
        let writes = self.writes.iter_mut();
        for write in writes.filter(|write| (write.port, write.color) == arrived) {
            write.seen.get_or_insert(at);
        }
    }

    fn arrived(&mut self, at: Duration) -> Option<Action> {
        self.saw(at);
        match self.phase.clone() {
            Phase::Forward(journey) if journey.port == Port::Prod => {
                if self.interrupts > 0 {
                    return self.turn_back(at, Why::Interrupt);
                }
                let may_go_back = self.policy.takes_back && !self.was_failing();
                if let Some(why) = self.complaint().filter(|_| may_go_back) {
                    return self.turn_back(at, why);
                }
                self.note(Port::Test)
            }
            Phase::Forward(_) => {
                self.phase = Phase::Watching {
                    until: at + self.policy.window,
                };
                if self.interrupts > 0 {
                    return self.turn_back(at, Why::Interrupt);
                }
                self.turn_back_if_watching(at)
            }
            Phase::Back { why, journey }
                if journey.port == Port::Prod && self.write_of(Port::Test).is_some() =>
            {
                self.set_out_back(at, why, Port::Test)
            }
            Phase::Back { .. } if self.is_blind => self.end(self.unconfirmed()),
            Phase::Back { why, .. } => {
                self.phase = Phase::Confirming {
                    why,
                    since: at,
                    good: 0,
                };
                None
            }
            _ => None,
        }
    }

    /// AWS refused the write, and the listener shows that nothing changed.
    fn refused(&mut self, at: Duration, reason: String) -> Option<Action> {
        match &self.phase {
            Phase::Forward(journey) if journey.port == Port::Prod => {
                self.end(Outcome::Unchanged(reason))
            }
            Phase::Forward(_) => self.turn_back(at, Why::TestPort(reason)),
            _ => self.end(Outcome::InDoubt(format!(
                "the way back was refused: {reason}"
            ))),
        }
    }

    /// Somebody else was here: what they did is not overwritten.
    fn drifted(&mut self, at: Duration, reason: String) -> Option<Action> {
        match &self.phase {
            Phase::Forward(journey) if journey.port == Port::Prod => {
                self.end(Outcome::Refused(reason))
            }
            Phase::Forward(_) => self.turn_back(at, Why::TestPort(reason)),
            _ => self.end(Outcome::InDoubt(reason)),
        }
    }
}

/// Ahead of a write, at once.
fn look(port: Port) -> Action {
    Action::Read {
        port,
        after: Duration::ZERO,
    }
}
