mod any_luck;
mod blind;
mod by_header;
mod gradual;
mod killed;
mod look_ahead;
mod luck;
mod of_a_set;
mod origin;
mod resumed;
mod silent;
mod strategies;
mod users_first;

use super::testing::{blind, policy, policy_of};
use super::*;
use crate::engine::analysis::{Answerer, Limits, Tolerance};
use crate::model::{Color, Found, Move, Split, Urgency};

const FROM: Color = Color::Green;
const TO: Color = Color::Blue;
/// The operation begins here.
const BEFORE: Before = Before {
    found: PerRoute {
        production: Found::Split(Split::all(FROM)),
        test: Found::Split(Split::all(TO)),
    },
    origin: Some(FROM),
    was_healthy: true,
};

/// The same with a test route by header.
const BY_HEADER: Before = Before {
    found: PerRoute {
        production: Found::Split(Split::all(FROM)),
        test: Found::ByRequest,
    },
    origin: Some(FROM),
    was_healthy: true,
};

/// One of the two.
fn before(by_header: bool) -> Before {
    match by_header {
        true => BY_HEADER,
        false => BEFORE,
    }
}

/// The swap, watched for 15 s.
fn shift(before: Before, policy: Policy) -> Shift {
    let strategy = Strategy::all_at_once(TO, &before.found, Duration::from_secs(15));
    Shift::new(strategy, before, policy)
}

/// From the one colour to the other.
fn it(route: Route, color: Color) -> Move {
    Move {
        route,
        from: Some(Split::all(color.other())),
        to: Split::all(color),
    }
}

fn note(route: Route, color: Color) -> Action {
    Action::Note(it(route, color))
}

fn forwards_to(color: Color) -> Found {
    color.into()
}

fn secs(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

fn tick() -> Event {
    Event::Tick {
        oldest_pending: None,
    }
}

fn answer(at: f64, ok: bool) -> Event {
    Event::Answered {
        scheduled_at: secs(at),
        over_at: secs(at),
        is_silence: false,
        ok,
        by: Answerer::Unknown,
        latency: Duration::ZERO,
    }
}

/// Feeds a script of (second, event) and gives all actions.
fn run(swap: &mut Shift, script: Vec<(f64, Event)>) -> Vec<Action> {
    script
        .into_iter()
        .filter_map(|(at, event)| swap.step(secs(at), event))
        .collect()
}

fn through_the_baseline(swap: &mut Shift) {
    assert_eq!(
        run(swap, up_to_the_look()),
        [note(Route::Production, TO), look(Route::Production)]
    );
    assert_eq!(
        run(swap, vec![(1.0, shows(FROM))]),
        [forward(Route::Production, TO)]
    );
}

/// A good baseline, and the intent in the journal.
fn up_to_the_look() -> Vec<(f64, Event)> {
    vec![
        (0.1, answer(0.1, true)),
        (0.2, answer(0.2, true)),
        (0.3, answer(0.3, true)),
        (1.0, tick()),
        (1.0, Event::Noted(Ok(()))),
    ]
}

fn shows(color: Color) -> Event {
    Event::Read(Ok(forwards_to(color)))
}

fn forward(route: Route, color: Color) -> Action {
    Action::Apply(it(route, color), Urgency::Forward)
}

fn back(route: Route, color: Color) -> Action {
    Action::Apply(it(route, color), Urgency::Back)
}

fn look(route: Route) -> Action {
    Action::Read {
        route,
        after: Duration::ZERO,
    }
}

/// The calls of an action, as the driver makes them.
fn parts(action: Action) -> Vec<Action> {
    match action {
        Action::LookBack(color) => {
            let after = Duration::ZERO;
            vec![Action::AskHealth { color, after }, look(Route::Production)]
        }
        action => vec![action],
    }
}

fn through_the_swap(swap: &mut Shift) {
    through_the_baseline(swap);
    let script = vec![
        (1.01, Event::Written(Ok(()))),
        (1.02, shows(TO)),
        (1.02, Event::Noted(Ok(()))),
        (1.03, shows(TO)), // the test port, ahead of its write
        (1.03, Event::Written(Ok(()))),
        (1.04, shows(FROM)),
    ];
    let actions = run(swap, script);
    let writes: Vec<_> = actions
        .iter()
        .filter(|action| matches!(action, Action::Apply(..)))
        .collect();
    assert_eq!(writes, [&forward(Route::Test, FROM)]);
    assert!(matches!(swap.phase, Phase::Baking { .. }));
}

#[test]
fn prod_moves_first_then_test_then_a_clean_window_commits() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    assert_eq!(run(&mut swap, vec![(16.0, tick()), (16.1, tick())]), []);
    assert_eq!(swap.outcome(), Some(&Outcome::Committed));
}

