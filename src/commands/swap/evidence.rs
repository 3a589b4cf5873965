//! What a swap leaves behind for `--report`.

use std::time::Duration;

use time::OffsetDateTime;

use super::result::Swapped;
use crate::engine::evidence::{Answering, Evidence, ListenerWrite};
use crate::engine::seen::timeline::since_ms;
use crate::engine::seen::{Latencies, Seen};
use crate::engine::swap::{self, Swap};
use crate::model::journal::Operation;
use crate::model::{Color, Observed};
use crate::probe::Address;

/// What was known ahead of the swap.
pub(super) struct Gathered<'a> {
    pub app: &'a str,
    pub url: &'a Address,
    pub before: &'a Observed,
    pub operation: Operation,
}

impl Gathered<'_> {
    /// `seen` is None where nothing was tried.
    pub fn of(&self, swapped: &Swapped, swap: &Swap, seen: Option<&Seen>) -> Evidence {
        let began = swap.changed().began;
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
            operation: swapped.operation,
            sentence: swapped.in_a_sentence(),
            outcome: swapped.outcome,
            is_good: swapped.error().is_none(),
            reason: swapped.reason_at_length(),
            app: Some(self.app.to_owned()),
            url: self.url.to_string(),
            who: Some(self.operation.who.to_string()),
            operation_id: Some(self.operation.id.to_string()),
            version: env!("CARGO_PKG_VERSION"),
            began: self.operation.began,
            ended: OffsetDateTime::now_utc(),
            releases: [swap.from, swap.to].map(answering).to_vec(),
            traffic: Some(swapped.traffic.clone()),
            checks: swapped.checks.clone(),
            writes: swap
                .writes
                .iter()
                .map(|write| counted(write, began))
                .collect(),
            probe: swapped.probe.clone(),
            timeline: seen.map_or_else(Default::default, |seen| seen.timeline(began)),
            latencies: seen.map_or_else(Latencies::default, Seen::latency_by_phase),
        }
    }
}

/// From the first write on.
fn counted(write: &swap::ListenerWrite, began: Option<Duration>) -> ListenerWrite {
    let since = |at: Duration| since_ms(at, began.unwrap_or_default());
    ListenerWrite {
        route: write.route,
        color: write.color,
        sent_ms: since(write.sent),
        seen_ms: write.seen.map(since),
    }
}
