//! Whatever AWS and the person do to a shift of any number of stages.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::luck::{Lucks, play};
use super::*;
use crate::model::{Condition, Steps, Strategy as Stages, Urgency};

/// To those shares, each watched for as long and some with a pause, and then as
/// the swap; some wait for more tasks.
pub fn by(found: &PerRoute<Found>, shares: &BTreeSet<u16>, pauses: u8, grows: u8) -> Stages {
    let share = |share: &u16| f64::from(*share) / 100.0;
    let hold = |number: usize| match pauses >> number & 1 {
        0 => "for 2s",
        _ => "pause",
    };
    let steps = shares.iter().enumerate();
    let steps = steps.map(|(number, it)| format!("{}% {}", share(it), hold(number)));
    let steps = match shares.is_empty() {
        true => Steps::default(),
        false => steps.collect::<Vec<_>>().join(",").parse().unwrap(),
    };
    let mut strategy = Stages::gradual(TO, found, &steps, Duration::from_secs(2));
    for (number, stage) in strategy.stages.iter_mut().enumerate() {
        if grows >> number & 1 == 1 {
            stage.before.push(Condition::Capacity(2));
        }
    }
    strategy
}

/// What may be asked for next, from all that was before.
#[derive(Debug)]
struct Watch {
    strategy: Stages,
    noted: usize,
}

impl Watch {
    fn judge(&mut self, action: Action) -> Result<(), TestCaseError> {
        match action {
            Action::Note(it) => {
                // Each stage in its turn, and none again.
                prop_assert_eq!(it, self.strategy.stages[self.noted].it);
                self.noted += 1;
            }
            Action::Apply(it, Urgency::Forward) => {
                let noted = self.strategy.stages[..self.noted].last();
                prop_assert_eq!(Some(it), noted.map(|stage| stage.it), "written unnoted");
            }
            Action::Apply(it, Urgency::Back) => {
                let home = match it.route {
                    Route::Production => FROM,
                    Route::Test => TO,
                };
                prop_assert_eq!(it.to, Split::all(home));
            }
            _ => {}
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// It ends; only a noted move moves traffic, stage after stage; and the end
    /// tells the truth about who serves.
    #[test]
    fn every_end_of_any_strategy_knows_who_serves(
        shares in proptest::collection::btree_set(1u16..10_000, 0..4),
        bytes in proptest::collection::vec(any::<u8>(), 64),
        fails in proptest::collection::vec(0u8..60, 64),
        interrupt_at in proptest::option::of(0usize..400),
        pauses in 0u8..8,
        grows in any::<u8>(),
        is_calm in prop::bool::weighted(0.1),
        clean in any::<bool>(),
        takes_back in any::<bool>(),
        by_header in any::<bool>(),
        several in any::<bool>(),
        is_blind in any::<bool>(),
    ) {
        let policy = Policy { needs_clean_baseline: clean, takes_back, ..policy_of(is_blind) };
        let before = before(by_header);
        let strategy = by(&before.found, &shares, pauses, grows);
        let lucks = match is_calm {
            true => Lucks::calm(),
            false => Lucks {
                bytes, of: 16, hangs: 220, fails, interrupt_at, several, killed_at: None,
            },
        };
        let shift = Shift::new(strategy.clone(), before, policy);
        let mut watch = Watch { strategy, noted: 0 };
        let played = play(shift, &lucks, |action| watch.judge(action))?;
        played.assert_truth()?;
        let outcome = played.shift.outcome();
        let waits = (0..shares.len()).any(|number| pauses >> number & 1 == 1);
        let calm_end = if waits { Outcome::Paused } else { Outcome::Committed };
        prop_assert!(!is_calm || outcome == Some(&calm_end), "{outcome:?}");
        if outcome == Some(&Outcome::Committed) {
            prop_assert_eq!(watch.noted, watch.strategy.stages.len());
        }
    }
}
