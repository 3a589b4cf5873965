//! A shift that nobody probes.

use super::*;
use crate::model::TargetState::{self, Healthy, Unhealthy};
use crate::model::testing::targets;
use crate::model::{Condition, Hook};

const SICK: &str =
    "0 of 1 target of blue healthy: target 10.0.0.1 is unhealthy: AWS does not say why";

fn seen(at: f64, states: &[TargetState]) -> (f64, Event) {
    let event = Event::Targets {
        asked_at: secs(at - 0.05),
        result: Ok(targets(states)),
    };
    (at, event)
}

fn unread(at: f64) -> (f64, Event) {
    let event = Event::Targets {
        asked_at: secs(at - 0.05),
        result: Err("AccessDenied".to_owned()),
    };
    (at, event)
}

fn sick() -> Why {
    Why::Unhealthy(SICK.to_owned())
}

/// Both routes are read back at 0.6 s.
fn until_the_window() -> Vec<(f64, Event)> {
    vec![
        (0.0, tick()),
        (0.1, Event::Noted(Ok(()))),
        (0.2, shows(FROM)),
        (0.3, Event::Written(Ok(()))),
        (0.4, shows(TO)),
        (0.4, Event::Noted(Ok(()))),
        (0.4, shows(TO)),
        (0.5, Event::Written(Ok(()))),
        (0.6, shows(FROM)),
    ]
}

fn in_the_window(policy: Policy) -> Shift {
    let mut swap = shift(BEFORE, policy);
    run(&mut swap, until_the_window());
    assert!(matches!(swap.phase, Phase::Baking { .. }));
    swap
}

#[test]
fn it_begins_at_once_and_is_over_once_it_was_looked_at_after_its_time() {
    let mut swap = in_the_window(blind());
    // The window is 15 s; what was asked for within says nothing of its end.
    let script = vec![
        seen(15.0, &[Healthy]),
        (15.7, tick()),
        seen(15.62, &[Healthy]),
    ];
    run(&mut swap, script);
    assert_eq!(run(&mut swap, vec![(15.8, tick())]), []);
    assert_eq!(swap.outcome(), None);
    run(&mut swap, vec![seen(16.0, &[Healthy]), (16.05, tick())]);
    assert_eq!(swap.outcome(), Some(&Outcome::Committed));
}

#[test]
fn however_short_it_is_watched_every_user_has_what_the_route_shows() {
    for (policy, expected) in [
        (blind(), blind().patience.visible),
        (policy(), Duration::ZERO),
    ] {
        let strategy = Strategy::all_at_once(TO, &BEFORE.found, Duration::ZERO);
        let mut swap = Shift::new(strategy, BEFORE, policy);
        assert_eq!(
            swap.bake(),
            Duration::ZERO,
            "the test route's turn comes at once"
        );
        swap.stage = 1;
        assert_eq!(swap.bake(), expected);
    }
}

