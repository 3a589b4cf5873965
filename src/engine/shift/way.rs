//! The way there, stage by stage: each route is looked at, moved, read back and
//! watched before the next one's turn.

use std::time::Duration;

use super::journey::{Journey, Reading};
use super::{Action, JudgedBy, MoveTimes, NoteFault, Outcome, Phase, Shift, Why, WriteFault};
use crate::model::{Condition, Found, Move, Route, Split, Urgency};

impl Shift {
    /// Begins with the stage whose turn it is.
    pub(super) fn begin_stage(&mut self) -> Option<Action> {
        self.meet(false, 0)
    }

    /// Sees to what the stage waits for, from the one of that number on: ahead of
    /// its move, or once it was watched.
    pub(super) fn meet(&mut self, is_watched: bool, number: usize) -> Option<Action> {
        match self.conditions(is_watched).get(number).copied() {
            Some(condition) => {
                self.phase = Phase::Meeting { is_watched, number };
                Some(Action::Meet(condition))
            }
            None if is_watched => self.next_stage(),
            None => {
                self.phase = Phase::Noting;
                Some(Action::Note(self.current().it))
            }
        }
    }

    pub(super) fn on_met(&mut self, at: Duration, result: Result<(), String>) -> Option<Action> {
        let Phase::Meeting { is_watched, number } = self.phase else {
            return None;
        };
        match (result, self.condition()) {
            (Ok(()), Some(Condition::Person)) => self.end(Outcome::Paused),
            (Ok(()), Some(Condition::Set(_))) => {
                let next = self.meet(is_watched, number + 1);
                self.unless_judged(at, next)
            }
            (Ok(()), _) => self.meet(is_watched, number + 1),
            (Err(reason), _) if self.found_on_both() || !self.has_changed_nothing() => {
                self.turn_back(at, Why::Unmet(reason))
            }
            (Err(reason), Some(Condition::Hook { .. })) => self.end(Outcome::Refused(reason)),
            (Err(reason), _) => self.end(Outcome::Unchanged(reason)),
        }
    }

    /// The stage that was on is over.
    fn next_stage(&mut self) -> Option<Action> {
        if self.is_last_stage() {
            return self.end(Outcome::Committed);
        }
        self.stage += 1;
        self.begin_stage()
    }

    pub(super) fn on_noted(
        &mut self,
        at: Duration,
        result: Result<(), NoteFault>,
    ) -> Option<Action> {
        if self.phase != Phase::Noting {
            return None;
        }
        match (self.stage, result) {
            (_, Ok(())) => self.set_out(at),
            (0, Err(fault)) if fault.is_lost => self.end(Outcome::Refused(fault.message)),
            (0, Err(fault)) if !self.found_on_both() => self.end(Outcome::Unchanged(fault.message)),
            // Whoever holds the lease now decides which way it goes on.
            (_, Err(fault)) if fault.is_lost => self.end(Outcome::InDoubt(fault.message)),
            (_, Err(fault)) => self.turn_back(at, Why::Journal(fault.message)),
        }
    }

    fn set_out(&mut self, at: Duration) -> Option<Action> {
        let it = self.current().it;
        self.phase = Phase::Forward(Journey::forward(
            at,
            it,
            &self.policy,
            self.expected(it.route),
            self.policy.judged_by == JudgedBy::Nothing,
        ));
        Some(look(it.route))
    }

    /// Where a route is ahead of the stage that is on.
    fn expected(&self, route: Route) -> Found {
        let mut earlier = self.strategy.stages[..self.stage].iter().rev();
        match earlier.find(|stage| stage.it.route == route) {
            Some(stage) => Found::Split(stage.it.to),
            None => self.before.found.get(route).clone(),
        }
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
        let (route, after) = (journey.it.route, journey.pause());
        if is_forward && !journey.may_land_late() {
            *self.may_land_late.get_mut(route) = false;
        }
        Some(Action::Read { route, after })
    }

