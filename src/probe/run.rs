//! The probe: requests on an absolute schedule, answers as they come.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::client::{Address, Client};
use crate::model::{Connection, Sample};

/// When requests leave: `start + n / rate`, whatever the answers do. A slow
/// answer delays no later request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Requests per second.
    pub rate: f64,
}

impl Schedule {
    pub fn pace(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// A request left; it was due then.
    Sent {
        n: u64,
        scheduled_at: Duration,
    },
    Answered(Sample),
}

/// A running probe. Dropping it stops it; requests under way are abandoned.
#[derive(Debug)]
pub struct Probe {
    reports: mpsc::UnboundedReceiver<Report>,
    sender: JoinHandle<()>,
}

impl Probe {
    /// Starts to ask at once. Times in its reports count from `origin`.
    pub fn start(client: Client, address: Address, schedule: Schedule, origin: Instant) -> Self {
        let (tell, reports) = mpsc::unbounded_channel();
        let sender = tokio::spawn(send(client, address, schedule, origin, tell));
        Self { reports, sender }
    }

    /// The next report; `None` after `stop`, once the last answer is in.
    pub async fn next(&mut self) -> Option<Report> {
        self.reports.recv().await
    }

    /// Sends no more. What is under way is still reported.
    pub fn stop(&self) {
        self.sender.abort();
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.sender.abort();
    }
}

async fn send(
    client: Client,
    address: Address,
    schedule: Schedule,
    origin: Instant,
    tell: mpsc::UnboundedSender<Report>,
) {
    let mut ticks = interval_at(Instant::now(), schedule.pace());
    // A late machine sends what is due at once, and the sample counts from when
    // it was due.
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for n in 0.. {
        let due = ticks.tick().await;
        let scheduled_at = due - origin;
        if tell.send(Report::Sent { n, scheduled_at }).is_err() {
            return;
        }
        // Alternating, so that either kind is asked half as often.
        let connection = if n % 2 == 0 {
            Connection::Fresh
        } else {
            Connection::Reused
        };
        let (client, address, tell) = (client.clone(), address.clone(), tell.clone());
        tokio::spawn(async move {
            let late = due.elapsed();
            let answer = client.ask(&address, connection).await;
            let sample = Sample {
                n,
                scheduled_at,
                latency: due.elapsed(),
                late,
                connection,
                answer,
            };
            // Nobody listens any more: the operation has ended.
            let _ = tell.send(Report::Answered(sample));
        });
    }
}

#[cfg(test)]
mod tests;
