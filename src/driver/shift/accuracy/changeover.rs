//! When each node and kind of connection changed over.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use super::{Ended, KINDS, LANES, Run, lane, left, ms};
use crate::engine::seen::KindReport;
use crate::model::{Answer, Connection};
use crate::probe::testing::balancer::{Lane, NODES};

/// As reports count it.
fn since(at: Duration, began: Duration) -> i64 {
    let ms = |time: Duration| i64::try_from(time.as_millis()).unwrap();
    ms(at) - ms(began)
}

impl Ended {
    /// The figures of a lane, from the server's notes.
    fn expected(&self, of: Lane) -> KindReport {
        let noted = self.noted();
        let of_lane = || noted.iter().filter(|(sample, _)| lane(sample) == of);
        let answered = |is_new: bool| {
            let of_release = of_lane().filter(move |(_, note)| note.is_new == is_new);
            of_release.map(|(sample, _)| since(sample.answered_at(), self.began.unwrap()))
        };
        let (first_new, last_old) = (answered(true).min(), answered(false).max());
        let all = self.samples.iter().filter(|sample| lane(sample) == of);
        KindReport {
            sent: all.clone().count() as u64,
            failed: all.filter(|sample| !sample.is_good()).count() as u64,
            first_new_ms: first_new,
            last_old_ms: last_old,
            changeover_ms: first_new.map(|first| first.max(last_old.unwrap_or(0)).max(0)),
        }
    }

    /// Checks that a lane's figures are possible: only a request during which no turn
    /// happened shows for certain which release answered.
    fn assert_possible(&self, of: Lane, told: KindReport) {
        let began = self.began.unwrap();
        let mut must = [None, None];
        let mut may = [None, None];
        for (sample, note) in self.noted() {
            if lane(sample) != of {
                continue;
            }
            let at = Some(since(sample.answered_at(), began));
            let (from, until) = (left(sample), sample.answered_at());
            let is_settled = self.plan.is_settled(note.lane, from, until);
            let is_new = self.plan.is_new(note.lane, until);
            let first = |known: Option<i64>| known.into_iter().chain(at).min();
            if is_new || !is_settled {
                may[0] = first(may[0]);
            }
            if !is_new || !is_settled {
                may[1] = may[1].max(at);
            }
            match (is_settled, is_new) {
                (true, true) => must[0] = first(must[0]),
                (true, false) => must[1] = must[1].max(at),
                (false, _) => {}
            }
        }
        let (first_new, last_old) = (told.first_new_ms, told.last_old_ms);
        assert!(
            first_new >= may[0] && must[0].is_none_or(|must| first_new <= Some(must)),
            "{of:?}: first from the new one at {first_new:?}, {must:?} {may:?}"
        );
        assert!(
            last_old >= must[1] && last_old <= may[1],
            "{of:?}: last from the old one at {last_old:?}, {must:?} {may:?}"
        );
    }

    /// What the report says of a lane.
    fn told(&self, (node, connection): Lane) -> KindReport {
        let mut nodes = self.report.nodes.iter();
        let told = nodes.find(|told| told.node == Some(node)).unwrap();
        match connection {
            Connection::Fresh => told.connections.fresh,
            Connection::Reused => told.connections.reused,
        }
    }
}

fn lanes() -> impl Iterator<Item = Lane> {
    NODES
        .into_iter()
        .flat_map(|node| KINDS.map(|kind| (node, kind)))
}

/// The last changeover; None if a lane has not changed over.
fn latest(changeovers: impl Iterator<Item = KindReport>) -> Option<i64> {
    let all: Option<Vec<i64>> = changeovers.map(|told| told.changeover_ms).collect();
    all.and_then(|all| all.into_iter().max())
}

