//! Many spans of time, of which only the distribution is kept: exact to a
//! ten-thousandth, up to a minute, in the same room (under a megabyte) for ten as
//! for ten million; or to a hundredth, in ten kilobytes.

use std::time::Duration;

use hdrhistogram::Histogram;

use super::figures::{Bucket, Distribution};

/// In microseconds.
const LONGEST: u64 = 60_000_000;
/// Significant digits.
const DIGITS: u8 = 4;
/// The precision if there are many distributions.
const FEW_DIGITS: u8 = 2;

/// The bounds of what is counted together: 50 us, and from there on a tenth more
/// each.
const FIRST_BUCKET: u64 = 50;
const BUCKET_GROWTH: f64 = 1.1;

#[derive(Debug, Clone)]
pub struct Times {
    digits: u8,
    spread: Option<Histogram<u32>>,
    longest: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self::to_digits(DIGITS)
    }
}

impl Times {
    pub fn to_a_hundredth() -> Self {
        Self::to_digits(FEW_DIGITS)
    }

    fn to_digits(digits: u8) -> Self {
        Self {
            digits,
            spread: None,
            longest: Duration::ZERO,
        }
    }

    pub fn add(&mut self, time: Duration) {
        self.longest = self.longest.max(time);
        if self.spread.is_none() {
            // These bounds are such that it takes them.
            self.spread = Histogram::new_with_bounds(1, LONGEST, self.digits).ok();
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

impl Times {
    /// All of them together.
    pub fn and(mut self, others: &Self) -> Self {
        self.longest = self.longest.max(others.longest);
        match (&mut self.spread, &others.spread) {
            // Both have the same bounds.
            (Some(spread), Some(others)) => drop(spread.add(others)),
            (spread @ None, others) => spread.clone_from(others),
            (Some(_), None) => {}
        }
        self
    }

    pub fn distribution(&self) -> Distribution {
        Distribution {
            count: self.spread.as_ref().map_or(0, Histogram::len),
            p50: self.percentile_ms(50.0),
            p90: self.percentile_ms(90.0),
            p99: self.percentile_ms(99.0),
            max: self.max_ms(),
            buckets: self.buckets(),
        }
    }

    fn buckets(&self) -> Vec<Bucket> {
        let Some(spread) = &self.spread else {
            return Vec::new();
        };
        let steps = spread.iter_log(FIRST_BUCKET, BUCKET_GROWTH);
        let buckets = steps.map(|step| Bucket {
            up_to_ms: in_ms(Duration::from_micros(step.value_iterated_to())),
            count: step.count_since_last_iteration(),
        });
        buckets.filter(|bucket| bucket.count > 0).collect()
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
    fn a_hundredth_is_enough_for_one_of_many() {
        let mut times = Times::to_a_hundredth();
        for ms in 1..=1000 {
            times.add(Duration::from_millis(ms));
        }
        for (percent, ms) in [(50.0, 500.0), (99.0, 990.0)] {
            let found = times.percentile_ms(percent);
            assert!((found - ms).abs() <= ms / 100.0, "{percent}: {found}");
        }
    }

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
        let all = times.clone().and(&times).distribution();
        assert_eq!(all.count, 2000);
        let counted: u64 = all.buckets.iter().map(|bucket| bucket.count).sum();
        assert_eq!(counted, 2000);
        let up_to = |bucket: &Bucket| bucket.up_to_ms;
        assert!(all.buckets.is_sorted_by_key(up_to), "{:?}", all.buckets);
        times.add(Duration::from_secs(3600));
        assert_eq!(times.max_ms(), 3_600_000.0);
    }
}
