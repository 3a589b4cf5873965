//! Runs the probe alone, without any change by bgecs: what `probe` and `watch` share.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use crate::driver::asking::Asking;
use crate::engine::evidence::{Answering, Evidence, Upshot};
use crate::engine::seen::{Changed, Latencies, ProbeReport, Releases, Seen};
use crate::error::Result;
use crate::probe::Address;
use crate::report::{Answered, AnsweringRelease, ReportEvent, Reporter, Style};

/// What is asked, and for how long, where that is known.
pub struct Probing<'a> {
    pub report: &'a Reporter,
    pub address: &'a Address,
    pub asking: &'a Asking,
    pub duration: Option<Duration>,
}

/// What came of it.
pub struct ProbeEnd {
    pub seen: Seen,
    pub figures: ProbeReport,
    pub outcome: Upshot,
    began: OffsetDateTime,
}

impl Probing<'_> {
    /// Asks until the other thing is over, whose moments count from `origin`, and
    /// waits for the last answers.
    pub async fn until<T>(
        &self,
        origin: Instant,
        over: impl Future<Output = T>,
    ) -> Result<(ProbeEnd, T)> {
        let began = OffsetDateTime::now_utc();
        let addresses = std::slice::from_ref(self.address);
        let mut probe = self.asking.probe(addresses, origin).await?;
        let mut seen = Seen::new(Releases::default());
        tokio::pin!(over);
        let mut ended = None;
        loop {
            tokio::select! {
                biased;
                it = &mut over, if ended.is_none() => { ended = Some(it); probe.stop(); }
                sample = probe.next() => match (sample, ended.take()) {
                    (Some(sample), still) => {
                        ended = still;
                        let release = seen.add(&sample, Changed::default());
                        self.report.tell(&ReportEvent::Answered(Answered {
                            at: sample.answered_at(),
                            release: release.map(|number| AnsweringRelease {
                                number,
                                color: None,
                            }),
                            failed: !sample.is_good(),
                        }));
                        self.tell_count(&seen, sample.answered_at());
                    }
                    (None, Some(it)) => {
                        self.report.tell(&ReportEvent::Probed);
                        self.report.warn(probe.warnings());
                        let heard = self.heard(seen, began, probe.unsent());
                        return Ok((heard, it));
                    }
                    // A machine without a thread left for it: nothing is known.
                    (None, None) => {
                        let it = over.await;
                        return Ok((self.heard(seen, began, probe.unsent()), it));
                    }
                },
            }
        }
    }

    fn tell_count(&self, seen: &Seen, at: Duration) {
        let whole = self.duration.unwrap_or(at).as_secs_f64();
        self.report.tell(&ReportEvent::Probing {
            sent: seen.sent(),
            failed: seen.failed(),
            share: at.as_secs_f64() / whole.max(0.001),
            stage: None,
        });
    }

    fn heard(&self, seen: Seen, began: OffsetDateTime, unsent: u64) -> ProbeEnd {
        let figures = seen.report(self.asking.schedule.rate, None, unsent);
        let is_good = figures.failed <= self.asking.tolerance.of(figures.sent);
        ProbeEnd {
            outcome: if is_good { Upshot::Ok } else { Upshot::Failed },
            seen,
            figures,
            began,
        }
    }
}

impl ProbeEnd {
    /// For `--report`, with nothing but what was heard.
    pub fn evidence(&self, operation: &'static str, url: &Address) -> Evidence {
        let answering = |name: &String| Answering {
            name: name.clone(),
            color: None,
            digest: None,
        };
        let latencies: Latencies = self.seen.latency_by_phase();
        Evidence {
            operation,
            sentence: format!("{url}: {}", self.figures.in_a_sentence()),
            outcome: self.outcome,
            is_good: self.outcome == Upshot::Ok,
            reason: None,
            blind: false,
            app: None,
            url: url.to_string(),
            who: None,
            operation_id: None,
            version: env!("CARGO_PKG_VERSION"),
            began: self.began,
            ended: OffsetDateTime::now_utc(),
            releases: self.figures.releases.iter().map(answering).collect(),
            traffic: None,
            checks: Vec::new(),
            writes: Vec::new(),
            stages: Vec::new(),
            marks: Vec::new(),
            timeline: self.seen.timeline(None),
            latencies,
            probe: self.figures.clone(),
        }
    }
}

/// So many failures are told one by one.
const SHOWN: usize = 5;

/// The lines below what was asked.
pub fn in_lines(probe: &ProbeReport, style: &Style) -> String {
    let failed = match probe.failed {
        0 => style.good("0 failed"),
        failed => style.bad(format!("{failed} failed")),
    };
    let mut text = format!("  requests    {} sent, {failed}", probe.sent);
    if let Some(latency) = probe.latency_ms.in_words() {
        text += &format!("\n  latency     {latency}");
    }
    for failure in probe.failures.iter().take(SHOWN) {
        text += &format!(
            "\n  at {:>5} ms {} ({} connection)",
            failure.at_ms,
            failure.what(),
            failure.connection
        );
    }
    let more = probe.failed.saturating_sub(SHOWN as u64);
    if more > 0 && !probe.failures.is_empty() {
        text += &format!("\n  and {more} more");
    }
    text
}