#[test]
fn the_window_waits_for_its_last_answers() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let pending = Event::Tick {
        oldest_pending: Some(secs(15.9)),
    };
    run(&mut swap, vec![(17.0, pending)]);
    assert_eq!(swap.outcome(), None);
    let actions = run(&mut swap, vec![(17.5, answer(15.9, false))]);
    assert!(matches!(actions[..], [Action::LookBack(FROM)]));
}

#[test]
fn a_failing_production_refuses_the_promotion_untouched() {
    let mut swap = shift(BEFORE, policy());
    assert_eq!(run(&mut swap, vec![(0.1, answer(0.1, false))]), []);
    assert_eq!(swap.outcome(), Some(&Outcome::Unwell));
}

#[test]
fn one_failed_answer_takes_the_swap_back_prod_first() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let script = vec![
        (3.0, answer(2.9, false)),
        (3.05, Event::Health(Ok(true))),
        (3.05, shows(TO)), // the other half of the look
        (3.2, Event::Written(Ok(()))),
        (3.3, shows(FROM)),
        (3.3, shows(FROM)),
        (3.4, Event::Written(Ok(()))),
        (3.5, shows(TO)),
        (3.6, answer(3.45, true)), // left before the way back was finished
        (3.7, answer(3.6, true)),
        (3.8, answer(3.7, true)),
    ];
    let writes: Vec<_> = run(&mut swap, script)
        .into_iter()
        .filter(|action| matches!(action, Action::Apply(..)))
        .collect();
    assert_eq!(
        writes,
        [back(Route::Production, FROM), back(Route::Test, TO)]
    );
    assert_eq!(swap.outcome(), None);
    run(&mut swap, vec![(3.9, answer(3.8, true))]);
    assert_eq!(swap.outcome(), Some(&Outcome::RolledBack(Why::Failures)));
}

#[test]
fn an_unhealthy_old_colour_is_not_gone_back_to() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let script = vec![(3.0, answer(2.9, false)), (3.1, Event::Health(Ok(false)))];
    run(&mut swap, script);
    assert_eq!(swap.outcome(), Some(&Outcome::Left(Why::Failures)));
}

#[test]
fn a_health_that_was_bad_and_cannot_be_read_is_asked_for_again_a_second_later() {
    let was_sick = Before {
        was_healthy: false,
        ..BEFORE
    };
    let mut swap = shift(was_sick, policy());
    through_the_swap(&mut swap);
    let unreadable = || Event::Health(Err("throttled".to_owned()));
    let script = vec![
        (3.0, answer(2.9, false)),
        (3.1, unreadable()),
        (3.2, shows(TO)),
    ];
    let again = Action::AskHealth {
        color: FROM,
        after: Duration::from_secs(1),
    };
    assert_eq!(run(&mut swap, script), [Action::LookBack(FROM), again]);
    run(&mut swap, vec![(30.0, unreadable())]);
    assert_eq!(swap.outcome(), None);
    run(&mut swap, vec![(33.1, unreadable())]);
    assert!(matches!(swap.outcome(), Some(Outcome::InDoubt(_))));
}

#[test]
fn no_rollback_leaves_a_failed_swap() {
    let leaves = Policy {
        takes_back: false,
        ..policy()
    };
    let mut swap = shift(BEFORE, leaves);
    through_the_swap(&mut swap);
    run(&mut swap, vec![(3.0, answer(2.9, false))]);
    assert_eq!(swap.outcome(), Some(&Outcome::Left(Why::Failures)));
}

