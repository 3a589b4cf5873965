//! What an app's journal says for a list of all apps: what need not be asked of AWS, since
//! when the live colour is live, and the set that the app belongs to.
//!
//! Where users are it does not say. That is read of AWS, for every app.

use time::OffsetDateTime;

use crate::model::journal::{Command, Entry, Fate, Head, Operation};
use crate::model::{Color, Deployed, Observed, Release, Revision, SetName};

/// The journal of one app, as far as a list needs it.
#[derive(Debug, Clone, Copy)]
pub struct Recent<'a> {
    pub head: &'a Head,
    /// What ended last, newest first.
    pub ended: &'a [Operation],
}

impl<'a> Recent<'a> {
    /// Newest first. One that died between its record and the head is in both.
    fn operations(self) -> impl Iterator<Item = &'a Operation> {
        let unfinished = self.head.operation.as_ref();
        let ended = self.ended.iter();
        let ended = ended.filter(move |it| unfinished.is_none_or(|one| one.id != it.id));
        unfinished.into_iter().chain(ended)
    }

    /// What that revision runs, where some operation has written it down. A revision
    /// never changes; how large it is, the journal does not say.
    pub fn release(self, color: Color, revision: &Revision) -> Option<Release> {
        let truth = self.head.truth.as_ref();
        let live = truth.and_then(|truth| truth.production.clone());
        let previous = truth.and_then(|truth| truth.previous.clone());
        let written = live.into_iter().chain(previous.map(|it| it.release));
        let operations = self.operations();
        let written = written.chain(operations.filter_map(Operation::release));
        let is_it = |it: &Deployed| it.color == color && it.revision.as_ref() == Some(revision);
        let found = written.filter(is_it).find(|it| it.tag.is_some())?;
        Some(Release {
            tag: found.tag,
            digest: found.digest,
            ..Release::default()
        })
    }

    /// Since when all users are where they are; None where the journal does not reach
    /// back so far, or somebody else moved them.
    pub fn live_since(self, observed: &Observed) -> Option<OffsetDateTime> {
        let live = observed.live_color()?;
        // When somebody else's move was accepted: it is so since then at least.
        let mut adopted = None;
        for operation in self.operations() {
            if let Some((to, at)) = last_move(operation) {
                return (to == Some(live)).then_some(at).or(adopted);
            }
            if operation.command == Command::Adopt {
                adopted = Some(operation.began);
            }
        }
        adopted
    }

    /// The set with which it was released last.
    pub fn set(self) -> Option<&'a SetName> {
        let mut marks = self.operations().filter_map(|it| it.set.as_ref());
        marks.next().map(|mark| &mark.set)
    }
}

/// Where it brought users last, and when.
fn last_move(operation: &Operation) -> Option<(Option<Color>, OffsetDateTime)> {
    let was_made = |entry: &&Entry| !matches!(entry.fate, Some(Fate::Failed(_)));
    let mut made = operation.entries.iter().rev().filter(was_made);
    made.find_map(|entry| Some((entry.production_move()?.to.only(), entry.at)))
}

#[cfg(test)]
mod tests;
