//! Many spans of time, of which only the distribution is kept: exact to a
//! ten-thousandth, up to a minute, in the same room (under a megabyte) for ten as
//! for ten million.

use std::time::Duration;

use hdrhistogram::Histogram;

/// In microseconds.
const LONGEST: u64 = 60_000_000;
/// Significant digits.
const DIGITS: u8 = 4;

#[derive(Debug, Clone, Default)]
pub struct Times {
    spread: Option<Histogram<u32>>,
    longest: Duration,
}

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.longest = self.longest.max(time);
        if self.spread.is_none() {
            // These bounds are such that it takes them.
            self.spread = Histogram::new_with_bounds(1, LONGEST, DIGITS).ok();
        }
        if let Some(spread) = &mut self.spread {
            // What is longer counts as the longest.
            spread.saturating_record(u64::try_from(time.as_micros()).unwrap_or(LONGEST));
        }
    }

    /// The longest one.
    pub fn max_ms(&self) -> f64 {
        in_ms(self.longest)
    }

    /// Nothing of nothing is zero.
    pub fn percentile_ms(&self, percent: f64) -> f64 {
        let Some(spread) = &self.spread else {
            return 0.0;
        };
        let micros = spread.lowest_equivalent(spread.value_at_percentile(percent));
        in_ms(Duration::from_micros(micros))
    }
}

/// To a hundredth.
fn in_ms(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e5).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_kept_to_a_ten_thousandth() {
        let mut times = Times::default();
        assert_eq!(times.percentile_ms(99.0), 0.0);
        for ms in 1..=1000 {
            times.add(Duration::from_millis(ms));
        }
        for (percent, ms) in [(50.0, 500.0), (99.0, 990.0)] {
            let found = times.percentile_ms(percent);
            assert!((found - ms).abs() <= ms / 10_000.0, "{percent}: {found}");
        }
        assert_eq!(times.max_ms(), 1000.0);
        times.add(Duration::from_secs(3600));
        assert_eq!(times.max_ms(), 3_600_000.0);
    }
}
