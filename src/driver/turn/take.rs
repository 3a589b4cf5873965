//! Takes the lease: at once, or after those who came before.

use std::time::Duration;

use time::OffsetDateTime;
use tokio::time::{Instant, sleep};

use super::Turn;
use crate::aws::{AwsError, has_no_journal};
use crate::engine::lease::{self, Verdict};
use crate::engine::recall::recall;
use crate::error::{Error, Result};
use crate::model::journal::{Head, Holder, Lease, OperationId, Truth};
use crate::process;
use crate::report::ReportEvent;
use crate::session::Session;

/// Between two attempts while waiting.
const LOOK: Duration = Duration::from_secs(1);
/// How many operations are searched for what an earlier bgecs left out.
const RECALLED: i32 = 100;
/// How long a place in the line is kept if its owner does not come back.
const PLACE: Duration = Duration::from_secs(10);

/// Takes the lease of the app, or waits for its holder for as long as patience lasts.
///
/// # Errors
/// Someone else's lease that does not end in time (exit 6); AWS's own.
pub async fn take(
    session: &Session,
    table: &str,
    holder: Holder,
    patience: Option<Duration>,
) -> Result<Turn> {
    let (head, holder) = match patience {
        None => match attempt(session, table, &holder).await? {
            LeaseAttempt::Taken(head) => (*head, holder),
            LeaseAttempt::Held(lease) => return Err(refusal(session, &lease)),
        },
        Some(patience) => take_in_turn(session, table, holder, patience).await?,
    };
    let head = recalled(session, table, head).await?;
    let length = session.config.lease.length;
    Ok(Turn::begin(&session.aws, table, holder, head, length))
}

/// Adds what an earlier bgecs did not write.
async fn recalled(session: &Session, table: &str, head: Head) -> Result<Head, AwsError> {
    let is_vague = |truth: &Truth| {
        let previous = truth.previous.as_ref();
        previous.is_some_and(|previous| previous.release.revision.is_none())
    };
    Ok(match head.truth {
        Some(truth) if is_vague(&truth) => {
            let history = session.aws.read_history(table, RECALLED).await?;
            Head {
                truth: Some(recall(truth, &history)),
                ..head
            }
        }
        _ => head,
    })
}

enum LeaseAttempt {
    Taken(Box<Head>),
    Held(Lease),
}

async fn attempt(session: &Session, table: &str, holder: &Holder) -> Result<LeaseAttempt> {
    let aws = &session.aws;
    let until = || aws.journal_time() + session.config.lease.length;
    loop {
        let taken = aws.take_lease(table, holder, until(), None).await;
        if let Some(head) = taken.map_err(without_table)? {
            return Ok(LeaseAttempt::Taken(Box::new(head)));
        }
        let head = aws.read_head(table).await?;
        match judge(&head, aws.journal_time()) {
            Verdict::Held(lease) => return Ok(LeaseAttempt::Held(lease)),
            // It was released between the two calls.
            Verdict::Free => {}
            Verdict::Abandoned { by, why } => {
                if let Some(head) = aws.take_lease(table, holder, until(), Some(&by)).await? {
                    session.report.tell(&ReportEvent::Warning(format!(
                        "{}: taking it over",
                        why.sentence(&by)
                    )));
                    return Ok(LeaseAttempt::Taken(Box::new(head)));
                }
            }
        }
    }
}

/// Whether the lease can be taken now, as far as this machine can tell.
pub fn judge(head: &Head, now: OffsetDateTime) -> Verdict {
    let lease = head.lease.as_ref();
    let process = lease.and_then(|lease| lease.holder.who.process.as_ref());
    lease::judge(head, now, process.is_some_and(process::is_gone))
}

/// Who is at work now: an abandoned lease keeps nobody out.
pub fn held(head: &Head, now: OffsetDateTime) -> Option<Lease> {
    match judge(head, now) {
        Verdict::Held(lease) => Some(lease),
        Verdict::Free | Verdict::Abandoned { .. } => None,
    }
}

/// Takes the lease at once only if nobody waits in line.
async fn take_in_turn(
    session: &Session,
    table: &str,
    holder: Holder,
    patience: Duration,
) -> Result<(Head, Holder)> {
    let line = session.aws.read_line(table).await.map_err(without_table)?;
    if line.is_empty() {
        match attempt(session, table, &holder).await? {
            LeaseAttempt::Taken(head) => return Ok((*head, holder)),
            LeaseAttempt::Held(lease) => {
                let told = format!("waiting: {}", lease.sentence(session.aws.journal_time()));
                session.report.tell(&ReportEvent::Doing(told));
            }
        }
    }
    stand_in_line(session, table, &holder, patience).await
}

/// In the order of arrival, to the second; each keeps its place until its next attempt.
async fn stand_in_line(
    session: &Session,
    table: &str,
    waiting: &Holder,
    patience: Duration,
) -> Result<(Head, Holder)> {
    let aws = &session.aws;
    let deadline = Instant::now() + patience;
    loop {
        let kept = aws.journal_time() + PLACE;
        aws.stand_in_line(table, &waiting.id, kept).await?;
        let line = aws.read_line(table).await?;
        let holder = from_now(session, waiting);
        if line.first().is_none_or(|first| *first == waiting.id)
            && let LeaseAttempt::Taken(head) = attempt(session, table, &holder).await?
        {
            // If it cannot be removed, the place expires by itself; the lease is held.
            if let Err(error) = aws.leave_line(table, &waiting.id).await {
                tracing::debug!(%error, "the place in the line was left to expire");
            }
            return Ok((*head, holder));
        }
        if Instant::now() > deadline {
            aws.leave_line(table, &waiting.id).await?;
            let head = aws.read_head(table).await?;
            return Err(match head.lease {
                Some(lease) => refusal(session, &lease),
                None => Error::refused("others are waiting in line for the lease"),
            }
            .cause(format!("waited {} s for it", patience.as_secs())));
        }
        sleep(LOOK).await;
    }
}

/// The work begins when the waiting ends, because the history is in that order.
fn from_now(session: &Session, waiting: &Holder) -> Holder {
    let since = session.aws.journal_time();
    Holder {
        id: OperationId::new(since, fastrand::u32(..)),
        since,
        ..waiting.clone()
    }
}

fn refusal(session: &Session, lease: &Lease) -> Error {
    Error::refused(lease.sentence(session.aws.journal_time()))
        .hint("wait for it with --wait 5m; if you are sure that it is dead, `bgecs unlock --force` releases it")
}

/// Every stack that bgecs makes has the table, so something deleted it.
fn without_table(error: AwsError) -> Error {
    let has_none = has_no_journal(&error);
    let out = Error::from(error);
    if has_none {
        return out.hint("`bgecs init` says what is gone, and the way on");
    }
    out
}
