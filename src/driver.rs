//! The loops that act: perform what the engine says, look, and feed back what
//! was seen. No decision is taken here that a pure function could take.

pub mod asking;
pub mod attach;
pub mod attempt;
pub mod await_serving;
pub mod deploy;
pub mod destroy;
pub mod detach;
pub mod doctor;
pub mod edge;
mod everywhere;
pub mod failover;
pub mod fleet;
mod given;
mod group;
pub mod hook;
pub mod hosted;
pub mod job;
mod lines;
pub mod live;
pub mod log_follower;
pub mod look_ahead;
pub mod lost;
pub mod make_live;
mod mend;
pub mod notify;
pub mod one_off;
pub mod pause;
pub mod plugin;
mod reach;
pub mod release;
pub mod resolvers;
pub mod retire;
pub mod running;
pub mod scaling;
pub mod secure;
pub mod set;
pub mod shift;
pub mod stack;
pub mod swap;
pub mod tidy;
pub mod turn;
pub mod under_lease;
pub mod unfinished;
pub mod update;
pub mod watched;
pub mod watching;
pub mod work;
pub mod worker;

use crate::engine::shift::{NoteFault, WriteFault};
use crate::model::{Color, Condition, Found, Move, Route, Targets, Urgency};

/// What a shift needs from the world; a live one, and a fake for tests. A call
/// that is dropped may have its effect all the same.
pub trait World {
    /// Sees to it that what a stage waits for is so.
    async fn meet(&self, condition: Condition) -> Result<(), String>;
    /// Comes back, with why, once what it is to go live with has failed.
    async fn recalled(&self) -> String {
        std::future::pending().await
    }
    /// What an alarm has against the shift, if anything.
    async fn objection(&self) -> Result<Option<String>, String>;
    /// Writes into the journal that this is about to happen.
    async fn note(&self, it: Move) -> Result<(), NoteFault>;
    /// Writes into the journal that the last noted move was seen.
    async fn note_done(&self);
    /// Writes the intent of the way back, which does not wait for it.
    async fn note_way_back(&self, it: Move);
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), WriteFault>;
    /// Whether another is known to hold the lease now.
    fn has_lost_the_lease(&self) -> bool {
        false
    }
    async fn read(&self, route: Route) -> Result<Found, String>;
    async fn targets(&self, color: Color) -> Result<Targets, String>;
    /// Whether the colour could take production's traffic now.
    async fn is_healthy(&self, color: Color) -> Result<bool, String>;
}
