//! One command's turn at changing the app: the lease that it holds, and the
//! journal of what it does.
//!
//! Ahead of each effect its intent is written, on the condition that the lease
//! is still held: who lost it learns so before the effect, and a journal that
//! cannot be written stops the operation there. What an operation means is not
//! known here.

mod renewal;
mod take;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::timeout;

use crate::aws::{Aws, AwsError, HeadChange, Slot, Tenure, Unwritten};
use crate::error::{Error, Result};
use crate::model::Observed;
use crate::model::journal::{
    Effect, Ending, Fate, Head, Holder, Operation, Outcome, Truth, Watched,
};
use renewal::Renewal;

pub use take::{judge, take};

/// How long a write to a listener waits to hear that the lease still holds:
/// users may be seeing failures.
const ASSURANCE: Duration = Duration::from_secs(2);

/// Why an effect must not happen.
#[derive(Debug)]
pub enum Stop {
    /// Another holds the lease now.
    Lost(String),
    Unwritable(AwsError),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lost(sentence) => f.write_str(sentence),
            Self::Unwritable(error) => write!(f, "the journal cannot be written: {error}"),
        }
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Lost(sentence) => Self::refused(sentence).hint(
                "what was begun is in `bgecs status`; whoever holds the lease goes on with it",
            ),
            Stop::Unwritable(error) => {
                let hint = Self::from(error.clone()).hint;
                let mut out =
                    Self::failed("the journal cannot be written, so nothing more is done")
                        .cause(error.to_string());
                out.hint = hint;
                out
            }
        }
    }
}

/// How an operation is to be remembered.
#[derive(Debug, Clone)]
pub struct Conclusion {
    pub outcome: Outcome,
    pub reason: Option<String>,
    pub watched: Option<Watched>,
}

impl Conclusion {
    pub fn of(outcome: Outcome) -> Self {
        Self {
            outcome,
            reason: None,
            watched: None,
        }
    }

    #[must_use]
    pub fn because(self, reason: Option<String>) -> Self {
        Self { reason, ..self }
    }
}

#[derive(Debug)]
enum Fortune {
    /// Nobody has said how it ended.
    Unsaid,
    Ended(Conclusion),
    /// It is left to the next command to finish or undo.
    LeftOpen,
    /// There is nothing left to write it on.
    Gone,
}

/// The lease, while it is held, and the operation that is done under it.
#[derive(Debug)]
pub struct Turn {
    aws: Aws,
    table: String,
    holder: Holder,
    /// What the journal said when the turn began.
    met: Head,
    length: Duration,
    renewal: Renewal,
    book: Mutex<Book>,
}

#[derive(Debug)]
struct Book {
    /// The operation that is written on: this turn's own, or the one that it
    /// took up.
    operation: Operation,
    truth: Option<Truth>,
    fortune: Fortune,
}

impl Turn {
    fn begin(aws: &Aws, table: &str, holder: Holder, head: Head, length: Duration) -> Self {
        let renewal = Renewal::start(aws, table, head.fence, &holder.id, length);
        Self {
            aws: aws.clone(),
            table: table.to_owned(),
            length,
            renewal,
            book: Mutex::new(Book {
                operation: Operation::of(&holder),
                truth: head.truth,
                fortune: Fortune::Unsaid,
            }),
            holder,
            met: head,
        }
    }

    /// One on these clients, in the middle of nothing. It is not renewed while a
    /// test lasts.
    #[cfg(test)]
    pub fn for_tests(aws: &Aws, head: Head) -> Self {
        let hour = Duration::from_secs(3600);
        Self::begin(
            aws,
            "bgecs-hello",
            crate::model::testing::holder(),
            head,
            hour,
        )
    }

    /// What the journal says at this moment: nobody else writes it meanwhile.
    pub fn head(&self) -> Head {
        let book = self.book();
        Head {
            operation: None,
            truth: book.truth,
            ..self.met.clone()
        }
    }

    /// The operation that another left unfinished.
    pub fn unfinished(&self) -> Option<&Operation> {
        self.met.operation.as_ref()
    }

    /// Goes on with an operation that another began, in place of one's own.
    pub fn take_up(&self, mut operation: Operation) {
        operation.taken_up_by.push(self.holder.who.clone());
        self.book().operation = operation;
    }

    /// Fills in what the operation is about.
    pub fn describe(&self, fill: impl FnOnce(&mut Operation)) {
        fill(&mut self.book().operation);
    }

    /// A copy, for reading.
    pub fn operation(&self) -> Operation {
        self.book().operation.clone()
    }

    /// What is so now is how the operation leaves it, for all that is known.
    pub fn saw(&self, observed: &Observed) {
        let truth = Truth::after(self.met.truth, observed);
        self.book().truth = Some(truth);
    }

    pub fn conclude(&self, conclusion: Conclusion) {
        self.book().fortune = Fortune::Ended(conclusion);
    }

    /// The journal was removed with everything else.
    pub fn is_gone(&self) {
        self.book().fortune = Fortune::Gone;
    }

    pub fn leave_open(&self) {
        self.book().fortune = Fortune::LeftOpen;
    }

    /// Writes the intent, and with it that what came before succeeded.
    ///
    /// # Errors
    /// The effect must not happen then.
    pub async fn about_to(&self, effect: Effect) -> Result<(), Stop> {
        let now = self.aws.journal_time();
        let operation = {
            let mut book = self.book();
            book.operation.settle(Fate::Done);
            book.operation.intend(now, effect);
            book.operation.clone()
        };
        self.write(Slot::Write(&operation)).await
    }

