//! The real world: the app's router, its backends, and the journal.

use std::path::Path;
use std::time::Duration;

use super::World;
use super::hook::NotedHooks;
use super::set::Seat;
use super::turn::{Stop, Turn};
use super::{await_serving, hosted};
use crate::aws::{Aws, Router};
use crate::config::ShiftSection;
use crate::engine::alarms;
use crate::engine::hook_task::HookTaskOrder;
use crate::engine::shift::{NoteFault, WriteEffect, WriteFault};
use crate::model::journal::Effect;
use crate::model::{
    Color, Condition, Found, Infrastructure, Move, Observed, Route, Targets, Urgency,
};
use crate::session::Session;

/// How long additional tasks may take to become healthy.
pub const SCALE_TIMEOUT: Duration = Duration::from_secs(600);

pub struct LiveWorld<'a> {
    pub session: &'a Session,
    /// For calls that users wait for.
    pub aws: &'a Aws,
    /// The colour whose release is to become live.
    pub to: Color,
    pub observed: &'a Observed,
    /// The file that `--report` names.
    pub report: Option<&'a Path>,
    /// What a person orders for a hook that is a task.
    pub order: Option<HookTaskOrder>,
    pub turn: &'a Turn,
    /// If it is one module of a set.
    pub seat: Option<&'a Seat>,
}

impl LiveWorld<'_> {
    fn router(&self) -> impl Router {
        let router = self.aws.router(&self.observed.infrastructure);
        router.sticky(self.session.config.shift.stickiness)
    }

    /// Never scales below the current count. Users are now where this very shift has
    /// brought them; if anyone else moves them, the next move finds out.
    async fn grow(&self, tasks: i32) -> Result<(), String> {
        let (session, turn, to) = (self.session, self.turn, self.to);
        let traffic = self
            .router()
            .read()
            .await
            .map_err(|error| error.to_string())?;
        let now = self.observed.with_traffic(traffic);
        let infra = now.ecs().map_err(|not| not.to_string())?;
        let service = self.aws.read_service(&infra.services, to).await;
        let service = service.map_err(|error| error.to_string())?;
        let tasks = tasks.max(service.map_or(0, |service| service.desired));
        let scaled = await_serving::scale(session, turn, &now, to, tasks, SCALE_TIMEOUT);
        scaled.await.map_err(|error| error.message)
    }

    /// Fails if the lease forbids a write. The way back does not need the lease, unless
    /// someone else is known to hold it.
    async fn permit(&self, urgency: Urgency) -> Result<(), String> {
        match urgency {
            Urgency::Back if self.turn.is_lost() => {
                Err("the lease was lost: someone else holds it now".to_owned())
            }
            Urgency::Back => Ok(()),
            Urgency::Forward => self.turn.assure().await.map_err(|stop| match stop {
                Stop::Lost(sentence) => sentence,
                Stop::Unwritable(error) => {
                    format!("the lease could not be confirmed, so nothing was written: {error}")
                }
            }),
        }
    }
}

/// What an alarm reports against a shift, if anything.
///
/// # Errors
/// Why that is not known.
pub async fn objection(aws: &Aws, shift: &ShiftSection) -> Result<Option<String>, String> {
    let alarms = aws.alarms(&shift.alarms).await;
    let alarms = alarms.map_err(|error| format!("the alarms cannot be read: {error}"))?;
    let objection = alarms::objection(&alarms, shift.alarms_without_data);
    Ok(objection.map(|objection| objection.to_string()))
}

impl World for LiveWorld<'_> {
    async fn recalled(&self) -> String {
        match self.seat {
            Some(seat) => seat.recalled().await,
            None => std::future::pending().await,
        }
    }

    async fn meet(&self, condition: Condition) -> Result<(), String> {
        match condition {
            Condition::Capacity(tasks) => self.grow(tasks).await,
            Condition::Hook { hook, stage } => {
                let hooks = NotedHooks {
                    session: self.session,
                    turn: self.turn,
                    observed: self.observed,
                    report: self.report,
                    order: self.order,
                };
                hooks.run(hook, stage).await
            }
            Condition::Person => {
                let noted = self.turn.about_to(Effect::WaitForAPerson).await;
                noted.map_err(|stop| stop.to_string())
            }
            Condition::Set(gate) => match self.seat {
                Some(seat) => seat.wait(gate).await,
                None => Ok(()),
            },
        }
    }

    async fn objection(&self) -> Result<Option<String>, String> {
        objection(self.aws, &self.session.config.shift).await
    }

    async fn note(&self, it: Move) -> Result<(), NoteFault> {
        let noted = self.turn.about_to(Effect::Move(it)).await;
        noted.map_err(|stop| NoteFault {
            is_lost: matches!(stop, Stop::Lost(_)),
            message: stop.to_string(),
        })
    }

    async fn note_done(&self) {
        // If it could not be written, the next write notices.
        if let Err(stop) = self.turn.did().await {
            tracing::debug!(%stop, "the outcome is not in the journal");
        }
    }

    async fn note_way_back(&self, it: Move) {
        // The way forward was noted, and `resume` reads the routes.
        if let Err(stop) = self.turn.about_to_undo(Effect::Move(it)).await {
            tracing::debug!(%stop, "the way back is not in the journal");
        }
    }

    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), WriteFault> {
        let permitted = self.permit(urgency).await;
        permitted.map_err(|why| WriteFault::new(WriteEffect::Nothing, why))?;
        let applied = self.router().apply(it, urgency).await;
        applied.map_err(|unmoved| {
            let effect = match unmoved.is_in_part {
                // What was throttled did not happen; sending it again helps, as with a
                // lost answer.
                _ if unmoved.error.is_retryable() => WriteEffect::Unknown,
                true => WriteEffect::InPart,
                false if unmoved.error.is_overtaken() => WriteEffect::Overtaken,
                false => WriteEffect::Nothing,
            };
            WriteFault::new(effect, unmoved.error.to_string())
        })
    }

    fn has_lost_the_lease(&self) -> bool {
        self.turn.is_lost()
    }

    async fn read(&self, route: Route) -> Result<Found, String> {
        let traffic = self
            .router()
            .read()
            .await
            .map_err(|error| error.to_string())?;
        Ok(traffic.get(route).clone())
    }

    async fn targets(&self, color: Color) -> Result<Targets, String> {
        match &self.observed.infrastructure {
            Infrastructure::Ecs(ecs) => {
                let targets = self.aws.color_health(ecs, color).await;
                targets.map_err(|error| error.to_string())
            }
            Infrastructure::Edge(_) => {
                let health = hosted::health(self.session, &self.observed.infrastructure, color);
                health.await.map_err(|error| error.message)
            }
        }
    }

    async fn is_healthy(&self, color: Color) -> Result<bool, String> {
        Ok(self.targets(color).await?.healthy() > 0)
    }
}

#[cfg(test)]
mod tests;
