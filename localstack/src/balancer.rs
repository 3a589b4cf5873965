//! An Application Load Balancer on this machine: listeners on real ports,
//! health checks that are really made, requests that are really forwarded.
//!
//! It is told what to do as AWS would be ([`Config`]: listeners, rules, target
//! groups, registered targets) and does it as AWS documents it. It knows nothing
//! of AWS's API, of emulators or of ECS: whoever owns it translates.
//!
//! - [`config`]: what it is told.
//! - [`route`]: which actions a request gets (pure).
//! - [`choose`]: which target group and target a forward means (pure).
//! - [`health`]: what a run of checks says of a target (pure).
//! - [`answers`]: what the load balancer itself answers.

pub mod config;
pub mod health;

pub use config::Config;
