//! The stages by which traffic goes from one colour to the other.

use std::time::Duration;

use super::{Color, Found, Move, PerRoute, Route, Split};

/// A move, and how long it is watched before the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stage {
    pub it: Move,
    pub bake: Duration,
}

/// In the order in which they are gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strategy {
    /// Which users leave.
    pub from: Color,
    /// Whose release is to be live.
    pub to: Color,
    pub stages: Vec<Stage>,
}

impl Strategy {
    /// The swap: production whole, then the test route the other way round, and
    /// both are watched.
    pub fn all_at_once(to: Color, found: &PerRoute<Found>, bake: Duration) -> Self {
        let from = to.other();
        let stage = |route, color, bake| Stage {
            it: Move {
                route,
                from: found.get(route).split(),
                to: Split::all(color),
            },
            bake,
        };
        Self {
            from,
            to,
            stages: vec![
                stage(Route::Production, to, Duration::ZERO),
                stage(Route::Test, from, bake),
            ],
        }
    }

    /// The same where nothing is live: no user can notice, and nothing is watched.
    pub fn first(to: Color, found: &PerRoute<Found>) -> Self {
        Self::all_at_once(to, found, Duration::ZERO)
    }

    /// What it moves. Where a route is already there is nothing to do.
    pub fn moves(&self) -> impl Iterator<Item = Move> {
        let moves = self.stages.iter().map(|stage| stage.it);
        moves.filter(|it| it.from != Some(it.to))
    }

    /// For how long it watches, all in all.
    pub fn bakes(&self) -> Duration {
        self.stages.iter().map(|stage| stage.bake).sum()
    }
}
