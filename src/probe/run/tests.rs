use std::net::SocketAddr;

use super::*;
use crate::model::Answer;
use crate::probe::Question;
use crate::probe::testing::{PATIENCE, Reply, Server, ok, soon, with_status};

/// A request every 20 ms.
const SCHEDULE: Schedule = Schedule { rate: 50.0 };

/// Set up as in `main`, for this server only.
async fn probe(server: &Server, origin: Instant) -> Probe {
    probe_at(&[server.address()], SCHEDULE, origin).await
}

async fn probe_at(nodes: &[SocketAddr], schedule: Schedule, origin: Instant) -> Probe {
    let through: Vec<String> = nodes.iter().map(ToString::to_string).collect();
    let address = Address::parse("http://lb.example/api").unwrap();
    let address = address.through(&through);
    let client = Client::new(&address, Question::default(), PATIENCE).unwrap();
    Probe::start(client, &address, schedule, Connections::Both, origin).await
}

async fn answers(probe: &mut Probe, count: usize) -> Vec<Sample> {
    let mut samples = Vec::new();
    while samples.len() < count {
        samples.push(soon(probe.next()).await.expect("the probe goes on"));
    }
    samples
}

/// Stops the probe, and takes the requests still under way.
async fn rest(mut probe: Probe) -> Vec<Sample> {
    probe.stop();
    let mut samples = Vec::new();
    while let Some(sample) = soon(probe.next()).await {
        samples.push(sample);
    }
    samples
}

/// Each request has an end, and was due at its number of intervals after the first.
fn assert_schedule(samples: &[Sample]) {
    let mut samples: Vec<&Sample> = samples.iter().collect();
    samples.sort_by_key(|sample| sample.n);
    let first = samples[0].scheduled_at;
    for (n, sample) in (0..).zip(samples) {
        assert_eq!(sample.n, n);
        let due = first + SCHEDULE.due(n);
        assert_eq!(sample.scheduled_at, due, "request {n}");
        assert!(sample.latency >= sample.late, "{sample:?}");
    }
}

fn body(sample: &Sample) -> &str {
    match &*sample.answer {
        Answer::Http { body, .. } => body,
        Answer::Nothing { error, .. } => error,
    }
}

#[tokio::test]
async fn a_server_that_stalls_delays_no_later_request() {
    let server = Server::start(|n| match n {
        0 => Reply::Stall(String::new(), ok("late")),
        _ => Reply::Send(ok("at once")),
    })
    .await;
    let mut probe = probe(&server, Instant::now()).await;
    let mut samples = answers(&mut probe, 9).await;
    assert!(samples.iter().all(|sample| body(sample) == "at once"));
    assert!(probe.oldest_pending() < samples[1].scheduled_at);
    let until_now = samples.iter().map(|sample| sample.scheduled_at).max();

    server.release();
    samples.extend(rest(probe).await);
    let late = samples.iter().filter(|sample| body(sample) == "late");
    let late: Vec<&Sample> = late.collect();
    let [late] = late[..] else {
        panic!("{late:?}");
    };
    // The stall is in its own latency, and delays no other request.
    assert!(Some(late.answered_at()) >= until_now, "{late:?}");
    assert_schedule(&samples);
}

#[tokio::test]
async fn whoever_listens_late_loses_nothing() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let mut probe = probe(&server, Instant::now()).await;
    // The only thread of this runtime is busy elsewhere: the server's answers wait, but
    // requests are still sent.
    let busy = SCHEDULE.pace() * 10;
    std::thread::sleep(busy);
    let samples = answers(&mut probe, 10).await;
    let oldest = probe.oldest_pending();
    assert!(oldest >= samples[0].scheduled_at, "{oldest:?}");
    let samples = [samples, rest(probe).await].concat();
    assert_schedule(&samples);
}

