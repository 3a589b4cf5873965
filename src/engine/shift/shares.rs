//! What a shift asked of the router for the new release, and from when on.

use std::time::Duration;

use super::Shift;
use crate::engine::seen::ShareAsked;
use crate::model::{Move, Route, Split};

impl Shift {
    /// In the order in which they left, the way back's too; none where users go
    /// over all at once.
    pub fn shares(&self) -> impl Iterator<Item = ShareAsked> {
        let to = self.strategy.to;
        let of_production = |it: &Move| it.route == Route::Production;
        let stages = self.strategy.stages.iter().map(|stage| stage.it);
        let mut stages = stages.filter(of_production).peekable();
        let found = stages.peek().and_then(|it| it.from);
        let is_part = |split: Option<Split>| split.is_some_and(|split| split.only().is_none());
        let is_gradual = stages.any(|it| is_part(it.from) || is_part(Some(it.to)));
        let found = found.map(|split| ShareAsked {
            share: split.share(to),
            sent: Duration::ZERO,
            seen: Some(Duration::ZERO),
        });
        let moves = self.moves.iter();
        let moved = moves.filter(move |moved| of_production(&moved.it));
        let moved = moved.map(move |moved| ShareAsked {
            share: moved.it.to.share(to),
            sent: moved.sent,
            seen: moved.seen,
        });
        let found = found.into_iter().filter(|found| found.share > 0);
        found.chain(moved).filter(move |_| is_gradual)
    }
}
