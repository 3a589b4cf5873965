//! Where the way back goes, and where there is none: production's place when the
//! operation began.

use super::*;

/// Both ports on the colour that is to be live; the operation may have moved
/// them there or not.
fn found_there(origin: Color) -> Shift {
    let before = Before {
        found: PerRoute {
            production: TO.into(),
            test: TO.into(),
        },
        origin: Some(origin),
        was_healthy: true,
    };
    let mut swap = shift(before, policy());
    let script = vec![
        (0.1, answer(0.1, true)),
        (0.2, answer(0.2, true)),
        (0.3, answer(0.3, true)),
    ];
    run(&mut swap, script);
    swap
}

fn watching(origin: Color) -> (Shift, Vec<Action>) {
    let mut swap = found_there(origin);
    let script = vec![
        (1.0, tick()),
        (1.0, Event::Noted(Ok(()))),
        (1.1, shows(TO)),
        (1.2, Event::Noted(Ok(()))),
        (1.3, shows(TO)),
        (1.4, Event::Written(Ok(()))),
        (1.5, shows(FROM)),
    ];
    let actions = run(&mut swap, script);
    assert!(matches!(swap.phase, Phase::Baking { .. }));
    let writes = actions.into_iter();
    let writes = writes.filter(|action| matches!(action, Action::Apply(..)));
    (swap, writes.collect())
}

#[test]
fn a_listener_that_is_there_already_is_not_written() {
    let (_, writes) = watching(TO);
    assert_eq!(writes, [forward(Route::Test, FROM)]);
}

#[test]
fn where_production_did_not_move_there_is_no_way_back() {
    for (event, expected) in [
        (answer(2.0, false), Outcome::Left(Why::Failures)),
        (Event::ProbeEnded, Outcome::Left(Why::ProbeEnded)),
        (Event::Interrupt, Outcome::Interrupted),
    ] {
        let (mut swap, _) = watching(TO);
        assert_eq!(run(&mut swap, vec![(2.1, event)]), []);
        assert_eq!(swap.outcome(), Some(&expected));
    }
    // Also while the test port's write is under way.
    for (event, expected) in [
        (answer(1.3, false), Outcome::Left(Why::Failures)),
        (Event::Interrupt, Outcome::Interrupted),
    ] {
        let mut swap = found_there(TO);
        let script = vec![
            (1.0, tick()),
            (1.0, Event::Noted(Ok(()))),
            (1.1, shows(TO)),
            (1.2, event),
        ];
        run(&mut swap, script);
        assert_eq!(swap.outcome(), Some(&expected));
    }
    let mut swap = found_there(TO);
    run(&mut swap, vec![(0.4, answer(0.4, false))]);
    assert_eq!(swap.outcome(), Some(&Outcome::Unwell));
}

#[test]
fn what_another_process_moved_goes_back_to_where_it_was() {
    let (mut swap, _) = watching(FROM);
    let actions = run(&mut swap, vec![(2.1, answer(2.0, false))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    // At once where it fails ahead of the rest.
    let mut swap = found_there(FROM);
    let actions = run(&mut swap, vec![(0.4, answer(0.4, false))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    let script = vec![
        (0.5, Event::Health(Ok(true))),
        (0.5, shows(TO)),
        (0.6, Event::Written(Ok(()))),
        (0.7, shows(FROM)),
    ];
    let actions = run(&mut swap, script);
    assert!(
        actions.contains(&back(Route::Production, FROM)),
        "{actions:?}"
    );
    // A Ctrl-C there changes nothing: the operation is still to be finished.
    let mut swap = found_there(FROM);
    run(&mut swap, vec![(0.4, Event::Interrupt)]);
    assert_eq!(swap.outcome(), Some(&Outcome::Interrupted));
}

#[test]
fn what_is_taken_back_does_not_come_again() {
    // The undoing of a promotion, which began where it goes.
    let before = Before {
        origin: Some(TO),
        ..BEFORE
    };
    let rollback = Policy {
        needs_clean_baseline: false,
        ..policy()
    };
    let mut swap = shift(before, rollback);
    through_the_swap(&mut swap);
    run(&mut swap, vec![(3.0, answer(2.9, false))]);
    assert_eq!(swap.outcome(), Some(&Outcome::Left(Why::Failures)));
}
