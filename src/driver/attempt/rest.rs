//! What follows a shift apart from where users are: resolvers that are late, and what the
//! router has left to do.

use super::Attempt;
use crate::aws::Router;
use crate::driver::shift::Finished;
use crate::driver::turn::Turn;
use crate::engine::shift::{Outcome, Shift};
use crate::model::Route;
use crate::report::ReportEvent;
use crate::spoken_time;

impl Attempt<'_> {
    /// Warns of whoever keeps an answer longer than its TTL and so leads users to the old
    /// release when nobody expects it any more.
    pub(super) fn name_who_overstays(&self, finished: &Finished) {
        if finished.shift.outcome() != Some(&Outcome::Committed) {
            return;
        }
        let spread = self.router().patience().spread;
        let moves = finished.shift.moves.iter();
        let mut moves = moves.filter(|moved| moved.it.route == Route::Production);
        let seen = moves.next_back().and_then(|moved| moved.seen);
        let Some(until) = seen.filter(|_| !spread.is_zero()) else {
            return;
        };
        for (way, over) in finished.seen.overstaying(until + spread) {
            self.session.report.tell(&ReportEvent::Warning(format!(
                "{way} led to {} for {} longer than the record's TTL: keep {} until nobody is led there any more",
                self.from,
                spoken_time::short(over),
                self.from
            )));
        }
    }

    /// What a router does after a move. Users are where they should be by then, so
    /// failures here are only told.
    pub(super) async fn see_to_the_rest(&self, turn: &Turn, shift: &Shift) {
        let (on, way) = match shift.outcome() {
            Some(Outcome::Committed) => (self.to, "there"),
            Some(Outcome::RolledBack(_)) => (self.from, "back"),
            _ => return,
        };
        let reference = format!("{}-{way}", turn.operation().id);
        let done = self.router().afterwards(on, &reference).await;
        match done {
            Ok(None) => {}
            Ok(Some(done)) => self.session.report.tell(&ReportEvent::Done(done)),
            Err(error) => self
                .session
                .report
                .tell(&ReportEvent::Warning(error.to_string())),
        }
    }
}
