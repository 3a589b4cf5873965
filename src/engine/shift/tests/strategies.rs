//! Whatever AWS and the person do to a shift of any number of stages.

use proptest::prelude::*;

use super::luck::{Lucks, play};
use super::*;
use crate::model::{PerColor, Stage, Strategy as Stages};

/// To those shares, each watched for as long, and then as the swap.
fn by(shares: &[u16]) -> Stages {
    let bake = Duration::from_secs(2);
    let mut strategy = Stages::all_at_once(TO, &BEFORE.found, bake);
    let mut stages = Vec::new();
    let mut from = Split::all(FROM);
    for share in shares {
        let (new, old) = (u32::from(*share), 10_000 - u32::from(*share));
        let PerColor { blue, green } = match TO {
            Color::Blue => PerColor {
                blue: new,
                green: old,
            },
            Color::Green => PerColor {
                blue: old,
                green: new,
            },
        };
        let to = Split::by_weight(PerColor { blue, green }).unwrap();
        let it = Move {
            route: Route::Production,
            from: Some(from),
            to,
        };
        stages.push(Stage { it, bake });
        from = to;
    }
    strategy.stages[0].it.from = Some(from);
    stages.append(&mut strategy.stages);
    strategy.stages = stages;
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
        is_calm in prop::bool::weighted(0.1),
        clean in any::<bool>(),
        takes_back in any::<bool>(),
    ) {
        let policy = Policy { needs_clean_baseline: clean, takes_back, ..policy() };
        let strategy = by(&shares.into_iter().collect::<Vec<_>>());
        let lucks = match is_calm {
            true => Lucks::calm(),
            false => Lucks { bytes, of: 16, hangs: 220, fails, interrupt_at },
        };
        let shift = Shift::new(strategy.clone(), BEFORE, policy);
        let mut watch = Watch { strategy, noted: 0 };
        let played = play(shift, &lucks, |action| watch.judge(action))?;
        played.assert_truth()?;
        let outcome = played.shift.outcome();
        prop_assert!(!is_calm || outcome == Some(&Outcome::Committed), "{outcome:?}");
        if outcome == Some(&Outcome::Committed) {
            prop_assert_eq!(watch.noted, watch.strategy.stages.len());
        }
    }
}