/// From the objection on: one look, the write, and what AWS needs to bring it
/// everywhere.
#[test]
fn an_unhealthy_target_takes_it_back_as_a_failed_answer_does() {
    let mut swap = in_the_window(blind());
    let actions = run(&mut swap, vec![seen(2.0, &[Unhealthy])]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    let script = vec![(2.01, Event::Health(Ok(true))), (2.02, shows(TO))];
    let actions = run(&mut swap, script);
    assert_eq!(actions, [back(Route::Production, FROM)]);
    let script = vec![
        (2.1, Event::Written(Ok(()))),
        (2.2, shows(FROM)),
        (2.3, shows(FROM)),
        (2.4, Event::Written(Ok(()))),
        (2.5, shows(TO)),
    ];
    let actions = run(&mut swap, script);
    let after = swap.policy.patience.visible;
    let wait = Action::AskHealth { color: FROM, after };
    assert_eq!(actions.last(), Some(&wait));
    assert_eq!(swap.outcome(), None);
    let mut gone = swap.clone();
    run(&mut swap, vec![(4.5, Event::Health(Ok(true)))]);
    assert_eq!(swap.outcome(), Some(&Outcome::RolledBack(sick())));
    run(&mut gone, vec![(4.5, Event::Health(Ok(false)))]);
    let Some(Outcome::InDoubt(why)) = gone.outcome() else {
        panic!("{:?}", gone.outcome());
    };
    assert_eq!(
        why,
        "port 80 points back at green, which has no healthy target"
    );
}

/// Users come first: a call about the test route, or to the journal, is not
/// waited for.
#[test]
fn it_preempts_what_concerns_the_test_route() {
    for up_to in 5..8 {
        let mut swap = shift(BEFORE, blind());
        run(&mut swap, until_the_window()[..up_to].to_vec());
        let actions = run(&mut swap, vec![seen(0.6, &[Unhealthy])]);
        assert_eq!(actions, [Action::LookBack(FROM)], "after {up_to} calls");
    }
}

#[test]
fn ahead_of_the_first_move_it_refuses_and_to_stay_it_leaves() {
    let mut swap = shift(BEFORE, blind());
    run(&mut swap, vec![(0.0, tick()), seen(0.1, &[Unhealthy])]);
    assert_eq!(swap.outcome(), Some(&Outcome::Refused(SICK.to_owned())));

    let stays = Policy {
        takes_back: false,
        ..blind()
    };
    let mut swap = in_the_window(stays);
    run(&mut swap, vec![seen(2.0, &[Unhealthy])]);
    assert_eq!(swap.outcome(), Some(&Outcome::Left(sick())));
}

#[test]
fn what_cannot_be_read_for_a_while_takes_it_back_and_a_moment_of_it_does_not() {
    let patience = blind().patience.unreadable.as_secs_f64();
    let mut swap = in_the_window(blind());
    let script = vec![
        seen(2.0, &[Healthy]),
        unread(4.0),
        seen(6.0, &[Healthy]),
        unread(8.0),
        // However long the process was stopped.
        unread(8.0 + patience),
    ];
    assert_eq!(run(&mut swap, script), []);
    let actions = run(&mut swap, vec![unread(8.1 + patience)]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    let Phase::LookingBack { why, .. } = &swap.phase else {
        panic!("{:?}", swap.phase);
    };
    let told = "the target health of blue cannot be read: AccessDenied";
    assert_eq!(*why, Why::Unhealthy(told.to_owned()));
}

/// A reading from ahead of a move says nothing of what the move asks for.
#[test]
fn each_reading_is_held_to_the_share_that_users_had_by_then() {
    let steps = "10% for 60s".parse().unwrap();
    let strategy = Strategy::gradual(TO, &BEFORE.found, &steps, Duration::from_secs(15));
    let JudgedBy::Targets(fitness) = blind().judged_by else {
        panic!("it is blind");
    };
    let four = Policy {
        judged_by: JudgedBy::Targets(crate::engine::fitness::Fitness { live: 4, ..fitness }),
        ..blind()
    };
    let mut shift = Shift::new(strategy, BEFORE, four);
    let two = targets(&[Healthy, Healthy]);
    for (at, share) in [(1.0, 1000), (3.0, 10_000)] {
        shift.moves.push(MoveTimes {
            it: Move {
                route: Route::Production,
                from: None,
                to: Split::with_share(TO, share),
            },
            sent: secs(at),
            seen: None,
        });
    }
    assert_eq!(shift.objection_to(&two, secs(2.9)), None);
    let needs = shift.objection_to(&two, secs(3.0)).unwrap();
    assert!(needs.ends_with("its share of users needs 4"), "{needs}");
}

/// A pause and a hook are times in which users are on it, too.
#[test]
fn it_is_looked_at_while_a_stage_waits() {
    let hook = Condition::Hook {
        hook: Hook::AfterStage,
        stage: Some(1),
    };
    let mut swap = in_the_window(blind());
    swap.strategy.stages[1].after.push(hook);
    let script = vec![seen(16.0, &[Healthy]), (16.1, tick())];
    assert_eq!(run(&mut swap, script), [Action::Meet(hook)]);
    let actions = run(&mut swap, vec![seen(40.0, &[Unhealthy])]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
}

/// What was given up may still land.
#[test]
fn a_way_back_that_a_late_write_may_undo_is_looked_at_once_more() {
    let mut swap = shift(BEFORE, blind());
    let script = vec![
        (0.0, tick()),
        (0.1, Event::Noted(Ok(()))),
        (0.2, shows(FROM)),
        // The write is under way.
        seen(0.3, &[Unhealthy]),
        (0.31, Event::Health(Ok(true))),
        (0.32, shows(FROM)),
        (0.4, Event::Written(Ok(()))),
        (0.5, shows(FROM)),
        (2.5, Event::Health(Ok(true))),
    ];
    let actions = run(&mut swap, script);
    assert_eq!(swap.outcome(), None, "{actions:?}");
}
