//! The look at a listener ahead of its write.

use super::*;
use crate::model::testing::{assert_names_hosts, hosts};

#[test]
fn a_shift_calls_a_route_what_its_router_calls_it() {
    let policy = Policy {
        endpoints: hosts(),
        ..policy()
    };
    let mut refused = shift(BEFORE, policy.clone());
    run(&mut refused, up_to_the_look());
    run(&mut refused, vec![(1.1, shows(TO)), (3.2, shows(TO))]);
    let mut denied = shift(BEFORE, policy);
    through_the_swap(&mut denied);
    denied.phase = Phase::Done(Outcome::Committed);
    denied.look_again(&forwards_to(FROM));
    for ended in [refused, denied] {
        let Some(Outcome::Refused(reason) | Outcome::InDoubt(reason)) = ended.outcome() else {
            panic!("{:?}", ended.outcome());
        };
        assert_names_hosts(reason);
    }
}

#[test]
fn what_somebody_else_did_meanwhile_is_not_overwritten() {
    // A stack update reset port 80; a person pointed it at a group of theirs.
    for found in [forwards_to(TO), Found::default()] {
        let mut swap = shift(BEFORE, policy());
        run(&mut swap, up_to_the_look());
        let again = run(&mut swap, vec![(1.1, Event::Read(Ok(found.clone())))]);
        assert!(matches!(
            again[..],
            [Action::Read {
                route: Route::Production,
                ..
            }]
        ));
        assert_eq!(run(&mut swap, vec![(3.1, Event::Read(Ok(found)))]), []);
        let Some(Outcome::Refused(reason)) = swap.outcome() else {
            panic!("{:?}", swap.outcome());
        };
        assert!(reason.contains("to green when this began"), "{reason}");
    }
    // The test port: port 80 has moved by then, and goes back.
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let script = vec![
        (1.1, Event::Written(Ok(()))),
        (1.2, shows(TO)),
        (1.2, Event::Noted(Ok(()))),
        (1.3, shows(FROM)),
        (3.3, shows(FROM)),
    ];
    let actions = run(&mut swap, script);
    assert_eq!(actions.last(), Some(&Action::LookBack(FROM)));
}

#[test]
fn one_stale_look_is_not_somebody_else_s_doing() {
    for stale in [forwards_to(TO), Found::default()] {
        let mut swap = shift(BEFORE, policy());
        run(&mut swap, up_to_the_look());
        let script = vec![(1.1, Event::Read(Ok(stale))), (1.6, shows(FROM))];
        let actions = run(&mut swap, script);
        assert_eq!(actions.last(), Some(&forward(Route::Production, TO)));
    }
}

#[test]
fn of_a_way_back_that_somebody_else_went_already_only_production_is_made_sure() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let script = vec![
        (3.0, answer(2.9, false)),
        (3.1, Event::Health(Ok(true))),
        (3.2, shows(FROM)), // which may be stale
        (3.2, Event::Written(Ok(()))),
        (3.3, shows(FROM)),
        (3.3, shows(TO)),
    ];
    let mut writes = run(&mut swap, script);
    writes.retain(|action| matches!(action, Action::Apply(..)));
    assert_eq!(writes, [back(Route::Production, FROM)]);
    assert!(matches!(swap.phase, Phase::Confirming { .. }));
}

#[test]
fn the_way_back_does_not_wait_for_a_reading() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let script = vec![
        (3.0, answer(2.9, false)),
        (3.1, Event::Health(Ok(true))),
        (3.2, Event::Read(Err("throttled".to_owned()))),
    ];
    let actions = run(&mut swap, script);
    assert_eq!(actions.last(), Some(&back(Route::Production, FROM)));
}

#[test]
fn a_listener_that_cannot_be_read_is_not_written() {
    let mut swap = shift(BEFORE, policy());
    run(&mut swap, up_to_the_look());
    let script = vec![
        (1.1, Event::Read(Err("throttled".to_owned()))),
        (20.0, Event::Read(Err("throttled".to_owned()))),
        (32.0, Event::Read(Err("throttled".to_owned()))),
    ];
    let actions = run(&mut swap, script);
    assert!(!actions.contains(&forward(Route::Production, TO)));
    assert!(matches!(swap.outcome(), Some(Outcome::Unchanged(_))));
}
