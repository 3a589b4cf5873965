//! Shifts for tests to start from.

use std::time::Duration;

use super::{JudgedBy, Policy, Tolerated};
use crate::engine::fitness::Fitness;
use crate::engine::preflight::Thoroughness;
use crate::model::testing::{PORTS, patience};

/// A promotion's: production must be well, ten requests a second are sent, and
/// none of them may fail.
pub fn policy() -> Policy {
    Policy {
        judged_by: JudgedBy::Probe {
            baseline: Duration::from_secs(1),
        },
        pace: Duration::from_millis(100),
        timeout: Duration::from_secs(2),
        needs_clean_baseline: true,
        takes_back: true,
        tolerates: Tolerated::default(),
        patience: patience(),
        shares_requests: true,
        endpoints: PORTS,
    }
}

/// The same where nobody asks production: one task served all users.
pub fn blind() -> Policy {
    let fitness = Fitness {
        thoroughness: Thoroughness::Blind,
        live: 1,
    };
    Policy {
        judged_by: JudgedBy::Targets(fitness),
        ..policy()
    }
}

/// As that bool says.
pub fn policy_of(is_blind: bool) -> Policy {
    match is_blind {
        true => blind(),
        false => policy(),
    }
}
