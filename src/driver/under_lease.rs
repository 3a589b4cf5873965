//! What every command that changes something has around it: the lease, the
//! unfinished operation of another, and the journal's last word.

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

/// What a command's turn was spent on.
#[derive(Debug)]
pub enum Taken {
    /// Its own work, which ended so.
    Worked(Exit),
    /// The unfinished operation of another, as that was what it was to do.
    TookBack(Box<Settlement>),
}

/// Does a command's work while it holds the lease. From here on an interrupt is
/// something that the work is told, and the lease is given back whatever comes.
///
/// # Errors
/// Somebody else's lease (exit 6); an unfinished operation that cannot be dealt
/// with; the work's own.
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
/// Somebody else's lease (exit 6); an interrupt meanwhile; AWS's own.
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

/// Ends the turn, with what came of it as the journal's last word.
pub async fn let_go(session: &Session, turn: Turn, result: &Result<Exit>) {
    if let Err(error) = turn.end(conclusion(result)).await {
        let seconds = session.config.lease.length.as_secs();
        session.report.tell(&ReportEvent::Warning(format!(
            "the lease could not be released; it expires in {seconds} s: {error}"
        )));
    }
}

/// Who works here, from now on.
fn holder(session: &Session, command: Command) -> Holder {
    let since = session.aws.journal_time();
    Holder {
        id: OperationId::new(since, fastrand::u32(..)),
        who: provenance::this_process(),
        command,
        since,
    }
}

/// The lease may have been taken when the interrupt came, or the answer got
/// lost; and a place in the line would hold up those behind.
async fn give_up(session: &Session, table: &str, holder: &Holder) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let aws = &session.aws;
    let giving_back = async {
        // Who waited has it under a name of its own.
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

/// What the exit code says of an operation that said nothing itself. One of
/// which nobody knows where it left traffic stays open.
fn conclusion(result: &Result<Exit>) -> Option<Conclusion> {
    let (exit, reason) = match result {
        Ok(exit) => (*exit, None),
        Err(error) => (error.exit, Some(error.message.clone())),
    };
    turn::outcome(exit).map(|outcome| Conclusion::of(outcome).because(reason))
}

#[cfg(test)]
mod tests;
