//! Asking the load balancer over HTTP, as users do, and noting what came back.
//!
//! Knows no colours and gives no verdict: it sends, waits and reports samples.

mod client;
mod run;
#[cfg(test)]
mod testing;

pub use client::{Address, Client};
pub use run::{Probe, Report, Schedule};
