//! From the first failed answer until the way back is sent, whatever fails or hangs: at
//! most one look, and one write.

use std::time::Duration;

use tokio::time::Instant;

use super::fake::{Asked, Call, Fake, Fault, Faults, Reply};
use super::{PACE, TO, clean, finish, new_fails, new_fails_at_once, word};
use crate::interrupt::Interrupts;
use crate::model::{Color, Route};

/// How long the look may take, and the tick that ends it.
const LOOK: Duration = Duration::from_millis(150);

/// How long users failed before the way back was sent, and how it ended. None if there
/// was no way back, or no reason for one.
async fn failed_for(
    faults: Faults,
    reply: &dyn Fn(Duration, Color) -> Reply,
) -> (Option<Duration>, &'static str) {
    let fake = Fake::new(faults);
    let origin = Instant::now();
    let mut probe = Asked::new(&fake, origin, reply);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let finished = finish(&fake, &mut probe, &mut interrupts).await;
    let failed = finished.seen.first_failure();
    let sent = fake.went_back.get().map(|at| at - origin);
    let took = sent
        .zip(failed)
        .map(|(sent, failed)| sent.saturating_sub(failed.answered_at()));
    (took, word(&finished))
}

/// Every fault that one call can have, every call that can fail for good, and everything
/// that is read or written.
async fn longest(reply: &dyn Fn(Duration, Color) -> Reply) -> Duration {
    let (fake, _) = clean(reply).await;
    let calls = fake.calls.take();
    let write = Call::Write(Route::Production, TO);
    let first_write = calls.iter().position(|call| *call == write).unwrap();
    let mut longest = Duration::ZERO;
    for (n, call) in calls.iter().enumerate() {
        for fault in Fault::ALL {
            for faults in [
                Faults::Once(n, fault),
                Faults::From(n, fault),
                Faults::Writes(n, fault),
                Faults::Reads(n, fault),
            ] {
                let (took, end) = failed_for(faults, reply).await;
                let case = format!("{call:?}, {faults:?}: {took:?}, {end}");
                if let Some(took) = took {
                    assert!(took <= LOOK + PACE, "{case}");
                    longest = longest.max(took);
                }
                if n > first_write && matches!(faults, Faults::Reads(..)) {
                    assert_eq!(end, "rolled back", "{case}");
                }
            }
        }
    }
    longest
}

#[tokio::test(start_paused = true)]
async fn users_fail_for_one_look_and_a_write() {
    for longest in [longest(&new_fails).await, longest(&new_fails_at_once).await] {
        assert!(longest >= Duration::from_millis(100), "no look ever hung");
    }
}
