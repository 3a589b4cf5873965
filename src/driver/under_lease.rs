//! What surrounds every command that changes something: the lease, an unfinished
//! operation of someone else, and the last word in the journal.

use std::time::Duration;

use super::turn::{self, Conclusion, Turn};
use super::unfinished::{self, Errand, Met, Settlement};
use super::work::Work;
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::Infrastructure;
use crate::model::journal::{Command, Holder, OperationId};
use crate::provenance;
use crate::report::ReportEvent;
use crate::session::Session;

/// What a command's turn was used for.
#[derive(Debug)]
pub enum Taken {
    /// Its own work, with this exit code.
    Worked(Exit),
    /// The unfinished operation of someone else, because finishing that was the command's
    /// purpose.
    TookBack(Box<Settlement>),
}

/// Does a command's work while it holds the lease. From here on an interrupt is passed to
/// the work, and the lease is released whatever happens.
///
/// # Errors
/// Someone else's lease (exit 6); an unfinished operation that cannot be dealt with; the
/// work's own.
pub async fn take(
    session: &Session,
    infrastructure: &Infrastructure,
    errand: Errand<'_>,
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Taken> {
    let mut interrupts = Interrupts::listen()?;
    let command = errand.command;
    let turn = hold(session, infrastructure, command, wait, &mut interrupts).await?;
    let mut met = Work {
        session,
        infrastructure,
        turn: &turn,
        interrupts: &mut interrupts,
        seat: None,
    };
    let mut taken_back = None;
    let result = match unfinished::meet(&mut met, errand).await {
        Ok(Met::GoOn) => work(met).await,
        Ok(Met::TookBack(settlement)) => Ok(taken_back.insert(settlement).exit()),
        Err(error) => Err(error),
    };
    let_go(session, turn, &result).await;
    let exit = result?;
    Ok(taken_back.map_or(Taken::Worked(exit), Taken::TookBack))
}

/// Takes the lease.
///
/// # Errors
/// Someone else's lease (exit 6); an interrupt meanwhile; AWS's own.
pub async fn hold(
    session: &Session,
    infrastructure: &Infrastructure,
    command: Command,
    wait: Option<Duration>,
    interrupts: &mut Interrupts,
) -> Result<Turn> {
    let holder = holder(session, command);
    let table = infrastructure.journal_table();
    let taken = interrupts
        .or_stop(
            "taking the lease",
            "nothing was changed",
            turn::take(session, table, holder.clone(), wait),
        )
        .await;
    if let Err(error) = &taken
        && error.exit != Exit::Refused
    {
        give_up(session, table, &holder).await;
    }
    taken
}

/// Ends the turn, with its result as the last word in the journal.
pub async fn let_go(session: &Session, turn: Turn, result: &Result<Exit>) {
    if let Err(error) = turn.end(conclusion(result)).await {
        let seconds = session.config.lease.length.as_secs();
        session.report.tell(&ReportEvent::Warning(format!(
            "the lease could not be released; it expires in {seconds} s: {error}"
        )));
    }
}

/// Describes this process as the holder.
fn holder(session: &Session, command: Command) -> Holder {
    let since = session.aws.journal_time();
    Holder {
        id: OperationId::new(since, fastrand::u32(..)),
        who: provenance::this_process(),
        command,
        since,
    }
}

/// When waiting is interrupted, the lease may already be taken, or the answer lost; and a
/// place left in the line would delay those behind.
async fn give_up(session: &Session, table: &str, holder: &Holder) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let aws = &session.aws;
    let giving_back = async {
        // After waiting, the lease is held under another id.
        match aws.read_head(table).await?.lease {
            Some(lease) if lease.holder.who == holder.who => {
                aws.break_lease(table, &lease.holder.id).await
            }
            _ => Ok(false),
        }
    };
    let giving = async { tokio::join!(giving_back, aws.leave_line(table, &holder.id)) };
    let given = tokio::time::timeout(PATIENCE, giving).await;
    tracing::debug!(?given, "released the lease");
}

/// The conclusion of an operation that stated none, from the exit code. If it is not
/// known where traffic was left, the operation stays open.
fn conclusion(result: &Result<Exit>) -> Option<Conclusion> {
    let (exit, reason) = match result {
        Ok(exit) => (*exit, None),
        Err(error) => (error.exit, Some(error.message.clone())),
    };
    turn::outcome(exit).map(|outcome| Conclusion::of(outcome).because(reason))
}

#[cfg(test)]
mod tests;
