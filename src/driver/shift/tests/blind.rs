//! A shift without a probe: whatever fails, whenever the new colour becomes unhealthy,
//! and whenever Ctrl-C comes, the reported end is true.

use std::collections::BTreeSet;

use tokio::time::sleep;

use super::fake::{Fault, Moment};
use super::*;
use crate::driver::shift::Nobody;
use crate::engine::shift::testing::blind;
use crate::interrupt::Signal;

/// Within the window, counted from when production moved or the swap began.
const LATER: Duration = Duration::from_millis(2400);
/// Between two looks of the task that makes it unhealthy.
const BLINK: Duration = Duration::from_millis(10);

/// The new colour's targets become unhealthy some time after users came.
async fn end(fake: &Fake, sickens: Option<Duration>, interrupts: &mut Interrupts) -> Finished {
    let mut nobody = Nobody::default();
    let mut unheard = |_: Notice<'_>| {};
    let swap = finish_with(fake, &mut nobody, interrupts, blind(), &mut unheard);
    let sickening = async {
        if let Some(time) = sickens {
            while fake.traffic().0 != TO {
                sleep(BLINK).await;
            }
            sleep(time).await;
            fake.healthy.borrow_mut().blue = false;
        }
    };
    // Users may never come.
    tokio::select! {
        finished = swap => finished,
        () = async { sickening.await; std::future::pending().await } => unreachable!(),
    }
}

async fn ends(faults: Faults, sickens: Option<Duration>) -> (Fake, Finished) {
    let fake = Fake::new(faults);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = end(&fake, sickens, &mut interrupts).await;
    (fake, finished)
}

#[tokio::test(start_paused = true)]
async fn it_moves_at_once_and_looks_at_the_targets_until_its_time_is_over() {
    let began = Instant::now();
    let (fake, finished) = ends(Faults::default(), None).await;
    assert_eq!(word(&finished), "committed");
    let calls = fake.calls.take();
    assert_eq!(calls[0], Call::Note(Route::Production, TO));
    let last = [
        Call::Read(Route::Test),
        Call::Targets(TO),
        Call::Targets(TO),
    ];
    assert_eq!(calls[7..], last);
    // Read after the window of 3 s, which began with the last read-back.
    assert!(began.elapsed() > WINDOW);
    assert_eq!(finished.seen.sent(), 0);
    assert_eq!(finished.marks, []);
}

#[tokio::test(start_paused = true)]
async fn an_unhealthy_target_takes_it_back_with_a_look_and_the_write() {
    let began = Instant::now();
    let (fake, finished) = ends(Faults::default(), Some(LATER)).await;
    assert_eq!(word(&finished), "rolled back");
    let back = [
        Call::Health(FROM),
        Call::Read(Route::Production),
        Call::Write(Route::Production, FROM),
        Call::Read(Route::Production),
        Call::Read(Route::Test),
        Call::Write(Route::Test, TO),
        Call::Read(Route::Test),
        // Once every node has it.
        Call::Health(FROM),
    ];
    let calls = fake.calls.borrow();
    let at_work = calls[10..]
        .iter()
        .filter(|call| !matches!(call, Call::Targets(_)));
    assert_eq!(at_work.copied().collect::<Vec<_>>(), back);
    let [mark] = &finished.marks[..] else {
        panic!("{:?}", finished.marks);
    };
    assert!(mark.text.contains("unhealthy") && mark.failed, "{mark:?}");
    // It was noticed at `mark.at`; then two simultaneous calls of 20 ms, then the write.
    let went_back = fake.went_back.get().unwrap();
    assert_eq!(went_back - began - mark.at, Duration::from_millis(20));
}

#[tokio::test(start_paused = true)]
async fn what_it_goes_by_may_fail_for_a_moment_and_not_for_good() {
    let (fake, _) = ends(Faults::default(), None).await;
    let is_look = |call: &Call| matches!(call, Call::Targets(_));
    let first = fake.calls.borrow().iter().position(is_look).unwrap();
    for fault in Fault::ALL {
        let (_, finished) = ends(Faults::Once(first, fault), None).await;
        assert_eq!(word(&finished), "committed", "{fault:?}");
        if fault == Fault::Stale {
            continue;
        }
        let (_, finished) = ends(Faults::Reads(first, fault), None).await;
        assert!(
            matches!(word(&finished), "in doubt" | "rolled back"),
            "{fault:?}: {:?}",
            finished.shift.outcome()
        );
    }
}

#[tokio::test(start_paused = true)]
async fn no_two_faults_in_a_row_make_it_lie() {
    let mut words = BTreeSet::new();
    let (fake, _) = ends(Faults::default(), Some(LATER)).await;
    for n in 0..fake.calls.take().len() {
        for first in Fault::ALL {
            for second in Fault::ALL {
                let (_, finished) = ends(Faults::Twice(n, [first, second]), Some(LATER)).await;
                words.insert(word(&finished));
                assert_ne!(word(&finished), "committed", "{n} {first:?} {second:?}");
            }
        }
    }
    assert!(words.len() > 2, "{words:?}");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_within_each_call_ends_it_as_it_must() {
    for sickens in [None, Some(LATER)] {
        let (fake, _) = ends(Faults::default(), sickens).await;
        for (n, call) in fake.calls.take().into_iter().enumerate() {
            for moment in [Moment::Before, Moment::After] {
                let (tell, mut interrupts) = Interrupts::relayed();
                let mut fake = Fake::new(Faults::default());
                fake.interrupts = Some((n, moment, tell, 1));
                let finished = end(&fake, sickens, &mut interrupts).await;
                let expected = if n < 2 { "interrupted" } else { "rolled back" };
                assert_eq!(word(&finished), expected, "{moment:?} in {call:?}");
            }
        }
    }
    let (tell, mut interrupts) = Interrupts::relayed();
    let fake = Fake::new(Faults::default());
    let press = async {
        sleep(LATER).await;
        tell.send(Signal::Interrupt).unwrap();
    };
    let (finished, ()) = tokio::join!(end(&fake, None, &mut interrupts), press);
    assert_eq!(word(&finished), "rolled back");
}
