//! What was seen of each node over each kind of connection, and of several of
//! them together.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::figures::{KindReport, NodeReport, PerConnection, Transition, WayReport};
use super::who::{NEW, OLD};
use crate::model::Connection;

/// A load balancer that grows takes new nodes; those beyond so many lanes are
/// counted as one that nobody can name.
const LANES: usize = 64;
/// Transitions kept one by one.
const TRANSITIONS: usize = 100;

/// A node, and how it was reached.
pub type LaneKey = (Option<IpAddr>, Connection);

#[derive(Debug, Clone, Default)]
pub struct Lanes {
    lanes: BTreeMap<LaneKey, Tally>,
    transitions: Vec<Change>,
}

#[derive(Debug, Clone, Copy)]
struct Change {
    at: Duration,
    lane: LaneKey,
    from: usize,
    to: usize,
}

/// What was seen by each way in, where there are several.
#[derive(Debug, Clone, Default)]
pub struct Ways(BTreeMap<Arc<str>, Tally>);

impl Ways {
    pub fn add(&mut self, way: &Arc<str>, asked: Duration, failed: bool) {
        let tally = self.0.entry(Arc::clone(way)).or_default();
        tally.sent += 1;
        tally.failed += u64::from(failed);
        tally.asked = tally.asked.max(asked);
    }

    /// This release answered.
    pub fn heard(&mut self, way: &Arc<str>, at: Duration, release: usize) {
        self.0
            .entry(Arc::clone(way))
            .or_default()
            .heard(at, release);
    }

    pub fn reports(&self, began: Option<Duration>) -> Vec<WayReport> {
        let report = |(way, tally): (&Arc<str>, &Tally)| WayReport {
            way: way.to_string(),
            seen: tally.report(began),
        };
        self.0.iter().map(report).collect()
    }

    /// Those by which the old release was met after then, and for how long after.
    pub fn overstaying(&self, until: Duration) -> Vec<(String, Duration)> {
        let longer = |(way, tally): (&Arc<str>, &Tally)| {
            let over = tally.last_old?.checked_sub(until)?;
            (!over.is_zero()).then(|| (way.to_string(), over))
        };
        self.0.iter().filter_map(longer).collect()
    }
}

/// One lane, as its samples come.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    sent: u64,
    failed: u64,
    /// When the last request was due.
    asked: Duration,
    first_new: Option<Duration>,
    last_old: Option<Duration>,
    /// Who answered last, and when.
    last: Option<(Duration, usize)>,
}

impl Lanes {
    /// Which lane that is counted as.
    pub fn lane(&self, node: Option<IpAddr>, connection: Connection) -> LaneKey {
        let lane = (node, connection);
        match self.lanes.contains_key(&lane) || self.lanes.len() < LANES {
            true => lane,
            false => (None, connection),
        }
    }

    /// A request that was due then has its end.
    pub fn add(&mut self, lane: LaneKey, asked: Duration, failed: bool) {
        let tally = self.lanes.entry(lane).or_default();
        tally.sent += 1;
        tally.failed += u64::from(failed);
        tally.asked = tally.asked.max(asked);
    }

    /// This release answered, in a swap the old one or the new one.
    pub fn heard(&mut self, lane: LaneKey, at: Duration, release: usize) {
        let tally = self.lanes.entry(lane).or_default();
        tally.heard(at, release);
        match tally.last {
            // Answers overtake each other.
            Some((later, _)) if later > at => return,
            Some((_, from)) if from != release && self.transitions.len() < TRANSITIONS => {
                let to = release;
                self.transitions.push(Change { at, lane, from, to });
            }
            _ => {}
        }
        tally.last = Some((at, release));
    }

    pub fn sent(&self) -> u64 {
        self.lanes.values().map(|tally| tally.sent).sum()
    }

    pub fn failed(&self) -> u64 {
        self.lanes.values().map(|tally| tally.failed).sum()
    }

    pub fn keys(&self) -> impl Iterator<Item = LaneKey> + '_ {
        self.lanes.keys().copied()
    }

    /// Over all lanes that this is true of. `began` is when the first listener
    /// write left, if one did; `pace` the time between two requests.
    pub fn report(
        &self,
        (began, pace): (Option<Duration>, Duration),
        is_meant: impl Fn(LaneKey) -> bool,
    ) -> KindReport {
        let lanes: Vec<&Tally> = self
            .lanes
            .iter()
            .filter(|(lane, _)| is_meant(**lane))
            .map(|(_, tally)| tally)
            .collect();
        let reports = lanes.iter().map(|tally| tally.report(began));
        // A node that left before the swap has nothing to say of it; one whose
        // turn did not come again has yet to be seen.
        let left = self.left_behind(pace);
        let in_question = lanes
            .iter()
            .filter(|tally| began.is_none_or(|began| tally.asked >= began) || tally.asked >= left);
        let changeovers: Option<Vec<i64>> = in_question
            .map(|tally| tally.report(began).changeover_ms)
            .collect();
        let mut total = KindReport::default();
        for report in reports {
            total.sent += report.sent;
            total.failed += report.failed;
            total.first_new_ms = [total.first_new_ms, report.first_new_ms]
                .into_iter()
                .flatten()
                .min();
            total.last_old_ms = total.last_old_ms.max(report.last_old_ms);
        }
        // Where one has not changed over, users have not.
        total.changeover_ms = changeovers.and_then(|all| all.into_iter().max());
        total
    }

    /// A lane that was last asked before then has left: the others had their turn
    /// twice since.
    fn left_behind(&self, pace: Duration) -> Duration {
        let last = self.lanes.values().map(|tally| tally.asked).max();
        let round = pace * u32::try_from(self.lanes.len()).unwrap_or(u32::MAX);
        last.unwrap_or_default().saturating_sub(round * 2)
    }

    pub fn nodes(&self, began: Option<Duration>, pace: Duration) -> Vec<NodeReport> {
        let mut nodes: Vec<Option<IpAddr>> = self.keys().map(|(node, _)| node).collect();
        nodes.dedup();
        nodes
            .into_iter()
            .map(|node| NodeReport {
                node,
                connections: PerConnection {
                    fresh: self.report((began, pace), |lane| lane == (node, Connection::Fresh)),
                    reused: self.report((began, pace), |lane| lane == (node, Connection::Reused)),
                },
                changeover_ms: self
                    .report((began, pace), |(of, _)| of == node)
                    .changeover_ms,
            })
            .collect()
    }

    /// `number` is what a release is called in the report.
    pub fn transitions(
        &self,
        began: Option<Duration>,
        number: impl Fn(usize) -> Option<usize>,
    ) -> Vec<Transition> {
        let transitions = self.transitions.iter().filter_map(|change| {
            let (node, connection) = change.lane;
            Some(Transition {
                at_ms: signed_ms(change.at, began.unwrap_or_default()),
                node,
                connection,
                from: number(change.from)?,
                to: number(change.to)?,
            })
        });
        transitions.collect()
    }
}

impl Tally {
    fn heard(&mut self, at: Duration, release: usize) {
        match release {
            NEW => self.first_new = Some(self.first_new.map_or(at, |first| first.min(at))),
            OLD => self.last_old = Some(self.last_old.map_or(at, |last| last.max(at))),
            _ => {}
        }
    }

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

/// Whole milliseconds since the origin; negative ahead of it.
pub fn signed_ms(at: Duration, origin: Duration) -> i64 {
    let ms = |duration: Duration| i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
    ms(at) - ms(origin)
}
