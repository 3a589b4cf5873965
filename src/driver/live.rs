//! The world as it is: the load balancer that AWS runs.

use super::World;
use crate::aws::{Aws, Kind};
use crate::engine::swap::WriteFault;
use crate::model::{Color, Forwarding, Infrastructure, Port};

pub struct LiveWorld<'a> {
    pub aws: &'a Aws,
    pub infrastructure: &'a Infrastructure,
}

impl World for LiveWorld<'_> {
    async fn record_previous(&self, live: Color) -> Result<(), String> {
        self.aws
            .record_previous(&self.infrastructure.listeners.prod, live)
            .await
            .map_err(|error| error.to_string())
    }

    async fn point_listener_at(&self, port: Port, color: Color) -> Result<(), WriteFault> {
        self.aws
            .point_listener_at(
                self.infrastructure.listener(port),
                self.infrastructure.target_group(color),
            )
            .await
            .map_err(|error| WriteFault {
                // What was throttled did not happen; as with a lost answer,
                // sending it again is what helps.
                ambiguous: error.is_ambiguous() || error.kind == Kind::Throttled,
                message: error.to_string(),
            })
    }

    async fn read_listener(&self, port: Port) -> Result<Forwarding, String> {
        let listeners = self
            .aws
            .read_listeners(self.infrastructure)
            .await
            .map_err(|error| error.to_string())?;
        Ok(listeners.get(port).clone())
    }

    async fn is_healthy(&self, color: Color) -> Result<bool, String> {
        let targets = self
            .aws
            .target_health(self.infrastructure.target_group(color))
            .await
            .map_err(|error| error.to_string())?;
        Ok(targets.healthy() > 0)
    }
}

#[cfg(test)]
mod tests;
