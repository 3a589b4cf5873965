//! Ctrl-C at every step.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::fake::{Asked, Call, Fake, Faults, Moment, Reply};
use super::{all_well, clean, finish, new_fails, word};
use crate::interrupt::{Interrupts, Signal};
use crate::model::Color;

type Replies<'a> = &'a dyn Fn(Duration, Color) -> Reply;

/// The end of a swap with Ctrl-C pressed in the given call.
async fn end(
    n: usize,
    moment: Moment,
    times: u32,
    reply: Replies<'_>,
) -> (&'static str, Vec<Call>) {
    let (tell, mut interrupts) = Interrupts::relayed();
    let mut fake = Fake::new(Faults::default());
    fake.interrupts = Some((n, moment, tell, times));
    let mut probe = Asked::new(&fake, Instant::now(), reply);
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    (word(&finished), fake.calls.take())
}

async fn table(times: u32, reply: Replies<'_>) -> String {
    let (fake, _) = clean(reply).await;
    let calls = fake.calls.borrow().clone();
    let mut rows = Vec::new();
    for (n, call) in calls.iter().enumerate() {
        let mut row = format!("{:<16}", call.name());
        for moment in [Moment::Before, Moment::After] {
            let (end, met) = end(n, moment, times, reply).await;
            assert_eq!(met[..=n], calls[..=n], "the same way until then");
            row += &format!("{moment:?}: {end:<13}");
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.join("\n")
}

#[tokio::test(start_paused = true)]
async fn the_first_ctrl_c_stops_before_the_swap_and_goes_back_after_it() {
    insta::assert_snapshot!(table(1, &all_well).await, @"
    note 80         Before: interrupted  After: interrupted
    read 80         Before: interrupted  After: interrupted
    80 to blue      Before: rolled back  After: rolled back
    read 80         Before: rolled back  After: rolled back
    note 81         Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    81 to green     Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    ");
}

#[tokio::test(start_paused = true)]
async fn the_first_ctrl_c_does_not_stop_the_way_back() {
    insta::assert_snapshot!(table(1, &new_fails).await, @"
    note 80         Before: interrupted  After: interrupted
    read 80         Before: interrupted  After: interrupted
    80 to blue      Before: rolled back  After: rolled back
    read 80         Before: rolled back  After: rolled back
    note 81         Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    81 to green     Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    health of green Before: rolled back  After: rolled back
    read 80         Before: rolled back  After: rolled back
    80 to green     Before: rolled back  After: rolled back
    read 80         Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    81 to blue      Before: rolled back  After: rolled back
    read 81         Before: rolled back  After: rolled back
    ");
}

#[tokio::test(start_paused = true)]
async fn the_second_ctrl_c_leaves_at_once() {
    insta::assert_snapshot!(table(2, &new_fails).await, @"
    note 80         Before: interrupted  After: interrupted
    read 80         Before: interrupted  After: interrupted
    80 to blue      Before: in doubt     After: in doubt
    read 80         Before: in doubt     After: in doubt
    note 81         Before: in doubt     After: in doubt
    read 81         Before: in doubt     After: in doubt
    81 to green     Before: in doubt     After: in doubt
    read 81         Before: in doubt     After: in doubt
    health of green Before: in doubt     After: in doubt
    read 80         Before: in doubt     After: in doubt
    80 to green     Before: in doubt     After: in doubt
    read 80         Before: in doubt     After: in doubt
    read 81         Before: in doubt     After: in doubt
    81 to blue      Before: in doubt     After: in doubt
    read 81         Before: in doubt     After: in doubt
    ");
    let (_, calls) = end(1, Moment::Before, 2, &all_well).await;
    assert_eq!(calls.len(), 2, "nothing more is begun");
}

#[tokio::test(start_paused = true)]
async fn ctrl_c_between_two_calls() {
    let mut rows = Vec::new();
    for (name, after, reply) in [
        ("in the baseline", 500, &all_well as Replies<'_>),
        ("in the window", 2500, &all_well),
        ("while the way back is confirmed", 2250, &new_fails),
    ] {
        let (tell, mut interrupts) = Interrupts::relayed();
        let fake = Fake::new(Faults::default());
        let mut probe = Asked::new(&fake, Instant::now(), reply);
        let press = async {
            sleep(Duration::from_millis(after)).await;
            let calls = fake.calls.borrow().len();
            tell.send(Signal::Interrupt).unwrap();
            calls
        };
        let (finished, calls) = tokio::join!(finish(&fake, &mut probe, &mut interrupts), press);
        rows.push(format!("{name}, after {calls} calls: {}", word(&finished)));
    }
    insta::assert_snapshot!(rows.join("\n"), @"
    in the baseline, after 0 calls: interrupted
    in the window, after 8 calls: rolled back
    while the way back is confirmed, after 15 calls: rolled back
    ");
}
