//! Waits until a change that a process wrote before it died has reached all edges.

use tokio::time::{Instant, sleep};

use crate::aws::Router;
use crate::error::{Error, Exit, Result};
use crate::model::{Infrastructure, Route};
use crate::report::ReportEvent;
use crate::session::Session;

/// Waits until what another process wrote is in force everywhere.
///
/// # Errors
/// AWS's own; it takes longer than it may.
pub async fn wait(session: &Session, infrastructure: &Infrastructure) -> Result<()> {
    let router = session.aws.router(infrastructure);
    let (patience, begun) = (router.patience(), Instant::now());
    let mut is_told = false;
    while !router.is_everywhere().await? {
        if begun.elapsed() > patience.confirm {
            let route = infrastructure.endpoints().get(Route::Production);
            let seconds = patience.confirm.as_secs();
            return Err(Error::new(
                Exit::LookNow,
                format!(
                    "the {route} was changed, but after {seconds} s the change is not in force everywhere"
                ),
            )
            .hint("`bgecs resume` continues from there"));
        }
        if !std::mem::replace(&mut is_told, true) {
            let doing = "waiting until every edge has the change".to_owned();
            session.report.tell(&ReportEvent::Doing(doing));
        }
        sleep(session.poll_pause(patience.pause)).await;
    }
    Ok(())
}
