//! What users see is waited for by nobody: neither the test port nor the journal
//! nor a reading holds the way back up.

use super::*;

/// Up to where prod has moved and the given call is under way, by how many
/// further answers.
fn under_way(answers: usize) -> Shift {
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let mut script = vec![
        (1.01, Event::Written(Ok(()))),
        (1.02, shows(TO)),
        (1.03, Event::Noted(Ok(()))),
        (1.04, shows(TO)),
        (1.05, Event::Written(Ok(()))),
    ];
    script.truncate(answers);
    run(&mut swap, script);
    swap
}

#[test]
fn a_failure_cancels_whatever_is_under_way() {
    // Prod's own write, its read-back, the note for the test port, the look at
    // it, its write, and its read-back.
    for answers in 0..=5 {
        for event in [answer(1.2, false), Event::ProbeEnded, Event::Interrupt] {
            let mut swap = under_way(answers);
            let actions = run(&mut swap, vec![(1.3, event)]);
            assert_eq!(actions, [Action::LookBack(FROM)], "after {answers}");
        }
    }
}

#[test]
fn going_back_needs_no_reading_where_the_old_colour_was_healthy() {
    let no = || "throttled".to_owned();
    for look in [
        vec![],
        vec![(3.05, Event::Health(Ok(true)))],
        vec![(3.05, shows(TO))],
        vec![
            (3.05, Event::Health(Err(no()))),
            (3.05, Event::Read(Err(no()))),
        ],
    ] {
        let mut swap = shift(BEFORE, policy());
        through_the_swap(&mut swap);
        run(&mut swap, vec![(3.0, answer(2.9, false))]);
        let both = look.len() == 2;
        let decided = run(&mut swap, look);
        let in_time = run(&mut swap, vec![(3.5, tick())]);
        let write = [back(Route::Production, FROM)];
        match both {
            true => assert_eq!(decided, write),
            false => assert_eq!((&decided[..], &in_time[..]), (&[][..], &write[..])),
        }
    }
}

#[test]
fn what_is_given_up_is_put_right_afterwards_prod_first() {
    // The test port's write was under way.
    let mut swap = under_way(4);
    let script = vec![
        (1.3, answer(1.2, false)),
        (1.3, Event::Health(Ok(true))),
        (1.3, shows(TO)),
        (1.4, Event::Written(Ok(()))),
        (1.4, shows(FROM)),
        // It shows that it was never moved, and may be yet.
        (1.5, shows(TO)),
        (1.5, Event::Written(Ok(()))),
        (1.6, shows(TO)),
    ];
    let actions = run(&mut swap, script);
    let writes: Vec<_> = actions
        .into_iter()
        .filter(|action| matches!(action, Action::Apply(..)))
        .collect();
    assert_eq!(
        writes,
        [back(Route::Production, FROM), back(Route::Test, TO)]
    );
    let good = [2.0, 2.1, 2.2].map(|at| (at, answer(at, true)));
    assert_eq!(run(&mut swap, good.to_vec()), []);
    // Late enough for both to be looked at once more.
    assert_eq!(
        run(&mut swap, vec![(3.7, tick())]),
        [look(Route::Production)]
    );
    assert_eq!(
        run(&mut swap, vec![(3.7, shows(FROM))]),
        [look(Route::Test)]
    );
    let put_right = run(&mut swap, vec![(3.8, shows(FROM))]);
    assert_eq!(put_right, [back(Route::Test, TO)]);
    let script = vec![(3.9, Event::Written(Ok(()))), (3.9, shows(TO))];
    run(&mut swap, script);
    let good = [4.0, 4.1, 4.2].map(|at| (at, answer(at, true)));
    run(&mut swap, good.to_vec());
    assert_eq!(swap.outcome(), Some(&Outcome::RolledBack(Why::Failures)));
}

#[test]
fn a_forward_write_that_was_given_up_is_gone_back_from_even_if_it_does_not_show() {
    let mut swap = under_way(0);
    let script = vec![
        (1.3, answer(1.2, false)),
        (1.3, Event::Health(Ok(true))),
        (1.3, shows(FROM)),
    ];
    let actions = run(&mut swap, script);
    assert_eq!(actions.last(), Some(&back(Route::Production, FROM)));
}

#[test]
fn a_call_that_does_not_answer_has_failed() {
    let mut swap = under_way(0);
    assert_eq!(run(&mut swap, vec![(10.9, tick())]), []);
    assert_eq!(
        run(&mut swap, vec![(11.0, tick())]),
        [look(Route::Production)]
    );
    // And is sent again, as any whose answer was lost.
    assert_eq!(
        run(&mut swap, vec![(11.1, shows(FROM))]),
        [forward(Route::Production, TO)]
    );

    let mut swap = shift(BEFORE, policy());
    let script = [0.1, 0.2, 0.3].map(|at| (at, answer(at, true)));
    run(&mut swap, script.to_vec());
    run(&mut swap, vec![(1.0, tick()), (11.0, tick())]);
    assert!(matches!(swap.outcome(), Some(Outcome::Unchanged(_))));
}

