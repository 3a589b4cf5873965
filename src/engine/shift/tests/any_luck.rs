//! Whatever AWS and the person do to one swap.

use proptest::prelude::*;

use super::*;

/// A load balancer that loses requests before and after their effect, refuses
/// some, and shows writes late.
#[derive(Debug)]
struct World {
    production: Color,
    test: Color,
    /// What `Read` shows: reads may lag one write behind.
    shown: (Color, Color),
}

impl World {
    fn set(&mut self, it: Move) {
        self.shown = (self.production, self.test);
        let color = it.to.only().unwrap();
        match it.route {
            Route::Production => self.production = color,
            Route::Test => self.test = color,
        }
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
        match (action, luck % 8) {
            (Action::Note(..), luck @ 0..=1) => Event::Noted(Err(NoteFault {
                is_lost: luck == 0,
                message: "fault".to_owned(),
            })),
            (Action::Note(..), _) => Event::Noted(Ok(())),
            (Action::Apply(..), 0) => fault(false),
            (Action::Apply(..), 1) => fault(true),
            (Action::Apply(it, _), luck) => {
                self.set(it);
                if luck == 2 {
                    fault(true)
                } else {
                    Event::Written(Ok(()))
                }
            }
            (Action::Read { .. }, 0) => Event::Read(Err("fault".to_owned())),
            (Action::Read { route, .. }, luck) => {
                let (production, test) = if luck == 1 {
                    self.shown
                } else {
                    (self.production, self.test)
                };
                self.shown = (self.production, self.test);
                let color = if route == Route::Production {
                    production
                } else {
                    test
                };
                Event::Read(Ok(forwards_to(color)))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, 0) => {
                Event::Health(Err("fault".to_owned()))
            }
            (Action::LookBack(_) | Action::AskHealth { .. }, 1) => Event::Health(Ok(false)),
            (Action::LookBack(_) | Action::AskHealth { .. }, _) => Event::Health(Ok(true)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever AWS and the person do: the operation ends, only a swap moves
    /// traffic, and the outcome tells the truth about who serves.
    #[test]
    fn every_end_knows_who_serves(
        lucks in proptest::collection::vec(any::<u8>(), 64),
        fails in proptest::collection::vec(0u8..40, 64),
        interrupt_at in proptest::option::of(0usize..120),
        clean in any::<bool>(),
        takes_back in any::<bool>(),
    ) {
        let policy = Policy { needs_clean_baseline: clean, takes_back, ..policy() };
        let mut swap = shift(BEFORE, policy);
        let mut world = World { production: FROM, test: TO, shown: (FROM, TO) };
        let mut at = Duration::ZERO;
        // The parts of what is under way; and a write that was given up, and when
        // it lands.
        let mut pending: Vec<Action> = Vec::new();
        let mut late: Vec<(usize, Action)> = Vec::new();
        let mut writes = 0;
        let mut has_landed_late = false;
        for step in 0..40_000 {
            at += Duration::from_millis(50);
            let (landing, rest) = late.into_iter().partition(|(when, _)| *when == step);
            late = rest;
            for (_, action) in landing {
                has_landed_late = true;
                world.land(action);
            }
            let luck = lucks[step % lucks.len()];
            let event = if interrupt_at == Some(step) {
                Event::Interrupt
            } else {
                match (step % 3, pending.first().copied()) {
                    (0, _) => Event::Answered {
                        scheduled_at: at,
                        ok: fails[step % fails.len()] != 0,
                    },
                    // It hangs, and may so for good.
                    (_, Some(_)) if luck >= 200 => tick(),
                    (_, Some(action)) => {
                        pending.remove(0);
                        world.perform(action, luck)
                    }
                    (_, None) => tick(),
                }
            };
            if let Some(action) = swap.step(at, event) {
                writes += u32::from(matches!(action, Action::Apply(..)));
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
            if swap.outcome().is_some() {
                break;
            }
        }
        // The driver's last look, which is there for what comes too late.
        if swap.outcome().is_some() {
            swap.look_again(Some(world.production));
        }
        let outcome = swap.outcome().cloned();
        prop_assert!(outcome.is_some(), "it never ends: {:?}", swap.phase);
        match outcome {
            Some(Outcome::Committed) => {
                prop_assert_eq!((world.production, world.test), (TO, FROM));
            }
            Some(Outcome::RolledBack(_)) => {
                prop_assert_eq!(world.production, FROM);
                prop_assert!(world.test == TO || has_landed_late);
            }
            Some(Outcome::Left(_)) => prop_assert_eq!(world.production, TO),
            Some(Outcome::Unwell | Outcome::Refused(_) | Outcome::Interrupted) => {
                prop_assert_eq!(writes, 0);
            }
            Some(Outcome::Unchanged(_)) => prop_assert_eq!(world.production, FROM),
            _ => {}
        }
        let next = swap.step(at, tick());
        prop_assert_eq!(next, None, "an ended swap does nothing more");
    }
}
