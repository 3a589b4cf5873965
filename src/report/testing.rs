//! Evidence for tests to draw: what a probe would have seen, made up.

mod canary;
mod set;

use std::net::IpAddr;

use time::macros::datetime;

use crate::engine::evidence::{Answering, Evidence, ListenerWrite, Upshot};
use crate::engine::seen::timeline::{Dot, Lane, Timeline};
use crate::engine::seen::{
    Bucket, Distribution, Failure, KindReport, Late, Latencies, Latency, NodeReport, PerConnection,
    ProbeReport, Transition,
};
use crate::model::Check;
use crate::model::testing::PORTS;
use crate::model::{Color, Connection, Lost, Route, Split};
pub use canary::{canary, caught};
pub use set::{eight_by_steps, shop, shop_turned_back};

/// How a made-up release went.
#[derive(Debug, Clone, Copy)]
pub struct Story {
    pub nodes: u8,
    pub answers_per_lane: u32,
    /// From when to when requests fail, in milliseconds.
    pub failing: Option<(f64, f64)>,
    pub is_taken_back: bool,
    pub window_ms: f64,
}

impl Story {
    pub const GOOD: Self = Self {
        nodes: 1,
        answers_per_lane: 85,
        failing: None,
        is_taken_back: false,
        window_ms: 15_000.0,
    };
}

/// A good one, on one node.
pub fn promotion() -> Evidence {
    told(Story::GOOD)
}

/// One that failed, and was taken back.
pub fn taken_back() -> Evidence {
    told(Story {
        nodes: 2,
        failing: Some((120.0, 2_400.0)),
        is_taken_back: true,
        window_ms: 5_000.0,
        answers_per_lane: 60,
    })
}

/// The probe alone, of any URL.
pub fn probe() -> Evidence {
    let mut evidence = told(Story::GOOD);
    evidence.operation = "probe";
    evidence.outcome = Upshot::Ok;
    evidence.sentence = "170 requests to https://example.org/, all answered well".to_owned();
    evidence.app = None;
    evidence.url = "https://example.org/".to_owned();
    evidence.operation_id = None;
    evidence.traffic = None;
    evidence.checks.clear();
    evidence.writes.clear();
    evidence.releases.clear();
    evidence.latencies.during = Distribution::default();
    evidence.latencies.after = Distribution::default();
    evidence.probe.changeover_ms = None;
    evidence.probe.transitions.clear();
    for lane in &mut evidence.timeline.lanes {
        for dot in &mut lane.dots {
            dot.release = None;
        }
    }
    evidence
}

/// The probe alone, while somebody else releases: nodes with long addresses, and
/// releases that are told by their bodies.
pub fn somebody_elses() -> Evidence {
    let mut evidence = probe();
    evidence.releases = [
        "<!DOCTYPE html><html lang=\"en\"><head>",
        "{\"greeting\":\"Bonjour\"}",
    ]
    .map(|body| Answering {
        name: format!("a body that begins {body}"),
        color: None,
        digest: None,
    })
    .into();
    evidence.probe.unknown = 3;
    evidence.timeline = told(Story {
        nodes: 2,
        ..Story::GOOD
    })
    .timeline;
    let far = IpAddr::from([
        0x2600, 0x1f18, 0x4a3, 0x6901, 0x9abc, 0xdef0, 0x1234, 0x5678,
    ]);
    let nodes = [Some(far), Some(far), None, None];
    for (lane, node) in evidence.timeline.lanes.iter_mut().zip(nodes) {
        lane.node = node;
    }
    evidence
}

