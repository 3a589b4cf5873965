//! Production with two ways in: all users are moved, or none, whatever happens to either
//! write.

use std::collections::BTreeSet;

use super::fake::Fault;
use super::*;

type Replies<'a> = &'a dyn Fn(Duration, Color) -> Reply;

const HALVES: [Fault; 2] = [Fault::HalfLost, Fault::HalfRefused];

async fn end(fake: &Fake, reply: Replies<'_>) -> &'static str {
    let mut probe = Asked::new(fake, Instant::now(), reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    word(&finish(fake, &mut probe, &mut interrupts).await)
}

async fn calls(reply: Replies<'_>) -> Vec<Call> {
    let fake = Fake::by_two_ways(Faults::default());
    end(&fake, reply).await;
    fake.calls.take()
}

#[tokio::test(start_paused = true)]
async fn a_write_that_reached_one_of_them_is_sent_again_or_taken_back() {
    for (reply, lost, refused) in [
        (&all_well as Replies<'_>, "committed", "rolled back"),
        (&new_fails, "rolled back", "rolled back"),
    ] {
        for (fault, expected) in HALVES.into_iter().zip([lost, refused]) {
            // The first write of production.
            let fake = Fake::by_two_ways(Faults::Once(2, fault));
            assert_eq!(end(&fake, reply).await, expected, "{fault:?}");
        }
    }
}

/// Users are never reported on one colour while some are on the other.
#[tokio::test(start_paused = true)]
async fn no_two_faults_in_a_row_make_it_lie() {
    let mut ends = BTreeSet::new();
    let faults = || Fault::ALL.into_iter().chain(HALVES);
    for n in 0..calls(&new_fails).await.len() {
        for first in faults() {
            for second in faults() {
                let fake = Fake::by_two_ways(Faults::Twice(n, [first, second]));
                ends.insert(end(&fake, &new_fails).await);
            }
        }
    }
    assert!(ends.len() > 2, "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn one_that_stopped_between_its_writes_is_finished_or_taken_back() {
    for (reply, expected) in [
        (&all_well as Replies<'_>, "committed"),
        (&new_fails, "rolled back"),
    ] {
        let fake = Fake::by_two_ways(Faults::default());
        fake.production.set(TO);
        assert_eq!(end(&fake, reply).await, expected);
    }
}

/// If one way refuses for good, users do not stay on both colours unnoticed.
#[tokio::test(start_paused = true)]
async fn a_way_that_never_moves_takes_the_other_back() {
    let fake = Fake::by_two_ways(Faults::Writes(2, Fault::HalfRefused));
    assert_eq!(end(&fake, &all_well).await, "rolled back");
}
