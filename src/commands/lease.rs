//! A command's work under the lease, and what is told where the turn went to
//! another's unfinished operation instead.

use std::time::Duration;

use super::ended;
use crate::driver::under_lease::{self, Taken};
use crate::driver::work::Work;
use crate::error::{Exit, Result};
use crate::model::journal::Command;
use crate::model::{Infrastructure, Observed, Tag};
use crate::report::ReportEvent;
use crate::session::Session;

/// # Errors
/// As [`under_lease::take`].
pub async fn take(
    session: &Session,
    infrastructure: &Infrastructure,
    command: Command,
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Exit> {
    take_for(session, infrastructure, (command, None), wait, work).await
}

/// The same for a command that may go on with one of its own kind about that tag.
///
/// # Errors
/// As [`under_lease::take`].
pub async fn take_for(
    session: &Session,
    infrastructure: &Infrastructure,
    (command, tag): (Command, Option<&Tag>),
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Exit> {
    let taken = under_lease::take(session, infrastructure, (command, tag), wait, work);
    Ok(match taken.await? {
        Taken::Worked(exit) => exit,
        Taken::TookBack(settlement) => ended::tell(session, command, &settlement),
    })
}

/// A dry run looks, says what it would meet, and takes nothing.
pub fn tell_of_unfinished(session: &Session, observed: &Observed) {
    if let Some(operation) = &observed.journal.operation {
        session.report.tell(&ReportEvent::Warning(format!(
            "the {} of {} is unfinished: it would be dealt with first",
            operation.name(),
            operation.who.name
        )));
    }
}
