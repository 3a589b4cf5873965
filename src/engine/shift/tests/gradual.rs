//! Production by steps: who is to blame for what, and what a stage waits for.

use super::*;
use crate::engine::analysis::Answerer::{self, New, Old, Unknown};
use crate::model::{Condition, Hook, Steps};

fn by(steps: &str) -> Shift {
    let steps: Steps = steps.parse().unwrap();
    let strategy = Strategy::gradual(TO, &BEFORE.found, &steps, Duration::from_secs(15));
    Shift::new(strategy, BEFORE, policy())
}

fn answered(at: f64, ok: bool, by: Answerer) -> Event {
    Event::Answered {
        scheduled_at: secs(at),
        over_at: secs(at),
        is_silence: false,
        ok,
        by,
        latency: Duration::from_millis(20),
    }
}

fn split(share: u16) -> Found {
    Found::Split(Split::with_share(TO, share))
}

/// On to the stage that is watched from then on: noted, looked at, written, seen.
fn arrives(shift: &mut Shift, at: f64, was: Found, now: Found) {
    let script = vec![
        (at, Event::Noted(Ok(()))),
        (at, Event::Read(Ok(was))),
        (at, Event::Written(Ok(()))),
        (at, Event::Read(Ok(now))),
    ];
    run(shift, script);
}

fn on_the_first_step(steps: &str) -> Shift {
    let mut shift = by(steps);
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    run(&mut shift, vec![(1.0, tick())]);
    arrives(&mut shift, 1.0, forwards_to(FROM), split(1000));
    assert_eq!(shift.milestone(), Milestone::Baking(0));
    shift
}

#[test]
fn a_failure_of_the_old_release_does_not_blame_the_new_one() {
    let mut shift = on_the_first_step("10% for 60s");
    assert_eq!(run(&mut shift, vec![(2.0, answered(2.0, false, Old))]), []);
    for by in [New, Unknown] {
        let mut shift = shift.clone();
        let actions = run(&mut shift, vec![(2.5, answered(2.5, false, by))]);
        assert_eq!(actions, [Action::LookBack(FROM)], "{by:?}");
    }
    let mut swap = super::shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let actions = run(&mut swap, vec![(2.5, answered(2.5, false, Old))]);
    assert_eq!(actions, [Action::LookBack(FROM)], "users go over at once");
}

#[test]
fn each_step_is_watched_and_then_comes_the_next() {
    let mut shift = on_the_first_step("10% for 60s,50% for 30s");
    assert_eq!(run(&mut shift, vec![(60.9, tick())]), []);
    let next = run(&mut shift, vec![(61.0, tick())]);
    let [Action::Note(it)] = next[..] else {
        panic!("{next:?}");
    };
    assert_eq!(it.to, Split::with_share(TO, 5000));
    arrives(&mut shift, 61.0, split(1000), split(5000));
    run(&mut shift, vec![(91.0, tick())]);
    arrives(&mut shift, 91.0, split(5000), forwards_to(TO));
    arrives(&mut shift, 91.0, forwards_to(TO), forwards_to(FROM));
    assert_eq!(shift.milestone(), Milestone::Baking(3));
    run(&mut shift, vec![(106.0, tick())]);
    assert_eq!(shift.outcome(), Some(&Outcome::Committed));
}

#[test]
fn from_any_step_the_way_back_is_whole() {
    let mut shift = on_the_first_step("10% for 60s");
    let script = vec![
        (2.0, answered(2.0, false, New)),
        (2.0, Event::Health(Ok(true))),
        (2.0, Event::Read(Ok(split(1000)))),
    ];
    let back = Move {
        route: Route::Production,
        from: Some(Split::with_share(TO, 1000)),
        to: Split::all(FROM),
    };
    let actions = run(&mut shift, script);
    assert_eq!(actions.last(), Some(&Action::Apply(back, Urgency::Back)));
    // The test route was never moved.
    let script = vec![(2.1, Event::Written(Ok(()))), (2.1, shows(FROM))];
    run(&mut shift, script);
    assert_eq!(shift.milestone(), Milestone::Confirming);
}

