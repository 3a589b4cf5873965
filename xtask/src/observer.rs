//! Somebody who uses production all the while, and is not bgecs's own probe.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use crate::Result;

/// Fifty requests a second.
const PACE: Duration = Duration::from_millis(20);
const TIMEOUT: Duration = Duration::from_secs(5);

/// A load balancer's address, and the way to it.
#[derive(Debug, Clone)]
pub struct Door {
    endpoint: String,
    host: String,
    http: reqwest::Client,
}

impl Door {
    pub fn new(endpoint: &str, host: &str) -> Result<Self> {
        let http = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            host: host.to_owned(),
            http,
        })
    }

    /// Status and body of one answer.
    pub async fn get(&self, path: &str) -> Result<(u16, String)> {
        let response = self
            .http
            .get(format!("{}{path}", self.endpoint))
            .header("host", &self.host)
            .send()
            .await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}

/// What was seen.
#[derive(Debug, Default)]
pub struct Seen {
    pub sent: usize,
    pub failures: Vec<String>,
}

/// Asks on and on until it is stopped.
#[derive(Debug)]
pub struct Observer {
    stop: Arc<AtomicBool>,
    task: JoinHandle<Seen>,
}

impl Observer {
    pub fn start(door: Door, path: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let task = tokio::spawn(watch(door, path, Arc::clone(&stop)));
        Self { stop, task }
    }

    /// Waits for the last answers.
    pub async fn stop(self) -> Result<Seen> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(self.task.await?)
    }
}

async fn watch(door: Door, path: &'static str, stop: Arc<AtomicBool>) -> Seen {
    let mut ticks = interval(PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut asked = JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        ticks.tick().await;
        let door = door.clone();
        asked.spawn(async move { door.get(path).await });
    }
    let mut seen = Seen::default();
    while let Some(answer) = asked.join_next().await {
        seen.sent += 1;
        match answer {
            Ok(Ok((200, _))) => {}
            Ok(Ok((status, body))) => seen.failures.push(format!("HTTP {status}: {body}")),
            Ok(Err(error)) => seen.failures.push(error.to_string()),
            Err(error) => seen.failures.push(error.to_string()),
        }
    }
    seen
}
