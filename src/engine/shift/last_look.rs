//! The last look: compares what the load balancer says at the end with what the shift
//! believes. A lost write can land late, and another tool can change a listener during
//! the window.

use super::{Outcome, Phase, Shift};
use crate::model::{Found, Split};

impl Shift {
    /// Whether production is where an ended shift says. One look that denies it may
    /// be stale.
    pub fn is_borne_out(&self, production: &Found) -> bool {
        let claim = self.claim();
        claim.is_none_or(|split| production.split() == Some(split))
    }

    /// Takes back the word of an ended shift that production does not bear out.
    pub fn look_again(&mut self, production: &Found) {
        if let Some(expected) = self.claim()
            && !self.is_borne_out(production)
        {
            self.phase = Phase::Done(Outcome::InDoubt(format!(
                "{} was seen at {expected}, and no longer forwards there: something else changed it, or a lost write came late",
                self.policy.endpoints.production
            )));
        }
    }

    fn claim(&self) -> Option<Split> {
        match self.outcome() {
            Some(Outcome::Committed) => Some(Split::all(self.strategy.to)),
            Some(Outcome::RolledBack(_)) => Some(Split::all(self.strategy.from)),
            Some(Outcome::Paused) => Some(self.current().it.to),
            // These claim nothing, or say already that one must look.
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::shift::testing::policy;
    use crate::engine::shift::{Before, Why};
    use crate::model::{Color, Strategy};

    fn ended(outcome: Outcome) -> Shift {
        let before = Before::default();
        let strategy = Strategy::all_at_once(Color::Blue, &before.found, Duration::ZERO);
        let mut swap = Shift::new(strategy, before, policy());
        swap.phase = Phase::Done(outcome);
        swap
    }

    #[test]
    fn what_port_80_bears_out_stands() {
        for (outcome, live) in [
            (Outcome::Committed, Color::Blue.into()),
            (Outcome::RolledBack(Why::Failures), Color::Green.into()),
            (Outcome::Interrupted, Color::Green.into()),
        ] {
            let mut swap = ended(outcome.clone());
            assert!(swap.is_borne_out(&live));
            swap.look_again(&live);
            assert_eq!(swap.outcome(), Some(&outcome));
        }
    }

    #[test]
    fn what_it_does_not_is_in_doubt() {
        for (outcome, live) in [
            (Outcome::Committed, Color::Green.into()),
            (Outcome::Committed, Found::Nowhere),
            (Outcome::RolledBack(Why::Failures), Color::Blue.into()),
        ] {
            let mut swap = ended(outcome);
            assert!(!swap.is_borne_out(&live));
            swap.look_again(&live);
            assert!(matches!(swap.outcome(), Some(Outcome::InDoubt(_))));
        }
    }
}
