//! The world as it is: the load balancer that AWS runs, and the journal.

use super::World;
use super::turn::{Stop, Turn};
use crate::aws::Aws;
use crate::engine::swap::{NoteFault, Urgency, WriteFault};
use crate::model::journal::Effect;
use crate::model::{Color, Found, Move, Observed, Route, Split};

pub struct LiveWorld<'a> {
    pub aws: &'a Aws,
    pub observed: &'a Observed,
    pub turn: &'a Turn,
}

impl LiveWorld<'_> {
    /// What the journal is told ahead of a write.
    pub fn intent(&self, route: Route, color: Color) -> Effect {
        Effect::Move(Move {
            route,
            from: self.observed.found_at(route).split(),
            to: Split::all(color),
        })
    }

    /// Whether the lease forbids a write. The way back does not ask for it.
    async fn permit(&self, urgency: Urgency) -> Result<(), String> {
        match urgency {
            Urgency::Back if self.turn.is_lost() => {
                Err("the lease was lost: it is another's now".to_owned())
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

impl World for LiveWorld<'_> {
    async fn note(&self, route: Route, color: Color) -> Result<(), NoteFault> {
        let noted = self.turn.about_to(self.intent(route, color)).await;
        noted.map_err(|stop| NoteFault {
            is_lost: matches!(stop, Stop::Lost(_)),
            message: stop.to_string(),
        })
    }

    async fn note_done(&self) {
        // What could not be written is noticed by the next write.
        if let Err(stop) = self.turn.did().await {
            tracing::debug!(%stop, "the outcome is not in the journal");
        }
    }

    async fn note_way_back(&self, color: Color) {
        let intent = self.intent(Route::Production, color);
        // The way forward was noted, and `resume` looks at the listeners.
        if let Err(stop) = self.turn.about_to_undo(intent).await {
            tracing::debug!(%stop, "the way back is not in the journal");
        }
    }

    async fn point_listener_at(
        &self,
        route: Route,
        color: Color,
        urgency: Urgency,
    ) -> Result<(), WriteFault> {
        self.permit(urgency).await.map_err(|message| WriteFault {
            ambiguous: false,
            message,
        })?;
        let infra = &self.observed.infrastructure;
        self.aws
            .point_listener_at(infra, route, color)
            .await
            .map_err(|error| WriteFault {
                // What was throttled did not happen; as with a lost answer,
                // sending it again is what helps.
                ambiguous: error.is_retryable(),
                message: error.to_string(),
            })
    }

    fn has_lost_the_lease(&self) -> bool {
        self.turn.is_lost()
    }

    async fn read_listener(&self, route: Route) -> Result<Found, String> {
        let listeners = self
            .aws
            .read_listeners(&self.observed.infrastructure)
            .await
            .map_err(|error| error.to_string())?;
        Ok(listeners.get(route).clone())
    }

    async fn is_healthy(&self, color: Color) -> Result<bool, String> {
        let group = self.observed.infrastructure.target_group(color);
        let targets = self
            .aws
            .target_health(group)
            .await
            .map_err(|error| error.to_string())?;
        Ok(targets.healthy() > 0)
    }
}

#[cfg(test)]
mod tests;
