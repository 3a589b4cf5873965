//! The way back. After the first failed answer there is one short look, then the write;
//! everything else comes later.

use std::time::Duration;

use super::journey::{Journey, Reading};
use super::way::look;
use super::{Action, HEALTH_PAUSE, MoveTimes, Outcome, Phase, Shift, Why};
use crate::model::{Found, Move, PerRoute, Route, Split, Stage};

/// How long the look may take, where the old colour was healthy before.
const LOOK_DEADLINE: Duration = Duration::from_millis(100);
/// Good answers in a row that confirm a rollback.
const CONFIRMING_ANSWERS: u32 = 3;
/// How long they may take, beyond the probe's own pace.
pub(super) const CONFIRM_DEADLINE: Duration = Duration::from_secs(10);

/// The one look ahead of the way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    since: Duration,
    /// Whether the old colour is healthy, or why that cannot be read.
    health: Option<Result<bool, String>>,
    /// Production.
    pub(super) route: Option<Result<Found, String>>,
}

impl Shift {
    /// Takes the shift back, or leaves it as it is where there is no way back to
    /// take.
    pub(super) fn turn_back(&mut self, at: Duration, why: Why) -> Option<Action> {
        if !self.may_turn_back(&why) {
            return self.end(Outcome::Left(why));
        }
        let look = Look {
            since: at,
            health: None,
            route: None,
        };
        self.phase = Phase::LookingBack { why, look };
        Some(Action::LookBack(self.strategy.from))
    }

    pub(super) fn on_health(
        &mut self,
        at: Duration,
        result: Result<bool, String>,
    ) -> Option<Action> {
        match &mut self.phase {
            Phase::LookingBack { look, .. } => {
                look.health = Some(result);
                self.decide(at)
            }
            Phase::Confirming { .. } => self.confirm_by_health(at, &result),
            _ => None,
        }
    }

    /// Whether enough is known to go back: not more than nothing, where the old
    /// colour was healthy when all began and nothing says otherwise in time.
    pub(super) fn decide(&mut self, at: Duration) -> Option<Action> {
        let Phase::LookingBack { why, look } = self.phase.clone() else {
            return None;
        };
        if look.health == Some(Ok(false)) {
            return self.hold(why);
        }
        let is_late = at >= look.since + LOOK_DEADLINE;
        if !is_late && (look.health.is_none() || look.route.is_none()) {
            return None;
        }
        match look.health {
            Some(Err(reason)) if !self.before.was_healthy => {
                return self.ask_again(at, look.since, &reason);
            }
            None if !self.before.was_healthy => return None,
            _ => {}
        }
        match look.route {
            Some(Ok(seen)) if self.is_strange.production => {
                self.look_further(at, look.since, &seen.deed())
            }
            Some(Err(reason)) if self.is_strange.production => {
                self.look_further(at, look.since, &format!("cannot be read ({reason})"))
            }
            // It is being looked at again.
            None if self.is_strange.production => None,
            // Also where it shows the old colour: that may be stale, and the write
            // does no harm.
            _ => {
                self.phase = self.back(at, why, Route::Production);
                Some(self.send(at, self.way_back(Route::Production)))
            }
        }
    }

    /// The new copy may be the only healthy one.
    fn hold(&mut self, why: Why) -> Option<Action> {
        let (from, to) = (self.strategy.from, self.strategy.to);
        let is_seen = |moved: &MoveTimes| moved.seen.is_some();
        let found = self.before.found.production.split();
        let was_there = found.is_some_and(|split| split.share(to) > 0);
        let is_there = was_there || self.production_moves().any(is_seen);
        self.end(match is_there {
            true => Outcome::Left(why),
            false => Outcome::InDoubt(format!(
                "{from} is not healthy any more, and whether {} was moved to {to} is not known",
                self.policy.endpoints.production
            )),
        })
    }

    fn ask_again(&mut self, at: Duration, since: Duration, reason: &str) -> Option<Action> {
        let color = self.strategy.from;
        if at > since + self.policy.patience.unreadable {
            return self.end(Outcome::InDoubt(format!(
                "the health of {color} cannot be read: {reason}"
            )));
        }
        let Phase::LookingBack { look, .. } = &mut self.phase else {
            return None;
        };
        look.health = None;
        Some(Action::AskHealth {
            color,
            after: HEALTH_PAUSE,
        })
    }

    /// Production went to what is none of the two colours: one look may be stale.
    fn look_further(&mut self, at: Duration, since: Duration, what: &str) -> Option<Action> {
        if at >= since + self.policy.patience.stale {
            return self.end(Outcome::InDoubt(format!(
                "{} {what}: something else changed it",
                self.policy.endpoints.production
            )));
        }
        let Phase::LookingBack { look, .. } = &mut self.phase else {
            return None;
        };
        look.route = None;
        Some(Action::Read {
            route: Route::Production,
            after: self.policy.patience.stale_pause,
        })
    }