pub fn told(story: Story) -> Evidence {
    let lanes: Vec<Lane> = (0..story.nodes)
        .flat_map(|node| [(node, Connection::Fresh), (node, Connection::Reused)])
        .enumerate()
        .map(|(n, (node, connection))| lane(story, n as u32, node, connection))
        .collect();
    let dots: Vec<&Dot> = lanes.iter().flat_map(|lane| &lane.dots).collect();
    let sent = dots.len() as u64;
    let failures = failures(&lanes);
    let failed = failures.len() as u64;
    Evidence {
        operation: "promote",
        sentence: sentence(sent, failed),
        outcome: if story.is_taken_back {
            Upshot::RolledBack
        } else {
            Upshot::Committed
        },
        is_good: failed == 0,
        reason: story
            .is_taken_back
            .then(|| "HTTP 503 from http://hello.example/api, 121 ms after the swap".to_owned()),
        blind: false,
        app: Some("hello".to_owned()),
        url: "http://bgecs-hello-123456.eu-west-1.elb.amazonaws.com/api".to_owned(),
        who: Some("ada@laptop".to_owned()),
        operation_id: Some("promote-7f3a".to_owned()),
        version: "0.1.0",
        began: datetime!(2026-03-14 09:26:53 UTC),
        ended: datetime!(2026-03-14 09:27:14.5 UTC),
        releases: releases(),
        traffic: Some(if story.is_taken_back {
            "port 80 → green (tag 1), confirmed".to_owned()
        } else {
            "port 80 → blue (tag 2)".to_owned()
        }),
        checks: checks(),
        writes: writes(story),
        stages: Vec::new(),
        marks: Vec::new(),
        probe: ProbeReport {
            sent,
            ok: sent - failed,
            failed,
            rate: 10.0 * f64::from(story.nodes),
            first_new_ms: Some(91),
            last_old_ms: Some(143),
            changeover_ms: (!story.is_taken_back).then_some(191),
            connections: kinds(sent, failed, story),
            nodes: nodes(story, sent, failed),
            transitions: transitions(&lanes),
            latency_ms: Latency {
                p50: 4.91,
                p99: 11.65,
                max: 18.2,
            },
            late_ms: Late { p99: 0.4, max: 1.7 },
            failures: failures.into_iter().take(100).collect(),
            ..ProbeReport::default()
        },
        latencies: latencies(),
        timeline: Timeline {
            from_ms: -1_100.0,
            until_ms: story.window_ms + 160.0,
            lanes,
        },
    }
}

fn sentence(sent: u64, failed: u64) -> String {
    if failed > 0 {
        format!(
            "The promotion of hello:2 to blue was taken back: {failed} of {sent} requests failed"
        )
    } else {
        format!("hello:2 is live on blue: {sent} requests during the changeover, none failed")
    }
}

fn lane(story: Story, n: u32, node: u8, connection: Connection) -> Lane {
    let (from, until) = (-1_050.0, story.window_ms + 100.0);
    let each = (until - from) / f64::from(story.answers_per_lane);
    // Each lane changes over a little later than the one before it.
    let over = 60.0 + 35.0 * f64::from(n);
    let dots = (0..story.answers_per_lane).map(|k| {
        let noise = f64::from((k * 7919 + n * 104_729) % 97) / 97.0;
        let at_ms = from + each * (f64::from(k) + f64::from(n % 2) / 2.0) + 4.0 * noise;
        let failed = story.failing.is_some_and(|(from, until)| {
            (from..until).contains(&at_ms) && !(k + n).is_multiple_of(4)
        });
        let back = story.is_taken_back && at_ms > 2_700.0 + over;
        Dot {
            at_ms,
            for_ms: 0.0,
            count: 1,
            release: (!failed).then_some(usize::from(at_ms > over && !back)),
            failed,
            latency_ms: 3.0 + 6.0 * noise * noise * noise + if noise > 0.98 { 9.0 } else { 0.0 },
        }
    });
    Lane {
        node: Some(IpAddr::from([10, 0, 1 + node, 17 + 30 * node])),
        connection,
        dots: dots.collect(),
    }
}

fn failures(lanes: &[Lane]) -> Vec<Failure> {
    let mut all: Vec<Failure> = Vec::new();
    for lane in lanes {
        for (n, dot) in lane.dots.iter().filter(|dot| dot.failed).enumerate() {
            let is_lost = n % 3 == 1;
            all.push(Failure {
                at_ms: dot.at_ms as i64,
                way: None,
                node: lane.node,
                connection: lane.connection,
                status: (!is_lost).then_some(503),
                unexpected: (!is_lost).then_some(crate::model::Unexpected::Status),
                why: is_lost.then_some(Lost::Reset),
                error: is_lost.then(|| "connection reset by peer (os error 104)".to_owned()),
            });
        }
    }
    all.sort_by_key(|failure| failure.at_ms);
    all
}

