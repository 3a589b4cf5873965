//! Shifts for tests to start from.

use std::time::Duration;

use super::{Policy, Tolerated};
use crate::model::testing::{PORTS, patience};

/// A promotion's: production must be well, ten requests a second are sent, and
/// none of them may fail.
pub fn policy() -> Policy {
    Policy {
        baseline: Some(Duration::from_secs(1)),
        pace: Duration::from_millis(100),
        timeout: Duration::from_secs(2),
        needs_clean_baseline: true,
        takes_back: true,
        tolerates: Tolerated::default(),
        patience: patience(),
        endpoints: PORTS,
    }
}
