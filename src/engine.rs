//! What may happen: every decision of bgecs, as pure functions over values.
//!
//! Imports no tokio, no AWS, no Docker, no clock. Time arrives inside events.

pub mod aftermath;
pub mod alarms;
pub mod analysis;
pub mod attachment;
pub mod doctor;
pub mod entrance;
pub mod evidence;
pub mod failover;
pub mod fitness;
pub mod fleet;
pub mod given;
pub mod hook_task;
pub mod import;
pub mod job;
pub mod lease;
pub mod look_ahead;
pub mod one_off;
pub mod plan;
pub mod preflight;
pub mod recall;
pub mod scaling;
pub mod seen;
pub mod serving;
pub mod set;
pub mod shift;
pub mod stopped;
pub mod takeover;
pub mod task_definition;
pub mod test_rules;
pub mod twin;
pub mod unfinished;
pub mod uploads;

#[cfg(test)]
mod sequences;
