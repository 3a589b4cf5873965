//! Runs a command's work under the lease, and reports when the turn was used for someone
//! else's unfinished operation instead.

use std::time::Duration;

use super::ended;
use crate::driver::under_lease::{self, Taken};
use crate::driver::unfinished::Errand;
use crate::driver::work::Work;
use crate::error::{Exit, Result};
use crate::model::{Infrastructure, Observed};
use crate::report::ReportEvent;
use crate::session::Session;

/// # Errors
/// As [`under_lease::take`].
pub async fn take(
    session: &Session,
    infrastructure: &Infrastructure,
    errand: impl Into<Errand<'_>>,
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Exit> {
    let errand = errand.into();
    let taken = under_lease::take(session, infrastructure, errand, wait, work);
    Ok(match taken.await? {
        Taken::Worked(exit) => exit,
        Taken::TookBack(settlement) => ended::tell(session, errand.command, &settlement),
    })
}

/// A dry run looks, says what it would meet, and takes nothing.
pub fn tell_of_unfinished(session: &Session, observed: &Observed) {
    if let Some(operation) = &observed.journal.operation {
        if let Some(mark) = &operation.set {
            session.report.tell(&ReportEvent::Warning(format!(
                "{}: this would be refused until `bgecs resume` has ended it in all modules",
                mark.unfinished()
            )));
            return;
        }
        session.report.tell(&ReportEvent::Warning(format!(
            "the {} of {} is unfinished: it would be dealt with first",
            operation.name(),
            operation.who.name
        )));
    }
}
