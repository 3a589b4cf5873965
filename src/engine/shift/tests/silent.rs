//! Users without an answer while a route moves that cannot be moved otherwise.

use super::*;
use crate::model::Patience;

fn silence(at: f64) -> Event {
    Event::Answered {
        scheduled_at: secs(at),
        over_at: secs(at),
        is_silence: true,
        ok: false,
        by: Answerer::Unknown,
        latency: Duration::ZERO,
    }
}

fn with_gap(gap: f64) -> Shift {
    let patience = Patience {
        gap: secs(gap),
        ..policy().patience
    };
    let policy = Policy {
        patience,
        ..policy()
    };
    let mut swap = shift(BEFORE, policy);
    through_the_baseline(&mut swap);
    run(&mut swap, vec![(1.1, answer(1.0, true))]);
    swap
}

#[test]
fn silence_within_it_is_measured_and_held_against_nobody() {
    let mut swap = with_gap(2.0);
    let script = vec![
        (1.2, silence(1.2)),
        (1.3, Event::Written(Ok(()))),
        (2.4, silence(2.4)),
        (2.6, answer(2.5, true)),
    ];
    run(&mut swap, script);
    assert_eq!(swap.outcome(), None);
    assert!(!matches!(swap.phase, Phase::LookingBack { .. }));
    assert_eq!(swap.gap(), Some(secs(1.5)));
}

#[test]
fn silence_beyond_it_or_a_wrong_answer_takes_users_back() {
    for failure in [silence(3.2), answer(1.4, false)] {
        let mut swap = with_gap(2.0);
        let script = vec![(1.2, silence(1.2)), (1.3, Event::Written(Ok(())))];
        run(&mut swap, script);
        run(&mut swap, vec![(3.3, shows(TO)), (3.4, failure.clone())]);
        let is_back = matches!(
            swap.phase,
            Phase::LookingBack { .. } | Phase::Back { .. } | Phase::Confirming { .. }
        );
        assert!(is_back, "{failure:?}: {:?}", swap.phase);
    }
}

#[test]
fn without_one_silence_is_a_failure_as_ever() {
    let mut swap = shift(BEFORE, policy());
    through_the_swap(&mut swap);
    run(&mut swap, vec![(3.0, silence(2.9))]);
    assert!(matches!(
        swap.phase,
        Phase::LookingBack { .. } | Phase::Back { .. }
    ));
    assert_eq!(swap.gap(), None);
}

/// A compare-and-set that failed: somebody else's change is no refusal of AWS's.
#[test]
fn a_write_that_somebody_overtook_is_refused_with_nothing_changed() {
    let fault = WriteFault::new(WriteEffect::Overtaken, "PreconditionFailed");
    let mut swap = shift(BEFORE, policy());
    through_the_baseline(&mut swap);
    let script = vec![(1.1, Event::Written(Err(fault))), (1.2, shows(FROM))];
    run(&mut swap, script);
    let Some(Outcome::Refused(why)) = swap.outcome() else {
        panic!("{:?}", swap.outcome());
    };
    assert!(why.contains("somebody else changed it"), "{why}");
}
