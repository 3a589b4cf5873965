//! Whatever AWS and the person do to a shift of any number of stages.

use proptest::prelude::*;

use super::*;
use crate::model::{PerColor, Stage, Strategy as Stages};

/// A load balancer that loses requests before and after their effect, refuses
/// some, and shows writes late.
#[derive(Debug)]
struct World {
    now: PerRoute<Split>,
    /// What a read shows: it may lag one write behind.
    shown: PerRoute<Split>,
}

impl World {
    fn set(&mut self, it: Move) {
        self.shown = self.now;
        *match it.route {
            Route::Production => &mut self.now.production,
            Route::Test => &mut self.now.test,
        } = it.to;
    }

    /// Of a call that nobody waits for any more.
    fn land(&mut self, action: Action) {
        if let Action::Apply(it, _) = action {
            self.set(it);
        }
    }

    fn perform(&mut self, action: Action, luck: u8) -> Event {
        let fault = |ambiguous| {
            Event::Written(Err(WriteFault {
                ambiguous,
                message: "fault".to_owned(),
            }))
        };
        match (action, luck % 16) {
            (Action::Note(_), luck @ 0..=1) => Event::Noted(Err(NoteFault {
                is_lost: luck == 0,
                message: "fault".to_owned(),
            })),
            (Action::Note(_), _) => Event::Noted(Ok(())),
            (Action::Apply(..), 0) => fault(false),
            (Action::Apply(..), 1) => fault(true),
            (Action::Apply(it, _), luck) => {
                self.set(it);
                match luck {
                    2 => fault(true),
                    _ => Event::Written(Ok(())),
                }
            }
            (Action::Read { .. }, 0) => Event::Read(Err("fault".to_owned())),
            (Action::Read { route, .. }, luck) => {
                let shown = if luck == 1 { self.shown } else { self.now };
                self.shown = self.now;
                Event::Read(Ok(Found::Split(*shown.get(route))))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, 0) => {
                Event::Health(Err("fault".to_owned()))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, luck) => Event::Health(Ok(luck != 1)),
        }
    }
}

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
    writes: u32,
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
                self.writes += 1;
                let noted = self.strategy.stages[..self.noted].last();
                prop_assert_eq!(Some(it), noted.map(|stage| stage.it), "written unnoted");
            }
            Action::Apply(it, Urgency::Back) => {
                self.writes += 1;
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
        lucks in proptest::collection::vec(any::<u8>(), 64),
        fails in proptest::collection::vec(0u8..60, 64),
        interrupt_at in proptest::option::of(0usize..400),
        is_calm in prop::bool::weighted(0.1),
        clean in any::<bool>(),
        takes_back in any::<bool>(),
    ) {
        let policy = Policy { needs_clean_baseline: clean, takes_back, ..policy() };
        let strategy = by(&shares.into_iter().collect::<Vec<_>>());
        let mut shift = Shift::new(strategy.clone(), BEFORE, policy);
        let mut watch = Watch { strategy, noted: 0, writes: 0 };
        let now = PerRoute { production: Split::all(FROM), test: Split::all(TO) };
        let mut world = World { now, shown: now };
        let mut at = Duration::ZERO;
        let mut pending: Vec<Action> = Vec::new();
        let mut late: Vec<(usize, Action)> = Vec::new();
        let mut has_landed_late = false;
        for step in 0..40_000 {
            at += Duration::from_millis(50);
            let (landing, rest) = late.into_iter().partition(|(when, _)| *when == step);
            late = rest;
            for (_, action) in landing {
                has_landed_late = true;
                world.land(action);
            }
            let luck = if is_calm { 5 } else { lucks[step % lucks.len()] };
            let event = if interrupt_at == Some(step) && !is_calm {
                Event::Interrupt
            } else {
                match (step % 3, pending.first().copied()) {
                    (0, _) => Event::Answered {
                        scheduled_at: at,
                        ok: is_calm || fails[step % fails.len()] != 0,
                    },
                    // It hangs, and may so for good.
                    (_, Some(_)) if luck >= 220 => tick(),
                    (_, Some(action)) => {
                        pending.remove(0);
                        world.perform(action, luck)
                    }
                    (_, None) => tick(),
                }
            };
            if let Some(action) = shift.step(at, event) {
                watch.judge(action)?;
                // What is given up has its effect now, soon, or never.
                for given_up in pending.drain(..) {
                    match luck % 3 {
                        0 => world.land(given_up),
                        1 => late.push((step + usize::from(luck % 40) + 1, given_up)),
                        _ => {}
                    }
                }
                match action {
                    Action::LookBack(color) => {
                        pending.push(Action::AskHealth { color, after: Duration::ZERO });
                        pending.push(look(Route::Production));
                    }
                    action => pending.push(action),
                }
            }
            if shift.outcome().is_some() {
                break;
            }
        }
        if is_calm {
            prop_assert_eq!(shift.outcome(), Some(&Outcome::Committed));
        }
        // The driver's last look, which is there for what comes too late.
        shift.look_again(world.now.production.only());
        let production = world.now.production;
        match shift.outcome() {
            None => prop_assert!(false, "it never ends: {:?}", shift.phase),
            Some(Outcome::Committed) => {
                prop_assert_eq!((production, world.now.test), (Split::all(TO), Split::all(FROM)));
                prop_assert_eq!(watch.noted, watch.strategy.stages.len());
            }
            Some(Outcome::RolledBack(_)) => {
                prop_assert_eq!(production, Split::all(FROM));
                prop_assert!(world.now.test == Split::all(TO) || has_landed_late);
            }
            Some(Outcome::Left(_)) => {
                prop_assert!(Found::Split(production).reaches(TO), "{production}");
            }
            Some(Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted) => {
                prop_assert_eq!(watch.writes, 0);
            }
            Some(Outcome::Unchanged(_)) => prop_assert_eq!(production, Split::all(FROM)),
            Some(Outcome::InDoubt(_)) => {}
        }
        prop_assert_eq!(shift.step(at, tick()), None, "an ended shift does nothing more");
    }
}
