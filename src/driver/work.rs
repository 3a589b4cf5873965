//! What a command works with while it holds the lease.

use super::set::Seat;
use super::turn::Turn;
use crate::engine::plan;
use crate::error::Result;
use crate::interrupt::Interrupts;
use crate::model::{Infrastructure, Observed};
use crate::session::Session;

pub struct Work<'a> {
    pub session: &'a Session,
    pub infrastructure: &'a Infrastructure,
    pub turn: &'a Turn,
    pub interrupts: &'a mut Interrupts,
    /// If it is one module of a set.
    pub seat: Option<&'a Seat>,
}

impl Work<'_> {
    /// Reads everything; the journal's contents are known already.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn observe(&self) -> Result<Observed> {
        let head = self.turn.head();
        let is_first = head.truth.is_none();
        let observed = self.session.look(self.infrastructure, Some(head)).await?;
        // An unclear state must not become the truth merely because it was seen.
        if is_first && plan::unclear(&observed).is_none() {
            self.turn.saw(&observed);
        }
        Ok(observed)
    }

    /// Reads everything again at the end; the other ways in are taken as before.
    ///
    /// # Errors
    /// AWS's own.
    pub async fn observe_again(&self, before: &Observed) -> Result<Observed> {
        let (session, head) = (self.session, self.turn.head());
        match self.infrastructure {
            Infrastructure::Ecs(ecs) => {
                let again = session.aws.observe_again(ecs, head, &before.other_ways);
                Ok(again.await?)
            }
            Infrastructure::Edge(_) => session.look(self.infrastructure, Some(head)).await,
        }
    }
}
