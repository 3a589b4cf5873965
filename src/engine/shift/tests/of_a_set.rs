//! One module of a set: how production is judged while others are waited for.

use super::*;
use crate::model::{Condition, SetGate};

/// Its baseline is over, and it waits for its turn to prepare.
fn waiting() -> Shift {
    let strategy = Strategy::all_at_once(TO, &BEFORE.found, Duration::from_secs(15));
    let mut shift = Shift::new(strategy.with_gates(), BEFORE, policy());
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    let actions = run(&mut shift, vec![(1.0, tick())]);
    let gate = SetGate::Prepare;
    assert_eq!(actions, [Action::Meet(Condition::Set(gate))]);
    shift
}

/// It may prepare, and then take its first stage.
fn has_its_turn(shift: &mut Shift, at: f64) -> Vec<Action> {
    let met = || Event::Met(Ok(()));
    let actions = run(shift, vec![(at, met())]);
    let gate = SetGate::Stage(0);
    assert_eq!(actions, [Action::Meet(Condition::Set(gate))]);
    run(shift, vec![(at, met())])
}

#[test]
fn what_failed_long_before_its_turn_forbids_nothing() {
    let mut shift = waiting();
    let script = vec![(60.0, answer(60.0, false)), (62.0, answer(62.0, true))];
    assert_eq!(run(&mut shift, script), []);
    assert_eq!(shift.outcome(), None);
    assert_eq!(
        has_its_turn(&mut shift, 600.0),
        [note(Route::Production, TO)]
    );
}

#[test]
fn what_fails_when_its_turn_comes_forbids_it() {
    let mut shift = waiting();
    let script = vec![(599.0, answer(599.0, true)), (599.5, answer(599.5, false))];
    assert_eq!(run(&mut shift, script), []);
    assert_eq!(has_its_turn(&mut shift, 600.0), []);
    assert_eq!(shift.outcome(), Some(&Outcome::Unwell));
}

/// At its end it waits for as long as others need, and is judged as long.
#[test]
fn who_waits_at_the_end_is_watched_on() {
    let mut shift = waiting();
    has_its_turn(&mut shift, 2.0);
    let script = vec![
        (2.0, Event::Noted(Ok(()))),
        (2.0, shows(FROM)),
        (2.0, Event::Written(Ok(()))),
        (2.1, shows(TO)),
        (2.1, Event::Noted(Ok(()))),
        (2.1, shows(TO)),
        (2.1, Event::Written(Ok(()))),
        (2.2, shows(FROM)),
    ];
    run(&mut shift, script);
    let actions = run(&mut shift, vec![(18.0, tick())]);
    assert_eq!(actions, [Action::Meet(Condition::Set(SetGate::Commit))]);
    let actions = run(&mut shift, vec![(900.0, answer(900.0, false))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
}
