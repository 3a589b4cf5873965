use super::*;
use crate::model::Answer;
use crate::probe::testing::{PATIENCE, Reply, Server, ok, soon};

/// A request every 20 ms.
const SCHEDULE: Schedule = Schedule { rate: 50.0 };

fn probe(server: &Server, origin: Instant) -> Probe {
    Probe::start(
        Client::for_tests(PATIENCE),
        server.url("/"),
        SCHEDULE,
        origin,
    )
}

/// What the probe reported, in its order.
#[derive(Debug, Default)]
struct Told {
    /// When each request was due, by its number.
    sent: Vec<Duration>,
    answered: Vec<Sample>,
}

impl Told {
    fn take(&mut self, report: Report) {
        match report {
            Report::Sent { n, scheduled_at } => {
                assert_eq!(usize::try_from(n), Ok(self.sent.len()), "in their order");
                self.sent.push(scheduled_at);
            }
            Report::Answered(sample) => {
                assert!(
                    sample.n < self.sent.len() as u64,
                    "answered before it was sent"
                );
                self.answered.push(sample);
            }
        }
    }

    async fn answers(&mut self, probe: &mut Probe, count: usize) {
        while self.answered.len() < count {
            let report = soon(probe.next()).await.expect("the probe goes on");
            self.take(report);
        }
    }

    /// Stops the probe, and takes what is still under way.
    async fn rest(&mut self, mut probe: Probe) {
        probe.stop();
        while let Some(report) = soon(probe.next()).await {
            self.take(report);
        }
    }

    /// Every request was due its number of paces after the first.
    fn assert_schedule(&self) {
        let first = self.sent[0];
        for (n, due) in (0..).zip(&self.sent) {
            assert_eq!(*due, first + SCHEDULE.pace() * n, "request {n}");
        }
    }
}

#[test]
fn the_pace_follows_from_the_rate() {
    assert_eq!(SCHEDULE.pace(), Duration::from_millis(20));
    assert_eq!(Schedule { rate: 0.1 }.pace(), Duration::from_secs(10));
}

#[tokio::test]
async fn a_server_that_stalls_delays_no_later_request() {
    let server = Server::start(|n| match n {
        0 => Reply::Stall(String::new(), ok("late")),
        _ => Reply::Send(ok("at once")),
    })
    .await;
    let mut probe = probe(&server, Instant::now());
    let mut told = Told::default();
    told.answers(&mut probe, 9).await;
    assert!(told.answered.iter().all(|sample| sample.answer.is_ok()));
    let is_late =
        |sample: &Sample| matches!(&sample.answer, Answer::Http { body, .. } if body == "late");
    assert!(!told.answered.iter().any(is_late), "it is let go below");

    let until_now = *told.sent.last().unwrap();
    server.release();
    told.rest(probe).await;
    let late: Vec<&Sample> = told
        .answered
        .iter()
        .filter(|sample| is_late(sample))
        .collect();
    let [late] = late[..] else {
        panic!("{late:?}");
    };
    // The stall is in its own latency, and in nobody's schedule.
    assert!(late.answered_at() >= until_now, "{late:?}");
    told.assert_schedule();
    assert_eq!(
        told.answered.len(),
        told.sent.len(),
        "every request has its end"
    );
}

#[tokio::test]
async fn a_late_machine_sends_what_was_due_and_counts_from_then() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let origin = Instant::now();
    let mut probe = probe(&server, origin);
    let mut told = Told::default();
    told.answers(&mut probe, 1).await;
    // The one thread of this runtime is busy elsewhere, for several paces.
    let busy_from = origin.elapsed();
    std::thread::sleep(SCHEDULE.pace() * 10);
    let free_again = origin.elapsed();
    while told.sent.last().is_none_or(|due| *due < free_again) {
        told.take(soon(probe.next()).await.expect("the probe goes on"));
    }
    told.rest(probe).await;
    told.assert_schedule();
    let due_meanwhile = |sample: &&Sample| (busy_from..free_again).contains(&sample.scheduled_at);
    let held_up: Vec<&Sample> = told.answered.iter().filter(due_meanwhile).collect();
    assert!(held_up.len() >= 9, "{held_up:?}");
    for sample in held_up {
        assert!(sample.answered_at() >= free_again, "{sample:?}");
    }
}

#[tokio::test]
async fn fresh_and_kept_connections_take_turns() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    let mut probe = probe(&server, Instant::now());
    let mut told = Told::default();
    told.answers(&mut probe, 6).await;
    told.rest(probe).await;
    for sample in &told.answered {
        let expected = match sample.n % 2 {
            0 => Connection::Fresh,
            _ => Connection::Reused,
        };
        assert_eq!(sample.connection, expected, "{sample:?}");
    }
}

#[tokio::test]
async fn times_count_from_the_origin() {
    let server = Server::start(|_| Reply::Send(ok(""))).await;
    // Checks went ahead of the probe.
    let ahead = Duration::from_secs(2);
    let origin = Instant::now()
        .checked_sub(ahead)
        .expect("a machine that is up");
    let mut told = Told::default();
    let mut probe = probe(&server, origin);
    told.answers(&mut probe, 1).await;
    assert!(told.sent[0] >= ahead, "{:?}", told.sent[0]);
    assert!(told.answered[0].answered_at() <= origin.elapsed());
}

#[tokio::test]
async fn a_failure_is_a_sample_like_any_other() {
    let server = Server::start(|n| match n {
        0 => Reply::SendAndClose(String::new()),
        1 => Reply::Send(crate::probe::testing::with_status(503, "")),
        _ => Reply::Send(ok("")),
    })
    .await;
    let mut probe = probe(&server, Instant::now());
    let mut told = Told::default();
    told.answers(&mut probe, 5).await;
    told.rest(probe).await;
    let failed: Vec<_> = told
        .answered
        .iter()
        .filter(|sample| !sample.answer.is_ok())
        .collect();
    let statuses: Vec<_> = failed.iter().map(|sample| sample.answer.status()).collect();
    assert_eq!(statuses.len(), 2, "{failed:?}");
    assert!(
        statuses.contains(&None) && statuses.contains(&Some(503)),
        "{failed:?}"
    );
}

#[tokio::test]
async fn after_stop_what_is_under_way_is_still_reported() {
    let server = Server::start(|_| Reply::Stall(String::new(), ok(""))).await;
    let mut probe = probe(&server, Instant::now());
    let mut told = Told::default();
    server.asked_times(3).await;
    probe.stop();
    // Nothing is answered yet, and all that was sent is known.
    while let Ok(report) = probe.reports.try_recv() {
        told.take(report);
    }
    assert_eq!(told.answered, []);
    let under_way = told.sent.len();
    assert!(under_way >= 3, "{told:?}");
    server.release();
    told.rest(probe).await;
    assert_eq!(
        (told.sent.len(), told.answered.len()),
        (under_way, under_way)
    );
}
