//! What users saw: the probe's samples, folded into the figures that the last
//! lines of a promotion give.

mod times;

use std::time::Duration;

use serde::Serialize;

use crate::model::{Answer, Connection, Lost, Sample, Tag};
use times::Times;

/// Failures kept one by one; beyond them only the count grows.
const KEPT_FAILURES: usize = 100;

/// How a colour's answers can be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    pub tag: Option<Tag>,
    /// What the colour answered to the probe's own question before the swap.
    pub body: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    Old,
    New,
    /// Neither header nor body tells.
    Unknown,
}

/// Both colours' identities.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identities {
    pub old: Identity,
    pub new: Identity,
}

impl Identities {
    /// By the release header where the two differ in tag, else by the body.
    pub fn who(&self, answer: &Answer) -> Answered {
        let Answer::Http { release, body, .. } = answer else {
            return Answered::Unknown;
        };
        let by = |old: Option<&str>, new: Option<&str>, seen: &str| {
            if old == new {
                Answered::Unknown
            } else if new == Some(seen) {
                Answered::New
            } else if old == Some(seen) {
                Answered::Old
            } else {
                Answered::Unknown
            }
        };
        let by_header = release.as_deref().map_or(Answered::Unknown, |release| {
            by(
                self.old.tag.as_ref().map(Tag::as_str),
                self.new.tag.as_ref().map(Tag::as_str),
                release,
            )
        });
        match by_header {
            Answered::Unknown => by(self.old.body.as_deref(), self.new.body.as_deref(), body),
            known => known,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    pub at_ms: u64,
    pub connection: Connection,
    pub status: Option<u16>,
    /// Where there was no whole answer.
    pub why: Option<Lost>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
}

/// How late requests left: this machine was too busy to see gaps as short.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Late {
    pub p99: f64,
    pub max: f64,
}

/// What one kind of connection saw.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct KindReport {
    pub sent: u64,
    pub failed: u64,
    pub first_new_ms: Option<i64>,
    pub last_old_ms: Option<i64>,
    /// None also where this kind never saw the new colour.
    pub changeover_ms: Option<i64>,
}

/// One value for each kind of connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct PerConnection<T> {
    pub fresh: T,
    pub reused: T,
}

impl<T> PerConnection<T> {
    fn of(&mut self, connection: Connection) -> &mut T {
        match connection {
            Connection::Fresh => &mut self.fresh,
            Connection::Reused => &mut self.reused,
        }
    }
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
    /// one no longer did, over connections of both kinds, as far as the probe's
    /// rate can tell.
    pub changeover_ms: Option<i64>,
    pub connections: PerConnection<KindReport>,
    pub latency_ms: Latency,
    pub late_ms: Late,
    pub failures: Vec<Failure>,
}

impl ProbeReport {
    /// For a swap that was taken back: users went there and came back.
    pub fn forget_changeover(&mut self) {
        self.last_old_ms = None;
        self.changeover_ms = None;
        for kind in [&mut self.connections.fresh, &mut self.connections.reused] {
            kind.last_old_ms = None;
            kind.changeover_ms = None;
        }
    }
}

/// One kind of connection, as its samples come.
#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    sent: u64,
    failed: u64,
    first_new: Option<Duration>,
    last_old: Option<Duration>,
}

impl Kind {
    fn report(&self, began: Option<Duration>) -> KindReport {
        let since = |at: Option<Duration>| Some(signed_ms(at?, began?));
        let (first_new, last_old) = (since(self.first_new), since(self.last_old));
        KindReport {
            sent: self.sent,
            failed: self.failed,
            first_new_ms: first_new,
            last_old_ms: last_old,
            changeover_ms: first_new.map(|first| first.max(last_old.unwrap_or(0)).max(0)),
        }
    }
}

/// Folds samples as they come. It keeps counts, and of failures the first ones:
/// it takes no more room however long it lasts.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    identities: Identities,
    kinds: PerConnection<Kind>,
    latencies: Times,
    lateness: Times,
    failures: Vec<(Duration, Connection, Answer)>,
}