    /// Where a route goes on the way back.
    pub fn way_back(&self, route: Route) -> Move {
        let color = match route {
            Route::Production => self.strategy.from,
            Route::Test => self.strategy.to,
        };
        let mut stages = self.strategy.stages.iter();
        let is_last = |stage: &&Stage| stage.it.route == route && self.times_of(stage).is_some();
        Move {
            route,
            from: match stages.rfind(is_last) {
                Some(stage) => Some(stage.it.to),
                None => self.before.found.get(route).split(),
            },
            to: Split::all(color),
        }
    }

    fn back(&self, at: Duration, why: Why, route: Route) -> Phase {
        let may_land_late = *self.may_land_late.get(route);
        let is_strange = *self.is_strange.get(route);
        let (it, known) = (self.way_back(route), self.known(route));
        let journey = Journey::back(at, it, &self.policy, known, may_land_late, is_strange);
        Phase::Back { why, journey }
    }

    /// The route on the way back shows its colour, or cannot be read while
    /// AWS says that it has it.
    pub(super) fn is_back(&mut self, at: Duration) -> Option<Action> {
        let Phase::Back { why, journey } = self.phase.clone() else {
            return None;
        };
        let mut stages = self.strategy.stages.iter();
        let is_test_moved = stages.any(|stage| {
            stage.it.route == Route::Test
                && (self.times_of(stage).is_some()
                    || self.before.found.test == Found::Split(stage.it.to))
        });
        if journey.it.route == Route::Production && is_test_moved {
            self.phase = self.back(at, why, Route::Test);
            return Some(look(Route::Test));
        }
        if self.has_probe_ended {
            return self.end(self.unconfirmed());
        }
        self.phase = Phase::Confirming {
            why,
            since: at,
            good: 0,
        };
        self.policy
            .is_blind()
            .then(|| self.wait_until_it_is_everywhere())
    }

    pub(super) fn back_fails(&mut self, at: Duration, reading: Reading) -> Option<Action> {
        match reading {
            Reading::Unseen {
                is_confirmed: true, ..
            } => {
                self.is_unseen = true;
                self.is_back(at)
            }
            Reading::Refused(reason) | Reading::Overtaken(reason) => self.end(Outcome::InDoubt(
                format!("the way back was refused: {reason}"),
            )),
            Reading::Drifted(reason)
            | Reading::Strange(reason)
            | Reading::HalfWay(reason)
            | Reading::Unseen { reason, .. } => self.end(Outcome::InDoubt(reason)),
            Reading::Arrived | Reading::Again(_) | Reading::Write => None,
        }
    }

    pub(super) fn confirm(
        &mut self,
        at: Duration,
        scheduled_at: Duration,
        ok: bool,
    ) -> Option<Action> {
        let is_unsure = self.is_unsure();
        let Phase::Confirming { why, since, good } = &mut self.phase else {
            return None;
        };
        // Only what left after the way back was finished says anything of it.
        if scheduled_at < *since {
            return None;
        }
        *good = if ok { *good + 1 } else { 0 };
        match (ok, is_unsure) {
            (true, false) if *good >= CONFIRMING_ANSWERS => {
                let outcome = Outcome::RolledBack(why.clone());
                self.end(outcome)
            }
            // The write that was given up may have come after all.
            (false, true) => self.look_once_more(at),
            _ => None,
        }
    }

    pub(super) fn go_on_confirming(&mut self, at: Duration) -> Option<Action> {
        let Phase::Confirming { since, good, .. } = self.phase else {
            return None;
        };
        if self.policy.is_blind() {
            // Without a probe it is for the calls to end it.
            return None;
        }
        if at > since + CONFIRM_DEADLINE + self.policy.pace * CONFIRMING_ANSWERS {
            return self.end(Outcome::InDoubt(format!(
                "{} points back at {}, and does not answer well there either",
                self.policy.endpoints.production, self.strategy.from
            )));
        }
        let is_time = good >= CONFIRMING_ANSWERS && at >= since + self.policy.patience.late;
        match is_time && self.is_unsure() {
            true => self.look_once_more(at),
            false => None,
        }
    }

    /// Whether a write of the way forward was given up, and may still come.
    pub(super) fn is_unsure(&self) -> bool {
        let PerRoute { production, test } = self.may_land_late;
        (production || test) && !self.is_unseen
    }

    /// Both routes again, and what came late is put right.
    pub(super) fn look_once_more(&mut self, at: Duration) -> Option<Action> {
        let Phase::Confirming { why, .. } = self.phase.clone() else {
            return None;
        };
        self.may_land_late = PerRoute::default();
        self.phase = self.back(at, why, Route::Production);
        Some(look(Route::Production))
    }
}
