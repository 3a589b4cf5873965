//! What users saw: folds the probe's samples into the figures at the end of a promotion,
//! and into what a report draws.

mod figures;
mod lanes;
mod stages;
pub mod timeline;
pub(super) mod times;
mod who;

use std::time::Duration;

use crate::model::{Answer, Connection, Sample};
use lanes::{LaneKey, Lanes, Ways};
use stages::StageTallies;
use timeline::{AnswerMark, Recorder, Timeline, since_ms};
use times::Times;

pub use figures::{
    Bucket, Distribution, Failure, KindReport, Late, Latencies, Latency, PerConnection,
    ProbeReport, ReleaseFigures, StageReport, WayReport, what_failed,
};
#[cfg(test)]
pub use figures::{NodeReport, Transition};
pub use lanes::signed_ms;
pub use stages::{ShareAsked, StageSoFar, percent};
pub use who::{Identities, Identity, NEW, OLD, Releases};

/// Failures kept one by one; beyond them only the count grows.
const KEPT_FAILURES: usize = 100;

/// When the listeners were written and read back, since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// The first write left.
    pub began: Option<Duration>,
    /// Both were read back.
    pub ended: Option<Duration>,
}

/// Folds samples as they come. It keeps counts and distributions, of failures
/// and transitions the first ones, and a bounded timeline: it takes no more room
/// however long it lasts.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    releases: Releases,
    lanes: Lanes,
    ways: Ways,
    is_by_ways: bool,
    unknown: u64,
    before: Times,
    during: Times,
    after: Times,
    lateness: Times,
    failures: Vec<(LaneKey, Sample)>,
    timeline: Recorder<LaneKey>,
    stages: StageTallies,
    /// When the last answer came.
    until: Duration,
}

impl Seen {
    pub fn new(releases: Releases) -> Self {
        Self {
            releases,
            ..Self::default()
        }
    }

    /// The same where a name leads to either release at an address of its own: what a
    /// way in shows counts, and not a node.
    #[must_use]
    pub fn by_ways(self) -> Self {
        Self {
            is_by_ways: true,
            ..self
        }
    }

    /// Takes a sample, and says which release answered. `changed` is what is
    /// known by now of the listeners.
    pub fn add(&mut self, sample: &Sample, changed: Changed) -> Option<usize> {
        let node = sample.node.filter(|_| !self.is_by_ways);
        let lane = self.lanes.lane(node, sample.connection);
        let (at, failed) = (sample.answered_at(), !sample.is_good());
        self.until = self.until.max(at);
        self.lanes.add(lane, sample.scheduled_at, failed);
        if let Some(way) = &sample.way {
            self.ways.add(way, sample.scheduled_at, failed);
        }
        if failed && self.failures.len() < KEPT_FAILURES {
            self.failures.push((lane, sample.clone()));
        }
        if sample.answer.status().is_some() {
            self.latencies(sample.scheduled_at, changed)
                .add(sample.latency);
        }
        self.lateness.add(sample.late);
        let release = self.releases.who(&sample.answer);
        match release {
            Some(release) => {
                self.lanes.heard(lane, at, release);
                if let Some(way) = &sample.way {
                    self.ways.heard(way, at, release);
                }
            }
            None => self.unknown += u64::from(!failed),
        }
        let mark = AnswerMark {
            at,
            latency: sample.latency,
            release,
            failed,
        };
        self.timeline.add(lane, mark);
        release
    }

    /// Counts a sample as the stage's in which it was due. `asked` are the shares
    /// that are known by now, in the order in which they left.
    pub fn add_to_its_stage(
        &mut self,
        sample: &Sample,
        release: Option<usize>,
        asked: impl Iterator<Item = ShareAsked>,
    ) {
        self.stages.add(sample, release, asked);
    }

    /// Of the share with that number, counted from 0.
    pub fn stage_so_far(&self, number: usize) -> StageSoFar {
        self.stages.so_far(number)
    }

    /// What came of each share, counted as the timeline is.
    pub fn stages(
        &self,
        asked: impl Iterator<Item = ShareAsked>,
        began: Option<Duration>,
    ) -> Vec<StageReport> {
        let origin = began.unwrap_or_default();
        self.stages.report(asked, origin, self.until)
    }

