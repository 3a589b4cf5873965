//! Waiting for a bucket's token, in the order of arrival.

use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::bucket::TokenBucket;

#[derive(Debug)]
pub struct Queue {
    origin: Instant,
    /// Held while waiting for a token: tokio hands it over in the order of asking.
    bucket: Mutex<TokenBucket>,
}

impl Queue {
    pub fn new(bucket: TokenBucket) -> Self {
        Self {
            origin: Instant::now(),
            bucket: Mutex::new(bucket),
        }
    }

    /// Waits for a token and takes it. A caller that stops waiting takes none.
    pub async fn pass(&self) {
        let mut bucket = self.bucket.lock().await;
        while let Err(later) = bucket.take(self.now()) {
            sleep_until(self.origin + later).await;
        }
    }

    fn now(&self) -> Duration {
        self.origin.elapsed()
    }
}
