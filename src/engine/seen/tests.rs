use std::net::IpAddr;
use std::sync::Arc;

use super::*;
use crate::model::{Lost, Unexpected};

fn sample(at_ms: u64, latency_ms: u64, status: u16, release: &str) -> Sample {
    Sample {
        n: 0,
        scheduled_at: Duration::from_millis(at_ms),
        latency: Duration::from_millis(latency_ms),
        late: Duration::ZERO,
        way: None,
        node: None,
        connection: Connection::Fresh,
        answer: Arc::new(Answer::Http {
            status,
            release: Some(release.to_owned()),
            body: format!("body of {release}"),
        }),
        unexpected: (status != 200).then_some(Unexpected::Status),
    }
}

fn identity(tag: &str) -> Identity {
    Identity {
        name: format!("tag {tag}"),
        release: Some(tag.to_owned()),
        body: Some(format!("body of {tag}")),
    }
}

fn two() -> Releases {
    Releases::Two(Identities {
        old: identity("1"),
        new: identity("2"),
    })
}

/// As of a swap of which nothing is known yet.
fn add(seen: &mut Seen, sample: &Sample) {
    seen.add(sample, Changed::default());
}

#[test]
fn the_changeover_counts_from_the_first_write() {
    let mut seen = Seen::new(two());
    for sample in [
        sample(900, 5, 200, "1"),
        sample(1000, 10, 200, "1"),
        sample(1100, 4, 200, "2"),
        sample(1200, 20, 503, "2"),
    ] {
        add(&mut seen, &sample);
    }
    let report = seen.report(10.0, Some(Duration::from_millis(1005)), 0);
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
fn nothing_sent_reports_nothing() {
    let report = Seen::new(two()).report(10.0, None, 0);
    assert_eq!(report.sent, 0);
    assert_eq!(report.changeover_ms, None);
}

#[test]
fn each_kind_of_connection_changes_over_by_itself() {
    let mut seen = Seen::new(two());
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
        add(&mut seen, &sample);
    }
    let began = Some(Duration::from_millis(1010));
    let report = seen.report(20.0, began, 0);
    assert_eq!(report.connections.fresh.changeover_ms, Some(95));
    assert_eq!(report.connections.reused.changeover_ms, None);
    assert_eq!(
        report.changeover_ms, None,
        "a browser still sees the old one"
    );
    add(
        &mut seen,
        &on(Connection::Reused, sample(1250, 5, 200, "2")),
    );
    let report = seen.report(20.0, began, 0);
    assert_eq!(report.connections.reused.last_old_ms, Some(145));
    assert_eq!(report.changeover_ms, Some(245));
    assert_eq!(
        (report.first_new_ms, report.last_old_ms),
        (Some(95), Some(145))
    );
}

#[test]
fn failures_say_of_what_kind_they_are() {
    let mut seen = Seen::new(two());
    let lost = Sample {
        connection: Connection::Reused,
        answer: Arc::new(Answer::Nothing {
            why: Lost::Reset,
            error: "connection reset by peer".to_owned(),
        }),
        unexpected: None,
        late: Duration::from_millis(7),
        ..sample(100, 2, 0, "")
    };
    add(&mut seen, &lost);
    let report = seen.report(10.0, None, 0);
    let json = serde_json::to_value(&report.failures[0]).unwrap();
    let expected = serde_json::json!({
        "at_ms": 102, "node": null, "connection": "reused", "status": null,
        "unexpected": null, "why": "reset", "error": "connection reset by peer",
    });
    assert_eq!(json, expected);
    assert_eq!(report.late_ms.max, 7.0);
    assert_eq!(report.connections.reused.failed, 1);
}

fn at_node(last: u8, sample: Sample) -> Sample {
    Sample {
        node: Some(IpAddr::from([10, 0, 0, last])),
        ..sample
    }
}

#[test]
fn the_changeover_is_over_when_every_node_has_changed_over() {
    let mut seen = Seen::new(two());
    let began = Some(Duration::from_millis(1000));
    for (node, at, release) in [
        // A node that went away ahead of the swap has no say in it.
        (9, 300, "1"),
        (1, 990, "1"),
        (2, 995, "1"),
        (1, 1050, "2"),
        (2, 1060, "1"),
    ] {
        add(&mut seen, &at_node(node, sample(at, 1, 200, release)));
    }
    let report = seen.report(10.0, began, 0);
    let nodes: Vec<_> = report.nodes.iter().map(|node| node.changeover_ms).collect();
    assert_eq!(nodes, [Some(51), None, None]);
    assert_eq!(report.changeover_ms, None, "one node still shows the old");
    add(&mut seen, &at_node(2, sample(1160, 1, 200, "2")));
    let report = seen.report(10.0, began, 0);
    assert_eq!(report.changeover_ms, Some(161));
    assert_eq!(report.nodes[1].connections.fresh.last_old_ms, Some(61));
    let transitions: Vec<_> = report
        .transitions
        .iter()
        .map(|change| (change.at_ms, change.from, change.to))
        .collect();
    assert_eq!(transitions, [(51, OLD, NEW), (161, OLD, NEW)]);
}