    /// About the requests that were due then.
    fn latencies(&mut self, due: Duration, changed: Changed) -> &mut Times {
        match (changed.began, changed.ended) {
            (_, Some(ended)) if due > ended => &mut self.after,
            (Some(began), _) if due >= began => &mut self.during,
            _ => &mut self.before,
        }
    }

    /// Whether both releases of a swap answer alike, but for a header that may
    /// name them.
    pub fn releases_are_alike(&self) -> bool {
        self.releases.are_alike()
    }

    pub fn sent(&self) -> u64 {
        self.lanes.sent()
    }

    pub fn failed(&self) -> u64 {
        self.lanes.failed()
    }

    #[cfg(test)]
    pub fn first_failure(&self) -> Option<&Sample> {
        self.failures.first().map(|(_, sample)| sample)
    }

    /// `began` is when the first listener write left, if one did; `unsent` how
    /// many requests were due and never left.
    pub fn report(&self, rate: f64, began: Option<Duration>, unsent: u64) -> ProbeReport {
        let pace = Duration::from_secs_f64(1.0 / rate);
        let all = self.lanes.report((began, pace), |_| true);
        let of = |kind| {
            self.lanes
                .report((began, pace), |(_, connection)| connection == kind)
        };
        let latencies = self.before.clone().and(&self.during).and(&self.after);
        let failures = self.failures.iter();
        ProbeReport {
            sent: all.sent,
            ok: all.sent - all.failed,
            failed: all.failed,
            rate,
            first_new_ms: all.first_new_ms,
            last_old_ms: all.last_old_ms,
            changeover_ms: all.changeover_ms,
            connections: PerConnection {
                fresh: of(Connection::Fresh),
                reused: of(Connection::Reused),
            },
            releases: self.releases.names(),
            unknown: self.unknown,
            unsent,
            ways: self.ways.reports(began),
            nodes: self.lanes.nodes(began, pace),
            transitions: self.lanes.transitions(began, |n| self.releases.number(n)),
            latency_ms: Latency {
                p50: latencies.percentile_ms(50.0),
                p99: latencies.percentile_ms(99.0),
                max: latencies.max_ms(),
            },
            late_ms: Late {
                p99: self.lateness.percentile_ms(99.0),
                max: self.lateness.max_ms(),
            },
            failures: failures
                .map(|(lane, sample)| failure(*lane, sample, began))
                .collect(),
        }
    }

    /// By which ways in the old release was met after then, and for how long after.
    pub fn overstaying(&self, until: Duration) -> Vec<(String, Duration)> {
        self.ways.overstaying(until)
    }

    pub fn latency_by_phase(&self) -> Latencies {
        Latencies {
            before: self.before.distribution(),
            during: self.during.distribution(),
            after: self.after.distribution(),
        }
    }

    /// Every answer, counted from the first listener write; where there was
    /// none, from the start.
    pub fn timeline(&self, began: Option<Duration>) -> Timeline {
        let origin = began.unwrap_or_default();
        let lane = |(node, connection): LaneKey| timeline::Lane {
            node,
            connection,
            dots: self
                .timeline
                .dots((node, connection), origin, |n| self.releases.number(n)),
        };
        Timeline {
            from_ms: since_ms(Duration::ZERO, origin),
            until_ms: since_ms(self.until, origin),
            lanes: self.lanes.keys().map(lane).collect(),
        }
    }
}

fn failure((node, connection): LaneKey, sample: &Sample, began: Option<Duration>) -> Failure {
    let (why, error) = match &*sample.answer {
        Answer::Nothing { why, error } => (Some(*why), Some(error.clone())),
        Answer::Http { .. } => (None, None),
    };
    Failure {
        at_ms: signed_ms(sample.answered_at(), began.unwrap_or_default()),
        way: sample.way.as_deref().map(str::to_owned),
        node,
        connection,
        status: sample.answer.status(),
        unexpected: sample.unexpected,
        why,
        error,
    }
}

#[cfg(test)]
mod tests;
