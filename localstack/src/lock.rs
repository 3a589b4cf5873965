//! File locks between processes and threads alike: each opens the file anew, so
//! two threads of one process exclude each other too. The kernel lets go of a
//! lock whose holder has died, which is why locks, and not files that exist or
//! process ids, say here who is alive.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::{Error, Result};

/// Installing and starting an engine, or building the image, is done under a
/// lock; whoever waits for it waits that long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(15 * 60);

const POLL: Duration = Duration::from_millis(50);

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub(crate) struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Unlocked rather than just closed: a child that another thread is just
        // starting has a copy of the descriptor until it runs its program.
        let _ = self.0.unlock();
    }
}

/// Waits for the lock on `path`, which no one else then holds.
pub(crate) async fn exclusive(path: &Path, purpose: &'static str) -> Result<Lock> {
    wait(path, purpose, File::try_lock).await
}

/// Waits for a lock on `path` which others may hold at the same time.
pub(crate) async fn shared(path: &Path, purpose: &'static str) -> Result<Lock> {
    wait(path, purpose, File::try_lock_shared).await
}

/// The lock on `path`, unless someone else holds one.
pub(crate) fn try_exclusive(path: &Path) -> Result<Option<Lock>> {
    attempt(path, File::try_lock)
}

async fn wait(
    path: &Path,
    purpose: &'static str,
    take: fn(&File) -> std::result::Result<(), TryLockError>,
) -> Result<Lock> {
    let start = Instant::now();
    loop {
        if let Some(lock) = attempt(path, take)? {
            return Ok(lock);
        }
        if start.elapsed() > PATIENCE {
            return Err(Error::Locked {
                path: path.to_path_buf(),
                purpose,
                waited: PATIENCE,
            });
        }
        tokio::time::sleep(POLL).await;
    }
}

fn attempt(
    path: &Path,
    take: fn(&File) -> std::result::Result<(), TryLockError>,
) -> Result<Option<Lock>> {
    let failed = |source| Error::File {
        action: "lock",
        path: path.to_path_buf(),
        source,
    };
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(failed)?;
    match take(&file) {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn shared_locks_go_together_and_keep_the_exclusive_one_out() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("users");
        let first = shared(&path, "test").await.expect("first");
        let second = shared(&path, "test").await.expect("second");
        assert!(try_exclusive(&path).expect("try").is_none());
        drop(first);
        assert!(try_exclusive(&path).expect("try").is_none());
        drop(second);
        assert!(try_exclusive(&path).expect("try").is_some());
    }
}
