//! The loops that act: perform what the engine says, look, and feed back what
//! was seen. No decision is taken here that a pure function could take.

pub mod await_serving;
pub mod deploy;
pub mod destroy;
pub mod live;
pub mod make_live;
pub mod retire;
pub mod stack;
pub mod swap;

use crate::engine::swap::WriteFault;
use crate::model::{Color, Forwarding, Port};

/// What a swap needs from the world; a live one, and a fake for tests.
pub trait World {
    /// Records which colour is live, for the way back.
    async fn record_previous(&self, live: Color) -> Result<(), String>;
    async fn point_listener_at(&self, port: Port, color: Color) -> Result<(), WriteFault>;
    async fn read_listener(&self, port: Port) -> Result<Forwarding, String>;
    /// Whether the colour could take production's traffic now.
    async fn is_healthy(&self, color: Color) -> Result<bool, String>;
}