#[test]
fn a_way_back_that_aws_confirms_and_nobody_can_read_is_confirmed_by_answers() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    run(&mut swap, vec![(3.0, answer(2.9, false)), (3.5, tick())]);
    let mut at = 3.6;
    let mut writes = vec![back(Route::Production, FROM)];
    run(&mut swap, vec![(at, Event::Written(Ok(())))]);
    for _ in 0..200 {
        at += 0.2;
        match swap.step(secs(at), Event::Read(Err("throttled".to_owned()))) {
            Some(write @ Action::Apply(..)) => {
                writes.push(write);
                swap.step(secs(at), Event::Written(Ok(())));
            }
            Some(_) => {}
            None => break,
        }
    }
    assert_eq!(
        writes,
        [back(Route::Production, FROM), back(Route::Test, TO)]
    );
    assert!(matches!(swap.phase, Phase::Confirming { .. }));
    let good = [0.1, 0.2, 0.3].map(|more| (at + more, answer(at + more, true)));
    run(&mut swap, good.to_vec());
    assert_eq!(swap.outcome(), Some(&Outcome::RolledBack(Why::Failures)));
}

#[test]
fn a_way_back_is_sent_until_it_shows() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    run(&mut swap, vec![(3.0, answer(2.9, false)), (3.5, tick())]);
    let fault = |effect| Event::Written(Err(WriteFault::new(effect, "no")));
    let (lost, refused) = (WriteEffect::Unknown, WriteEffect::Nothing);
    for (at, result) in [
        (3.6, fault(lost)),
        (4.0, fault(refused)),
        (6.0, fault(lost)),
    ] {
        run(&mut swap, vec![(at, result)]);
        let again = run(&mut swap, vec![(at + 0.1, shows(TO))]);
        assert_eq!(again, [back(Route::Production, FROM)]);
    }
    // AWS confirms it, and it does not show.
    let script = vec![(7.0, Event::Written(Ok(()))), (8.0, shows(TO))];
    let actions = run(&mut swap, script);
    assert!(matches!(
        actions[..],
        [Action::Read { .. }, Action::Read { .. }]
    ));
    let again = run(&mut swap, vec![(9.1, shows(TO))]);
    assert_eq!(again, [back(Route::Production, FROM)]);
    run(&mut swap, vec![(9.2, fault(refused)), (40.0, shows(TO))]);
    let Some(Outcome::InDoubt(reason)) = swap.outcome() else {
        panic!("{:?}", swap.outcome());
    };
    assert_eq!(reason, "the way back was refused: no");
}

#[test]
fn trouble_with_the_test_port_never_ends_on_the_new_colour() {
    let strange = || Event::Read(Ok(Found::default()));
    let unreadable = || Event::Read(Err("throttled".to_owned()));
    for events in [
        vec![(1.1, strange()), (3.2, strange())],
        vec![(1.1, unreadable()), (32.0, unreadable())],
    ] {
        let mut swap = under_way(5);
        let actions = run(&mut swap, events);
        assert_eq!(actions.last(), Some(&Action::LookBack(FROM)));
    }
}

#[test]
fn a_rollback_is_not_taken_back_to_what_it_got_away_from() {
    let rollback = Policy {
        needs_clean_baseline: false,
        ..policy()
    };
    for event in [
        Event::Interrupt,
        Event::Noted(Err(NoteFault {
            is_lost: false,
            message: "throttled".to_owned(),
        })),
    ] {
        let mut swap = shift(BEFORE, rollback.clone());
        let script = vec![
            (0.1, answer(0.1, false)),
            (1.0, tick()),
            (1.0, Event::Noted(Ok(()))),
            (1.0, shows(FROM)),
            (1.1, Event::Written(Ok(()))),
            (1.2, shows(TO)),
            (1.3, event),
        ];
        run(&mut swap, script);
        assert!(matches!(swap.outcome(), Some(Outcome::Left(_))));
    }
}

/// As in a process that was stopped, and wakes with its own time-outs.
#[test]
fn a_request_whose_time_was_up_ahead_of_the_move_does_not_blame_the_new_colour() {
    let heard_late = |over_at| Event::Answered {
        scheduled_at: secs(0.4),
        over_at: secs(over_at),
        is_silence: false,
        ok: false,
        by: Answerer::Unknown,
        latency: secs(20.0),
    };
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    assert_eq!(run(&mut swap, vec![(1.1, heard_late(0.9))]), []);
    let lost = Event::LeaseLost("the lease was lost".to_owned());
    run(&mut swap, vec![(1.2, lost)]);
    assert!(
        matches!(swap.outcome(), Some(Outcome::Refused(_))),
        "{:?}",
        swap.outcome()
    );

    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let turned_back = run(&mut swap, vec![(1.1, heard_late(1.05))]);
    assert!(!turned_back.is_empty(), "it may have met the new colour");
}
