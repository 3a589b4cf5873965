//! Notices when this process did not run: because it was stopped, or its machine slept or
//! was overloaded. The result of a request during that time says nothing about the
//! server.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::time::sleep;

/// How often it beats.
const BEAT: Duration = Duration::from_millis(250);

/// Longer than a busy machine stalls, and shorter than anybody waits for an answer.
const AWAY: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Pulse(Mutex<Beats>);

#[derive(Debug)]
struct Beats {
    last: ClockReading,
    /// When it ran again after it last had not.
    back: Option<Instant>,
}

/// Two clocks: on Linux the monotonic one stands still while the machine sleeps
/// (`clock_gettime(2)`), and the other one may be set.
#[derive(Debug, Clone, Copy)]
struct ClockReading {
    counted: Instant,
    told: SystemTime,
}

impl ClockReading {
    fn now() -> Self {
        Self {
            counted: Instant::now(),
            told: SystemTime::now(),
        }
    }

    fn since(self, earlier: Self) -> Duration {
        let told = self.told.duration_since(earlier.told).unwrap_or_default();
        (self.counted - earlier.counted).max(told)
    }
}

impl Pulse {
    pub fn new() -> Self {
        Self::from(ClockReading::now())
    }

    fn from(now: ClockReading) -> Self {
        Self(Mutex::new(Beats {
            last: now,
            back: None,
        }))
    }

    /// Keeps beating as long as its runtime lives.
    pub async fn follow(self: Arc<Self>) {
        loop {
            sleep(BEAT).await;
            self.was_away_since(Instant::now());
        }
    }

    /// Whether this process did not run for some of the time since then.
    pub fn was_away_since(&self, then: Instant) -> bool {
        self.was_away_between(then, ClockReading::now())
    }

    fn was_away_between(&self, then: Instant, now: ClockReading) -> bool {
        let mut beats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(beats.last) > BEAT + AWAY {
            beats.back = Some(now.counted);
        }
        beats.last = now;
        beats.back.is_some_and(|back| back >= then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// Later by that many milliseconds on one clock and on the other.
    fn on(from: ClockReading, counted: u32, told: u32) -> ClockReading {
        ClockReading {
            counted: from.counted + counted * MS,
            told: from.told + told * MS,
        }
    }

    #[test]
    fn who_beats_on_was_there() {
        let start = ClockReading::now();
        let pulse = Pulse::from(start);
        for beat in [250, 500, 1200, 2400] {
            let now = on(start, beat, beat);
            assert!(!pulse.was_away_between(start.counted, now), "{beat}");
        }
    }

    #[test]
    fn who_was_stopped_or_slept_was_away_for_what_began_before_it() {
        let start = ClockReading::now();
        for (counted, told) in [(5000, 5000), (250, 5000)] {
            let pulse = Pulse::from(start);
            let back = on(start, counted, told);
            assert!(pulse.was_away_between(start.counted, back));
            let then = back.counted + MS;
            assert!(!pulse.was_away_between(then, on(back, 2, 2)));
            assert!(pulse.was_away_between(start.counted, on(back, 3, 3)));
        }
    }

    #[test]
    fn a_clock_that_is_set_back_is_no_absence() {
        let start = ClockReading::now();
        let pulse = Pulse::from(on(start, 0, 60_000));
        assert!(!pulse.was_away_between(start.counted, on(start, 250, 0)));
    }
}