impl Seen {
    pub fn new(identities: Identities) -> Self {
        Self {
            identities,
            ..Self::default()
        }
    }

    pub fn add(&mut self, sample: &Sample) {
        let kind = self.kinds.of(sample.connection);
        kind.sent += 1;
        if !sample.answer.is_ok() {
            kind.failed += 1;
            if self.failures.len() < KEPT_FAILURES {
                let answer = sample.answer.clone();
                self.failures
                    .push((sample.answered_at(), sample.connection, answer));
            }
        }
        if sample.answer.status().is_some() {
            self.latencies.add(sample.latency);
        }
        self.lateness.add(sample.late);
        let at = sample.answered_at();
        match self.identities.who(&sample.answer) {
            Answered::New => {
                kind.first_new = Some(kind.first_new.map_or(at, |first| first.min(at)));
            }
            Answered::Old => kind.last_old = Some(kind.last_old.map_or(at, |last| last.max(at))),
            Answered::Unknown => {}
        }
    }

    pub fn sent(&self) -> u64 {
        self.kinds.fresh.sent + self.kinds.reused.sent
    }

    pub fn failed(&self) -> u64 {
        self.kinds.fresh.failed + self.kinds.reused.failed
    }

    pub fn first_failure(&self) -> Option<(Duration, &Answer)> {
        let (at, _, answer) = self.failures.first()?;
        Some((*at, answer))
    }

    /// `began` is when the first listener write left, if one did.
    pub fn report(&self, rate: f64, began: Option<Duration>) -> ProbeReport {
        let connections = PerConnection {
            fresh: self.kinds.fresh.report(began),
            reused: self.kinds.reused.report(began),
        };
        let asked: Vec<KindReport> = [connections.fresh, connections.reused]
            .into_iter()
            .filter(|kind| kind.sent > 0)
            .collect();
        // Where one kind has not changed over, users have not.
        let changeovers: Option<Vec<i64>> = asked.iter().map(|kind| kind.changeover_ms).collect();
        ProbeReport {
            sent: self.sent(),
            ok: self.sent() - self.failed(),
            failed: self.failed(),
            rate,
            first_new_ms: asked.iter().filter_map(|kind| kind.first_new_ms).min(),
            last_old_ms: asked.iter().filter_map(|kind| kind.last_old_ms).max(),
            changeover_ms: changeovers.and_then(|all| all.into_iter().max()),
            connections,
            latency_ms: Latency {
                p50: self.latencies.percentile_ms(50.0),
                p99: self.latencies.percentile_ms(99.0),
                max: self.latencies.max_ms(),
            },
            late_ms: Late {
                p99: self.lateness.percentile_ms(99.0),
                max: self.lateness.max_ms(),
            },
            failures: self
                .failures
                .iter()
                .map(|(at, connection, answer)| failure(*at, *connection, answer, began))
                .collect(),
        }
    }
}

fn failure(
    at: Duration,
    connection: Connection,
    answer: &Answer,
    began: Option<Duration>,
) -> Failure {
    let (why, error) = match answer {
        Answer::Nothing { why, error } => (Some(*why), Some(error.clone())),
        Answer::Http { .. } => (None, None),
    };
    Failure {
        at_ms: u64::try_from(signed_ms(at, began.unwrap_or_default())).unwrap_or(0),
        connection,
        status: answer.status(),
        why,
        error,
    }
}