#[test]
fn latencies_are_told_apart_by_when_their_requests_were_due() {
    let mut seen = Seen::new(two());
    let ms = Duration::from_millis;
    let began = Changed {
        began: Some(ms(1000)),
        ended: None,
    };
    let ended = Changed {
        ended: Some(ms(1200)),
        ..began
    };
    seen.add(&sample(900, 3, 200, "1"), Changed::default());
    // Due ahead of the swap, and held up by it.
    seen.add(&sample(990, 150, 200, "1"), began);
    seen.add(&sample(1100, 70, 200, "2"), began);
    seen.add(&sample(1150, 80, 200, "2"), ended);
    seen.add(&sample(1300, 5, 200, "2"), ended);
    let phases = seen.latency_by_phase();
    let figures = [phases.before, phases.during, phases.after].map(|of| (of.count, of.max));
    assert_eq!(figures, [(2, 150.0), (2, 80.0), (1, 5.0)]);
}

#[test]
fn what_nobody_can_tell_is_unknown() {
    let mut seen = Seen::new(two());
    add(&mut seen, &sample(100, 1, 200, "3"));
    add(&mut seen, &sample(200, 1, 503, "3"));
    let report = seen.report(10.0, Some(Duration::ZERO), 0);
    assert_eq!((report.unknown, report.failed), (1, 1));
    assert_eq!(report.changeover_ms, None);
    assert_eq!(report.releases, ["tag 1", "tag 2"]);
}

#[test]
fn the_timeline_has_a_lane_for_each_node_and_kind() {
    let mut seen = Seen::new(two());
    add(&mut seen, &at_node(1, sample(900, 10, 200, "1")));
    add(&mut seen, &at_node(2, sample(1000, 10, 503, "2")));
    let timeline = seen.timeline(Some(Duration::from_millis(1000)));
    assert_eq!((timeline.from_ms, timeline.until_ms), (-1000.0, 10.0));
    let dots: Vec<_> = timeline.lanes.iter().map(|lane| &lane.dots[..]).collect();
    let [[old], [failed]] = dots[..] else {
        panic!("{dots:?}");
    };
    assert_eq!(
        (old.at_ms, old.release, old.failed),
        (-90.0, Some(OLD), false)
    );
    assert_eq!(
        (failed.at_ms, failed.release, failed.failed),
        (10.0, Some(NEW), true)
    );
}

#[test]
fn a_node_whose_turn_did_not_come_again_has_yet_to_change_over() {
    let mut seen = Seen::new(two());
    for (node, at, release) in [(1, 0, "1"), (2, 10_000, "1"), (1, 20_000, "2")] {
        add(&mut seen, &at_node(node, sample(at, 1, 200, release)));
    }
    let report = seen.report(0.1, Some(Duration::from_secs(15)), 0);
    assert_eq!(report.nodes[0].changeover_ms, Some(5001));
    assert_eq!(report.changeover_ms, None);
}

#[test]
fn each_stage_has_its_answers_by_release() {
    let ms = Duration::from_millis;
    let asked = |share, sent, seen| ShareAsked {
        share,
        sent: ms(sent),
        seen: Some(ms(seen)),
    };
    let all = [asked(1000, 1000, 1200), asked(10_000, 2000, 2100)];
    let mut seen = Seen::new(two());
    for (sample, known) in [
        (sample(900, 3, 200, "1"), 0),
        // Due ahead of the first write, and answered after it.
        (sample(990, 150, 200, "1"), 1),
        // Ahead of its being read back it says nothing of the share.
        (sample(1100, 4, 200, "1"), 1),
        (sample(1300, 40, 503, "2"), 1),
        (sample(1400, 4, 200, "1"), 1),
        (sample(1500, 4, 200, "1"), 1),
        (sample(1600, 4, 200, "1"), 1),
        (sample(1700, 4, 502, "?"), 1),
        (sample(1990, 20, 200, "2"), 2),
        (sample(2200, 20, 200, "2"), 2),
    ] {
        let release = seen.add(&sample, Changed::default());
        seen.add_to_its_stage(&sample, release, all.iter().take(known).copied());
    }
    let stages = seen.stages(all.iter().copied(), Some(ms(1000)));
    let [canary, whole] = &stages[..] else {
        panic!("{stages:?}");
    };
    assert_eq!(
        (canary.share, canary.from_ms, canary.until_ms),
        (10.0, 0.0, 1000.0)
    );
    assert_eq!(canary.seen_share, Some(40.0), "two of five");
    assert_eq!((canary.old.requests, canary.old.failed), (4, 0));
    assert_eq!((canary.new.requests, canary.new.failed), (2, 1));
    assert_eq!(canary.unknown.failed, 1);
    assert_eq!(canary.held_against_new(), (2, 3));
    assert_eq!(canary.old.p99_ms, Some(4.0));
    assert_eq!(
        canary.in_a_line(),
        "10% for 1s: 40.0% seen, 2 of 3 failed, p99 40 ms; old 0 of 4 failed"
    );
    assert_eq!((whole.share, whole.until_ms), (100.0, 1220.0));
    assert_eq!(whole.old.p50_ms, None);
    let so_far = seen.stage_so_far(0);
    assert_eq!((so_far.failed, so_far.requests), (2, 3));
    assert_eq!(so_far.seen_share, canary.seen_share);
    assert_eq!(seen.stage_so_far(7), StageSoFar::default());
}
