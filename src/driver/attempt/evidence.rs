//! What a swap records for `--report`.

use std::sync::Arc;
use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::Instant;

use super::Attempt;
use super::swapped::Swapped;
use crate::driver::shift::Finished;
use crate::driver::work::Work;
use crate::engine::evidence::{Answering, Evidence, ListenerWrite, TimedEvidence};
use crate::engine::seen::timeline::since_ms;
use crate::engine::seen::{Latencies, Seen};
use crate::engine::shift::{MoveTimes, Shift};
use crate::model::journal::Operation;
use crate::model::{Color, Endpoint, Observed, PerRoute};
use crate::probe::Address;

/// What was known before the swap.
pub(super) struct KnownBefore<'a> {
    pub app: &'a str,
    pub url: &'a Address,
    pub before: &'a Observed,
    pub operation: Operation,
}

impl KnownBefore<'_> {
    /// `finished` is None if nothing was tried.
    pub fn of(&self, swapped: &Swapped, shift: &Shift, finished: Option<&Finished>) -> Evidence {
        let began = shift.changed().began;
        let seen = finished.map(|finished| &finished.seen);
        let marks = finished.map_or(&[][..], |finished| &finished.marks);
        let answering = |color: Color| Answering {
            name: match self.before.color(color).tag() {
                Some(tag) => format!("{}:{tag}", self.app),
                None => self.app.to_owned(),
            },
            color: Some(color),
            digest: self
                .before
                .color(color)
                .release
                .as_ref()
                .and_then(|release| release.digest.clone()),
        };
        Evidence {
            operation: swapped.operation.as_str(),
            sentence: swapped.in_a_sentence(),
            outcome: swapped.outcome,
            is_good: swapped.error().is_none(),
            reason: swapped.reason_at_length(),
            blind: swapped.blind,
            app: Some(self.app.to_owned()),
            url: self.url.to_string(),
            who: Some(self.operation.who.to_string()),
            operation_id: Some(self.operation.id.to_string()),
            version: env!("CARGO_PKG_VERSION"),
            began: self.operation.began,
            ended: OffsetDateTime::now_utc(),
            releases: [shift.strategy.from, shift.strategy.to]
                .map(answering)
                .to_vec(),
            traffic: Some(swapped.traffic.clone()),
            checks: swapped.checks.clone(),
            writes: shift
                .moves
                .iter()
                .map(|moved| counted(moved, &shift.policy.endpoints, began))
                .collect(),
            stages: swapped.stages.clone(),
            marks: marks
                .iter()
                .map(|mark| mark.report(began.unwrap_or_default()))
                .collect(),
            probe: swapped.probe.clone(),
            timeline: seen.map_or_else(Default::default, |seen| seen.timeline(began)),
            latencies: seen.map_or_else(Latencies::default, Seen::latency_by_phase),
        }
    }
}

impl Attempt<'_> {
    /// Writes the report that was asked for. A module of a set only keeps its evidence:
    /// the set makes one report of all.
    pub(super) fn reported(
        &self,
        work: &Work<'_>,
        mut swapped: Swapped,
        zero: Instant,
        evidence: impl FnOnce(&Swapped) -> Evidence,
    ) -> Swapped {
        if work.seat.is_none() {
            let asking = &self.watching.asking;
            asking.write_report(&self.session.report, || evidence(&swapped));
            return swapped;
        }
        swapped.evidence = Some(Arc::new(TimedEvidence {
            zero: zero.into_std(),
            evidence: evidence(&swapped),
        }));
        swapped
    }
}

/// Times count from the first write.
fn counted(
    moved: &MoveTimes,
    endpoints: &PerRoute<Endpoint>,
    began: Option<Duration>,
) -> ListenerWrite {
    let since = |at: Duration| since_ms(at, began.unwrap_or_default());
    ListenerWrite {
        route: moved.it.route,
        endpoint: endpoints.get(moved.it.route).clone(),
        to: moved.it.to,
        sent_ms: since(moved.sent),
        seen_ms: moved.seen.map(since),
    }
}
