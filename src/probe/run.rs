//! The probe: sends requests on an absolute schedule and reports answers as they come.
//!
//! It runs on its own thread, so that the rest of bgecs does not delay requests, and
//! requests delay nothing else.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::address::Address;
use super::client::Client;
use super::nodes::Nodes;
use super::pace::{Schedule, Ticks};
use super::pulse::Pulse;
use super::sockets;
use crate::model::{Connection, Lost, Sample};

/// From this many new connections a second on, each is reset at its end: a machine has
/// about 28,000 ports, and a connection that was closed in order occupies one for another
/// minute (RFC 9293, 3.6.1).
const MANY_FRESH: f64 = 200.0;

/// Answers within this time are passed on together.
const TOGETHER: Duration = Duration::from_millis(10);

/// Which kinds of connection are asked over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Connections {
    /// A new one for each request, as a new visitor
    Fresh,
    /// Kept ones, as a browser or a service with keep-alive
    Reused,
    /// The two in turn
    #[default]
    Both,
}

impl Connections {
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Reused, Self::Both];

    /// As a flag and the file name it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Reused => "reused",
            Self::Both => "both",
        }
    }

    /// The kind of request `n`, and its number among those of its kind.
    fn of(self, n: u64) -> (Connection, u64) {
        match self {
            Self::Fresh => (Connection::Fresh, n),
            Self::Reused => (Connection::Reused, n),
            Self::Both if n.is_multiple_of(2) => (Connection::Fresh, n / 2),
            Self::Both => (Connection::Reused, n / 2),
        }
    }

    fn share_of_fresh(self) -> f64 {
        match self {
            Self::Fresh => 1.0,
            Self::Reused => 0.0,
            Self::Both => 0.5,
        }
    }
}

/// A running probe. Dropping it stops it; requests under way are abandoned.
#[derive(Debug)]
pub struct Probe {
    samples: mpsc::UnboundedReceiver<Vec<Sample>>,
    /// Received, but not returned yet.
    taken: VecDeque<Sample>,
    shared: Arc<Shared>,
    /// Dropping it also stops the probe.
    is_over: watch::Sender<bool>,
    schedule: Schedule,
    /// From the origin to the start.
    offset: Duration,
}

/// Shared by both sides.
#[derive(Debug, Default)]
struct Shared {
    sent: Mutex<Sent>,
    /// How many were due but were never sent.
    unsent: AtomicU64,
    /// How many were sent, but this process was not running when their answers were due.
    unheard: AtomicU64,
}

#[derive(Debug, Default)]
struct Sent {
    count: u64,
    /// The numbers of requests whose answers have not been taken yet.
    pending: BTreeSet<u64>,
}

impl Shared {
    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Probe {
    /// Starts at once, with every node in turn. Times in its samples count from `origin`.
    pub async fn start(
        client: Client,
        address: &Address,
        schedule: Schedule,
        connections: Connections,
        origin: Instant,
    ) -> Self {
        let nodes = Nodes::of(address).await;
        let is_many = schedule.rate * connections.share_of_fresh() > MANY_FRESH;
        let (tell, samples) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared::default());
        let start = Instant::now();
        let offset = start.saturating_duration_since(origin);
        let (is_over, told) = watch::channel(false);
        let most = sockets::at_once();
        let asking = RequestLoop {
            client: client.resetting(is_many),
            nodes,
            schedule,
            connections,
            start,
            offset,
            outbox: Outbox::new(tell, schedule.pace()),
            shared: Arc::clone(&shared),
            under_way: Arc::new(Semaphore::new(most as usize)),
            most,
            pulse: Arc::new(Pulse::new()),
        };
        // The name shows in profiles.
        let thread = thread::Builder::new().name("probe".to_owned());
        // Without a thread the probe ends at once, which the listener sees.
        let _ = thread.spawn(move || Arc::new(asking).run(told));
        Self {
            samples,
            taken: VecDeque::new(),
            shared,
            is_over,
            schedule,
            offset,
        }
    }

    /// The next answer, or what happened instead; `None` after `stop`, once the last one
    /// has come.
    pub async fn next(&mut self) -> Option<Sample> {
        while self.taken.is_empty() {
            self.taken.extend(self.samples.recv().await?);
        }
        let sample = self.taken.pop_front()?;
        // Not earlier, or an answer in the queue would not count as pending.
        self.shared.sent().pending.remove(&sample.n);
        Some(sample)
    }

    /// Sends no more requests. Those under way are still reported.
    pub fn stop(&self) {
        self.is_over.send_replace(true);
    }

    /// When the oldest request was due whose answer has not been taken yet; if there is
    /// none, when the next one is due.
    pub fn oldest_pending(&self) -> Duration {
        let sent = self.shared.sent();
        let oldest = sent.pending.first().copied().unwrap_or(sent.count);
        self.offset + self.schedule.due(oldest)
    }

    /// How many due requests it knows nothing about: they had not been sent when it was
    /// stopped, or this process did not run at their time.
    pub fn unsent(&self) -> u64 {
        self.shared.unsent.load(Ordering::Acquire) + self.shared.unheard.load(Ordering::Acquire)
    }
}

