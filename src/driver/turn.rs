//! One command's turn at changing the app: the lease that it holds, and the journal of
//! what it does.
//!
//! Before each effect its intent is written, on the condition that the lease is still
//! held. So a holder that lost the lease learns so before the effect, and a journal that
//! cannot be written stops the operation there. What an operation means is not known
//! here.

mod renewal;
mod take;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::aws::{Aws, AwsError, HeadChange, LeaseChange, OperationChange, Unwritten};
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::{
    Effect, Ending, Fate, Head, Holder, Operation, OperationOutcome, Previous, Truth, Watched,
};
use renewal::Renewal;

pub use take::{held, judge, take};

/// How much of a reason is kept: an item of the table may have 400 KB, and
/// CloudFormation's messages can be very long.
const MOST_CHARACTERS: usize = 1000;

/// Why an effect must not happen.
#[derive(Debug)]
pub enum Stop {
    /// Someone else holds the lease now.
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
                "`bgecs status` shows what was begun; whoever holds the lease will continue it",
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

/// How an operation should be remembered.
#[derive(Debug, Clone)]
pub struct Conclusion {
    pub outcome: OperationOutcome,
    pub reason: Option<String>,
    pub watched: Option<Watched>,
}

impl Conclusion {
    pub fn of(outcome: OperationOutcome) -> Self {
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

/// How an operation that ended with this exit code is remembered; None if it is not known
/// where it left traffic.
pub fn outcome(exit: Exit) -> Option<OperationOutcome> {
    Some(match exit {
        Exit::Done => OperationOutcome::Done,
        Exit::Failed | Exit::Usage => OperationOutcome::Failed,
        Exit::RolledBack => OperationOutcome::RolledBack,
        Exit::TimedOut => OperationOutcome::TimedOut,
        Exit::Refused => OperationOutcome::Refused,
        Exit::Interrupted => OperationOutcome::Interrupted,
        Exit::LookNow | Exit::Changes => return None,
    })
}

#[derive(Debug)]
enum TurnEnd {
    /// No end has been stated.
    Unsaid,
    Ended(Conclusion),
    /// The next command finishes or undoes it.
    LeftOpen,
    /// The journal itself is gone.
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
    book: Mutex<OperationRecord>,
    /// How many versions of the operation were written.
    versions: AtomicU64,
}

#[derive(Debug)]
struct OperationRecord {
    /// The operation being written: this turn's own, or one that it took up.
    operation: Operation,
    /// Where the listeners were when it began.
    earlier: Option<Truth>,
    truth: Option<Truth>,
    /// A release that was live for a while during the operation, but is not at its end.
    came_off: Option<Previous>,
    /// How many of its entries were made before the last look at the listeners.
    seen: usize,
    fortune: TurnEnd,
}

impl OperationRecord {
    fn new(operation: Operation, truth: Option<Truth>) -> Self {
        Self {
            operation,
            earlier: truth.clone(),
            truth,
            came_off: None,
            seen: 0,
            fortune: TurnEnd::Unsaid,
        }
    }

    /// What is seen now is how the operation leaves things, as far as is known.
    fn saw(&mut self, observed: &Observed) {
        let mut truth = Truth::after(self.earlier.as_ref(), &self.operation, observed);
        if let Some(previous) = &self.came_off
            && truth.live() != Some(previous.release.color)
        {
            truth.previous = Some(previous.clone());
        }
        self.truth = Some(truth);
        self.seen = self.operation.entries.len();
    }

    /// Whether no listener may have moved since they were last looked at.
    fn knows_listeners(&self) -> bool {
        let since = self.operation.entries.iter().skip(self.seen);
        !since
            .filter(|entry| !matches!(entry.fate, Some(Fate::Failed(_))))
            .any(|entry| matches!(entry.effect, Effect::Move(_)))
    }
}

impl Turn {
    fn begin(aws: &Aws, table: &str, holder: Holder, head: Head, length: Duration) -> Self {
        let renewal = Renewal::start(aws, table, head.fence, &holder.id, length);
        Self {
            aws: aws.clone(),
            table: table.to_owned(),
            length,
            renewal,
            book: Mutex::new(OperationRecord::new(
                Operation::of(&holder),
                head.truth.clone(),
            )),
            holder,
            met: head,
            versions: AtomicU64::new(0),
        }
    }

    /// A turn on these clients, not in the middle of anything. Its lease is not renewed
    /// during a test.
    #[cfg(test)]
    pub fn for_tests(aws: &Aws, head: Head) -> Self {
        Self::for_tests_of(aws, head, Duration::from_secs(3600))
    }

    /// The same with a lease of that length, which nothing renews.
    #[cfg(test)]
    pub fn for_tests_of(aws: &Aws, head: Head, length: Duration) -> Self {
        let holder = crate::model::testing::holder();
        let turn = Self::begin(aws, "bgecs-hello", holder, head, length);
        turn.renewal.stop();
        turn
    }

    /// What the journal says now: nobody else writes to it meanwhile.
    pub fn head(&self) -> Head {
        let book = self.book();
        Head {
            operation: None,
            truth: book.truth.clone(),
            ..self.met.clone()
        }
    }

    /// The operation that someone else left unfinished.
    pub fn unfinished(&self) -> Option<&Operation> {
        self.met.operation.as_ref()
    }

    /// Continues an operation that someone else began, instead of one's own.
    pub fn take_up(&self, mut operation: Operation) {
        operation.taken_up_by.push(self.holder.who.clone());
        let mut book = self.book();
        *book = OperationRecord::new(operation, book.truth.take());
    }

    /// Fills in what the operation is about.
    pub fn describe(&self, fill: impl FnOnce(&mut Operation)) {
        fill(&mut self.book().operation);
    }

    /// A copy, for reading.
    pub fn operation(&self) -> Operation {
        self.book().operation.clone()
    }

    /// What is seen now is how the operation leaves things, as far as is known.
    pub fn saw(&self, observed: &Observed) {
        let mut book = self.book();
        book.saw(observed);
    }

    /// Users were on that release for a while and are not any more: production is where
    /// it was when the operation began.
    pub fn came_off(&self, previous: Previous, observed: &Observed) {
        let mut book = self.book();
        book.came_off = Some(previous);
        book.saw(observed);
    }

    /// Whether an operation may end here. If it may have moved a listener, it must have
    /// read both since: otherwise the journal would be wrong about traffic, and the next
    /// command would blame something else.
    pub fn knows_listeners(&self) -> bool {
        self.book().knows_listeners()
    }

    pub fn conclude(&self, conclusion: Conclusion) {
        self.book().fortune = TurnEnd::Ended(conclusion);
    }

    /// The journal was removed with everything else.
    pub fn is_gone(&self) {
        self.book().fortune = TurnEnd::Gone;
    }

    pub fn leave_open(&self) {
        self.book().fortune = TurnEnd::LeftOpen;
    }

    /// Writes the intent, and that the effect before it succeeded.
    ///
    /// # Errors
    /// Then the effect must not happen.
    pub async fn about_to(&self, effect: Effect) -> Result<(), Stop> {
        let now = self.aws.journal_time();
        self.note(|operation| {
            operation.settle(Fate::Done);
            operation.intend(now, effect);
        })
        .await
    }

    /// Writes the intent only; the result of the effect before it stays unknown.
    ///
    /// # Errors
    /// As [`Self::about_to`].
    pub async fn about_to_undo(&self, effect: Effect) -> Result<(), Stop> {
        let now = self.aws.journal_time();
        self.note(|operation| operation.intend(now, effect)).await
    }

    /// Writes that the last effect happened, if the next one may be long in coming.
    ///
    /// # Errors
    /// As [`Self::about_to`]; then nothing more must happen.
    pub async fn did(&self) -> Result<(), Stop> {
        self.note(|operation| operation.settle(Fate::Done)).await
    }

    /// Remembers that the last effect happened; the next write includes it.
    pub fn has_done(&self) {
        self.book().operation.settle(Fate::Done);
    }

    /// Remembers that the last effect surely did not happen.
    pub fn did_not(&self, reason: &str) {
        let fate = Fate::Failed(bounded(reason.to_owned()));
        self.book().operation.settle(fate);
    }

    /// Makes sure, right before an effect, that the lease has not run out since the last
    /// write: the machine may have slept.
    ///
    /// # Errors
    /// Then the effect must not happen.
    pub async fn assure(&self) -> Result<(), Stop> {
        if self.renewal.is_known_lost() {
            return Err(self.lost().await);
        }
        if self.renewal.still_holds() {
            return Ok(());
        }
        self.write(&self.aws.impatient(), OperationChange::Keep, 0)
            .await
    }

    /// Whether someone else is known to hold the lease now.
    pub fn is_lost(&self) -> bool {
        self.renewal.is_known_lost()
    }

    /// Writes the operation with that change.
    async fn note(&self, change: impl FnOnce(&mut Operation)) -> Result<(), Stop> {
        let (operation, version) = {
            let mut book = self.book();
            change(&mut book.operation);
            (book.operation.clone(), self.next_version())
        };
        self.write(&self.aws, OperationChange::Write(&operation), version)
            .await
    }

    /// Called while the book is locked, so that a higher version is never older.
    fn next_version(&self) -> u64 {
        self.versions.fetch_add(1, Ordering::Relaxed) + 1
    }

    async fn write(&self, aws: &Aws, slot: OperationChange<'_>, version: u64) -> Result<(), Stop> {
        let change = HeadChange {
            operation: slot,
            truth: None,
            tenure: LeaseChange::Until(self.aws.journal_time() + self.length),
            version,
        };
        match self.change(aws, &change).await {
            Ok(()) => Ok(()),
            Err(unwritten) => Err(self.stop_for(unwritten).await),
        }
    }

    async fn change(&self, aws: &Aws, change: &HeadChange<'_>) -> Result<(), Unwritten> {
        let moment = renewal::Moment::now();
        match aws
            .change_head(&self.table, self.met.fence, &self.holder.id, change)
            .await
        {
            Ok(()) => self.renewal.renewed(moment),
            // A later write of this turn arrived first, and includes all of this one.
            Err(Unwritten::Overtaken) => {}
            Err(unwritten) => return Err(unwritten),
        }
        Ok(())
    }

    /// Why nothing more may happen after a write that failed.
    async fn stop_for(&self, unwritten: Unwritten) -> Stop {
        match unwritten {
            Unwritten::Aws(error) => Stop::Unwritable(error),
            Unwritten::Lost | Unwritten::Overtaken => {
                self.renewal.lose();
                self.lost().await
            }
        }
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

    /// Ends the operation being written, and begins this turn's own.
    ///
    /// # Errors
    /// The journal could not be written, or the lease is lost. The end of the turn tries
    /// again to write the same.
    pub async fn close(&self, conclusion: Conclusion) -> Result<(), Stop> {
        let (operation, truth) = self.ended(conclusion.clone());
        let change = HeadChange {
            operation: OperationChange::Clear,
            truth: truth.clone(),
            tenure: LeaseChange::Until(self.aws.journal_time() + self.length),
            version: self.next_version(),
        };
        if let Err(unwritten) = self.file(&operation, &change).await {
            self.conclude(conclusion);
            return Err(self.stop_for(unwritten).await);
        }
        *self.book() = OperationRecord::new(Operation::of(&self.holder), truth);
        Ok(())
    }

    /// Adds an ended operation to the history, and then removes it from the head: if the
    /// process dies in between, the operation is ended again.
    async fn file(&self, operation: &Operation, change: &HeadChange<'_>) -> Result<(), Unwritten> {
        self.aws
            .add_to_history(&self.table, self.met.fence, operation)
            .await?;
        self.change(&self.aws, change).await
    }

    /// Ends the turn: the operation goes into the history, unless it is left open or
    /// nothing was ever attempted; the lease is released.
    ///
    /// # Errors
    /// What could not be written. Then the lease expires by itself.
    pub async fn end(self, otherwise: Option<Conclusion>) -> Result<(), AwsError> {
        self.renewal.stop();
        if self.renewal.is_known_lost() {
            return Ok(());
        }
        let conclusion = {
            let mut book = self.book();
            match std::mem::replace(&mut book.fortune, TurnEnd::Unsaid) {
                TurnEnd::Gone => return Ok(()),
                TurnEnd::LeftOpen => None,
                TurnEnd::Ended(conclusion) => Some(conclusion),
                TurnEnd::Unsaid => otherwise,
            }
        };
        let conclusion = conclusion.filter(|_| self.knows_listeners());
        let is_begun = !self.book().operation.entries.is_empty();
        let seen = self.book().truth.clone();
        let mut change = HeadChange {
            operation: OperationChange::Keep,
            truth: seen.filter(|truth| Some(truth) != self.met.truth.as_ref()),
            tenure: LeaseChange::Release,
            version: self.next_version(),
        };
        let written = match conclusion {
            Some(conclusion) if is_begun => {
                let (operation, truth) = self.ended(conclusion);
                (change.operation, change.truth) = (OperationChange::Clear, truth);
                self.file(&operation, &change).await
            }
            _ if is_begun => {
                // What it did last is known, but not where the listeners are.
                change.truth = None;
                self.change(&self.aws, &change).await
            }
            _ => self.change(&self.aws, &change).await,
        };
        match written {
            // Whoever holds the lease now is not disturbed.
            Ok(()) | Err(Unwritten::Lost | Unwritten::Overtaken) => Ok(()),
            Err(Unwritten::Aws(error)) => Err(error),
        }
    }

    fn ended(&self, conclusion: Conclusion) -> (Operation, Option<Truth>) {
        let book = self.book();
        let mut operation = book.operation.clone();
        // They may be secrets, and nobody continues the operation any more.
        operation
            .asked
            .iter_mut()
            .for_each(|asked| asked.headers.clear());
        match (conclusion.outcome, &conclusion.reason) {
            (OperationOutcome::Done | OperationOutcome::Finished, _) => {
                operation.settle(Fate::Done);
            }
            (OperationOutcome::Failed, Some(reason)) => {
                operation.settle(Fate::Failed(bounded(reason.clone())));
            }
            _ => {}
        }
        operation.ending = Some(Ending {
            at: self.aws.journal_time(),
            outcome: conclusion.outcome,
            reason: conclusion.reason.map(bounded),
            watched: conclusion.watched,
        });
        (operation, book.truth.clone())
    }

    fn book(&self) -> MutexGuard<'_, OperationRecord> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bounded(reason: String) -> String {
    match reason.char_indices().nth(MOST_CHARACTERS) {
        Some((end, _)) => format!("{}…", &reason[..end]),
        None => reason,
    }
}

#[cfg(test)]
mod tests;