#[tokio::test]
async fn fresh_and_kept_connections_take_turns() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let mut probe = probe(&server, Instant::now()).await;
    let samples = [answers(&mut probe, 6).await, rest(probe).await].concat();
    for sample in &samples {
        let expected = match sample.n % 2 {
            0 => Connection::Fresh,
            _ => Connection::Reused,
        };
        assert_eq!(sample.connection, expected, "{sample:?}");
    }
    let fresh = samples.iter().filter(|sample| sample.n % 2 == 0).count();
    assert!(server.accepts() > fresh, "{}", server.accepts());
}

#[tokio::test]
async fn every_node_is_asked_in_turn_over_both_kinds_of_connection() {
    let mut servers = Vec::new();
    for _ in 0..3 {
        servers.push(Server::start(|_| Reply::Send(ok(""))).await);
    }
    // Nodes share a port; those of this test share an address.
    let nodes: Vec<SocketAddr> = servers.iter().map(Server::address).collect();
    let mut probe = probe_at(&nodes, SCHEDULE, Instant::now()).await;
    let samples = [answers(&mut probe, 12).await, rest(probe).await].concat();
    assert!(samples.iter().all(Sample::is_good), "{samples:?}");
    for server in &servers {
        for head in server.asked_times(4).await {
            assert!(head.to_ascii_lowercase().contains("host: lb.example"));
        }
        let (least, most) = (samples.len() / 3, samples.len() / 3 + 2);
        assert!(
            (least - 1..=most).contains(&server.asked()),
            "{} of {}",
            server.asked(),
            samples.len()
        );
    }
}

#[tokio::test]
async fn times_count_from_the_origin() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    // There were checks before the probe.
    let ahead = Duration::from_secs(2);
    let origin = Instant::now()
        .checked_sub(ahead)
        .expect("a machine that is up");
    let mut probe = probe(&server, origin).await;
    let samples = answers(&mut probe, 1).await;
    assert!(samples[0].scheduled_at >= ahead, "{samples:?}");
    assert!(samples[0].answered_at() <= origin.elapsed());
    assert!(probe.oldest_pending() >= samples[0].scheduled_at);
}

#[tokio::test]
async fn a_failure_is_a_sample_like_any_other() {
    let server = Server::start(|n| match n {
        0 => Reply::SendAndClose(String::new()),
        1 => Reply::Send(with_status(503, "")),
        _ => Reply::Send(ok("")),
    })
    .await;
    let mut probe = probe(&server, Instant::now()).await;
    let samples = [answers(&mut probe, 5).await, rest(probe).await].concat();
    let failed: Vec<_> = samples.iter().filter(|sample| !sample.is_good()).collect();
    let statuses: Vec<_> = failed.iter().map(|sample| sample.answer.status()).collect();
    assert_eq!(statuses.len(), 2, "{failed:?}");
    assert!(
        statuses.contains(&None) && statuses.contains(&Some(503)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn a_name_that_nobody_knows_fails_every_request_until_it_is_known() {
    let address = Address::parse("http://nobody.invalid/").unwrap();
    let client = Client::new(&address, Question::default(), PATIENCE).unwrap();
    let origin = Instant::now();
    let mut probe = Probe::start(client, &address, SCHEDULE, Connections::Both, origin).await;
    for sample in answers(&mut probe, 3).await {
        assert!(!sample.is_good() && sample.node.is_none(), "{sample:?}");
        assert!(body(&sample).contains("nobody.invalid"), "{sample:?}");
    }
}

#[tokio::test]
async fn after_stop_what_is_under_way_is_still_reported() {
    let server = Server::start(|_| Reply::Stall(String::new(), ok(""))).await;
    let probe = probe(&server, Instant::now()).await;
    server.asked_times(3).await;
    probe.stop();
    assert_eq!(probe.oldest_pending(), probe.offset);
    server.release();
    let samples = rest(probe).await;
    assert!(samples.len() >= 3, "{samples:?}");
    assert_schedule(&samples);
}
