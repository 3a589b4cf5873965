//! The last look: what the load balancer says when all is done, held against
//! what the swap believes. A lost write can land late, and another tool can
//! change a listener while the window passes.

use super::{Outcome, Phase, Swap};
use crate::model::Live;

impl Swap {
    /// Takes back the word of an ended swap that port 80 does not bear out.
    pub fn look_again(&mut self, live: Live) {
        let expected = match self.outcome() {
            Some(Outcome::Committed) => self.to,
            Some(Outcome::RolledBack(_)) => self.from,
            // These claim nothing, or say already that one must look.
            _ => return,
        };
        if live != Live::Color(expected) {
            self.phase = Phase::Done(Outcome::InDoubt(format!(
                "port 80 was seen at {expected}, and no longer forwards there: something else changed it, or a lost write came late"
            )));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::swap::{Policy, Tolerated, Why};
    use crate::model::{Color, PerPort};

    fn ended(outcome: Outcome) -> Swap {
        let policy = Policy {
            baseline: Duration::ZERO,
            window: Duration::ZERO,
            pace: Duration::ZERO,
            needs_clean_baseline: true,
            takes_back: true,
            tolerates: Tolerated::default(),
        };
        let mut swap = Swap::new(Color::Green, Color::Blue, PerPort::default(), policy);
        swap.phase = Phase::Done(outcome);
        swap
    }

    #[test]
    fn what_port_80_bears_out_stands() {
        for (outcome, live) in [
            (Outcome::Committed, Live::Color(Color::Blue)),
            (
                Outcome::RolledBack(Why::Failures),
                Live::Color(Color::Green),
            ),
            (Outcome::Interrupted, Live::Color(Color::Green)),
        ] {
            let mut swap = ended(outcome.clone());
            swap.look_again(live);
            assert_eq!(swap.outcome(), Some(&outcome));
        }
    }

    #[test]
    fn what_it_does_not_is_in_doubt() {
        for (outcome, live) in [
            (Outcome::Committed, Live::Color(Color::Green)),
            (Outcome::Committed, Live::Unclear),
            (Outcome::RolledBack(Why::Failures), Live::Color(Color::Blue)),
        ] {
            let mut swap = ended(outcome);
            swap.look_again(live);
            assert!(matches!(swap.outcome(), Some(Outcome::InDoubt(_))));
        }
    }
}
