//! The last look: what the load balancer says when all is done, held against
//! what the swap believes. A lost write can land late, and another tool can
//! change a listener while the window passes.

use super::{Outcome, Phase, Swap};
use crate::model::Color;

impl Swap {
    /// Whether port 80 is where an ended swap says. One look that denies it may
    /// be stale.
    pub fn is_borne_out(&self, live: Option<Color>) -> bool {
        self.claim().is_none_or(|color| live == Some(color))
    }

    /// Takes back the word of an ended swap that port 80 does not bear out.
    pub fn look_again(&mut self, live: Option<Color>) {
        if let Some(expected) = self.claim()
            && live != Some(expected)
        {
            self.phase = Phase::Done(Outcome::InDoubt(format!(
                "port 80 was seen at {expected}, and no longer forwards there: something else changed it, or a lost write came late"
            )));
        }
    }

    fn claim(&self) -> Option<Color> {
        match self.outcome() {
            Some(Outcome::Committed) => Some(self.to),
            Some(Outcome::RolledBack(_)) => Some(self.from),
            // These claim nothing, or say already that one must look.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::swap::{Before, Policy, Tolerated, Why};

    fn ended(outcome: Outcome) -> Swap {
        let policy = Policy {
            baseline: Duration::ZERO,
            window: Duration::ZERO,
            pace: Duration::ZERO,
            needs_clean_baseline: true,
            takes_back: true,
            tolerates: Tolerated::default(),
        };
        let mut swap = Swap::new(Color::Green, Color::Blue, Before::default(), policy);
        swap.phase = Phase::Done(outcome);
        swap
    }

    #[test]
    fn what_port_80_bears_out_stands() {
        for (outcome, live) in [
            (Outcome::Committed, Some(Color::Blue)),
            (Outcome::RolledBack(Why::Failures), Some(Color::Green)),
            (Outcome::Interrupted, Some(Color::Green)),
        ] {
            let mut swap = ended(outcome.clone());
            assert!(swap.is_borne_out(live));
            swap.look_again(live);
            assert_eq!(swap.outcome(), Some(&outcome));
        }
    }

    #[test]
    fn what_it_does_not_is_in_doubt() {
        for (outcome, live) in [
            (Outcome::Committed, Some(Color::Green)),
            (Outcome::Committed, None),
            (Outcome::RolledBack(Why::Failures), Some(Color::Blue)),
        ] {
            let mut swap = ended(outcome);
            assert!(!swap.is_borne_out(live));
            swap.look_again(live);
            assert!(matches!(swap.outcome(), Some(Outcome::InDoubt(_))));
        }
    }
}
