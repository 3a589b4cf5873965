//! A test route by header: production moves alone, and is watched as both are.

use super::*;

/// Through the baseline, up to where production was read back.
fn up_to_the_watch(swap: &mut Shift) {
    through_the_baseline(swap);
    let written = vec![
        (1.01, Event::Written(Ok(()))),
        (1.02, shows(TO)),
        (1.03, tick()),
    ];
    let read = Action::Read {
        route: Route::Production,
        after: Duration::ZERO,
    };
    assert_eq!(run(swap, written), [read]);
    assert_eq!(swap.milestone(), Milestone::Baking(0));
}

#[test]
fn production_is_the_only_stage_and_is_watched() {
    let mut swap = shift(BY_HEADER, policy());
    up_to_the_watch(&mut swap);
    assert_eq!(
        run(&mut swap, vec![(10.0, answer(9.9, true)), (17.0, tick())]),
        []
    );
    assert_eq!(swap.outcome(), Some(&Outcome::Committed));
}

#[test]
fn only_production_goes_back() {
    let mut swap = shift(BY_HEADER, policy());
    up_to_the_watch(&mut swap);
    let failing = vec![
        (5.0, answer(4.9, false)),
        (5.01, Event::Health(Ok(true))),
        (5.02, shows(TO)),
        (5.03, Event::Written(Ok(()))),
        (5.04, shows(FROM)),
        (6.0, answer(5.5, true)),
        (6.1, answer(5.6, true)),
        (6.2, answer(5.7, true)),
    ];
    let read = Action::Read {
        route: Route::Production,
        after: Duration::ZERO,
    };
    let there_and_back = [Action::LookBack(FROM), back(Route::Production, FROM), read];
    assert_eq!(run(&mut swap, failing), there_and_back);
    assert_eq!(swap.outcome(), Some(&Outcome::RolledBack(Why::Failures)));
}

#[test]
fn who_goes_on_with_it_says_what_it_found() {
    // All users are there, and whoever brought them is gone.
    let there = || Before {
        found: PerRoute {
            production: forwards_to(TO),
            test: Found::ByRequest,
        },
        ..BY_HEADER
    };
    let through = || {
        let mut script = up_to_the_look();
        script.push((1.01, shows(TO)));
        script
    };
    let mut swap = shift(there(), policy());
    assert_eq!(
        run(&mut swap, through()).len(),
        2,
        "it is noted and looked at, and there is nothing to write"
    );
    assert_eq!(swap.milestone(), Milestone::Baking(0));
    run(&mut swap, vec![(1.5, Event::Interrupt)]);
    // It may be taken back, as while the test route has its turn.
    assert_eq!(swap.milestone(), Milestone::LookingBack);

    let nobody_s = Before {
        origin: None,
        ..there()
    };
    let mut swap = shift(nobody_s, policy());
    run(&mut swap, through());
    run(&mut swap, vec![(1.5, Event::Interrupt)]);
    assert_eq!(swap.outcome(), Some(&Outcome::Interrupted));
}
