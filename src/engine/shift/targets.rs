//! A shift that nobody probes: the new colour's target health takes the place of
//! production's answers, and where a route is read back and AWS has had the time
//! to bring it everywhere, that of the answers which confirm it.

use std::time::Duration;

use super::back::CONFIRM_DEADLINE;
use super::{Action, HEALTH_PAUSE, JudgedBy, MoveTimes, Outcome, Phase, Shift};
use crate::engine::fitness::unreadable;
use crate::model::{Route, Targets};

/// What is known of the new colour's targets.
#[derive(Debug, Clone, Default)]
pub(super) struct TargetsSeen {
    /// When those were asked for that were read last; the checks ahead of the
    /// shift were a look, too.
    asked_at: Duration,
    /// Since when they cannot be read.
    unread_since: Option<Duration>,
    objection: Option<String>,
}

impl TargetsSeen {
    pub(super) fn objection(&self) -> Option<&String> {
        self.objection.as_ref()
    }
}

impl Shift {
    pub(super) fn on_targets(
        &mut self,
        at: Duration,
        asked_at: Duration,
        result: Result<Targets, String>,
    ) -> Option<Action> {
        match result {
            Ok(targets) => {
                self.targets = TargetsSeen {
                    asked_at,
                    unread_since: None,
                    objection: self.objection_to(&targets, asked_at),
                }
            }
            // For a while; then that objects, too.
            Err(why) => {
                let since = *self.targets.unread_since.get_or_insert(at);
                if at > since + self.policy.patience.unreadable {
                    self.targets.objection = Some(unreadable(self.strategy.to, &why));
                }
            }
        }
        self.judge(at)
    }

    /// What is wrong with targets that were asked for then, for the share of users
    /// that they had by then.
    pub fn objection_to(&self, targets: &Targets, asked_at: Duration) -> Option<String> {
        let JudgedBy::Targets(fitness) = self.policy.judged_by else {
            return None;
        };
        let mut moves = self.moves.iter().rev();
        let is_it =
            |moved: &&MoveTimes| moved.it.route == Route::Production && moved.sent <= asked_at;
        let to = self.strategy.to;
        let share = match moves.find(is_it) {
            Some(moved) => moved.it.to.share(to),
            None => self.before.found.production.greatest_share(to).unwrap_or(0),
        };
        fitness.objection(to, targets, share)
    }

    /// How a stage was to its end is known only of what was asked for after it.
    pub(super) fn has_looked_since(&self, until: Duration) -> bool {
        !self.policy.is_blind() || self.targets.asked_at >= until
    }

    /// For how long the stage that is on is watched: without a probe at least until
    /// every user has what the route shows, where the shift ends with it.
    pub fn bake(&self) -> Duration {
        let bake = match self.policy.judged_by {
            // Nobody was anywhere before.
            JudgedBy::Nothing => self.current().bake,
            JudgedBy::Probe { .. } | JudgedBy::Targets(_) => {
                self.current().bake + self.policy.patience.spread
            }
        };
        match self.policy.is_blind() && (self.is_last_stage() || !bake.is_zero()) {
            true => bake.max(self.policy.patience.visible),
            false => bake,
        }
    }

    pub(super) fn wait_until_it_is_everywhere(&self) -> Action {
        Action::AskHealth {
            color: self.strategy.from,
            after: self.policy.patience.visible,
        }
    }

    /// The way back was read back, and has had its time.
    pub(super) fn confirm_by_health(
        &mut self,
        at: Duration,
        result: &Result<bool, String>,
    ) -> Option<Action> {
        let Phase::Confirming { why, since, .. } = self.phase.clone() else {
            return None;
        };
        let (production, color) = (&self.policy.endpoints.production, self.strategy.from);
        match result {
            Ok(false) => {
                return self.end(Outcome::InDoubt(format!(
                    "{production} points back at {color}, which has no healthy target"
                )));
            }
            // It was healthy when it was looked at ahead of the way back.
            Err(_) if at <= since + CONFIRM_DEADLINE => {
                let after = HEALTH_PAUSE;
                return Some(Action::AskHealth { color, after });
            }
            Ok(true) | Err(_) => {}
        }
        // A write that was given up may still come.
        let is_late = since + self.policy.patience.late;
        match self.is_unsure() {
            true if at < is_late => Some(Action::AskHealth {
                color,
                after: is_late - at,
            }),
            true => self.look_once_more(at),
            false => self.end(Outcome::RolledBack(why)),
        }
    }
}
