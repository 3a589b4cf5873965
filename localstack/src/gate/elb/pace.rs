//! When to look at the emulator, and how much of it. Pure.
//!
//! After a write things change: of themselves, as stacks and services get on.
//! So one looks often then. At other times one looks now and then, for what
//! nobody asked for, such as a container that ended. And never so much that the
//! emulator does nothing else.

use std::time::Duration;

/// How long after a write things are expected to change.
const BRISK: Duration = Duration::from_secs(5);
const BRISK_PAUSE: Duration = Duration::from_millis(100);
const QUIET_PAUSE: Duration = Duration::from_millis(500);
/// When there is no load balancer.
const IDLE_PAUSE: Duration = Duration::from_secs(1);
/// In quiet times listeners, rules and groups are read this seldom.
const QUIET_STRUCTURE: Duration = Duration::from_secs(2);
/// Attributes hardly ever change.
const BRISK_ATTRIBUTES: Duration = Duration::from_secs(2);
const QUIET_ATTRIBUTES: Duration = Duration::from_secs(10);
/// The emulator's time that looking may take: one part in so many.
const SHARE: u32 = 3;

/// What one look reads. Who is registered it reads always.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Depth {
    /// Load balancers, listeners, rules, target groups.
    pub structure: bool,
    /// Their attributes, other than those never read before.
    pub attributes: bool,
}

impl Depth {
    pub const ALL: Self = Self {
        structure: true,
        attributes: true,
    };
}

/// How long ago things were; None if they never were.
#[derive(Debug, Clone, Copy, Default)]
pub struct Since {
    pub write: Option<Duration>,
    pub structure: Option<Duration>,
    pub attributes: Option<Duration>,
}

pub fn depth(since: &Since) -> Depth {
    let brisk = is_brisk(since);
    let due = |at: Option<Duration>, age: Duration| at.is_none_or(|at| at >= age);
    let attributes = if brisk {
        BRISK_ATTRIBUTES
    } else {
        QUIET_ATTRIBUTES
    };
    Depth {
        structure: brisk || due(since.structure, QUIET_STRUCTURE),
        attributes: due(since.attributes, attributes),
    }
}

/// How long to wait after a look that took so long.
pub fn pause(since: &Since, took: Duration, load_balancers: bool) -> Duration {
    let pause = if is_brisk(since) {
        BRISK_PAUSE
    } else if load_balancers {
        QUIET_PAUSE
    } else {
        IDLE_PAUSE
    };
    pause.max(took * (SHARE - 1))
}

fn is_brisk(since: &Since) -> bool {
    since.write.is_some_and(|at| at < BRISK)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    fn since(write: Option<u64>, structure: u64, attributes: u64) -> Since {
        Since {
            write: write.map(Duration::from_secs),
            structure: Some(Duration::from_secs(structure)),
            attributes: Some(Duration::from_secs(attributes)),
        }
    }

    #[test]
    fn after_a_write_one_looks_often_and_at_all() {
        let now = since(Some(1), 0, 0);
        assert_eq!(pause(&now, NONE, false), Duration::from_millis(100));
        assert!(depth(&now).structure && !depth(&now).attributes);
        assert!(depth(&since(Some(1), 0, 2)).attributes);
    }

    #[test]
    fn in_quiet_times_one_looks_seldom() {
        for write in [None, Some(5)] {
            let now = since(write, 0, 9);
            assert_eq!(pause(&now, NONE, true), Duration::from_millis(500));
            assert_eq!(pause(&now, NONE, false), Duration::from_secs(1));
            assert!(!depth(&now).structure && !depth(&now).attributes);
        }
        assert!(depth(&since(None, 2, 0)).structure);
        assert!(depth(&since(None, 0, 10)).attributes);
    }

    #[test]
    fn the_first_look_is_a_whole_one() {
        assert_eq!(depth(&Since::default()), Depth::ALL);
    }

    #[test]
    fn looking_leaves_the_emulator_time_for_others() {
        let took = Duration::from_secs(1);
        assert_eq!(
            pause(&since(Some(0), 0, 0), took, true),
            Duration::from_secs(2)
        );
    }
}