fn transitions(lanes: &[Lane]) -> Vec<Transition> {
    let mut all = Vec::new();
    for lane in lanes {
        let known: Vec<&Dot> = lane
            .dots
            .iter()
            .filter(|dot| dot.release.is_some())
            .collect();
        for two in known.windows(2) {
            if let (Some(from), Some(to)) = (two[0].release, two[1].release)
                && from != to
            {
                all.push(Transition {
                    at_ms: two[1].at_ms as i64,
                    node: lane.node,
                    connection: lane.connection,
                    from,
                    to,
                });
            }
        }
    }
    all.sort_by_key(|transition| transition.at_ms);
    all
}

fn releases() -> Vec<Answering> {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64)).parse().ok();
    vec![
        Answering {
            name: "hello:1".to_owned(),
            color: Some(Color::Green),
            digest: digest("3"),
        },
        Answering {
            name: "hello:2".to_owned(),
            color: Some(Color::Blue),
            digest: digest("b"),
        },
    ]
}

fn checks() -> Vec<Check> {
    [
        ("prod listener", "port 80 forwards to green"),
        ("test listener", "port 81 forwards to blue"),
        ("target groups", "both are attached to the load balancer"),
        ("deployment", "blue (tag 2) as bgecs-hello:2 is complete"),
        ("capacity", "blue runs 2 tasks, green 2"),
        ("target health", "2 of 2 targets of blue healthy"),
        ("test port", "the health path answered well 3 times"),
    ]
    .into_iter()
    .map(|(name, detail)| Check {
        name,
        ok: true,
        detail: detail.to_owned(),
    })
    .collect()
}

fn writes(story: Story) -> Vec<ListenerWrite> {
    let write = |route, color, sent_ms, seen_ms| ListenerWrite {
        route,
        endpoint: PORTS.get(route).clone(),
        to: Split::all(color),
        sent_ms,
        seen_ms: Some(seen_ms),
    };
    let mut all = vec![write(Route::Production, Color::Blue, 0.0, 38.0)];
    if story.is_taken_back {
        all.push(write(Route::Production, Color::Green, 2_610.0, 2_655.0));
    } else {
        all.push(write(Route::Test, Color::Green, 61.0, 97.0));
    }
    all
}

fn kinds(sent: u64, failed: u64, story: Story) -> PerConnection<KindReport> {
    let kind = |ms: i64| KindReport {
        sent: sent / 2,
        failed: failed / 2,
        first_new_ms: Some(ms),
        last_old_ms: Some(ms - 48),
        changeover_ms: (!story.is_taken_back).then_some(ms),
    };
    PerConnection {
        fresh: kind(191),
        reused: kind(91),
    }
}

fn nodes(story: Story, sent: u64, failed: u64) -> Vec<NodeReport> {
    let count = u64::from(story.nodes);
    (0..story.nodes)
        .map(|node| NodeReport {
            node: Some(IpAddr::from([10, 0, 1 + node, 17 + 30 * node])),
            connections: kinds(sent / count, failed / count, story),
            changeover_ms: (!story.is_taken_back).then_some(191),
        })
        .collect()
}

fn latencies() -> Latencies {
    let row = |count: u64, middle: f64| {
        let buckets: Vec<Bucket> = (0..28)
            .map(|n| {
                let up_to_ms = 2.4 * 1.1_f64.powi(n);
                let distance = (up_to_ms / middle).ln();
                let share = (-distance * distance * 9.0).exp();
                Bucket {
                    up_to_ms,
                    count: (count as f64 * share / 5.0).round() as u64,
                }
            })
            .filter(|bucket| bucket.count > 0)
            .collect();
        Distribution {
            count: buckets.iter().map(|bucket| bucket.count).sum(),
            p50: middle,
            p90: middle * 1.3,
            p99: middle * 1.7,
            max: middle * 2.1,
            buckets,
        }
    };
    Latencies {
        before: row(20, 4.6),
        during: row(40, 6.8),
        after: row(1500, 4.9),
    }
}
