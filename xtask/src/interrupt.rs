//! Being told to stop.

use tokio::signal::unix::{SignalKind, signal};

use crate::Result;

/// Waits for Ctrl-C or SIGTERM, which is a failure of what was under way.
pub async fn awaited() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Err("interrupted".into())
}
