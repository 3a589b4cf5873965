//! The figures of a probe, as results and reports give them.

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;

use super::stages::StageSoFar;
use crate::model::{Connection, Lost, Unexpected};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub at_ms: i64,
    /// Where, if users come in by several ways.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub way: Option<String>,
    pub node: Option<IpAddr>,
    pub connection: Connection,
    pub status: Option<u16>,
    /// What was wrong with the answer.
    pub unexpected: Option<Unexpected>,
    /// Where there was no whole answer.
    pub why: Option<Lost>,
    pub error: Option<String>,
}

impl Failure {
    /// What a person would call it.
    pub fn what(&self) -> String {
        let what = what_failed(self.status, self.unexpected, self.error.as_deref());
        match &self.way {
            Some(way) => format!("{what} at {way}"),
            None => what,
        }
    }
}

/// A failure, as a person would call it.
pub fn what_failed(
    status: Option<u16>,
    unexpected: Option<Unexpected>,
    error: Option<&str>,
) -> String {
    match (status, unexpected, error) {
        (Some(status), Some(Unexpected::Body), _) => {
            format!("HTTP {status}, another body than expected")
        }
        (Some(status), ..) => format!("HTTP {status}"),
        (None, _, Some(error)) => error.to_owned(),
        (None, _, None) => "no answer".to_owned(),
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

impl Latency {
    /// None where nothing was answered.
    pub fn in_words(self) -> Option<String> {
        let Self { p50, p99, max } = self;
        (max > 0.0).then(|| format!("p50 {p50} ms, p99 {p99} ms, max {max} ms"))
    }
}

/// Latencies ahead of the first listener write, from it until both listeners
/// were read back, and after that; by when a request was due. Without a write
/// all are `before`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Latencies {
    pub before: Distribution,
    pub during: Distribution,
    pub after: Distribution,
}

/// In milliseconds, of whatever got an HTTP answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Distribution {
    pub count: u64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
    /// How many took so long at most and longer than the one before: buckets
    /// whose upper bounds grow by about a tenth, without the empty ones.
    pub buckets: Vec<Bucket>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bucket {
    pub up_to_ms: f64,
    pub count: u64,
}

/// What one node of the load balancer showed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NodeReport {
    /// None where the name had no address.
    pub node: Option<IpAddr>,
    pub connections: PerConnection<KindReport>,
    /// None also where one kind of connection has not changed over there.
    pub changeover_ms: Option<i64>,
}

/// What was seen by one of several ways in: by one resolver, where those are the
/// ways.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WayReport {
    pub way: String,
    #[serde(flatten)]
    pub seen: KindReport,
}

/// Another release answered than the last time, on one node over one kind of
/// connection.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Transition {
    pub at_ms: i64,
    pub node: Option<IpAddr>,
    pub connection: Connection,
    /// Which releases, as the timeline counts them.
    pub from: usize,
    pub to: usize,
}

/// How late requests left: this machine was too busy to see gaps as short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Late {
    pub p99: f64,
    pub max: f64,
}

/// What was seen over one kind of connection, of one node or of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct KindReport {
    pub sent: u64,
    pub failed: u64,
    pub first_new_ms: Option<i64>,
    pub last_old_ms: Option<i64>,
    /// None also where the new colour was not seen everywhere.
    pub changeover_ms: Option<i64>,
}

/// A share of users that the new release was given, and what came of it; by when
/// a request was due. Times as the report's.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageReport {
    /// The new release's share, in percent.
    pub share: f64,
    /// When its write left.
    pub from_ms: f64,
    /// When the next one's did; of the last, when the last answer came.
    pub until_ms: f64,
    /// How much of the answers the new release gave, in percent: of those that say
    /// whose they are, from the write's being read back on.
    pub seen_share: Option<f64>,
    pub old: ReleaseFigures,
    pub new: ReleaseFigures,
    /// Of requests of which nobody knows who answered; their failures are judged
    /// as the new release's.
    pub unknown: ReleaseFigures,
}

impl StageReport {
    pub fn lasted(&self) -> Duration {
        let seconds = (self.until_ms - self.from_ms) / 1000.0;
        Duration::try_from_secs_f64(seconds).unwrap_or_default()
    }

    /// `5% for 5m: 4.9% seen, 0 of 148 failed, p99 41 ms; old 0 of 2852 failed`
    pub fn in_a_line(&self) -> String {
        let (failed, requests) = self.held_against_new();
        let so_far = StageSoFar {
            seen_share: self.seen_share,
            requests,
            failed,
        };
        let p99 = self
            .new
            .p99_ms
            .map_or_else(String::new, |p99| match p99 < 10.0 {
                true => format!(", p99 {p99:.1} ms"),
                false => format!(", p99 {p99:.0} ms"),
            });
        format!(
            "{}{p99}; old {} of {} failed",
            so_far.in_a_line(self.share, self.lasted()),
            self.old.failed,
            self.old.requests
        )
    }

    /// What is held against the new release, and of how many requests.
    pub fn held_against_new(&self) -> (u64, u64) {
        let (new, unknown) = (self.new, self.unknown);
        (new.failed + unknown.failed, new.requests + unknown.failed)
    }
}

/// In milliseconds, where anything was answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct ReleaseFigures {
    pub requests: u64,
    pub failed: u64,
    pub p50_ms: Option<f64>,
    pub p99_ms: Option<f64>,
}

/// One value for each kind of connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PerConnection<T> {
    pub fresh: T,
    pub reused: T,
}

/// The probe's part of a result. Times count from the first listener write, in
/// milliseconds; where nothing was written, from the start.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ProbeReport {
    pub sent: u64,
    pub ok: u64,
    pub failed: u64,
    /// Requests per second, as asked for.
    pub rate: f64,
    pub first_new_ms: Option<i64>,
    pub last_old_ms: Option<i64>,
    /// From the first listener write until the new colour answered and the old
    /// one no longer did, on every node, over connections of both kinds, as far
    /// as the probe's rate can tell.
    pub changeover_ms: Option<i64>,
    pub connections: PerConnection<KindReport>,
    /// The releases that answered, by name; in a swap the old one and the new one.
    pub releases: Vec<String>,
    /// Good answers of which nobody can say which release they came from.
    pub unknown: u64,
    /// Were due and say nothing: too many were under way to send them, or this
    /// machine stood still at their time.
    pub unsent: u64,
    /// Where there are several ways in.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ways: Vec<WayReport>,
    pub nodes: Vec<NodeReport>,
    /// The first ones.
    pub transitions: Vec<Transition>,
    pub latency_ms: Latency,
    pub late_ms: Late,
    /// The first ones.
    pub failures: Vec<Failure>,
}

impl ProbeReport {
    /// `none of 335 requests failed`.
    pub fn in_a_sentence(&self) -> String {
        match (self.failed, self.sent) {
            (_, 0) => "no request was sent".to_owned(),
            (0, 1) => "its only request was answered well".to_owned(),
            (0, sent) => format!("none of {sent} requests failed"),
            (failed, sent) => format!("{failed} of {sent} requests failed"),
        }
    }

    /// For a swap that was taken back: users went there and came back.
    pub fn forget_changeover(&mut self) {
        self.last_old_ms = None;
        self.changeover_ms = None;
        let connections = &mut self.connections;
        let mut kinds = vec![&mut connections.fresh, &mut connections.reused];
        for node in &mut self.nodes {
            node.changeover_ms = None;
            kinds.extend([&mut node.connections.fresh, &mut node.connections.reused]);
        }
        for kind in kinds {
            kind.last_old_ms = None;
            kind.changeover_ms = None;
        }
    }
}
