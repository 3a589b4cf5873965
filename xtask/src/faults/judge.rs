//! What is right after a kill. Pure.

use localstack::gate::crash::{Side, Write};

use super::mode::Next;
use super::operation::Operation;

/// The service that keeps the lease, the journal and the history.
const JOURNAL: &str = "dynamodb";

/// Whether the next `status` has to name the operation as unfinished.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// Nothing but its own books was written: it may be named or not.
    Free,
    Due,
    /// All of it was written.
    Wrong,
}

/// From ahead of the first write that has an effect on anything but the
/// journal, until after the last write of all.
pub fn naming(writes: &[Write], write: &Write, side: Side) -> Naming {
    let is_last = writes.last() == Some(write);
    let is_effect = |write: &&Write| write.service != JOURNAL;
    let first = writes.iter().find(is_effect).map(|write| write.number);
    match (first, side) {
        (_, Side::After) if is_last => Naming::Wrong,
        (Some(first), _) if write.number >= first => Naming::Due,
        _ => Naming::Free,
    }
}

/// What became of an operation, in a word or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It died before it changed anything, and left nothing to do.
    NothingBegun,
    Finished,
    Undone,
    /// All was done when it died.
    Done,
}

impl Outcome {
    pub const ALL: [Self; 4] = [Self::NothingBegun, Self::Finished, Self::Undone, Self::Done];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::NothingBegun => "nothing begun",
            Self::Finished => "finished",
            Self::Undone => "undone",
            Self::Done => "done already",
        }
    }

    /// By what `resume` says of itself.
    pub fn of(resumed: &str, naming: Naming) -> Option<Self> {
        match (resumed, naming) {
            ("finished", _) => Some(Self::Finished),
            ("undone", _) => Some(Self::Undone),
            ("nothing", Naming::Free) => Some(Self::NothingBegun),
            ("nothing", Naming::Wrong) => Some(Self::Done),
            _ => None,
        }
    }
}

/// Which release is live, and which is on the other colour.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tags {
    pub live: Option<String>,
    pub idle: Option<String>,
}

impl Tags {
    fn swapped(&self) -> Self {
        Self {
            live: self.idle.clone(),
            idle: self.live.clone(),
        }
    }

    fn with_idle(&self, tag: &str) -> Self {
        Self {
            live: self.live.clone(),
            idle: Some(tag.to_owned()),
        }
    }
}

/// How an operation ends that is typed until it succeeds, from these tags;
/// `typed` is the tag on its line. `None`: nothing is left.
pub fn goal(operation: Operation, before: &Tags, typed: &str) -> Option<Tags> {
    match operation {
        Operation::DeployFirst => Some(Tags {
            live: Some(typed.to_owned()),
            idle: None,
        }),
        Operation::Deploy => Some(before.with_idle(typed)),
        // The idle colour has what has not been live, and for a rollback what
        // was live before.
        Operation::Promote
        | Operation::PromoteGrowing
        | Operation::PromoteGradual
        | Operation::PromoteMigrating
        | Operation::PromoteScaled
        | Operation::Rollback => Some(before.swapped()),
        Operation::Retire | Operation::InitUpdate => Some(before.clone()),
        Operation::Destroy
        | Operation::Attach
        | Operation::Detach
        | Operation::PromoteWays
        | Operation::PromoteRecord
        | Operation::PromoteOrigin
        | Operation::Up
        | Operation::ReleaseSet => None,
    }
}

/// One command that was killed, and another that was typed over it.
#[derive(Debug)]
pub struct Crossing<'a> {
    pub killed: Operation,
    /// The tag on the line that was killed.
    pub typed: &'a str,
    pub next: Next,
    /// The tag on the other line, where it has one.
    pub typed_next: &'a str,
    pub before: &'a Tags,
    /// After the kill.
    pub left: &'a Tags,
    /// In the end.
    pub after: &'a Tags,
}

impl Crossing<'_> {
    /// How it has to end. `None`: nothing is left.
    pub fn goal(&self) -> Option<Tags> {
        match self.next {
            Next::Destroy | Next::Attach => None,
            // The release deployed last: the one of the deploy that was killed
            // if that was finished, and otherwise the one before it.
            Next::Promote if self.is_deployed() => {
                Some(self.before.with_idle(self.typed).swapped())
            }
            Next::Promote => Some(self.before.swapped()),
            // Back to where production was when the promotion began.
            Next::Rollback => Some(self.before.clone()),
            // Whatever becomes of the rollback, no user is moved by a deploy.
            Next::Deploy => Some(self.left.with_idle(self.typed_next)),
        }
    }

    fn is_deployed(&self) -> bool {
        let typed = Some(self.typed);
        self.killed == Operation::Deploy
            && (self.after.live.as_deref() == typed || self.after.idle.as_deref() == typed)
    }

    /// Whether the other command may be refused: it finds nothing of the one
    /// that was killed, and what it says then is not the matter here.
    pub fn may_be_refused(next: Next, naming: Naming) -> bool {
        next == Next::Rollback && naming == Naming::Free
    }
}

/// What is not as it has to be.
pub fn amiss(goal: Option<&Tags>, after: Option<&Tags>) -> Option<String> {
    let named = |tag: &Option<String>| tag.clone().unwrap_or_else(|| "nothing".to_owned());
    let (goal, after) = match (goal, after) {
        (None, None) => return None,
        (None, Some(_)) => return Some("the stack is there".to_owned()),
        (Some(_), None) => return Some("the stack is gone".to_owned()),
        (Some(goal), Some(after)) => (goal, after),
    };
    if goal.live != after.live {
        let (is, wanted) = (named(&after.live), named(&goal.live));
        return Some(format!("tag {is} is live, and not tag {wanted}"));
    }
    if goal.idle != after.idle {
        let (is, wanted) = (named(&after.idle), named(&goal.idle));
        return Some(format!("tag {is} is idle, and not tag {wanted}"));
    }
    None
}

#[cfg(test)]
mod tests;
