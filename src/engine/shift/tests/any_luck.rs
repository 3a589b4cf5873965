//! Whatever AWS and the person do to one swap.

use proptest::prelude::*;

use super::luck::{Lucks, play};
use super::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever AWS and the person do: the operation ends, only a swap moves
    /// traffic, and the outcome tells the truth about who serves.
    #[test]
    fn every_end_knows_who_serves(
        bytes in proptest::collection::vec(any::<u8>(), 64),
        fails in proptest::collection::vec(0u8..40, 64),
        interrupt_at in proptest::option::of(0usize..120),
        clean in any::<bool>(),
        takes_back in any::<bool>(),
        by_header in any::<bool>(),
        several in any::<bool>(),
        is_blind in any::<bool>(),
    ) {
        let policy = Policy { needs_clean_baseline: clean, takes_back, ..policy_of(is_blind) };
        let lucks = Lucks { bytes, of: 8, hangs: 200, fails, interrupt_at, several, killed_at: None };
        let played = play(shift(before(by_header), policy), &lucks, |_| Ok(()))?;
        played.assert_truth()?;
        if let Some(Outcome::Left(_)) = played.shift.outcome() {
            prop_assert_eq!(played.world.now.production, Found::from(TO));
        }
    }
}
