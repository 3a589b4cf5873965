//! What came of each share of users that the new release was given: who answered, what
//! failed, and how long it took, for each release.

use std::time::Duration;

use super::figures::{ReleaseFigures, StageReport};
use super::timeline::since_ms;
use super::times::Times;
use super::who::{NEW, OLD};
use crate::model::Sample;
use crate::spoken_time::took;

/// The share of users that the new release was to get, from when on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShareAsked {
    /// In basis points.
    pub share: u16,
    /// When its write left; of one that was found so, the start.
    pub sent: Duration,
    /// When it was read back.
    pub seen: Option<Duration>,
}

/// A stage while it lasts.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StageSoFar {
    /// As [`StageReport::seen_share`].
    pub seen_share: Option<f64>,
    /// Of the new release, and those of which nobody knows who answered and that
    /// failed.
    pub requests: u64,
    pub failed: u64,
}

impl StageSoFar {
    /// `5% for 5m: 4.9% seen, 0 of 148 failed`
    pub fn in_a_line(&self, share: f64, lasted: Duration) -> String {
        let seen = self
            .seen_share
            .map_or_else(String::new, |seen| format!("{seen:.1}% seen, "));
        let (failed, requests) = (self.failed, self.requests);
        format!(
            "{share}% for {}: {seen}{failed} of {requests} failed",
            took(lasted)
        )
    }
}

/// One for each share asked, in their order: as many as a strategy has stages.
#[derive(Debug, Clone, Default)]
pub struct StageTallies(Vec<StageTally>);

#[derive(Debug, Clone, Default)]
struct StageTally {
    old: ReleaseTally,
    new: ReleaseTally,
    unknown: ReleaseTally,
    /// Answers of each since the share was read back.
    settled: [u64; 2],
}

#[derive(Debug, Clone)]
struct ReleaseTally {
    requests: u64,
    failed: u64,
    latencies: Times,
}

impl Default for ReleaseTally {
    fn default() -> Self {
        Self {
            requests: 0,
            failed: 0,
            latencies: Times::to_a_hundredth(),
        }
    }
}

impl StageTallies {
    /// Counts a request as the stage's in which it was due. `asked` is what is
    /// known by now, in the order in which it left.
    pub fn add(
        &mut self,
        sample: &Sample,
        release: Option<usize>,
        asked: impl Iterator<Item = ShareAsked>,
    ) {
        let due = sample.scheduled_at;
        let begun = asked.enumerate().take_while(|(_, asked)| asked.sent <= due);
        let Some((number, asked)) = begun.last() else {
            return;
        };
        if number >= self.0.len() {
            self.0.resize_with(number + 1, StageTally::default);
        }
        let stage = &mut self.0[number];
        match release {
            Some(OLD) => stage.old.add(sample),
            Some(NEW) => stage.new.add(sample),
            _ => stage.unknown.add(sample),
        }
        if let Some(count) = release.and_then(|release| stage.settled.get_mut(release))
            && asked.seen.is_some_and(|seen| due >= seen)
        {
            *count += 1;
        }
    }

    /// Of the share with that number, counted from 0.
    pub fn so_far(&self, number: usize) -> StageSoFar {
        self.0
            .get(number)
            .map_or_else(StageSoFar::default, |stage| StageSoFar {
                seen_share: stage.seen_share(),
                requests: stage.new.requests + stage.unknown.failed,
                failed: stage.new.failed + stage.unknown.failed,
            })
    }

    /// Counted from `origin`; the last answer came at `until`.
    pub fn report(
        &self,
        asked: impl Iterator<Item = ShareAsked>,
        origin: Duration,
        until: Duration,
    ) -> Vec<StageReport> {
        let asked: Vec<ShareAsked> = asked.collect();
        let nothing = StageTally::default();
        let stage = |(number, it): (usize, &ShareAsked)| {
            let next = asked.get(number + 1).map(|next| next.sent);
            let tally = self.0.get(number).unwrap_or(&nothing);
            StageReport {
                share: percent(it.share),
                from_ms: since_ms(it.sent, origin),
                until_ms: since_ms(next.unwrap_or(until.max(it.sent)), origin),
                seen_share: tally.seen_share(),
                old: tally.old.figures(),
                new: tally.new.figures(),
                unknown: tally.unknown.figures(),
            }
        };
        asked.iter().enumerate().map(stage).collect()
    }
}

/// Percent of basis points.
pub fn percent(share: u16) -> f64 {
    f64::from(share) / 100.0
}

impl StageTally {
    fn seen_share(&self) -> Option<f64> {
        let [old, new] = self.settled;
        let all = old + new;
        (all > 0).then(|| (new as f64 / all as f64 * 10_000.0).round() / 100.0)
    }
}

impl ReleaseTally {
    fn add(&mut self, sample: &Sample) {
        self.requests += 1;
        self.failed += u64::from(!sample.is_good());
        if sample.answer.status().is_some() {
            self.latencies.add(sample.latency);
        }
    }

    fn figures(&self) -> ReleaseFigures {
        let known = |percent| {
            let latencies = &self.latencies;
            (latencies.max_ms() > 0.0).then(|| latencies.percentile_ms(percent))
        };
        ReleaseFigures {
            requests: self.requests,
            failed: self.failed,
            p50_ms: known(50.0),
            p99_ms: known(99.0),
        }
    }
}
