//! Target health is read at most once a second for each group.
//!
//! The second counts from the answer: however long the way to AWS takes, two polls arrive
//! there no closer together than that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep_until};

const SPACING: Duration = Duration::from_secs(1);

/// When a group's last poll ended; locked while one is under way.
type Last = Arc<tokio::sync::Mutex<Option<Instant>>>;

#[derive(Debug, Default)]
pub struct Polls(Mutex<HashMap<String, Last>>);

/// The permit to poll one group, until it is dropped.
#[derive(Debug)]
pub struct PollPermit(OwnedMutexGuard<Option<Instant>>);

impl Polls {
    pub async fn turn(&self, group: &str) -> PollPermit {
        let last = self.of(group).lock_owned().await;
        if let Some(last) = *last {
            sleep_until(last + SPACING).await;
        }
        PollPermit(last)
    }

    fn of(&self, group: &str) -> Last {
        let mut groups = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        groups.entry(group.to_owned()).or_default().clone()
    }
}

impl Drop for PollPermit {
    fn drop(&mut self) {
        *self.0 = Some(Instant::now());
    }
}
