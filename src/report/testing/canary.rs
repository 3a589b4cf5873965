//! Gradual shifts, made up: folded by the same code as real ones.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::promotion;
use crate::engine::evidence::{Evidence, Landmark, LandmarkKind, ListenerWrite, Upshot};
use crate::engine::seen::timeline::since_ms;
use crate::engine::seen::{Changed, Identities, Identity, Releases, Seen, ShareAsked};
use crate::model::testing::PORTS;
use crate::model::{Answer, Color, Connection, Route, Sample, Split, Unexpected};

const SECOND: Duration = Duration::from_secs(1);
/// Ten requests a second.
const PACE: Duration = Duration::from_millis(100);

/// 5 %, 25 % and 50 % of users, then all of them.
pub fn canary() -> Evidence {
    told(&[(1, 500), (121, 2500), (301, 5000), (541, 10_000)], 900, 0)
}

/// A release of which one answer in twenty fails, found out at 25 %.
pub fn caught() -> Evidence {
    let mut evidence = told(&[(1, 500), (61, 2500), (98, 0)], 102, 20);
    evidence.outcome = Upshot::RolledBack;
    evidence.is_good = false;
    let requests = evidence.probe.in_a_sentence();
    evidence.sentence = format!("The promotion of blue (tag 2) was rolled back: {requests}.");
    evidence.traffic = Some("port 80 → green (tag 1), confirmed".to_owned());
    evidence.reason = Some("HTTP 503, first 44.2 s after the swap began".to_owned());
    evidence.marks.push(
        Landmark {
            at: SECOND * 98,
            kind: LandmarkKind::Alarm,
            text: "shop-5xx is ringing: 3 datapoints were above 1".to_owned(),
            failed: true,
        }
        .report(SECOND),
    );
    evidence
}

fn told(shares: &[(u32, u16)], until: u32, one_fails_in: u64) -> Evidence {
    let asked = |(second, share): &(u32, u16)| ShareAsked {
        share: *share,
        sent: SECOND * *second,
        seen: Some(SECOND * *second + PACE / 2),
    };
    let asked: Vec<ShareAsked> = shares.iter().map(asked).collect();
    let began = asked[0].sent;
    let mut seen = Seen::new(Releases::Two(Identities {
        old: identity("1"),
        new: identity("2"),
    }));
    for n in 0..u64::from(until) * 10 {
        let due = PACE * u32::try_from(n).unwrap();
        let known = asked.iter().take_while(|asked| asked.sent <= due);
        let share = known.clone().last().map_or(0, |asked| asked.share);
        let sample = sample(n, due, share, one_fails_in);
        let changed = Changed {
            began: known.clone().next().map(|asked| asked.sent),
            ended: None,
        };
        let release = seen.add(&sample, changed);
        seen.add_to_its_stage(&sample, release, known.copied());
    }
    let write = |asked: &ShareAsked| ListenerWrite {
        route: Route::Production,
        endpoint: PORTS.production,
        to: Split::with_share(Color::Blue, asked.share),
        sent_ms: since_ms(asked.sent, began),
        seen_ms: asked.seen.map(|seen| since_ms(seen, began)),
    };
    let mut probe = seen.report(10.0, Some(began), 0);
    probe.forget_changeover();
    let mut writes: Vec<ListenerWrite> = asked.iter().map(write).collect();
    if let Some(last) = writes
        .last()
        .cloned()
        .filter(|last| last.to.only() == Some(Color::Blue))
    {
        writes.push(ListenerWrite {
            route: Route::Test,
            endpoint: PORTS.test,
            to: Split::all(Color::Green),
            sent_ms: last.sent_ms + 61.0,
            seen_ms: Some(last.sent_ms + 97.0),
        });
    }
    Evidence {
        sentence: format!("Blue (tag 2) went live: {}.", probe.in_a_sentence()),
        writes,
        stages: seen.stages(asked.iter().copied(), Some(began)),
        marks: marks(&asked)
            .iter()
            .map(|mark| mark.report(began))
            .collect(),
        timeline: seen.timeline(Some(began)),
        latencies: seen.latency_by_phase(),
        probe,
        ..promotion()
    }
}

fn identity(tag: &str) -> Identity {
    Identity {
        name: format!("tag {tag}"),
        release: Some(tag.to_owned()),
        body: None,
    }
}

/// As evenly apart as a load balancer does it, but for some noise.
fn sample(n: u64, due: Duration, share: u16, one_fails_in: u64) -> Sample {
    let noise = n * 7919 % 10_007;
    let is_new = noise * 10_000 < u64::from(share) * 10_007;
    let failed = is_new && one_fails_in > 0 && n.is_multiple_of(one_fails_in);
    let micros = 3000 + noise % 4000 + if is_new { 2500 } else { 0 };
    let node = IpAddr::from([10, 0, 1, if n % 4 < 2 { 17 } else { 47 }]);
    Sample {
        n,
        scheduled_at: due,
        latency: Duration::from_micros(micros),
        late: Duration::ZERO,
        way: None,
        node: Some(node),
        connection: match n % 2 {
            0 => Connection::Fresh,
            _ => Connection::Reused,
        },
        answer: Arc::new(Answer::Http {
            status: if failed { 503 } else { 200 },
            release: Some(if is_new { "2" } else { "1" }.to_owned()),
            body: String::new(),
        }),
        unexpected: failed.then_some(Unexpected::Status),
    }
}

/// A hook ahead of each stage, and more tasks ahead of the second.
fn marks(asked: &[ShareAsked]) -> Vec<Landmark> {
    let hook = |(n, asked): (usize, &ShareAsked)| Landmark {
        at: asked.sent.saturating_sub(SECOND / 2),
        kind: LandmarkKind::Hook,
        text: format!("before_stage {}", n + 1),
        failed: false,
    };
    let mut marks: Vec<Landmark> = asked.iter().enumerate().map(hook).collect();
    marks.insert(
        1,
        Landmark {
            at: asked[1].sent.saturating_sub(SECOND * 2),
            kind: LandmarkKind::Capacity,
            text: "blue has 2 tasks".to_owned(),
            failed: false,
        },
    );
    marks
}