    /// Whoever holds the lease now decides which way it goes on. Nothing was
    /// changed if this was to be the first write.
    pub(super) fn on_lease_lost(&mut self, reason: String) -> Option<Action> {
        match &self.phase {
            Phase::Forward(journey) if self.stage == 0 && !journey.has_written() => {
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
        if matches!(self.phase, Phase::LookingBack { .. }) {
            return self.on_look_back(at, result);
        }
        let (Phase::Forward(journey) | Phase::Back { journey, .. }) = &mut self.phase else {
            return None;
        };
        let it = journey.it;
        let reading = journey.read(at, result);
        *self.is_strange.get_mut(it.route) = journey.is_strange();
        match reading {
            Reading::Arrived => {
                self.saw(at, it);
                self.arrived(at)
            }
            Reading::Again(after) => Some(Action::Read {
                route: it.route,
                after,
            }),
            Reading::Write => Some(self.send(at, it)),
            other => match self.phase {
                Phase::Back { .. } => self.back_fails(at, other),
                _ => self.forward_fails(at, it.route, other),
            },
        }
    }

    /// Production, looked at ahead of the way back.
    fn on_look_back(&mut self, at: Duration, result: Result<Found, String>) -> Option<Action> {
        if let Ok(seen) = &result {
            let known = self.known(Route::Production);
            self.is_strange.production = !seen.is_among(&known);
        }
        if let Phase::LookingBack { look, .. } = &mut self.phase {
            look.route = Some(result);
        }
        self.decide(at)
    }

    /// Where a route may be by this operation's own doing, or was before it.
    pub(super) fn known(&self, route: Route) -> Vec<Split> {
        let ends = [self.strategy.from, self.strategy.to].map(Split::all);
        let stages = self.strategy.stages.iter().map(|stage| stage.it);
        let stages = stages.filter(|it| it.route == route).map(|it| it.to);
        let found = self.before.found.get(route).splits();
        ends.into_iter().chain(stages).chain(found).collect()
    }

    pub(super) fn send(&mut self, at: Duration, it: Move) -> Action {
        if !self.moves.iter().any(|moved| moved.it == it) {
            let (sent, seen) = (at, None);
            self.moves.push(MoveTimes { it, sent, seen });
        }
        let urgency = match self.phase {
            Phase::Back { .. } => Urgency::Back,
            _ => Urgency::Forward,
        };
        if urgency == Urgency::Forward {
            // Until it is answered.
            *self.may_land_late.get_mut(it.route) = true;
        }
        Action::Apply(it, urgency)
    }

    /// The route shows it.
    fn saw(&mut self, at: Duration, it: Move) {
        let moves = self.moves.iter_mut();
        for moved in moves.filter(|moved| moved.it == it) {
            moved.seen.get_or_insert(at);
        }
    }

    fn arrived(&mut self, at: Duration) -> Option<Action> {
        let bake = self.bake();
        let next = match &self.phase {
            Phase::Forward(_) if bake.is_zero() && !self.is_last_stage() => self.meet(true, 0),
            Phase::Forward(_) => {
                self.phase = Phase::Baking { until: at + bake };
                None
            }
            _ => return self.is_back(at),
        };
        self.unless_judged(at, next)
    }

    /// What had to wait for a phase counts now that it is on.
    fn unless_judged(&mut self, at: Duration, next: Option<Action>) -> Option<Action> {
        let judged = self.judge(at);
        match self.outcome().is_some() || judged.is_some() {
            true => judged,
            false => next,
        }
    }

    pub(super) fn is_last_stage(&self) -> bool {
        self.stage + 1 == self.strategy.stages.len()
    }

    fn forward_fails(&mut self, at: Duration, route: Route, reading: Reading) -> Option<Action> {
        let is_first = self.stage == 0;
        match (route, reading) {
            // Whatever it is with the test route, users are not left half-way.
            (
                Route::Test,
                Reading::Refused(reason)
                | Reading::Drifted(reason)
                | Reading::Strange(reason)
                | Reading::Overtaken(reason)
                | Reading::HalfWay(reason)
                | Reading::Unseen { reason, .. },
            ) => self.turn_back(at, Why::Unmoved(route, reason)),
            // AWS refused the write, and the route shows that nothing changed.
            (Route::Production, Reading::Refused(reason)) if is_first && !self.found_on_both() => {
                self.end(Outcome::Unchanged(reason))
            }
            (Route::Production, Reading::Overtaken(reason))
                if is_first && !self.found_on_both() =>
            {
                self.end(Outcome::Refused(reason))
            }
            (Route::Production, Reading::Refused(reason) | Reading::Overtaken(reason)) => {
                self.turn_back(at, Why::Unmoved(route, reason))
            }
            (Route::Production, Reading::HalfWay(reason)) => {
                let why = Why::Unmoved(route, reason.clone());
                match self.may_turn_back(&why) {
                    true => self.turn_back(at, why),
                    false => self.end(Outcome::InDoubt(reason)),
                }
            }
            // Somebody else was here: what they did is not overwritten.
            (Route::Production, Reading::Drifted(reason)) if is_first => {
                self.end(Outcome::Refused(reason))
            }
            (Route::Production, Reading::Unseen { reason, .. }) => {
                let why = Why::Unseen(reason.clone());
                match self.may_turn_back(&why) {
                    true => self.turn_back(at, why),
                    false => self.end(Outcome::InDoubt(reason)),
                }
            }
            (Route::Production, Reading::Drifted(reason) | Reading::Strange(reason)) => {
                self.end(Outcome::InDoubt(reason))
            }
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