#[test]
fn a_pause_is_watched_and_then_left_standing() {
    let mut shift = on_the_first_step("10% pause");
    let actions = run(&mut shift, vec![(15.9, tick()), (16.0, tick())]);
    assert_eq!(actions, [Action::Meet(Condition::Person)]);
    // Users come first there, too.
    let mut failing = shift.clone();
    let actions = run(&mut failing, vec![(16.0, answered(16.0, false, New))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    run(&mut shift, vec![(16.1, Event::Met(Ok(())))]);
    assert_eq!(shift.outcome(), Some(&Outcome::Paused));
    assert!(shift.is_borne_out(&split(1000)));
    assert!(!shift.is_borne_out(&forwards_to(TO)));
    assert!(shift.is_half_way());
}

#[test]
fn what_cannot_be_met_ends_it_ahead_of_the_first_move_and_takes_it_back_later() {
    let capacity = Condition::Capacity(4);
    let mut shift = by("10% for 60s");
    shift.strategy.stages[0].before.push(capacity);
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    assert_eq!(
        run(&mut shift, vec![(1.0, tick())]),
        [Action::Meet(capacity)]
    );
    // However long it takes.
    assert_eq!(run(&mut shift, vec![(500.0, tick())]), []);
    let mut interrupted = shift.clone();
    run(&mut interrupted, vec![(501.0, Event::Interrupt)]);
    assert_eq!(interrupted.outcome(), Some(&Outcome::Interrupted));
    let why = || "no capacity".to_owned();
    run(&mut shift, vec![(501.0, Event::Met(Err(why())))]);
    assert_eq!(shift.outcome(), Some(&Outcome::Unchanged(why())));

    let mut shift = on_the_first_step("10% for 60s");
    shift.strategy.stages[1].before.push(capacity);
    assert_eq!(
        run(&mut shift, vec![(61.0, tick())]),
        [Action::Meet(capacity)]
    );
    let actions = run(&mut shift, vec![(62.0, Event::Met(Err(why())))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
    assert!(matches!(
        &shift.phase,
        Phase::LookingBack {
            why: Why::Unmet(_),
            ..
        }
    ));
}

#[test]
fn an_alarm_refuses_ahead_of_the_first_move_and_turns_back_later() {
    let ringing = || Event::Alarms(Ok(Some("the alarm shop-5xx rings".to_owned())));
    let unreadable = || Event::Alarms(Err("the alarms cannot be read".to_owned()));
    let mut refused = by("10% for 60s");
    run(&mut refused, vec![(0.5, ringing())]);
    let why = "the alarm shop-5xx rings".to_owned();
    assert_eq!(refused.outcome(), Some(&Outcome::Refused(why.clone())));

    let mut shift = on_the_first_step("10% for 60s");
    assert_eq!(run(&mut shift, vec![(5.0, Event::Alarms(Ok(None)))]), []);
    let mut turned = shift.clone();
    assert_eq!(
        run(&mut turned, vec![(15.0, ringing())]),
        [Action::LookBack(FROM)]
    );
    assert!(matches!(&turned.phase, Phase::LookingBack { why: Why::Alarm(it), .. } if *it == why));

    // What cannot be read for long is no better.
    assert_eq!(
        run(&mut shift, vec![(15.0, unreadable()), (25.0, unreadable())]),
        []
    );
    assert_eq!(
        run(&mut shift, vec![(46.0, unreadable())]),
        [Action::LookBack(FROM)]
    );

    let mut left = by("10% for 60s");
    left.policy.takes_back = false;
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut left, baseline.to_vec());
    run(&mut left, vec![(1.0, tick())]);
    arrives(&mut left, 1.0, forwards_to(FROM), split(1000));
    run(&mut left, vec![(15.0, ringing())]);
    assert_eq!(left.outcome(), Some(&Outcome::Left(Why::Alarm(why))));
    assert!(left.is_half_way());
}

/// Ten answers a second of the first step, from the second on; every n-th is of
/// the new release.
fn hear(shift: &mut Shift, until: f64, nth: u32, latency: Duration) -> Option<Action> {
    let answers = (0u32..).map(|n| (n, 3.5 + f64::from(n) / 10.0));
    let mut answers = answers.take_while(|(_, at)| *at < until);
    answers.find_map(|(n, at)| {
        let by = if n % nth == 0 { New } else { Old };
        let scheduled_at = secs(at);
        let answered = Event::Answered {
            scheduled_at,
            over_at: scheduled_at,
            is_silence: false,
            ok: true,
            by,
            latency: if by == New { latency } else { Duration::ZERO },
        };
        shift.step(scheduled_at, answered)
    })
}

fn turned_back_for(shift: &Shift) -> &str {
    match &shift.phase {
        Phase::LookingBack {
            why: Why::Worse(reason),
            ..
        } => reason,
        phase => panic!("{phase:?}"),
    }
}

#[test]
fn a_release_that_is_too_slow_is_turned_back_as_soon_as_it_is_certain() {
    let slow = Duration::from_millis(500);
    let mut unlimited = on_the_first_step("10% for 60s");
    assert_eq!(hear(&mut unlimited, 61.0, 10, slow), None);

    let mut shift = on_the_first_step("10% for 60s");
    shift.policy.tolerates.after.latency = vec!["p90=400ms".parse().unwrap()];
    // Six of its sixty answers may be slower.
    assert_eq!(hear(&mut shift, 9.0, 10, slow), None);
    assert_eq!(
        hear(&mut shift, 61.0, 10, slow),
        Some(Action::LookBack(FROM))
    );
    assert!(
        turned_back_for(&shift).contains("p90"),
        "{}",
        turned_back_for(&shift)
    );
}

#[test]
fn a_load_balancer_that_does_something_else_is_found_out() {
    let quick = Duration::from_millis(20);
    let mut right = on_the_first_step("10% for 60s");
    assert_eq!(hear(&mut right, 61.0, 10, quick), None);
    assert!(matches!(
        run(&mut right, vec![(61.1, tick())])[..],
        [Action::Note(_)]
    ));

    let mut all = on_the_first_step("10% for 60s");
    assert_eq!(hear(&mut all, 10.0, 1, quick), Some(Action::LookBack(FROM)));
    assert!(
        turned_back_for(&all).contains("10%"),
        "{}",
        turned_back_for(&all)
    );
    // Until the load balancer has had its time, it proves nothing.
    let mut early = on_the_first_step("10% for 60s");
    early.policy.patience.visible = Duration::from_secs(30);
    assert_eq!(hear(&mut early, 30.0, 1, quick), None);
}

#[test]
fn each_step_has_failures_of_its_own_to_tolerate() {
    let mut shift = by("10% for 60s,50% for 30s");
    shift.policy.tolerates.after.failures.count = 1;
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    run(&mut shift, vec![(1.0, tick())]);
    arrives(&mut shift, 1.0, forwards_to(FROM), split(1000));
    let fails = |at| vec![(at, answered(at, false, New))];
    assert_eq!(run(&mut shift, fails(2.0)), []);
    run(&mut shift, vec![(61.0, tick())]);
    arrives(&mut shift, 61.0, split(1000), split(5000));
    assert_eq!(run(&mut shift, fails(62.0)), []);
    assert_eq!(run(&mut shift, fails(63.0)), [Action::LookBack(FROM)]);
}

#[test]
fn a_hook_that_fails_refuses_ahead_of_the_first_move() {
    let mut shift = by("10% for 60s");
    shift.strategy = shift.strategy.with_hooks(|_| true);
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    let hook = |hook, stage| Action::Meet(Condition::Hook { hook, stage });
    let actions = run(&mut shift, vec![(1.0, tick()), (2.0, Event::Met(Ok(())))]);
    let before = [
        hook(Hook::BeforeShift, None),
        hook(Hook::BeforeStage, Some(1)),
    ];
    assert_eq!(actions, before);
    let mut refused = shift.clone();
    let failed = || Event::Met(Err("the hook failed".to_owned()));
    run(&mut refused, vec![(3.0, failed())]);
    let why = "the hook failed".to_owned();
    assert_eq!(refused.outcome(), Some(&Outcome::Refused(why)));

    run(&mut shift, vec![(3.0, Event::Met(Ok(())))]);
    arrives(&mut shift, 3.0, forwards_to(FROM), split(1000));
    let after = run(&mut shift, vec![(63.0, tick())]);
    assert_eq!(after, [hook(Hook::AfterStage, Some(1))]);
    assert_eq!(
        run(&mut shift, vec![(64.0, failed())]),
        [Action::LookBack(FROM)]
    );
}

#[test]
fn what_is_heard_while_a_hook_runs_counts_for_the_next_step() {
    let mut shift = by("10% for 60s,50% for 30s");
    shift.strategy = shift.strategy.with_hooks(|hook| hook == Hook::AfterStage);
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    run(&mut shift, vec![(1.0, tick())]);
    arrives(&mut shift, 1.0, forwards_to(FROM), split(1000));
    run(&mut shift, vec![(61.0, tick())]);
    run(&mut shift, vec![(62.0, answered(62.0, true, New))]);
    run(&mut shift, vec![(63.0, Event::Met(Ok(())))]);
    arrives(&mut shift, 63.0, split(1000), split(5000));
    // Half of the answers are right at this step, and were not at the last one.
    for n in 0..200u32 {
        let at = 65.5 + f64::from(n) / 10.0;
        let by = if n % 2 == 0 { New } else { Old };
        assert_eq!(run(&mut shift, vec![(at, answered(at, true, by))]), []);
    }
}

/// Found where another left it, at that share.
fn found_at(share: u16, strategy: Strategy, policy: Policy) -> Shift {
    let before = Before {
        found: PerRoute {
            production: split(share),
            test: forwards_to(TO),
        },
        ..BEFORE
    };
    Shift::new(strategy, before, policy)
}

#[test]
fn the_way_back_from_a_share_is_not_held_up_by_who_fails_there() {
    let found = PerRoute {
        production: split(2500),
        test: forwards_to(TO),
    };
    let strategy = Strategy::all_at_once(FROM, &found, Duration::from_secs(15));
    let policy = Policy {
        needs_clean_baseline: false,
        ..policy()
    };
    // Its old colour is the one that fails.
    let mut back = found_at(2500, strategy, policy);
    let fails = [0.1, 0.2].map(|at| (at, answered(at, false, Old)));
    run(&mut back, fails.to_vec());
    run(
        &mut back,
        vec![(0.3, answered(0.3, true, New)), (1.0, tick())],
    );
    let script = vec![
        (1.0, answered(0.9, false, Unknown)),
        (1.0, Event::Noted(Ok(()))),
        (1.0, Event::Read(Ok(split(2500)))),
        (1.1, Event::Written(Ok(()))),
        (1.2, shows(FROM)),
        (1.2, Event::Noted(Ok(()))),
        (1.3, shows(TO)),
    ];
    run(&mut back, script);
    assert_eq!(back.outcome(), None, "{:?}", back.phase);
}

#[test]
fn who_goes_on_takes_it_back_where_what_comes_next_cannot_be() {
    let steps = "25% for 60s,50% for 60s".parse().unwrap();
    let strategy = Strategy::gradual(TO, &BEFORE.found, &steps, Duration::ZERO);
    let found = PerRoute {
        production: split(2500),
        test: forwards_to(TO),
    };
    let mut strategy = strategy.rest(&found).unwrap();
    strategy.stages[0].before.push(Condition::Capacity(3));
    let mut shift = found_at(2500, strategy, policy());
    let baseline = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut shift, baseline.to_vec());
    run(&mut shift, vec![(1.0, tick())]);
    let actions = run(&mut shift, vec![(2.0, Event::Met(Err("none".to_owned())))]);
    assert_eq!(actions, [Action::LookBack(FROM)]);
}

#[test]
fn where_there_is_no_way_back_nobody_more_is_brought_to_it() {
    for event in [answered(62.0, false, New), Event::Interrupt] {
        let mut shift = on_the_first_step("10% for 60s,50% for 60s");
        shift.before.origin = None;
        shift.strategy.stages[1].before.push(Condition::Capacity(3));
        run(&mut shift, vec![(61.0, tick())]);
        run(&mut shift, vec![(62.0, event)]);
        assert!(matches!(shift.outcome(), Some(Outcome::Left(_))));
        assert!(shift.is_half_way());
    }
}
