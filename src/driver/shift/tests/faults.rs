//! A fault in each call of a swap, before its effect and after it.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Asked, Call, Fake, Fault, Faults, Reply};
use super::{all_well, clean, finish, new_fails, word};
use crate::interrupt::Interrupts;
use crate::model::Color;

type Replies<'a> = &'a dyn Fn(Duration, Color) -> Reply;

/// The end of a swap with these faults.
async fn end(faults: Faults, reply: Replies<'_>) -> (&'static str, usize) {
    let fake = Fake::new(faults);
    let mut probe = Asked::new(&fake, Instant::now(), reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    (word(&finished), fake.calls.borrow().len())
}

/// A row for each call of the run without faults, and a column for each fault.
async fn table(reply: Replies<'_>, of: impl Fn(usize, Fault) -> Faults) -> String {
    let (fake, _) = clean(reply).await;
    let calls = fake.calls.borrow().clone();
    assert!(!calls.is_empty());
    let mut table = format!("{:<16}", "");
    for fault in Fault::ALL {
        table += &format!("{:<13}", format!("{fault:?}"));
    }
    for (n, call) in calls.iter().enumerate() {
        table += &format!("\n{:<16}", call.name());
        for fault in Fault::ALL {
            let (end, met) = end(of(n, fault), reply).await;
            assert!(met > n, "the fault was never met");
            table += &format!("{end:<13}");
        }
    }
    // Editors remove blanks at the end of a line.
    table
        .lines()
        .map(str::trim_end)
        .collect::<Vec<_>>()
        .join("\n")
}

#[tokio::test(start_paused = true)]
async fn one_fault_on_the_way_forward() {
    insta::assert_snapshot!(table(&all_well, Faults::Once).await, @"
                    LostRequest  LostAnswer   Slow         Refused      Stale        Hangs        HangsLate
    note 80         unchanged    unchanged    unchanged    refused      committed    unchanged    unchanged
    read 80         committed    committed    committed    committed    committed    committed    committed
    80 to blue      committed    committed    committed    unchanged    committed    committed    committed
    read 80         committed    committed    committed    committed    committed    committed    committed
    note 81         rolled back  rolled back  rolled back  in doubt     committed    rolled back  rolled back
    read 81         committed    committed    committed    committed    committed    committed    committed
    81 to green     committed    committed    committed    rolled back  committed    committed    committed
    read 81         committed    committed    committed    committed    committed    committed    committed
    ");
}

#[tokio::test(start_paused = true)]
async fn one_fault_on_the_way_there_and_back() {
    insta::assert_snapshot!(table(&new_fails, Faults::Once).await, @"
                    LostRequest  LostAnswer   Slow         Refused      Stale        Hangs        HangsLate
    note 80         unchanged    unchanged    unchanged    refused      rolled back  unchanged    unchanged
    read 80         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    80 to blue      rolled back  rolled back  rolled back  unchanged    rolled back  rolled back  rolled back
    read 80         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    note 81         rolled back  rolled back  rolled back  in doubt     rolled back  rolled back  rolled back
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    81 to green     rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    health of green rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    read 80         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    80 to green     rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    read 80         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    81 to blue      rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    ");
}

#[tokio::test(start_paused = true)]
async fn faults_that_last() {
    insta::assert_snapshot!(table(&new_fails, Faults::From).await, @"
                    LostRequest  LostAnswer   Slow         Refused      Stale        Hangs        HangsLate
    note 80         unchanged    unchanged    unchanged    refused      rolled back  unchanged    unchanged
    read 80         unchanged    unchanged    unchanged    unchanged    rolled back  unchanged    unchanged
    80 to blue      in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 80         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    note 81         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 81         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    81 to green     in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 81         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    health of green in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 80         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    80 to green     in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 80         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 81         in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    81 to blue      in doubt     in doubt     in doubt     in doubt     rolled back  in doubt     in doubt
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    ");
}

#[tokio::test(start_paused = true)]
async fn writes_that_fail_for_good() {
    insta::assert_snapshot!(table(&new_fails, Faults::Writes).await, @"
                    LostRequest  LostAnswer   Slow         Refused      Stale        Hangs        HangsLate
    note 80         unchanged    rolled back  rolled back  unchanged    rolled back  unchanged    rolled back
    read 80         unchanged    rolled back  rolled back  unchanged    rolled back  unchanged    rolled back
    80 to blue      unchanged    rolled back  rolled back  unchanged    rolled back  unchanged    rolled back
    read 80         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    note 81         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 81         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    81 to green     in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 81         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    health of green in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 80         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    80 to green     in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 80         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 81         in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    81 to blue      in doubt     rolled back  rolled back  in doubt     rolled back  in doubt     rolled back
    read 81         rolled back  rolled back  rolled back  rolled back  rolled back  rolled back  rolled back
    ");
}

#[tokio::test(start_paused = true)]
async fn no_two_faults_in_a_row_make_it_lie() {
    let (fake, _) = clean(&new_fails).await;
    for (n, call) in fake.calls.take().into_iter().enumerate() {
        for first in Fault::ALL {
            for second in Fault::ALL {
                let (end, _) = end(Faults::Twice(n, [first, second]), &new_fails).await;
                // A slow write leaves the patience for reading it back as it was.
                if matches!(call, Call::Write(..)) && first == Fault::Slow && second != Fault::Slow
                {
                    assert_eq!(end, "rolled back", "{call:?}: {first:?}, then {second:?}");
                }
            }
        }
    }
}
