//! Which share a shift asked the router to give the new release, and from when on.

use std::time::Duration;

use super::Shift;
use crate::engine::seen::ShareAsked;
use crate::model::{Move, Route};

impl Shift {
    /// In the order in which they left, the way back's too; none where users go
    /// over all at once.
    pub fn shares(&self) -> impl Iterator<Item = ShareAsked> {
        let to = self.strategy.to;
        let of_production = |it: &Move| it.route == Route::Production;
        let mut stages = self.strategy.stages.iter().map(|stage| stage.it);
        let first = stages.find(of_production);
        let is_gradual = self.strategy.is_gradual();
        let found = first.and_then(|it| it.from).map(|split| ShareAsked {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::shift::testing::policy;
    use crate::engine::shift::{Before, MoveTimes};
    use crate::model::{Color, Found, PerRoute, Split, Steps, Strategy};

    /// All its moves, a second apart, and production's way back.
    fn shares(production: Found, steps: &str) -> Vec<(u16, u64)> {
        let found = PerRoute {
            production,
            test: Color::Blue.into(),
        };
        let steps = match steps {
            "" => Steps::default(),
            steps => steps.parse().unwrap(),
        };
        let strategy = Strategy::gradual(Color::Blue, &found, &steps, Duration::ZERO);
        let before = Before {
            found,
            ..Before::default()
        };
        let mut shift = Shift::new(strategy, before, policy());
        let mut moves: Vec<Move> = shift.strategy.moves().collect();
        moves.push(Move {
            route: Route::Production,
            from: Some(Split::all(Color::Blue)),
            to: Split::all(Color::Green),
        });
        let left = moves.into_iter().zip(1..).map(|(it, second)| MoveTimes {
            it,
            sent: Duration::from_secs(second),
            seen: None,
        });
        shift.moves = left.collect();
        let told = |asked: ShareAsked| (asked.share, asked.sent.as_secs());
        shift.shares().map(told).collect()
    }

    #[test]
    fn each_move_of_production_asks_for_another_share() {
        let steps = "5% for 5m,25% pause";
        let all = [(500, 1), (2500, 2), (10_000, 3), (0, 5)];
        assert_eq!(shares(Color::Green.into(), steps), all);
    }

    #[test]
    fn what_goes_on_begins_where_it_was_found() {
        let quarter = Found::Split(Split::with_share(Color::Blue, 2500));
        let rest = [(2500, 0), (10_000, 1), (0, 3)];
        assert_eq!(shares(quarter, ""), rest);
    }

    #[test]
    fn where_all_go_over_at_once_there_are_none() {
        assert_eq!(shares(Color::Green.into(), ""), []);
        assert_eq!(shares(Found::Nowhere, ""), []);
    }
}