fn signed_ms(at: Duration, origin: Duration) -> i64 {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    ms(at) - ms(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at_ms: u64, latency_ms: u64, status: u16, release: &str) -> Sample {
        Sample {
            n: 0,
            scheduled_at: Duration::from_millis(at_ms),
            latency: Duration::from_millis(latency_ms),
            late: Duration::ZERO,
            connection: Connection::Fresh,
            answer: Answer::Http {
                status,
                release: Some(release.to_owned()),
                body: format!("body of {release}"),
            },
        }
    }

    fn identity(tag: &str) -> Identity {
        Identity {
            tag: tag.parse().ok(),
            body: Some(format!("body of {tag}")),
        }
    }

    fn identities() -> Identities {
        Identities {
            old: identity("1"),
            new: identity("2"),
        }
    }

    #[test]
    fn the_changeover_counts_from_the_first_write() {
        let mut seen = Seen::new(identities());
        for sample in [
            sample(900, 5, 200, "1"),
            sample(1000, 10, 200, "1"),
            sample(1100, 4, 200, "2"),
            sample(1200, 20, 503, "2"),
        ] {
            seen.add(&sample);
        }
        let report = seen.report(10.0, Some(Duration::from_millis(1005)));
        assert_eq!((report.sent, report.ok, report.failed), (4, 3, 1));
        assert_eq!(report.last_old_ms, Some(5));
        assert_eq!(report.first_new_ms, Some(99));
        assert_eq!(report.changeover_ms, Some(99));
        assert_eq!(
            report.latency_ms,
            Latency {
                p50: 5.0,
                p99: 20.0,
                max: 20.0
            }
        );
        assert_eq!(report.failures[0].at_ms, 215);
    }

    #[test]
    fn the_same_tag_twice_is_told_by_body_and_else_unknown() {
        let mut same = identities();
        same.new.tag = same.old.tag.clone();
        let answer = |body: &str| Answer::Http {
            status: 200,
            release: Some("1".to_owned()),
            body: body.to_owned(),
        };
        assert_eq!(same.who(&answer("body of 2")), Answered::New);
        assert_eq!(same.who(&answer("body of 1")), Answered::Old);
        assert_eq!(same.who(&answer("something else")), Answered::Unknown);
    }

    #[test]
    fn nothing_sent_reports_nothing() {
        let report = Seen::new(identities()).report(10.0, None);
        assert_eq!(report.sent, 0);
        assert_eq!(report.changeover_ms, None);
    }

    #[test]
    fn each_kind_of_connection_changes_over_by_itself() {
        let mut seen = Seen::new(identities());
        let on = |connection, sample| Sample {
            connection,
            ..sample
        };
        for sample in [
            on(Connection::Fresh, sample(1000, 5, 200, "1")),
            on(Connection::Reused, sample(1050, 5, 200, "1")),
            on(Connection::Fresh, sample(1100, 5, 200, "2")),
            on(Connection::Reused, sample(1150, 5, 200, "1")),
        ] {
            seen.add(&sample);
        }
        let began = Some(Duration::from_millis(1010));
        let report = seen.report(20.0, began);
        assert_eq!(report.connections.fresh.changeover_ms, Some(95));
        assert_eq!(report.connections.reused.changeover_ms, None);
        assert_eq!(
            report.changeover_ms, None,
            "a browser still sees the old one"
        );
        seen.add(&on(Connection::Reused, sample(1250, 5, 200, "2")));
        let report = seen.report(20.0, began);
        assert_eq!(report.connections.reused.last_old_ms, Some(145));
        assert_eq!(report.changeover_ms, Some(245));
        assert_eq!(
            (report.first_new_ms, report.last_old_ms),
            (Some(95), Some(145))
        );
    }

    #[test]
    fn failures_say_of_what_kind_they_are() {
        let mut seen = Seen::new(identities());
        seen.add(&Sample {
            connection: Connection::Reused,
            answer: Answer::Nothing {
                why: Lost::Reset,
                error: "connection reset by peer".to_owned(),
            },
            late: Duration::from_millis(7),
            ..sample(100, 2, 0, "")
        });
        let report = seen.report(10.0, None);
        let json = serde_json::to_value(&report.failures[0]).unwrap();
        let expected = serde_json::json!({
            "at_ms": 102, "connection": "reused", "status": null,
            "why": "reset", "error": "connection reset by peer",
        });
        assert_eq!(json, expected);
        assert_eq!(report.late_ms.max, 7.0);
        assert_eq!(report.connections.reused.failed, 1);
    }
}