/// Good answers wait here a little for each other, because waking the listener costs more
/// than a request. A failure is passed on at once, together with what came before it.
#[derive(Debug)]
struct Outbox {
    tell: mpsc::UnboundedSender<Vec<Sample>>,
    /// How long a good answer waits at most while requests are being sent.
    patience: Duration,
    waiting: Mutex<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    samples: Vec<Sample>,
    passed_on: Instant,
}

impl Outbox {
    fn new(tell: mpsc::UnboundedSender<Vec<Sample>>, pace: Duration) -> Self {
        let waiting = Waiting {
            samples: Vec::new(),
            passed_on: Instant::now(),
        };
        Self {
            tell,
            // With a slow probe, no next request would take them along soon.
            patience: if pace < TOGETHER {
                TOGETHER
            } else {
                Duration::ZERO
            },
            waiting: Mutex::new(waiting),
        }
    }

    fn put(&self, sample: Sample) {
        let is_urgent = !sample.is_good();
        self.waiting().samples.push(sample);
        match is_urgent {
            true => self.pass_on(),
            false => self.pass_on_in_time(),
        }
    }

    /// Unless the last ones were passed on a moment ago.
    fn pass_on_in_time(&self) {
        if self.waiting().passed_on.elapsed() >= self.patience {
            self.pass_on();
        }
    }

    fn pass_on(&self) {
        let mut waiting = self.waiting();
        if !waiting.samples.is_empty() {
            waiting.passed_on = Instant::now();
            // Nobody may be listening any more: the operation has ended.
            let _ = self.tell.send(std::mem::take(&mut waiting.samples));
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The thread's side.
#[derive(Debug)]
struct RequestLoop {
    client: Client,
    nodes: Nodes,
    schedule: Schedule,
    connections: Connections,
    start: Instant,
    /// From the origin to the start.
    offset: Duration,
    outbox: Outbox,
    shared: Arc<Shared>,
    under_way: Arc<Semaphore>,
    /// The most that may be under way.
    most: u32,
    pulse: Arc<Pulse>,
}

impl RequestLoop {
    fn run(self: Arc<Self>, is_over: watch::Receiver<bool>) {
        // Without a runtime the probe ends at once, which the listener sees.
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
            return;
        };
        runtime.block_on(async {
            // The same without a timer.
            let Ok(ticks) = Ticks::new(self.schedule, self.start, is_over) else {
                return;
            };
            tokio::spawn(self.nodes.clone().follow());
            tokio::spawn(Arc::clone(&self.pulse).follow());
            tokio::select! {
                () = self.send_all(ticks) => {}
                () = self.outbox.tell.closed() => {}
            }
        });
        // A lookup that hangs must not block the thread.
        runtime.shutdown_background();
    }

    async fn send_all(self: &Arc<Self>, mut ticks: Ticks) {
        let (mut next, mut missed) = (0, 0);
        let mut turn = Instant::now();
        while let Some(count) = ticks.next().await {
            self.outbox.pass_on_in_time();
            if self.pulse.was_away_since(turn) {
                // Requests that were due meanwhile are not made up for: no user would
                // send so many at once.
                missed += count - 1 - next;
                next = count - 1;
            }
            turn = Instant::now();
            while next < count {
                let Some(permit) = self.room(&ticks).await else {
                    break;
                };
                let n = next;
                next += 1;
                {
                    let mut known = self.shared.sent();
                    known.pending.insert(n);
                    known.count = next;
                }
                let asking = Arc::clone(self);
                tokio::spawn(async move {
                    asking.ask(n).await;
                    drop(permit);
                });
            }
            let unsent = missed + count - next;
            self.shared.unsent.store(unsent, Ordering::Release);
        }
        // All permits are back when all requests have been answered.
        self.outbox.pass_on();
        let _ = self.under_way.acquire_many(self.most).await;
        self.outbox.pass_on();
    }

    /// A permit for another request; None if the probe was stopped while waiting.
    async fn room(&self, ticks: &Ticks) -> Option<OwnedSemaphorePermit> {
        let room = Arc::clone(&self.under_way);
        if let Ok(permit) = Arc::clone(&room).try_acquire_owned() {
            return Some(permit);
        }
        let permit = room.acquire_owned().await.ok()?;
        (!ticks.is_over()).then_some(permit)
    }

    async fn ask(&self, n: u64) {
        let (connection, turn) = self.connections.of(n);
        let began = Instant::now();
        let due = self.start + self.schedule.due(n);
        let late = due.elapsed();
        let nodes = self.nodes.now();
        let (node, asked) = match &nodes {
            Ok(nodes) => {
                let node = nodes[usize::try_from(turn % nodes.len() as u64).unwrap_or_default()];
                (Some(node.ip()), self.client.ask(node, connection).await)
            }
            Err(error) => (None, self.client.nothing(Lost::Other, error.clone())),
        };
        if self.pulse.was_away_since(began) {
            self.shared.unheard.fetch_add(1, Ordering::AcqRel);
            self.shared.sent().pending.remove(&n);
            return;
        }
        let sample = Sample {
            n,
            scheduled_at: self.offset + self.schedule.due(n),
            latency: due.elapsed(),
            late,
            way: None,
            node,
            connection,
            answer: asked.answer,
            unexpected: asked.unexpected,
        };
        self.outbox.put(sample);
    }
}

#[cfg(test)]
mod tests;