    /// Writes the intent alone: of what came before, it is not known.
    ///
    /// # Errors
    /// As [`Self::about_to`].
    pub async fn about_to_undo(&self, effect: Effect) -> Result<(), Stop> {
        let now = self.aws.journal_time();
        let operation = {
            let mut book = self.book();
            book.operation.intend(now, effect);
            book.operation.clone()
        };
        self.write(Slot::Write(&operation)).await
    }

    /// Writes that the last effect happened, where it may be long until the next.
    ///
    /// # Errors
    /// As [`Self::about_to`]; nothing more must happen then.
    pub async fn did(&self) -> Result<(), Stop> {
        let operation = {
            let mut book = self.book();
            book.operation.settle(Fate::Done);
            book.operation.clone()
        };
        self.write(Slot::Write(&operation)).await
    }

    /// Makes sure, right ahead of an effect, that the lease has not run out
    /// since the last write: the machine may have slept.
    ///
    /// # Errors
    /// The effect must not happen then.
    pub async fn assure(&self) -> Result<(), Stop> {
        if self.renewal.is_known_lost() {
            return Err(self.lost().await);
        }
        if self.renewal.still_holds() {
            return Ok(());
        }
        match timeout(ASSURANCE, self.write(Slot::Keep)).await {
            Ok(assured) => assured,
            Err(_) => Err(Stop::Unwritable(AwsError::unusable(
                "dynamodb:UpdateItem",
                &self.table,
                "no answer in time",
            ))),
        }
    }

    async fn write(&self, slot: Slot<'_>) -> Result<(), Stop> {
        let change = HeadChange {
            operation: slot,
            truth: None,
            tenure: Tenure::Until(self.aws.journal_time() + self.length),
        };
        match self.change(&change).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Aws(error)) => Err(Stop::Unwritable(error)),
            Err(Unwritten::Lost) => {
                self.renewal.lose();
                Err(self.lost().await)
            }
        }
    }

    async fn change(&self, change: &HeadChange<'_>) -> Result<(), Unwritten> {
        let moment = renewal::Moment::now();
        self.aws
            .change_head(&self.table, self.met.fence, &self.holder.id, change)
            .await?;
        self.renewal.renewed(moment);
        Ok(())
    }

    async fn lost(&self) -> Stop {
        let sentence = match self.aws.read_head(&self.table).await {
            Ok(Head {
                lease: Some(lease), ..
            }) => format!("the lease was lost: {} holds it now", lease.holder),
            _ => "the lease was lost: it was broken, or expired and was taken".to_owned(),
        };
        Stop::Lost(sentence)
    }

    /// Ends the operation that is written on, and begins this turn's own anew.
    ///
    /// # Errors
    /// The journal could not be written, or the lease is lost.
    pub async fn close(&self, conclusion: Conclusion) -> Result<(), Stop> {
        let (operation, truth) = self.ended(conclusion);
        self.remember(&operation).await.map_err(Stop::Unwritable)?;
        let change = HeadChange {
            operation: Slot::Clear,
            truth,
            tenure: Tenure::Until(self.aws.journal_time() + self.length),
        };
        match self.change(&change).await {
            Ok(()) => {
                self.book().operation = Operation::of(&self.holder);
                Ok(())
            }
            Err(Unwritten::Aws(error)) => Err(Stop::Unwritable(error)),
            Err(Unwritten::Lost) => Err(self.lost().await),
        }
    }

    /// Ends the turn: the operation goes into the history, unless it is left
    /// open or nothing was ever about to be done; the lease is free.
    ///
    /// # Errors
    /// What could not be written. The lease expires by itself then.
    pub async fn end(self, otherwise: Option<Conclusion>) -> Result<(), AwsError> {
        self.renewal.stop();
        if self.renewal.is_known_lost() {
            return Ok(());
        }
        let conclusion = {
            let mut book = self.book();
            match std::mem::replace(&mut book.fortune, Fortune::Unsaid) {
                Fortune::Gone => return Ok(()),
                Fortune::LeftOpen => None,
                Fortune::Ended(conclusion) => Some(conclusion),
                Fortune::Unsaid => otherwise,
            }
        };
        let is_begun = !self.book().operation.entries.is_empty();
        let mut slot = Slot::Keep;
        let mut truth = self
            .book()
            .truth
            .filter(|truth| Some(*truth) != self.met.truth);
        if let Some(conclusion) = conclusion.filter(|_| is_begun) {
            let (operation, now) = self.ended(conclusion);
            self.remember(&operation).await?;
            (slot, truth) = (Slot::Clear, now);
        } else if is_begun {
            // What it did last is known, and how the listeners are is not.
            truth = None;
        }
        let change = HeadChange {
            operation: slot,
            truth,
            tenure: Tenure::Release,
        };
        match self.change(&change).await {
            // Whoever has it now will not be disturbed.
            Ok(()) | Err(Unwritten::Lost) => Ok(()),
            Err(Unwritten::Aws(error)) => Err(error),
        }
    }

    fn ended(&self, conclusion: Conclusion) -> (Operation, Option<Truth>) {
        let book = self.book();
        let mut operation = book.operation.clone();
        match (conclusion.outcome, &conclusion.reason) {
            (Outcome::Done | Outcome::Finished, _) => operation.settle(Fate::Done),
            (Outcome::Failed, Some(reason)) => operation.settle(Fate::Failed(reason.clone())),
            _ => {}
        }
        operation.ending = Some(Ending {
            at: self.aws.journal_time(),
            outcome: conclusion.outcome,
            reason: conclusion.reason,
            watched: conclusion.watched,
        });
        (operation, book.truth)
    }

    /// A lost lease is noticed by the write that follows.
    async fn remember(&self, operation: &Operation) -> Result<(), AwsError> {
        self.aws.add_to_history(&self.table, operation).await
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
