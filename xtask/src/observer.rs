//! Somebody who uses production all the while, and is not bgecs's own probe.

pub mod shares;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::Result;

/// Fifty requests a second.
pub const PACE: Duration = Duration::from_millis(20);
/// Two hundred: for how long users failed.
pub const CLOSE: Duration = Duration::from_millis(5);
/// So many requests are under way at most: where nothing answers, more of them
/// would say nothing more, and take the sockets of others.
const AT_ONCE: usize = 200;
const TIMEOUT: Duration = Duration::from_secs(10);

/// A load balancer's name, and the ways to it.
#[derive(Debug, Clone)]
pub struct Door {
    /// Those of the load balancer that can be told apart.
    nodes: Vec<Node>,
    host: String,
}

#[derive(Debug, Clone)]
struct Node {
    /// Without a path.
    url: String,
    fresh: reqwest::Client,
    reused: reqwest::Client,
}

impl Node {
    fn new(url: String, client: impl Fn() -> reqwest::ClientBuilder) -> Result<Self> {
        Ok(Self {
            url,
            fresh: client().pool_max_idle_per_host(0).build()?,
            reused: client().build()?,
        })
    }
}

fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .timeout(TIMEOUT)
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
}

impl Door {
    /// `nodes` are URLs without a path.
    pub fn new(nodes: Vec<String>, host: &str) -> Result<Self> {
        let nodes = nodes.into_iter().map(|url| Node::new(url, client));
        Ok(Self {
            nodes: nodes.collect::<Result<_>>()?,
            host: host.to_owned(),
        })
    }

    /// The same by HTTPS, with the host as the server's name; `ca` is whom to trust,
    /// as PEM.
    pub fn secure(nodes: &[SocketAddr], host: &str, ca: &str) -> Result<Self> {
        let ca = reqwest::Certificate::from_pem(ca.as_bytes())?;
        let nodes = nodes.iter().map(|node| {
            let url = format!("https://{host}:{}", node.port());
            Node::new(url, || {
                client().resolve(host, *node).tls_certs_only([ca.clone()])
            })
        });
        Ok(Self {
            nodes: nodes.collect::<Result<_>>()?,
            host: host.to_owned(),
        })
    }

    /// Status and body of one answer.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let reply = self.ask(0, Reuse::Kept, path).await?;
        Ok((reply.status, reply.body))
    }

    /// The release that answers, where it says so.
    pub async fn release(&self) -> Result<Option<String>> {
        Ok(self.ask(0, Reuse::Fresh, "/api").await?.release)
    }

    /// The n-th of many: each node in turn, over a fresh and over a kept
    /// connection in turn.
    async fn get_nth(&self, n: usize, path: &str) -> Answer {
        let node = n % self.nodes.len();
        let fresh = (n / self.nodes.len()).is_multiple_of(2);
        let reuse = if fresh { Reuse::Fresh } else { Reuse::Kept };
        let sent = Instant::now();
        let outcome = self.ask(node, reuse, path).await;
        Answer {
            node,
            sent,
            answered: Instant::now(),
            outcome: outcome.map_err(|error| with_causes(&*error)),
        }
    }

    async fn ask(&self, node: usize, reuse: Reuse, path: &str) -> Result<Reply> {
        let node = self.nodes.get(node);
        let node = node.ok_or("the load balancer has no node")?;
        let client = match reuse {
            Reuse::Fresh => &node.fresh,
            Reuse::Kept => &node.reused,
        };
        let response = client
            .get(format!("{}{path}", node.url))
            .header("host", &self.host)
            .send()
            .await?;
        let release = response.headers().get("x-bgecs-release");
        Ok(Reply {
            release: release.and_then(|tag| Some(tag.to_str().ok()?.to_owned())),
            status: response.status().as_u16(),
            body: response.text().await?,
        })
    }
}

/// Over which connection is asked.
#[derive(Debug, Clone, Copy)]
enum Reuse {
    Fresh,
    Kept,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: u16,
    body: String,
    /// The one that answered, where it says so.
    release: Option<String>,
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let causes: String = causes.map(|cause| format!(": {cause}")).collect();
    format!("{error}{causes}")
}

