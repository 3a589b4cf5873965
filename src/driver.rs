//! The loops that act: they perform what the engine says, look at the world, and feed
//! back what they saw. Nothing is decided here that a pure function could decide.

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

/// What a shift needs from the world; there is a live one, and a fake one for tests. A
/// call whose future is dropped may still take effect.
pub trait World {
    /// Brings about the condition that a stage waits for.
    async fn meet(&self, condition: Condition) -> Result<(), String>;
    /// Returns, with the reason, once something that is to go live together with this has
    /// failed.
    async fn recalled(&self) -> String {
        std::future::pending().await
    }
    /// What an alarm reports against the shift, if anything.
    async fn objection(&self) -> Result<Option<String>, String>;
    /// Writes to the journal that this move is about to happen.
    async fn note(&self, it: Move) -> Result<(), NoteFault>;
    /// Writes to the journal that the last noted move was seen to take effect.
    async fn note_done(&self);
    /// Writes the intent of the move back to the journal; that move does not wait for
    /// this.
    async fn note_way_back(&self, it: Move);
    async fn apply(&self, it: Move, urgency: Urgency) -> Result<(), WriteFault>;
    /// Whether someone else is known to hold the lease now.
    fn has_lost_the_lease(&self) -> bool {
        false
    }
    async fn read(&self, route: Route) -> Result<Found, String>;
    async fn targets(&self, color: Color) -> Result<Targets, String>;
    /// Whether the colour could take production's traffic now.
    async fn is_healthy(&self, color: Color) -> Result<bool, String>;
}