#[test]
fn a_lost_answer_is_looked_up_and_not_assumed() {
    let lost = || Event::Written(Err(WriteFault::new(WriteEffect::Unknown, "timed out")));
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let script = vec![
        (1.1, lost()),
        (1.2, shows(FROM)), // it never happened
        (1.3, lost()),
        (1.4, shows(TO)), // this time it did
        (1.5, Event::Noted(Ok(()))),
        (1.5, shows(TO)),
    ];
    let actions = run(&mut swap, script);
    assert_eq!(actions[1], forward(Route::Production, TO));
    assert_eq!(actions[5], forward(Route::Test, FROM));
}

#[test]
fn a_lost_write_that_shows_late_is_no_refusal() {
    let fault = |effect| Event::Written(Err(WriteFault::new(effect, "fault")));
    // The last try of many, or one ahead of a refusal: it happened, and the
    // listener does not show it yet.
    let lost = WriteEffect::Unknown;
    for faults in [&[lost; 5][..], &[lost, WriteEffect::Nothing]] {
        let mut swap = shift(BEFORE, policy());
        through_the_baseline(&mut swap);
        let mut last = None;
        for effect in faults {
            swap.step(secs(1.1), fault(*effect));
            last = swap.step(secs(1.2), shows(FROM));
        }
        assert!(matches!(last, Some(Action::Read { .. })), "{last:?}");
        let next = swap.step(secs(1.4), shows(TO));
        assert_eq!(next, Some(note(Route::Test, FROM)));
    }
}

#[test]
fn a_lost_write_that_never_shows_changed_nothing() {
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    for at in [1.1, 1.2, 1.3, 1.4, 1.5] {
        let lost = WriteFault::new(WriteEffect::Unknown, "timed out");
        swap.step(secs(at), Event::Written(Err(lost)));
        swap.step(secs(at), shows(FROM));
    }
    assert_eq!(swap.outcome(), None);
    swap.step(secs(12.0), shows(FROM));
    let expected = Outcome::Unchanged("timed out".to_owned());
    assert_eq!(swap.outcome(), Some(&expected));
}

#[test]
fn a_refused_write_changes_nothing() {
    let refused = WriteFault::new(WriteEffect::Nothing, "AccessDenied");
    let refused = Event::Written(Err(refused));
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let script = vec![(1.1, refused), (1.2, shows(FROM))];
    run(&mut swap, script);
    let expected = Outcome::Unchanged("AccessDenied".to_owned());
    assert_eq!(swap.outcome(), Some(&expected));
}

