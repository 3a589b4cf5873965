//! A test route by header: whatever fails, and whenever Ctrl-C comes, only production is
//! moved, and the reported end is true.

use std::collections::BTreeSet;

use super::fake::{Fault, Moment};
use super::*;
use crate::interrupt::Signal;

type Replies<'a> = &'a dyn Fn(Duration, Color) -> Reply;

async fn end(fake: &Fake, reply: Replies<'_>) -> &'static str {
    let mut probe = Asked::new(fake, Instant::now(), reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    word(&finish(fake, &mut probe, &mut interrupts).await)
}

/// The calls of a shift without faults.
async fn calls(reply: Replies<'_>) -> Vec<Call> {
    let fake = Fake::by_header(Faults::default());
    end(&fake, reply).await;
    fake.calls.take()
}

#[tokio::test(start_paused = true)]
async fn production_alone_is_moved_there_and_back() {
    let there = [
        Call::Note(Route::Production, TO),
        Call::Read(Route::Production),
        Call::Write(Route::Production, TO),
        Call::Read(Route::Production),
    ];
    assert_eq!(calls(&all_well).await, there);
    let back = [
        Call::Health(FROM),
        Call::Read(Route::Production),
        Call::Write(Route::Production, FROM),
        Call::Read(Route::Production),
    ];
    assert_eq!(calls(&new_fails).await, [there, back].concat());
}

#[tokio::test(start_paused = true)]
async fn one_that_stopped_after_its_move_is_finished() {
    let fake = Fake::by_header(Faults::default());
    fake.production.set(TO);
    assert_eq!(end(&fake, &all_well).await, "committed");
    let fake = Fake::by_header(Faults::default());
    fake.production.set(TO);
    assert_eq!(end(&fake, &new_fails).await, "rolled back");
}

#[tokio::test(start_paused = true)]
async fn no_two_faults_in_a_row_make_it_lie() {
    let mut ends = BTreeSet::new();
    for (n, call) in calls(&new_fails).await.into_iter().enumerate() {
        for first in Fault::ALL {
            for second in Fault::ALL {
                let fake = Fake::by_header(Faults::Twice(n, [first, second]));
                let end = end(&fake, &new_fails).await;
                ends.insert(end);
                let is_slow = matches!(call, Call::Write(..)) && first == Fault::Slow;
                if is_slow && second != Fault::Slow {
                    assert_eq!(end, "rolled back", "{call:?}: {first:?}, then {second:?}");
                }
            }
        }
    }
    assert!(ends.len() > 2, "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_within_each_call_ends_it_as_it_must() {
    for reply in [&all_well as Replies<'_>, &new_fails] {
        for (n, call) in calls(reply).await.into_iter().enumerate() {
            for moment in [Moment::Before, Moment::After] {
                let (tell, mut interrupts) = Interrupts::relayed();
                let mut fake = Fake::by_header(Faults::default());
                fake.interrupts = Some((n, moment, tell, 1));
                let mut probe = Asked::new(&fake, Instant::now(), reply);
                let finished = finish(&fake, &mut probe, &mut interrupts).await;
                let expected = if n < 2 { "interrupted" } else { "rolled back" };
                assert_eq!(word(&finished), expected, "{moment:?} in {call:?}");
            }
        }
    }
    // The same while all users are watched.
    let (tell, mut interrupts) = Interrupts::relayed();
    let fake = Fake::by_header(Faults::default());
    let mut probe = Asked::new(&fake, Instant::now(), &all_well);
    let press = async {
        tokio::time::sleep(Duration::from_millis(2500)).await;
        tell.send(Signal::Interrupt).unwrap();
    };
    let (finished, ()) = tokio::join!(finish(&fake, &mut probe, &mut interrupts), press);
    assert_eq!(word(&finished), "rolled back");
}
