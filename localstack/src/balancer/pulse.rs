//! How long an exchange has been without a byte, in either direction; how long a
//! connection of several exchanges at once has been without any.
//!
//! "If no data has been sent or received by the time that the idle timeout
//! period elapses, the load balancer closes the connection":
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html>.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, Sleep};

/// Beats with every piece of data; shared by the two directions.
#[derive(Debug)]
pub struct Pulse {
    origin: Instant,
    /// In milliseconds since the origin.
    last: AtomicU64,
    /// Whether it is the client that all wait for.
    client_owes: AtomicBool,
}

impl Pulse {
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            last: AtomicU64::new(0),
            client_owes: AtomicBool::new(false),
        })
    }

    pub fn beat(&self) {
        let now = u64::try_from(self.origin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Relaxed);
    }

    /// Notes whether the rest of the request has yet to come from the client.
    pub fn client_owes(&self, owes: bool) {
        self.client_owes.store(owes, Ordering::Relaxed);
    }

    pub fn waits_for_client(&self) -> bool {
        self.client_owes.load(Ordering::Relaxed)
    }

    fn last(&self) -> Instant {
        self.origin + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }
}

/// Notices when a pulse has stopped for as long as the idle timeout.
///
/// Its timer is not moved with each beat, which would cost more than the beat:
/// it is looked at anew when it fires.
#[derive(Debug)]
pub struct Watch {
    pulse: Arc<Pulse>,
    idle_timeout: Duration,
    timer: Pin<Box<Sleep>>,
}

impl Watch {
    pub fn new(pulse: Arc<Pulse>, idle_timeout: Duration) -> Self {
        let timer = Box::pin(tokio::time::sleep_until(pulse.last() + idle_timeout));
        Self {
            pulse,
            idle_timeout,
            timer,
        }
    }

    pub fn pulse(&self) -> &Arc<Pulse> {
        &self.pulse
    }

    pub fn poll_stopped(&mut self, context: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.timer.as_mut().poll(context));
            let due = self.pulse.last() + self.idle_timeout;
            if due <= Instant::now() {
                return Poll::Ready(());
            }
            self.timer.as_mut().reset(due);
        }
    }

    /// Waits until nothing has moved for the idle timeout.
    pub async fn stopped(&mut self) {
        std::future::poll_fn(|context| self.poll_stopped(context)).await;
    }
}

/// The exchanges that a connection has in hand. Each has a pulse of its own.
#[derive(Debug, Clone, Default)]
pub struct Turns(Arc<watch::Sender<usize>>);

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Turn(Turns);

impl Turns {
    pub fn begin(&self) -> Turn {
        self.0.send_modify(|count| *count += 1);
        Turn(self.clone())
    }

    /// Waits until there was none for the idle timeout.
    pub async fn ceased(&self, idle_timeout: Duration) {
        let mut count = self.0.subscribe();
        // The sender is its own: it does not go.
        while count.wait_for(|count| *count == 0).await.is_ok() {
            if tokio::time::timeout(idle_timeout, count.changed())
                .await
                .is_err()
            {
                return;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_have_ceased_when_none_is_in_hand_for_the_time() {
        let idle_timeout = Duration::from_millis(60);
        let turns = Turns::default();
        let work = async {
            for _ in 0..3 {
                let _turn = turns.begin();
                tokio::time::sleep(idle_timeout * 2).await;
            }
            Instant::now()
        };
        let ceased = async {
            turns.ceased(idle_timeout).await;
            Instant::now()
        };
        let (latest, ceased) = tokio::join!(work, ceased);
        assert!(ceased >= latest + idle_timeout);
    }

    #[tokio::test]
    async fn a_pulse_has_stopped_when_nothing_beats_for_the_time() {
        let idle_timeout = Duration::from_millis(60);
        let pulse = Pulse::new();
        let mut watch = Watch::new(pulse.clone(), idle_timeout);
        let mut latest = Instant::now();
        let beats = async {
            for _ in 0..4 {
                tokio::time::sleep(Duration::from_millis(20)).await;
                latest = Instant::now();
                pulse.beat();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = watch.stopped() => {}
            () = beats => unreachable!("beats never end"),
        }
        // A beat is noted in whole milliseconds.
        assert!(latest.elapsed() + Duration::from_millis(1) >= idle_timeout);
    }
}