/// One request of the observer's.
#[derive(Debug)]
pub struct Answer {
    pub node: usize,
    pub sent: Instant,
    pub answered: Instant,
    outcome: std::result::Result<Reply, String>,
}

impl Answer {
    /// One that took no time.
    #[cfg(test)]
    pub fn of(sent: Instant, status: u16, body: &str) -> Self {
        Self {
            node: 0,
            sent,
            answered: sent,
            outcome: Ok(Reply {
                status,
                body: body.to_owned(),
                release: None,
            }),
        }
    }

    /// Such a one of that release.
    #[cfg(test)]
    pub fn from_release(sent: Instant, status: u16, release: &str) -> Self {
        let mut answer = Self::of(sent, status, "");
        if let Ok(reply) = &mut answer.outcome {
            reply.release = Some(release.to_owned());
        }
        answer
    }

    /// The release that answered, where it says so.
    pub fn release(&self) -> Option<&str> {
        self.outcome.as_ref().ok()?.release.as_deref()
    }

    /// Whether it is an answer that has this in it.
    pub fn says(&self, part: &str) -> bool {
        matches!(&self.outcome, Ok(reply) if reply.body.contains(part))
    }

    /// Why it is not what a user wants; None for a 200.
    pub fn failure(&self) -> Option<String> {
        match &self.outcome {
            Ok(Reply { status: 200, .. }) => None,
            Ok(Reply { status, body, .. }) => Some(format!("HTTP {status}: {body}")),
            Err(error) => Some(error.clone()),
        }
    }
}

/// What was seen, in the order in which it was sent.
#[derive(Debug)]
pub struct Seen(pub Vec<Answer>);

impl Seen {
    /// How many requests there were, of which none may have failed.
    pub fn unharmed(&self) -> Result<usize> {
        let failures: Vec<String> = self.0.iter().filter_map(Answer::failure).collect();
        match failures.first() {
            None => Ok(self.0.len()),
            Some(first) => Err(format!(
                "{} of {} requests failed: {first}",
                failures.len(),
                self.0.len()
            )
            .into()),
        }
    }
}

/// From the first to the last of those answers; `None` where there are none.
pub fn span<'a>(answers: impl IntoIterator<Item = &'a Answer>) -> Option<Duration> {
    let times: Vec<Instant> = answers.into_iter().map(|one| one.answered).collect();
    let (first, last) = (times.iter().min()?, times.iter().max()?);
    Some(*last - *first)
}

/// Asks on and on until it is stopped.
#[derive(Debug)]
pub struct Observer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Seen>,
}

impl Observer {
    /// A request every `pace`, however long the answers take.
    pub fn start(door: Door, path: &'static str, pace: Duration) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(watch(door, path, pace, Arc::clone(&stop)));
        Self { stop, task }
    }

    /// Waits for the last answers.
    pub async fn stop(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

async fn watch(door: Door, path: &'static str, pace: Duration, stop: Arc<AtomicBool>) -> Seen {
    let door = Arc::new(door);
    let mut ticks = interval(pace);
    // A machine that had no time for a while is not asked for all of it at once.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut asked = JoinSet::new();
    let mut seen = Vec::new();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        while let Some(answer) = asked.try_join_next() {
            seen.extend(answer);
        }
        if asked.len() < AT_ONCE {
            let door = Arc::clone(&door);
            asked.spawn(async move { door.get_nth(count, path).await });
            count += 1;
        }
    }
    seen.extend(asked.join_all().await);
    seen.sort_by_key(|answer| answer.sent);
    Seen(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_failed_from_the_first_to_the_last_failed_answer() {
        let start = Instant::now();
        let statuses = [(0, 200), (5, 500), (10, 200), (15, 502), (20, 200)];
        let at = |ms, status| Answer::of(start + Duration::from_millis(ms), status, "");
        let seen: Vec<Answer> = statuses.map(|(ms, status)| at(ms, status)).into();
        let failed = |seen: &[Answer]| span(seen.iter().filter(|one| one.failure().is_some()));
        assert_eq!(failed(&seen), Some(Duration::from_millis(10)));
        assert_eq!(failed(&seen[..2]), Some(Duration::ZERO));
        assert_eq!(failed(&seen[..1]), None);
    }
}
