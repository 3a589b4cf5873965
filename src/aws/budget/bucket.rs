//! A token bucket's arithmetic: moments in, moments out, and no clock.

use std::time::Duration;

/// How much of a published limit is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitUse {
    pub burst: u32,
    /// A fraction: numerator and denominator.
    pub rate: (u32, u32),
}

/// A number of calls at once, and a number per second in the long run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    pub burst: u32,
    pub per_second: u32,
}

/// A bucket that is full at first. In any time `t` it gives no more than `burst + t /
/// interval` tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBucket {
    /// How long a token takes to come back.
    interval: Duration,
    /// How long all tokens but one take to come back: while the bucket is no further than
    /// this from full, a token is left.
    depth: Duration,
    /// When it is full again; nothing else needs to be known.
    full_at: Duration,
}

impl TokenBucket {
    pub fn new(burst: u32, interval: Duration) -> Self {
        Self {
            interval,
            depth: interval * burst.saturating_sub(1),
            full_at: Duration::ZERO,
        }
    }

    /// A bucket that uses that much of a published limit, but always has at least one
    /// token.
    pub fn below(published: Limit, used: LimitUse) -> Self {
        let (share, of) = used.rate;
        let interval = Duration::from_secs(1) * of / (share * published.per_second);
        Self::new(used.burst.max(1), interval)
    }

    /// Takes a token, or says when there will be one.
    pub fn take(&mut self, now: Duration) -> Result<(), Duration> {
        let next = self.full_at.saturating_sub(self.depth);
        if now < next {
            return Err(next);
        }
        self.full_at = self.full_at.max(now) + self.interval;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_bucket_gives_its_burst_at_once_and_then_one_an_interval() {
        let mut bucket = TokenBucket::new(3, ms(100));
        for (now, expected) in [
            (0, Ok(())),
            (0, Ok(())),
            (10, Ok(())),
            (10, Err(100)),
            (99, Err(100)),
            (100, Ok(())),
            (100, Err(200)),
            (250, Ok(())),
            // Half a token was left, and one and a half came back.
            (400, Ok(())),
            (400, Ok(())),
            (400, Err(500)),
            // It never holds more than its burst.
            (90_000, Ok(())),
            (90_000, Ok(())),
            (90_000, Ok(())),
            (90_000, Err(90_100)),
        ] {
            assert_eq!(bucket.take(ms(now)), expected.map_err(ms), "at {now} ms");
        }
    }

    /// When calls are sent that come after these pauses, each in its turn.
    fn departures(bucket: &mut TokenBucket, pauses: &[u64]) -> Vec<Duration> {
        let (mut arrives, mut free) = (Duration::ZERO, Duration::ZERO);
        let mut all = Vec::new();
        for pause in pauses {
            arrives += Duration::from_micros(*pause);
            let mut now = arrives.max(free);
            if let Err(later) = bucket.take(now) {
                assert!(later > now);
                now = later;
                bucket.take(now).expect("a token at the time it was told");
            }
            free = now;
            all.push(now);
        }
        all
    }

    /// Mostly at once, sometimes after a rest.
    fn pauses() -> impl Strategy<Value = Vec<u64>> {
        let pause = prop_oneof![Just(0), 0..50_000_u64, 0..5_000_000_u64];
        prop::collection::vec(pause, 1..120)
    }

    proptest! {
        #[test]
        fn over_no_time_does_it_give_more_than_burst_and_rate(
            pauses in pauses(),
            burst in 1..20_u32,
            interval_us in 1..1_000_000_u64,
        ) {
            let interval = Duration::from_micros(interval_us);
            let all = departures(&mut TokenBucket::new(burst, interval), &pauses);
            for (first, from) in all.iter().enumerate() {
                for (last, until) in all.iter().enumerate().skip(first) {
                    let came_back = (*until - *from).as_nanos() / interval.as_nanos();
                    let given = (last - first + 1) as u128;
                    prop_assert!(given <= u128::from(burst) + came_back);
                }
            }
        }

        #[test]
        fn nobody_waits_for_longer_than_the_rate_demands(
            calls in 1..100_u32,
            burst in 1..20_u32,
            interval_us in 1..1_000_000_u64,
        ) {
            let interval = Duration::from_micros(interval_us);
            let at_once = vec![0; calls as usize];
            let all = departures(&mut TokenBucket::new(burst, interval), &at_once);
            let over = calls.saturating_sub(burst);
            prop_assert_eq!(all.last().copied(), Some(interval * over));
        }
    }
}
