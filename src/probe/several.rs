//! Several probes as one, for users who come in by several ways.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::select_all;

use super::Probe;
use super::certificate::Expiry;
use crate::model::Sample;

/// One probe for each way, all at the same rate. It ends with the first that ends by
/// itself; once stopped, with the last.
#[derive(Debug)]
pub struct Probes {
    all: Vec<ProbedWay>,
    is_stopped: Cell<bool>,
}

#[derive(Debug)]
struct ProbedWay {
    /// The address, by which a failure is named.
    name: Arc<str>,
    probe: Probe,
    expiry: Expiry,
    is_over: bool,
}

impl Probes {
    /// Each with the name of its address.
    pub fn new(all: impl IntoIterator<Item = (String, Probe, Expiry)>) -> Self {
        let all = all.into_iter().map(|(name, probe, expiry)| ProbedWay {
            name: name.into(),
            probe,
            expiry,
            is_over: false,
        });
        Self {
            all: all.collect(),
            is_stopped: Cell::new(false),
        }
    }

    /// The next answer of any probe; `None` once all that were stopped have ended, or one
    /// has ended that was not stopped.
    pub async fn next(&mut self) -> Option<Sample> {
        let count = u64::try_from(self.all.len()).unwrap_or(u64::MAX);
        loop {
            let running = self.all.iter_mut().zip(0..).filter(|(way, _)| !way.is_over);
            let answers = running.map(|(way, number)| {
                async move {
                    let sample = way.probe.next().await;
                    way.is_over = sample.is_none();
                    sample.map(|sample| Sample {
                        n: sample.n * count + number,
                        way: (count > 1).then(|| Arc::clone(&way.name)),
                        ..sample
                    })
                }
                .boxed()
            });
            let answers: Vec<_> = answers.collect();
            if answers.is_empty() {
                return None;
            }
            let (sample, ..) = select_all(answers).await;
            if sample.is_some() || !self.is_stopped.get() {
                return sample;
            }
        }
    }

    /// When the oldest request was due, on any way, whose answer has not been taken yet.
    pub fn oldest_pending(&self) -> Duration {
        let running = self.all.iter().filter(|way| !way.is_over);
        let oldest = running.map(|way| way.probe.oldest_pending()).min();
        oldest.unwrap_or(Duration::MAX)
    }

    /// Sends no more requests. Those under way are still reported.
    pub fn stop(&self) {
        self.is_stopped.set(true);
        for way in &self.all {
            way.probe.stop();
        }
    }

    /// As [`Probe::unsent`].
    pub fn unsent(&self) -> u64 {
        self.all.iter().map(|way| way.probe.unsent()).sum()
    }

    /// Warnings about the certificates that were met.
    pub fn warnings(&self) -> Vec<String> {
        let all = self.all.iter().filter_map(|way| way.expiry.warning());
        let mut all: Vec<String> = all.collect();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Instant;

    use super::*;
    use crate::probe::testing::{PATIENCE, Reply, Server, ok, soon, with_status};
    use crate::probe::{Address, Client, Connections, Question, Schedule};

    async fn probes(servers: &[&Server]) -> Probes {
        let mut all = Vec::new();
        let origin = Instant::now();
        for (server, name) in servers.iter().zip(["public", "internal"]) {
            let through = server.address().to_string();
            let address = Address::parse("http://lb.example/").unwrap();
            let address = address.through(&[through]);
            let client = Client::new(&address, Question::default(), PATIENCE).unwrap();
            let (schedule, expiry) = (Schedule { rate: 50.0 }, client.expiry());
            let probe = Probe::start(client, &address, schedule, Connections::Both, origin).await;
            all.push((name.to_owned(), probe, expiry));
        }
        Probes::new(all)
    }

    async fn rest(probes: &mut Probes) -> Vec<Sample> {
        let mut samples = Vec::new();
        while let Some(sample) = soon(probes.next()).await {
            samples.push(sample);
        }
        samples
    }

    #[tokio::test]
    async fn every_way_is_asked_and_a_failure_says_where_it_was() {
        let (well, ill) = (
            Server::start(|_| Reply::Send(ok("hello"))).await,
            Server::start(|_| Reply::Send(with_status(503, "no"))).await,
        );
        let mut probes = probes(&[&well, &ill]).await;
        let mut samples = Vec::new();
        let is_from = |way: &'static str| move |it: &Sample| it.way.as_deref() == Some(way);
        while samples.iter().filter(|it| is_from("public")(it)).count() < 5
            || samples.iter().filter(|it| is_from("internal")(it)).count() < 5
        {
            samples.push(soon(probes.next()).await.expect("both go on"));
        }
        assert!(probes.oldest_pending() < PATIENCE);
        probes.stop();
        samples.extend(rest(&mut probes).await);
        for sample in &samples {
            assert_eq!(sample.is_good(), is_from("public")(sample), "{sample:?}");
        }
        let numbers: BTreeSet<u64> = samples.iter().map(|it| it.n).collect();
        assert_eq!(numbers.len(), samples.len(), "each has its own number");
        assert_eq!(probes.oldest_pending(), Duration::MAX);
    }

    #[tokio::test]
    async fn one_way_alone_needs_no_name() {
        let server = Server::start(|_| Reply::Send(ok("hello"))).await;
        let mut probes = probes(&[&server]).await;
        let sample = soon(probes.next()).await.unwrap();
        assert_eq!((sample.n, sample.way), (0, None));
        probes.stop();
        rest(&mut probes).await;
        assert_eq!(probes.warnings(), Vec::<String>::new());
    }
}