/// Probes a load balancer whose lanes change at these times after the write.
async fn changing_over(turns: [(Lane, &[u64]); LANES]) -> Ended {
    let mut run = Run::start(600.0).await;
    run.until_each_lane_was_asked(3, Duration::ZERO).await;
    let ahead = ms(20);
    let began = run.balancer.plan(|now, plan| {
        let began = now + ahead;
        let at = |after: &[u64]| after.iter().map(|after| began + ms(*after)).collect();
        plan.turns = turns.map(|(lane, after)| (lane, at(after))).into();
        began
    });
    run.changed.began = Some(began);
    let last = turns.iter().flat_map(|(_, after)| *after).max().unwrap();
    let mut asked = BTreeSet::new();
    let mut heard_new = BTreeSet::new();
    let end = began + ms(*last);
    while run.samples.last().is_none_or(|last| left(last) < end) {
        let sample = run.next().await.unwrap();
        let Answer::Http { release, .. } = &*sample.answer else {
            panic!("{sample:?}");
        };
        let of = lane(sample);
        if sample.scheduled_at >= began {
            asked.insert(of);
        }
        let is_first = release.as_deref() == Some("2") && heard_new.insert(of);
        // If not every lane was asked since, the answers may be older.
        if is_first && asked.len() == LANES {
            let claimed = run.report().changeover_ms.is_some();
            assert_eq!(claimed, heard_new.len() == LANES, "{heard_new:?}");
        }
    }
    run.until_each_lane_was_asked(5, end).await;
    run.end().await
}

fn assert_accurate(ended: &Ended) {
    for lane in lanes() {
        assert_eq!(ended.told(lane), ended.expected(lane), "{lane:?}");
        ended.assert_possible(lane, ended.told(lane));
    }
    let told = |is_meant: &dyn Fn(Lane) -> bool| {
        let lanes: Vec<Lane> = lanes().filter(|lane| is_meant(*lane)).collect();
        lanes.into_iter().map(|lane| ended.told(lane))
    };
    let report = &ended.report;
    for node in &report.nodes {
        let lanes = told(&|(of, _)| Some(of) == node.node);
        assert_eq!(node.changeover_ms, latest(lanes), "{:?}", node.node);
    }
    let connections = report.connections;
    for (kind, told_of_kind) in KINDS
        .into_iter()
        .zip([connections.fresh, connections.reused])
    {
        let lanes = || told(&|(_, of)| of == kind);
        assert_eq!(told_of_kind.changeover_ms, latest(lanes()), "{kind:?}");
        let first = lanes().filter_map(|told| told.first_new_ms).min();
        let last = lanes().filter_map(|told| told.last_old_ms).max();
        let expected = (first, last);
        assert_eq!(
            (told_of_kind.first_new_ms, told_of_kind.last_old_ms),
            expected
        );
    }
    assert_eq!(report.changeover_ms, latest(told(&|_| true)));
    assert_eq!((report.failed, report.unknown), (0, 0));
}

const ONE: IpAddr = NODES[0];
const TWO: IpAddr = NODES[1];
const THREE: IpAddr = NODES[2];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_changeover_is_told_as_it_was_on_each_node_over_each_kind_of_connection() {
    let ended = changing_over([
        ((ONE, Connection::Fresh), &[20]),
        ((ONE, Connection::Reused), &[45]),
        // The old release comes back for a while.
        ((TWO, Connection::Fresh), &[60, 100, 150]),
        ((TWO, Connection::Reused), &[35]),
        ((THREE, Connection::Fresh), &[10]),
        ((THREE, Connection::Reused), &[250]),
    ])
    .await;
    assert_accurate(&ended);
    assert!(ended.report.changeover_ms.is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_changeover_is_claimed_while_one_kind_on_one_node_stays() {
    let ended = changing_over([
        ((ONE, Connection::Fresh), &[10]),
        ((ONE, Connection::Reused), &[20]),
        ((TWO, Connection::Fresh), &[]),
        ((TWO, Connection::Reused), &[30]),
        ((THREE, Connection::Fresh), &[40]),
        ((THREE, Connection::Reused), &[50]),
    ])
    .await;
    assert_accurate(&ended);
    let [one, two, three] = &ended.report.nodes[..] else {
        panic!("{:?}", ended.report.nodes);
    };
    assert!(one.changeover_ms.is_some() && three.changeover_ms.is_some());
    assert!(two.connections.reused.changeover_ms.is_some());
    assert_eq!(two.connections.fresh.first_new_ms, None);
    assert_eq!(
        (two.changeover_ms, ended.report.changeover_ms),
        (None, None)
    );
    let connections = ended.report.connections;
    assert!(connections.reused.changeover_ms.is_some());
    assert_eq!(connections.fresh.changeover_ms, None);
}
