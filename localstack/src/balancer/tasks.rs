//! The tasks of one load balancer: none outlives it.

use std::future::Future;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    ended: CancellationToken,
}

impl Tasks {
    pub fn new() -> Self {
        Self {
            tracker: TaskTracker::new(),
            ended: CancellationToken::new(),
        }
    }

    /// A token for a part of the work, cancelled at the latest with all.
    pub fn part(&self) -> CancellationToken {
        self.ended.child_token()
    }

    /// Runs until it is done, or all is ended.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.spawn_until(self.ended.clone(), work);
    }

    /// Runs until it is done, or that part is ended: then it is dropped.
    pub fn spawn_until(
        &self,
        end: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) {
        self.tracker.spawn(async move {
            // Which of both it was is of no interest.
            let _ = end.run_until_cancelled_owned(work).await;
        });
    }

    /// Tells all to end, without waiting.
    pub fn cancel(&self) {
        self.ended.cancel();
    }

    /// Ends all, and waits until it has.
    pub async fn end(&self) {
        self.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, work: F) {
        self.spawn(work);
    }
}
