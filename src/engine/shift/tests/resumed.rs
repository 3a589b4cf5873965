//! A shift of any stages that is killed anywhere, and gone on with along what its
//! journal says: every share that it can have left users at is known again, and
//! the end is one release for all of them.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::luck::{Lucks, play};
use super::strategies::by;
use super::*;
use crate::engine::unfinished::{self, Course, Resolution};
use crate::model::journal::{Effect, Operation};
use crate::model::testing::{moment, observed, operation, service};
use crate::model::{Condition, Observed, Strategy as Stages};

const BAKE: Duration = Duration::from_secs(2);

/// Two services, and routes that go there.
fn world(now: &PerRoute<Found>) -> Observed {
    let mut world = observed();
    world.colors.blue.service = Some(service(1));
    world.colors.green.service = Some(service(1));
    world.traffic = now.clone();
    world
}

/// As the driver writes it down.
fn note(operation: &mut Operation, action: Action) {
    match action {
        Action::Note(it) => operation.intend(moment(), Effect::Move(it)),
        Action::Meet(Condition::Person) => operation.intend(moment(), Effect::WaitForAPerson),
        Action::LookBack(_) => operation.intend(
            moment(),
            Effect::Move(Move {
                route: Route::Production,
                from: None,
                to: Split::all(FROM),
            }),
        ),
        _ => {}
    }
}

struct Begun {
    operation: Operation,
    now: PerRoute<Found>,
}

impl Begun {
    fn work(
        &mut self,
        strategy: Stages,
        is_back: bool,
        lucks: &Lucks,
    ) -> Result<Option<Outcome>, TestCaseError> {
        let before = Before {
            found: self.now.clone(),
            origin: self.operation.origin(),
            was_healthy: true,
        };
        let policy = Policy {
            needs_clean_baseline: !is_back,
            ..policy_of(self.operation.blind)
        };
        let shift = Shift::new(strategy, before, policy);
        let operation = &mut self.operation;
        let played = play(shift, lucks, |action| {
            note(operation, action);
            Ok(())
        })?;
        self.now = played.world.now;
        Ok(played.shift.outcome().cloned())
    }

    /// Whether it is over.
    fn resume(&mut self, is_well: bool, lucks: &Lucks) -> Result<bool, TestCaseError> {
        let course = match self.operation.pause() {
            Some(_) => Course::Continue {
                is_watched_anew: false,
            },
            None => Course::AsItIs,
        };
        let world = world(&self.now);
        let way = unfinished::way(&self.operation, &world, course, is_well, BAKE);
        let Ok(way) = way else {
            prop_assert!(false, "{} is not known again", self.now.production);
            return Ok(true);
        };
        let (strategy, is_back) = match way {
            Resolution::Shift { strategy, is_back } => (strategy, is_back),
            Resolution::Undone => {
                prop_assert_eq!(&self.now.production, &Found::from(FROM));
                return Ok(true);
            }
            other => {
                prop_assert!(false, "no way of a shift: {other:?}");
                return Ok(true);
            }
        };
        let to = strategy.to;
        let outcome = self.work(strategy, is_back, lucks)?;
        if outcome == Some(Outcome::Committed) {
            prop_assert_eq!(&self.now.production, &Found::from(to));
            let test = &self.now.test;
            prop_assert!(test.is_by_request() || *test == Found::from(to.other()));
        }
        Ok(matches!(
            outcome,
            Some(Outcome::Committed | Outcome::RolledBack(_))
        ))
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_shift_of_any_stages_is_resumed_until_all_users_are_on_one_release(
        shares in proptest::collection::btree_set(1u16..10_000, 0..4),
        pauses in 0u8..8,
        bytes in proptest::collection::vec(any::<u8>(), 64),
        kills in proptest::collection::vec((0usize..400, any::<bool>()), 1..5),
        by_header in any::<bool>(),
        several in any::<bool>(),
        is_blind in any::<bool>(),
    ) {
        let shares: BTreeSet<u16> = shares;
        let found = before(by_header).found;
        let strategy = by(&found, &shares, pauses, 0);
        let mut begun = Begun {
            operation: Operation {
                strategy: Some(strategy.clone()),
                blind: is_blind,
                ..operation()
            },
            now: found,
        };
        let killed = |step| Lucks {
            bytes: bytes.clone(), several, killed_at: Some(step), ..Lucks::calm()
        };
        if begun.work(strategy, false, &killed(kills[0].0))? == Some(Outcome::Committed) {
            return Ok(());
        }
        for (step, is_well) in &kills[1..] {
            if begun.resume(*is_well, &killed(*step))? {
                return Ok(());
            }
        }
        // Each pause stops it once.
        for _ in 0..=shares.len() {
            if begun.resume(true, &Lucks::calm())? {
                return Ok(());
            }
        }
        prop_assert!(false, "it is never over: {:?}", begun.now);
    }
}
