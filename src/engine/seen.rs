//! What users saw: the probe's samples, folded into the figures that the last
//! lines of a promotion give.

use std::time::Duration;

use serde::Serialize;

use crate::model::{Answer, Sample, Tag};

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
    pub status: Option<u16>,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Latency {
    pub p50: f64,
    pub p99: f64,
    pub max: f64,
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
    /// one no longer did, as far as the probe's rate can tell.
    pub changeover_ms: Option<i64>,
    pub latency_ms: Latency,
    pub failures: Vec<Failure>,
}

/// Folds samples as they come.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    identities: Identities,
    sent: u64,
    latencies: Vec<Duration>,
    failed: u64,
    failures: Vec<(Duration, Answer)>,
    first_new: Option<Duration>,
    last_old: Option<Duration>,
}

impl Seen {
    pub fn new(identities: Identities) -> Self {
        Self {
            identities,
            ..Self::default()
        }
    }

    pub fn add(&mut self, sample: &Sample) {
        self.sent += 1;
        if !sample.answer.is_ok() {
            self.failed += 1;
            if self.failures.len() < KEPT_FAILURES {
                self.failures
                    .push((sample.answered_at(), sample.answer.clone()));
            }
        }
        if sample.answer.status().is_some() {
            self.latencies.push(sample.latency);
        }
        let at = sample.answered_at();
        match self.identities.who(&sample.answer) {
            Answered::New => {
                self.first_new = Some(self.first_new.map_or(at, |first| first.min(at)));
            }
            Answered::Old => self.last_old = Some(self.last_old.map_or(at, |last| last.max(at))),
            Answered::Unknown => {}
        }
    }

    pub fn sent(&self) -> u64 {
        self.sent
    }

    pub fn failed(&self) -> u64 {
        self.failed
    }

    pub fn first_failure(&self) -> Option<&(Duration, Answer)> {
        self.failures.first()
    }

    /// `began` is when the first listener write left, if one did.
    pub fn report(&self, rate: f64, began: Option<Duration>) -> ProbeReport {
        let since = |at: Duration| signed_ms(at, began.unwrap_or_default());
        let first_new = self.first_new.filter(|_| began.is_some()).map(since);
        let last_old = self.last_old.filter(|_| began.is_some()).map(since);
        ProbeReport {
            sent: self.sent,
            ok: self.sent - self.failed,
            failed: self.failed,
            rate,
            first_new_ms: first_new,
            last_old_ms: last_old,
            changeover_ms: first_new.map(|first| first.max(last_old.unwrap_or(0)).max(0)),
            latency_ms: latency(&self.latencies),
            failures: self
                .failures
                .iter()
                .map(|(at, answer)| Failure {
                    at_ms: u64::try_from(since(*at)).unwrap_or(0),
                    status: answer.status(),
                    error: match answer {
                        Answer::Nothing { error } => Some(error.clone()),
                        Answer::Http { .. } => None,
                    },
                })
                .collect(),
        }
    }
}

fn signed_ms(at: Duration, origin: Duration) -> i64 {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    ms(at) - ms(origin)
}

fn latency(all: &[Duration]) -> Latency {
    let mut sorted = all.to_vec();
    sorted.sort_unstable();
    // Nearest rank: the smallest value that at least the share `p` does not exceed.
    let rank = |percent: usize| {
        let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
        sorted
            .get(index)
            .map_or(0.0, |value| (value.as_secs_f64() * 1e5).round() / 100.0)
    };
    Latency {
        p50: rank(50),
        p99: rank(99),
        max: rank(100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Connection;

    fn sample(at_ms: u64, latency_ms: u64, status: u16, release: &str) -> Sample {
        Sample {
            n: 0,
            scheduled_at: Duration::from_millis(at_ms),
            latency: Duration::from_millis(latency_ms),
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
}
