//! When requests are sent: at `start + n / rate`, whatever the answers do.

mod timer;

use std::io;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use timer::Timer;

/// The clock is not read more often than this. Requests that become due within this time
/// are sent together.
const FINEST: Duration = Duration::from_micros(200);

/// A slow answer delays no later request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Requests per second.
    pub rate: f64,
}

impl Schedule {
    pub fn pace(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }

    /// When request `n` is due, counted from the start.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 requests")]
    pub fn due(&self, n: u64) -> Duration {
        Duration::from_secs_f64(n as f64 / self.rate)
    }

    /// How many are sent within that time.
    pub fn due_within(&self, time: Duration) -> u64 {
        self.due_by(time).saturating_sub(1)
    }

    /// How many are due by then.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded down, of what is not negative"
    )]
    fn due_by(&self, elapsed: Duration) -> u64 {
        let mut count = (elapsed.as_secs_f64() * self.rate) as u64;
        // Rounding may make multiplication and division disagree.
        while self.due(count) <= elapsed {
            count += 1;
        }
        count
    }
}

/// Reports how many requests are due as time goes by, until it is stopped.
#[derive(Debug)]
pub(super) struct Ticks {
    schedule: Schedule,
    start: Instant,
    timer: Timer,
    told: u64,
    is_over: watch::Receiver<bool>,
}

impl Ticks {
    /// Needs a runtime. The ticks end when `is_over` says so or its sender is dropped.
    ///
    /// # Errors
    /// The system has no timer left.
    pub fn new(
        schedule: Schedule,
        start: Instant,
        is_over: watch::Receiver<bool>,
    ) -> io::Result<Self> {
        Ok(Self {
            schedule,
            start,
            timer: Timer::every(schedule.pace().max(FINEST))?,
            told: 0,
            is_over,
        })
    }

    /// How many requests are due in total, as soon as there are more than before.
    pub async fn next(&mut self) -> Option<u64> {
        loop {
            if self.is_over() {
                return None;
            }
            let count = self.schedule.due_by(self.start.elapsed());
            if count > self.told {
                self.told = count;
                return Some(count);
            }
            tokio::select! {
                _ = self.is_over.changed() => {}
                () = self.timer.tick() => {}
            }
        }
    }

    pub fn is_over(&self) -> bool {
        *self.is_over.borrow() || self.is_over.has_changed().is_err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_follows_from_the_rate() {
        assert_eq!(Schedule { rate: 50.0 }.pace(), Duration::from_millis(20));
        assert_eq!(Schedule { rate: 0.1 }.pace(), Duration::from_secs(10));
    }

    #[tokio::test]
    async fn the_second_request_of_the_slowest_probe_leaves_after_ten_seconds() {
        let slowest = Schedule { rate: 0.1 };
        let seconds = Duration::from_secs;
        assert_eq!(slowest.due(1), seconds(10));
        // For a schedule that began that long ago, this many are due by now.
        for (ago, due) in [(seconds(1), 1), (seconds(10), 2), (seconds(25), 3)] {
            let start = Instant::now().checked_sub(ago).unwrap();
            let (_goes_on, is_over) = watch::channel(false);
            let mut ticks = Ticks::new(slowest, start, is_over).unwrap();
            assert_eq!(ticks.next().await, Some(due), "{ago:?}");
        }
    }

    #[test]
    fn a_request_is_due_when_its_time_has_come_and_not_before() {
        for rate in [0.1, 1.0, 3.0, 7.7, 10.0, 999.0, 20_000.0] {
            let schedule = Schedule { rate };
            for n in [0, 1, 2, 3, 10, 1000, 123_457] {
                let due = schedule.due(n);
                assert_eq!(schedule.due_by(due), n + 1, "{rate} {n}");
                if let Some(before) = due.checked_sub(Duration::from_nanos(1)) {
                    assert_eq!(schedule.due_by(before), n, "{rate} {n}");
                }
            }
        }
    }
}
