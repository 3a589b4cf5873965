//! The way there, listener by listener: each is looked at, written, and read
//! back before the next one's turn.

use std::time::Duration;

use super::journey::{Journey, Reading};
use super::{Action, ListenerWrite, NoteFault, Outcome, Phase, Swap, Urgency, Why, WriteFault};
use crate::model::{Color, Found, PerRoute, Route};

impl Swap {
    /// Where a listener goes on the way forward.
    pub(super) fn destination(&self, route: Route) -> Color {
        match route {
            Route::Production => self.to,
            Route::Test => self.from,
        }
    }

    pub(super) fn note(&mut self, route: Route) -> Option<Action> {
        self.phase = Phase::Noting(route);
        Some(Action::Note(route, self.destination(route)))
    }

    pub(super) fn on_noted(
        &mut self,
        at: Duration,
        result: Result<(), NoteFault>,
    ) -> Option<Action> {
        let Phase::Noting(route) = self.phase else {
            return None;
        };
        match (route, result) {
            (_, Ok(())) => self.set_out(at, route),
            (Route::Production, Err(fault)) if fault.is_lost => {
                self.end(Outcome::Refused(fault.message))
            }
            (Route::Production, Err(fault)) => self.end(Outcome::Unchanged(fault.message)),
            // Whoever holds the lease now decides which way it goes on.
            (Route::Test, Err(fault)) if fault.is_lost => self.end(Outcome::InDoubt(fault.message)),
            (Route::Test, Err(fault)) => self.turn_back(at, Why::Journal(fault.message)),
        }
    }

    /// Forward: prod takes the new colour, test the old one.
    fn set_out(&mut self, at: Duration, route: Route) -> Option<Action> {
        let (color, found) = (self.destination(route), *self.before.found.get(route));
        self.phase = Phase::Forward(Journey::forward(at, route, color, found));
        Some(look(route))
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
        let (route, after) = (journey.route, journey.pause());
        if is_forward && !journey.may_land_late() {
            *slot(&mut self.may_land_late, route) = false;
        }
        Some(Action::Read { route, after })
    }

    /// Whoever holds the lease now decides which way it goes on. Nothing was
    /// changed if this was to be the first write.
    pub(super) fn on_lease_lost(&mut self, reason: String) -> Option<Action> {
        match &self.phase {
            Phase::Forward(journey)
                if journey.route == Route::Production && !journey.has_written() =>
            {
                self.end(Outcome::Refused(reason))
            }
            Phase::Forward(_) | Phase::Back { .. } => self.end(Outcome::InDoubt(reason)),
            _ => None,
        }
    }

    pub(super) fn on_read(
        &mut self,
        at: Duration,
        result: Result<Found, String>,
    ) -> Option<Action> {
        if let Phase::LookingBack { look, .. } = &mut self.phase {
            if let Ok(seen) = &result {
                self.is_strange.production = seen.only().is_none();
            }
            look.listener = Some(result);
            return self.decide(at);
        }
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        let (route, color) = (journey.route, journey.color);
        let reading = journey.read(at, result);
        *slot(&mut self.is_strange, route) = journey.is_strange();
        match reading {
            Reading::Arrived => {
                self.saw(at, route, color);
                self.arrived(at)
            }
            Reading::Again(after) => Some(Action::Read { route, after }),
            Reading::Write => Some(self.send(at, route, color)),
            other => match self.phase {
                Phase::Back { .. } => self.back_fails(at, other),
                _ => self.forward_fails(at, route, other),
            },
        }
    }

    pub(super) fn send(&mut self, at: Duration, route: Route, color: Color) -> Action {
        let is_it = |write: &ListenerWrite| (write.route, write.color) == (route, color);
        if !self.writes.iter().any(is_it) {
            let (sent, seen) = (at, None);
            self.writes.push(ListenerWrite {
                route,
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
            *slot(&mut self.may_land_late, route) = true;
        }
        Action::Write(route, color, urgency)
    }

    /// The listener shows that colour.
    fn saw(&mut self, at: Duration, route: Route, color: Color) {
        let writes = self.writes.iter_mut();
        for write in writes.filter(|write| (write.route, write.color) == (route, color)) {
            write.seen.get_or_insert(at);
        }
    }

    fn arrived(&mut self, at: Duration) -> Option<Action> {
        let next = match &self.phase {
            Phase::Forward(journey) if journey.route == Route::Production => self.note(Route::Test),
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

    fn forward_fails(&mut self, at: Duration, route: Route, reading: Reading) -> Option<Action> {
        match (route, reading) {
            // Whatever it is with the test port, users are not left half-way.
            (
                Route::Test,
                Reading::Refused(reason)
                | Reading::Drifted(reason)
                | Reading::Strange(reason)
                | Reading::Unseen { reason, .. },
            ) => self.turn_back(at, Why::TestPort(reason)),
            // AWS refused the write, and the listener shows that nothing changed.
            (Route::Production, Reading::Refused(reason)) => self.end(Outcome::Unchanged(reason)),
            // Somebody else was here: what they did is not overwritten.
            (Route::Production, Reading::Drifted(reason)) => self.end(Outcome::Refused(reason)),
            (Route::Production, Reading::Unseen { reason, .. }) => {
                let why = Why::Unseen(reason.clone());
                match self.may_turn_back(&why) {
                    true => self.turn_back(at, why),
                    false => self.end(Outcome::InDoubt(reason)),
                }
            }
            (Route::Production, Reading::Strange(reason)) => self.end(Outcome::InDoubt(reason)),
            (_, Reading::Arrived | Reading::Again(_) | Reading::Write) => None,
        }
    }
}

/// Ahead of a write, at once.
pub(super) fn look(route: Route) -> Action {
    Action::Read {
        route,
        after: Duration::ZERO,
    }
}

fn slot<T>(of: &mut PerRoute<T>, route: Route) -> &mut T {
    match route {
        Route::Production => &mut of.production,
        Route::Test => &mut of.test,
    }
}
