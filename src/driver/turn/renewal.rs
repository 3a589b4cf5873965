//! Keeps the lease while its holder works, and knows for how long it is certainly held.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::aws::{Aws, HeadChange, LeaseChange, OperationChange, Unwritten};
use crate::model::journal::OperationId;

/// A moment on two clocks: one stops while the machine sleeps, the other can be set.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    pub fn now() -> Self {
        Self {
            monotonic: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// By the clock that shows more.
    fn elapsed(self) -> Duration {
        let wall = self.wall.elapsed().unwrap_or_default();
        self.monotonic.elapsed().max(wall)
    }
}

#[derive(Debug)]
struct LeaseStanding {
    /// When the last successful write was sent.
    renewed: Moment,
    is_lost: bool,
}

#[derive(Debug)]
pub struct Renewal {
    standing: Arc<Mutex<LeaseStanding>>,
    length: Duration,
    task: JoinHandle<()>,
}

impl Renewal {
    pub fn start(
        aws: &Aws,
        table: &str,
        fence: u64,
        holder: &OperationId,
        length: Duration,
    ) -> Self {
        let standing = Arc::new(Mutex::new(LeaseStanding {
            renewed: Moment::now(),
            is_lost: false,
        }));
        let (aws, table, holder) = (aws.clone(), table.to_owned(), holder.clone());
        let shared = Arc::clone(&standing);
        let task = tokio::spawn(async move {
            loop {
                sleep(length / 3).await;
                let sent = Moment::now();
                let change = HeadChange {
                    operation: OperationChange::Keep,
                    truth: None,
                    tenure: LeaseChange::Until(aws.journal_time() + length),
                    version: 0,
                };
                match aws.change_head(&table, fence, &holder, &change).await {
                    Ok(()) => set(&shared, |standing| standing.renewed = sent),
                    Err(Unwritten::Lost) => {
                        set(&shared, |standing| standing.is_lost = true);
                        return;
                    }
                    Err(Unwritten::Overtaken) => {}
                    // The next renewal may succeed in time.
                    Err(Unwritten::Aws(error)) => {
                        tracing::debug!(%error, "the lease could not be renewed");
                    }
                }
            }
        });
        Self {
            standing,
            length,
            task,
        }
    }

    /// Another write succeeded, sent at that moment.
    pub fn renewed(&self, sent: Moment) {
        set(&self.standing, |standing| standing.renewed = sent);
    }

    pub fn lose(&self) {
        set(&self.standing, |standing| standing.is_lost = true);
    }

    pub fn is_known_lost(&self) -> bool {
        set(&self.standing, |standing| standing.is_lost)
    }

    /// Whether nobody can have taken the lease yet, with enough time left for a call.
    pub fn still_holds(&self) -> bool {
        set(&self.standing, |standing| {
            standing.renewed.elapsed() < self.length / 2
        })
    }

    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for Renewal {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn set<T>(standing: &Mutex<LeaseStanding>, change: impl FnOnce(&mut LeaseStanding) -> T) -> T {
    change(&mut standing.lock().unwrap_or_else(PoisonError::into_inner))
}
