//! For how long users had no answer, as two saw it who know nothing of each other.

use std::time::Duration;

use serde_json::Value;

use super::site::RATE;
use crate::Result;
use crate::json::at;
use crate::observer::{Answer, Seen};

/// As an onlooker saw it: it was this long, or something between.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    /// From the first answer that failed until the last one was asked for.
    pub least: Duration,
    /// From when the last good one ahead of them was asked for, to the first good one
    /// after them.
    pub most: Duration,
}

impl Gap {
    /// None where nothing failed, or it was not over.
    pub fn seen(seen: &Seen) -> Option<Self> {
        let answers = &seen.0;
        let failed = |it: &Answer| it.failure().is_some();
        let first = answers.iter().position(failed)?;
        let last = answers.iter().rposition(failed)?;
        let before = answers.get(first.checked_sub(1)?)?;
        let after = answers.get(last + 1)?;
        Some(Self {
            least: answers[last]
                .sent
                .saturating_duration_since(answers[first].answered),
            most: after.answered - before.sent,
        })
    }

    /// What bgecs measured agrees with that. It measures between the times at which two
    /// of its requests were due, of which the first may be a step of its pace ahead of
    /// the gap and the second one after it. `late` is by how much one of them was sent,
    /// or answered, later than that: as much may be missing, or be more.
    pub fn agrees(&self, measured: Duration, late: Duration) -> bool {
        let pace = Duration::from_millis(1000 / RATE);
        let least = self.least.saturating_sub(late);
        (least..=self.most + 2 * pace + late).contains(&measured)
    }
}

/// What bgecs says of itself: how long the gap was, and how late its requests were sent
/// and answered.
pub fn measured(swap: &Value) -> Result<(Duration, Duration)> {
    let gap = at(swap, &["swap", "gap_ms"]).as_u64();
    let gap = Duration::from_millis(gap.ok_or("bgecs measured no gap")?);
    let mut late = Duration::ZERO;
    for key in ["late_ms", "latency_ms"] {
        let most = at(swap, &["probe", key, "max"]).as_f64();
        let most = most.ok_or_else(|| format!("bgecs does not say its {key}"))?;
        late += Duration::try_from_secs_f64(most / 1000.0)?;
    }
    Ok((gap, late))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn seen(statuses: &[(u64, u16)]) -> Option<Gap> {
        let start = Instant::now();
        let answers = statuses.iter();
        let answers = answers.map(|(at, status)| Answer::of(start + ms(*at), *status, ""));
        Gap::seen(&Seen(answers.collect()))
    }

    #[test]
    fn a_gap_is_between_the_failed_answers_and_the_good_ones_around_them() {
        let gap = seen(&[(0, 200), (20, 502), (40, 502), (1500, 502), (1530, 200)]);
        let (least, most) = (ms(1480), ms(1530));
        assert_eq!(gap, Some(Gap { least, most }));
        assert_eq!(seen(&[(0, 200), (20, 200)]), None);
        assert_eq!(seen(&[(0, 200), (20, 502)]), None);
        assert_eq!(seen(&[(0, 502), (20, 200)]), None);
    }

    #[test]
    fn bgecs_may_be_two_steps_over_it_and_as_late_as_it_was() {
        let gap = Gap {
            least: ms(1480),
            most: ms(1530),
        };
        for (measured, late, agrees) in [
            (1480, 0, true),
            (1479, 0, false),
            (1630, 0, true),
            (1631, 0, false),
            (1470, 10, true),
            (1640, 10, true),
            (0, 10, false),
        ] {
            assert_eq!(gap.agrees(ms(measured), ms(late)), agrees, "{measured}");
        }
    }
}
