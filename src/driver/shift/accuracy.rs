//! Compares what a report says of a load balancer with what that did, and when.
//!
//! No bound is a number of milliseconds: an answer left the server at some time between
//! the sample's being sent and its answer, and anything in between is accepted. So a busy
//! machine makes the statements weaker, but never wrong.

mod changeover;
mod fast;
mod gaps;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::engine::seen::{Changed, Identities, Identity, ProbeReport, Releases, Seen};
use crate::model::{Answer, Connection, Sample};
use crate::probe::testing::balancer::{Balancer, Lane, NODES, Note, Plan};
use crate::probe::testing::soon;
use crate::probe::{Address, Client, Connections, Probe, Question, Schedule};

const KINDS: [Connection; 2] = [Connection::Fresh, Connection::Reused];
const LANES: usize = NODES.len() * KINDS.len();
/// Requests under way when a run ends must end within this time.
const TIMEOUT: Duration = Duration::from_secs(5);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn left(sample: &Sample) -> Duration {
    sample.scheduled_at + sample.late
}

fn lane(sample: &Sample) -> Lane {
    (sample.node.unwrap(), sample.connection)
}

/// A probe of the load balancer, evaluated as in a swap.
struct Run {
    balancer: Balancer,
    probe: Probe,
    seen: Seen,
    changed: Changed,
    rate: f64,
    samples: Vec<Sample>,
}

impl Run {
    async fn start(rate: f64) -> Self {
        let origin = Instant::now().into_std();
        let balancer = Balancer::start(origin).await;
        let address = Address::parse("http://lb.example/").unwrap();
        let address = address.through(&balancer.through());
        let client = Client::new(&address, Question::default(), TIMEOUT).unwrap();
        let schedule = Schedule { rate };
        let identity = |tag: &str| Identity {
            name: format!("tag {tag}"),
            release: Some(tag.to_owned()),
            body: None,
        };
        Self {
            balancer,
            probe: Probe::start(client, &address, schedule, Connections::Both, origin).await,
            seen: Seen::new(Releases::Two(Identities {
                old: identity("1"),
                new: identity("2"),
            })),
            changed: Changed::default(),
            rate,
            samples: Vec::new(),
        }
    }

    async fn next(&mut self) -> Option<&Sample> {
        let sample = soon(self.probe.next()).await?;
        self.seen.add(&sample, self.changed);
        self.samples.push(sample);
        self.samples.last()
    }

    /// Until that many requests to every node and kind of connection have been sent since
    /// then.
    async fn until_each_lane_was_asked(&mut self, times: usize, since: Duration) {
        let mut asked: BTreeMap<Lane, usize> = BTreeMap::new();
        soon(async {
            while asked.values().filter(|asked| **asked >= times).count() < LANES {
                let sample = self.next().await.unwrap();
                if left(sample) >= since {
                    *asked.entry(lane(sample)).or_default() += 1;
                }
            }
        })
        .await;
    }

    fn report(&self) -> ProbeReport {
        let unsent = self.probe.unsent();
        self.seen.report(self.rate, self.changed.began, unsent)
    }

    async fn end(mut self) -> Ended {
        self.probe.stop();
        while self.next().await.is_some() {}
        self.samples.sort_by_key(|sample| sample.n);
        let (plan, notes) = self.balancer.record();
        Ended {
            report: self.report(),
            pending: self.probe.oldest_pending(),
            began: self.changed.began,
            seen: self.seen,
            samples: self.samples,
            plan,
            notes,
        }
    }
}

struct Ended {
    samples: Vec<Sample>,
    seen: Seen,
    report: ProbeReport,
    pending: Duration,
    began: Option<Duration>,
    plan: Plan,
    notes: Vec<Note>,
}

impl Ended {
    /// Each sample with the server's matching note, except samples that never arrived.
    fn noted(&self) -> Vec<(&Sample, Note)> {
        let mut noted = Vec::new();
        let mut taken = BTreeSet::new();
        for sample in &self.samples {
            let Answer::Http { body, .. } = &*sample.answer else {
                continue;
            };
            let number: usize = body.parse().unwrap();
            assert!(taken.insert(number), "answered twice: {sample:?}");
            let note = self.notes[number];
            assert_eq!(sample.node, Some(note.lane.0));
            let took = left(sample)..=sample.answered_at();
            assert!(took.contains(&note.came), "{note:?} {sample:?}");
            assert_eq!(sample.is_good(), !note.is_down, "{note:?} {sample:?}");
            let is_fresh = note.lane.1 == Connection::Fresh;
            assert!(is_fresh || sample.connection == Connection::Reused);
            noted.push((sample, note));
        }
        noted
    }
}