#[test]
fn a_write_that_cannot_be_read_back_is_taken_back_after_half_a_minute() {
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let unreadable = || Event::Read(Err("throttled".to_owned()));
    let script = vec![
        (1.1, shows(FROM)),
        (1.2, Event::Written(Ok(()))),
        (16.0, unreadable()),
        (31.0, unreadable()),
    ];
    let actions = run(&mut swap, script);
    assert!(!actions.contains(&Action::LookBack(FROM)));
    let actions = run(&mut swap, vec![(31.3, unreadable())]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
}

#[test]
fn a_stranger_s_change_is_in_doubt() {
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let script = vec![
        (1.1, Event::Written(Ok(()))),
        (1.2, Event::Read(Ok(Found::default()))),
        // One look may be stale.
        (3.3, Event::Read(Ok(Found::default()))),
    ];
    run(&mut swap, script);
    assert!(matches!(swap.outcome(), Some(Outcome::InDoubt(_))));
}

#[test]
fn ctrl_c_aborts_before_and_goes_back_after() {
    let mut before = shift(BEFORE, policy());
    run(&mut before, vec![(0.5, Event::Interrupt)]);
    assert_eq!(before.outcome(), Some(&Outcome::Interrupted));

    let mut after = shift(BEFORE, policy());
    through_the_swap(&mut after);
    let actions = run(&mut after, vec![(2.0, Event::Interrupt)]);
    assert!(matches!(actions[..], [Action::LookBack(FROM)]));
    run(&mut after, vec![(2.1, Event::Interrupt)]);
    assert!(matches!(after.outcome(), Some(Outcome::InDoubt(_))));
}

#[test]
fn a_rollback_leaves_a_failing_production_and_never_returns_to_it() {
    let rollback = Policy {
        needs_clean_baseline: false,
        ..policy()
    };
    let mut swap = shift(BEFORE, rollback);
    let script = vec![
        (0.1, answer(0.1, false)),
        (1.0, tick()),
        (1.0, Event::Noted(Ok(()))),
        (1.0, shows(FROM)),
        (1.1, Event::Written(Ok(()))),
        (1.2, shows(TO)),
        (1.2, Event::Noted(Ok(()))),
        (1.3, answer(1.1, false)), // still yesterday's
        (1.3, shows(TO)),
        (1.4, Event::Written(Ok(()))),
        (1.5, shows(FROM)),
    ];
    run(&mut swap, script);
    assert!(matches!(swap.phase, Phase::Baking { .. }));
    run(&mut swap, vec![(5.0, answer(4.9, false))]);
    assert_eq!(swap.outcome(), Some(&Outcome::Left(Why::Failures)));
}

fn tolerating(baseline: u64, after: u64) -> Policy {
    Policy {
        tolerates: Tolerated {
            baseline,
            after: Limits {
                failures: Tolerance {
                    count: after,
                    share: 0.0,
                },
                latency: Vec::new(),
            },
        },
        ..policy()
    }
}

#[test]
fn tolerated_failures_neither_forbid_a_swap_nor_take_it_back() {
    let mut swap = shift(BEFORE, tolerating(1, 2));
    run(&mut swap, vec![(0.05, answer(0.05, false))]);
    assert_eq!(swap.outcome(), None);
    through_the_swap(&mut swap);
    let failures = [2.0, 3.0].map(|at| (at, answer(at, false)));
    assert_eq!(run(&mut swap, failures.to_vec()), []);
    // One more than is tolerated; the old colour was well enough to go back to.
    let actions = run(&mut swap, vec![(4.0, answer(4.0, false))]);
    assert!(matches!(actions[..], [Action::LookBack(FROM)]));
}

#[test]
fn a_baseline_of_tolerated_failures_is_judged_after_its_ordinary_length() {
    let mut swap = shift(BEFORE, tolerating(1000, 1000));
    let failing = |n: u32| (f64::from(n) / 10.0, answer(f64::from(n) / 10.0, false));
    run(&mut swap, (0..13).map(failing).collect());
    assert_eq!(run(&mut swap, vec![(1.25, tick())]), []);
    assert_eq!(swap.phase, Phase::Baseline);
    run(&mut swap, vec![(1.3, tick())]);
    assert_eq!(swap.outcome(), Some(&Outcome::Unwell));
    assert_eq!(swap.baseline(), (13, 13));
}

#[test]
fn a_baseline_with_more_good_answers_than_tolerated_failures_will_do() {
    let mut swap = shift(BEFORE, tolerating(5, 5));
    let script = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut swap, script.to_vec());
    run(&mut swap, vec![(0.4, answer(0.4, false))]);
    assert_eq!(
        run(&mut swap, vec![(1.0, tick())]),
        [note(Route::Production, TO)]
    );
}

#[test]
fn a_rollback_does_not_wait_for_as_many_failures_as_it_tolerates() {
    let rollback = Policy {
        needs_clean_baseline: false,
        ..tolerating(1000, 1000)
    };
    let mut swap = shift(BEFORE, rollback);
    run(&mut swap, vec![(0.1, answer(0.1, false))]);
    assert_eq!(
        run(&mut swap, vec![(1.0, tick())]),
        [note(Route::Production, TO)]
    );
}

#[test]
fn a_baseline_worse_than_tolerated_forbids_the_swap() {
    let mut swap = shift(BEFORE, tolerating(1, 5));
    let script = [0.1, 0.2].map(|at| (at, answer(at, false)));
    run(&mut swap, script.to_vec());
    assert_eq!(swap.outcome(), Some(&Outcome::Unwell));
}
