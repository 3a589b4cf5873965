//! Production by steps: who is to blame for what, and what a stage waits for.

use super::*;
use crate::engine::seen::{NEW, OLD};
use crate::model::{Condition, Steps};

fn by(steps: &str) -> Shift {
    let steps: Steps = steps.parse().unwrap();
    let strategy = Strategy::gradual(TO, &BEFORE.found, &steps, Duration::from_secs(15));
    Shift::new(strategy, BEFORE, policy())
}

fn answered(at: f64, ok: bool, by: Option<usize>) -> Event {
    Event::Answered {
        scheduled_at: secs(at),
        ok,
        by,
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
    assert_eq!(
        run(&mut shift, vec![(2.0, answered(2.0, false, Some(OLD)))]),
        []
    );
    for by in [Some(NEW), None] {
        let mut shift = shift.clone();
        let actions = run(&mut shift, vec![(2.5, answered(2.5, false, by))]);
        assert_eq!(actions, [Action::LookBack(FROM)], "{by:?}");
    }
    let mut swap = super::shift(BEFORE, policy());
    through_the_swap(&mut swap);
    let actions = run(&mut swap, vec![(2.5, answered(2.5, false, Some(OLD)))]);
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
        (2.0, answered(2.0, false, Some(NEW))),
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
    let actions = run(&mut failing, vec![(16.0, answered(16.0, false, Some(NEW)))]);
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
