//! What every command that changes something has around it: the lease, the
//! unfinished operation of another, and the journal's last word.

use std::time::Duration;

use super::unfinished::{self, Met};
use crate::driver::turn::{self, Conclusion, Turn};
use crate::engine::plan;
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::{Command, Holder, OperationId};
use crate::model::{Infrastructure, Observed, Tag};
use crate::provenance;
use crate::report::Event;
use crate::session::Session;

/// What a command works with while it is its turn.
pub struct Work<'a> {
    pub session: &'a Session,
    pub infrastructure: &'a Infrastructure,
    pub turn: &'a Turn,
    pub interrupts: &'a mut Interrupts,
}

impl Work<'_> {
    /// Looks at everything; what the journal says is known.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn observe(&self) -> Result<Observed> {
        let head = self.turn.head();
        let is_first = head.truth.is_none();
        let observed = self
            .session
            .aws
            .observe(self.infrastructure, Some(head))
            .await?;
        // What is nobody's truth is not made one by having been seen.
        if is_first && plan::unclear(&observed).is_none() {
            self.turn.saw(&observed);
        }
        Ok(observed)
    }

    /// Looks once more at the end, where other ways in are as they were.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn observe_again(&self, before: &Observed) -> Result<Observed> {
        let (aws, head) = (&self.session.aws, self.turn.head());
        let again = aws.observe_again(self.infrastructure, head, &before.other_ways);
        Ok(again.await?)
    }
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
    command: Command,
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Exit> {
    take_for(session, infrastructure, (command, None), wait, work).await
}

/// The same for a command that may go on with one of its own kind about that tag.
///
/// # Errors
/// As [`take`].
pub async fn take_for(
    session: &Session,
    infrastructure: &Infrastructure,
    (command, tag): (Command, Option<&Tag>),
    wait: Option<Duration>,
    work: impl AsyncFnOnce(Work<'_>) -> Result<Exit>,
) -> Result<Exit> {
    let mut interrupts = Interrupts::listen()?;
    let holder = holder(session, command);
    let table = &infrastructure.journal_table;
    let taken = interrupts
        .or_stop(
            "taking the lease",
            "nothing was changed",
            turn::take(session, table, holder.clone(), wait),
        )
        .await;
    let turn = match taken {
        Err(error) => {
            if error.exit != Exit::Refused {
                give_up(session, table, &holder).await;
            }
            return Err(error);
        }
        Ok(turn) => turn,
    };
    let mut met = Work {
        session,
        infrastructure,
        turn: &turn,
        interrupts: &mut interrupts,
    };
    let result = match unfinished::meet(&mut met, command, tag).await {
        Ok(Met::GoOn) => work(met).await,
        Ok(Met::Ended(exit)) => Ok(exit),
        Err(error) => Err(error),
    };
    if let Err(error) = turn.end(conclusion(&result)).await {
        let seconds = session.config.lease.length.as_secs();
        session.report.tell(&Event::Warning(format!(
            "the lease could not be released; it expires in {seconds} s: {error}"
        )));
    }
    result
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

/// A dry run looks, says what it would meet, and takes nothing.
pub fn tell_of_unfinished(session: &Session, observed: &Observed) {
    if let Some(operation) = &observed.journal.operation {
        session.report.tell(&Event::Warning(format!(
            "the {} of {} is unfinished: it would be dealt with first",
            operation.name(),
            operation.who.name
        )));
    }
}

#[cfg(test)]
mod tests;
