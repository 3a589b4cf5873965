//! How slow a release may be: `p99 = "400ms"`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::spoken_time;

/// How many of all answers are to be within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Quantile {
    P50,
    P90,
    P95,
    P99,
    P999,
}

impl Quantile {
    pub const ALL: [Self; 5] = [Self::P50, Self::P90, Self::P95, Self::P99, Self::P999];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::P50 => "p50",
            Self::P90 => "p90",
            Self::P95 => "p95",
            Self::P99 => "p99",
            Self::P999 => "p99.9",
        }
    }

    /// How many of a thousand answers it is about.
    fn within(self) -> u64 {
        match self {
            Self::P50 => 500,
            Self::P90 => 900,
            Self::P95 => 950,
            Self::P99 => 990,
            Self::P999 => 999,
        }
    }

    pub fn percent(self) -> f64 {
        self.within() as f64 / 10.0
    }

    /// How many of so many may be slower than a limit that the nearest-rank
    /// quantile keeps: those whose rank is above `⌈p·n⌉`.
    pub fn beyond(self, answers: u64) -> u64 {
        let beyond = u128::from(answers) * u128::from(1000 - self.within()) / 1000;
        u64::try_from(beyond).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for Quantile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Also `p999`: in TOML a dot is to be quoted.
impl FromStr for Quantile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_it = |it: &Self| it.as_str() == text || (text == "p999" && *it == Self::P999);
        Self::ALL
            .into_iter()
            .find(is_it)
            .ok_or_else(|| format!("`{text}` is not p50, p90, p95, p99 or p99.9"))
    }
}

/// A quantile, and what it may not exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LatencyLimit {
    pub quantile: Quantile,
    pub limit: Duration,
}

impl LatencyLimit {
    /// As a key and its value.
    ///
    /// # Errors
    /// In a sentence, with what is right.
    pub fn new(quantile: &str, limit: &str) -> Result<Self, String> {
        Ok(Self {
            quantile: quantile.trim().parse()?,
            limit: spoken_time::with_unit(limit.trim())?,
        })
    }
}

/// As a flag has it: `p99=400ms`.
impl FromStr for LatencyLimit {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (quantile, limit) = text.split_once('=').ok_or_else(|| {
            format!("`{text}` is not a quantile and the time that it may not exceed: p99=400ms")
        })?;
        Self::new(quantile, limit)
    }
}

/// As it is read.
impl fmt::Display for LatencyLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.limit.as_secs_f64() * 1000.0;
        write!(f, "{}={millis}ms", self.quantile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_read_as_it_is_written() {
        for (text, written) in [
            ("p99=400ms", "p99=400ms"),
            ("p50 = 0.5ms", "p50=0.5ms"),
            ("p99.9=1.5s", "p99.9=1500ms"),
            ("p999=2m", "p99.9=120000ms"),
        ] {
            let limit: LatencyLimit = text.parse().unwrap();
            assert_eq!(limit.to_string(), written);
            assert_eq!(written.parse(), Ok(limit));
        }
    }

    #[test]
    fn a_mistake_is_told_with_what_is_right() {
        for (text, why) in [
            (
                "",
                "`` is not a quantile and the time that it may not exceed: p99=400ms",
            ),
            ("p97=1s", "`p97` is not p50, p90, p95, p99 or p99.9"),
            ("99=1s", "`99` is not p50, p90, p95, p99 or p99.9"),
            ("p99=400", "`400` has no unit: it is ms, s, m or h"),
            ("p99=0ms", "it must be longer than 0ms"),
            ("p99=4d", "unknown unit `d`: it is ms, s, m or h"),
            (
                "p99=soon",
                "a time is a number and a unit: 500ms, 90s, 5m, 2h",
            ),
            (
                "p99=-1s",
                "a time is a number and a unit: 500ms, 90s, 5m, 2h",
            ),
        ] {
            assert_eq!(text.parse::<LatencyLimit>(), Err(why.to_owned()), "{text}");
        }
    }

    /// Against the definition: sorted, the answer at the rank `⌈p·n⌉`.
    #[test]
    fn the_nearest_rank_decides() {
        for quantile in Quantile::ALL {
            for answers in 1..2500_u64 {
                let rank = (answers * quantile.within()).div_ceil(1000);
                assert_eq!(quantile.beyond(answers), answers - rank, "{quantile}");
            }
        }
        assert_eq!(Quantile::P99.beyond(99), 0);
        assert_eq!(Quantile::P99.beyond(100), 1);
        assert_eq!(Quantile::P999.beyond(u64::MAX), u64::MAX / 1000);
    }
}
