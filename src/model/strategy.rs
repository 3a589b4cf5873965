//! The stages by which users go from one colour to the other.

mod steps;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Color, Found, Hook, Move, PerRoute, Route, SetGate, Split};
use steps::Hold;
pub use steps::Steps;

/// A move, and what has to be ahead of the next one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    #[serde(rename = "move")]
    pub it: Move,
    /// Met one after the other ahead of the move.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Condition>,
    /// For how long it is watched.
    #[serde(rename = "bake_seconds", with = "crate::spoken_time::seconds")]
    pub bake: Duration,
    /// Met one after the other once it was watched.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Condition>,
}

/// What a stage waits for, beside time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// So many healthy tasks of the new colour.
    Capacity(i32),
    /// A command of the user's own. Stages are those of production, counted from
    /// 1; none where it belongs to the whole shift.
    Hook { hook: Hook, stage: Option<usize> },
    /// Somebody says that it goes on.
    Person,
    /// The other modules of its set are as far.
    Set(SetGate),
}

/// In the order in which they are gone through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Which users leave.
    pub from: Color,
    /// Whose release is to be live.
    pub to: Color,
    pub stages: Vec<Stage>,
}

impl Strategy {
    /// The swap: production whole, then the test route the other way round, and
    /// both are watched. A test route whose requests name their colour stays.
    pub fn all_at_once(to: Color, found: &PerRoute<Found>, bake: Duration) -> Self {
        Self::gradual(to, found, &Steps::default(), bake)
    }

    /// The same where nothing is live: no user can notice, and nothing is watched.
    pub fn first(to: Color, found: &PerRoute<Found>) -> Self {
        Self::all_at_once(to, found, Duration::ZERO)
    }

    /// Production by steps, each watched, and then as [`Self::all_at_once`]. A
    /// step that waits for a person is watched for as long as the last one.
    pub fn gradual(to: Color, found: &PerRoute<Found>, steps: &Steps, bake: Duration) -> Self {
        let stage = |route, to, bake, after| Stage {
            it: Move {
                route,
                from: None,
                to,
            },
            before: Vec::new(),
            bake,
            after,
        };
        let portions = steps.all().iter().map(|portion| {
            let (bake, after) = match portion.hold {
                Hold::For(time) => (time, Vec::new()),
                Hold::Pause => (bake, vec![Condition::Person]),
            };
            let split = Split::with_share(to, portion.share);
            stage(Route::Production, split, bake, after)
        });
        let whole = |bake| stage(Route::Production, Split::all(to), bake, Vec::new());
        let ending = match found.test.is_by_request() {
            true => vec![whole(bake)],
            false => vec![
                whole(Duration::ZERO),
                stage(Route::Test, Split::all(to.other()), bake, Vec::new()),
            ],
        };
        let mut it = Self {
            from: to.other(),
            to,
            stages: portions.chain(ending).collect(),
        };
        it.begin_at(found);
        it
    }

    /// What is left of it where routes were found there: from the stage on that
    /// production is at, or some of its ways in. None where no stage leads to it.
    pub fn rest(&self, found: &PerRoute<Found>) -> Option<Self> {
        let start = Split::all(self.from);
        let moves = self.stages.iter().map(|stage| stage.it);
        let of_production = moves.filter(|it| it.route == Route::Production);
        let known: Vec<Split> = of_production.map(|it| it.to).chain([start]).collect();
        if !found.production.is_among(&known) {
            return None;
        }
        let splits = found.production.splits();
        let is_there =
            |stage: &Stage| stage.it.route == Route::Production && splits.contains(&stage.it.to);
        let reached = match splits.iter().all(|split| *split == start) {
            true => 0,
            false => self.stages.iter().rposition(is_there)?,
        };
        let mut rest = Self {
            stages: self.stages[reached..].to_vec(),
            ..*self
        };
        rest.begin_at(found);
        Some(rest)
    }

    /// The same, but that what follows the pause it stands in begins at once, or
    /// once its stage was watched anew.
    #[must_use]
    pub fn beyond_its_pause(mut self, is_watched_anew: bool) -> Self {
        let waits = |stage: &&mut Stage| stage.after.contains(&Condition::Person);
        match self.stages.first_mut().filter(waits) {
            Some(first) if is_watched_anew => {
                first.after.retain(|it| *it != Condition::Person);
            }
            Some(_) => {
                self.stages.remove(0);
            }
            None => {}
        }
        self
    }

    /// The same, but that at the end it is watched for so long.
    #[must_use]
    pub fn watched_for(mut self, bake: Duration) -> Self {
        if let Some(last) = self.stages.last_mut() {
            last.bake = bake;
        }
        self
    }

    /// The same, but that at the end it is watched for so much longer.
    #[must_use]
    pub fn watched_longer(mut self, by: Duration) -> Self {
        if let Some(last) = self.stages.last_mut() {
            last.bake = last.bake.saturating_add(by);
        }
        self
    }

    /// The same with other shares of the new release, where users are on both.
    ///
    /// # Errors
    /// What `share_for` says of one that cannot be had.
    pub fn with_shares<E>(mut self, share_for: impl Fn(u16) -> Result<u16, E>) -> Result<Self, E> {
        let to = self.to;
        let shared = self.stages.iter_mut().map(|stage| &mut stage.it);
        for it in shared.filter(|it| it.to.is_shared()) {
            it.to = Split::with_share(to, share_for(it.to.share(to))?);
        }
        let mut brought = None;
        for stage in &mut self.stages {
            let it = &mut stage.it;
            if it.route == Route::Production {
                it.from = brought.replace(it.to).or(it.from);
            }
        }
        Ok(self)
    }

    /// Of the new release, once production has moved for the first time, in basis
    /// points.
    pub fn first_share(&self) -> u16 {
        self.share_at(1).unwrap_or(0)
    }

    /// Each move begins where the one before it has brought its route.
    fn begin_at(&mut self, found: &PerRoute<Found>) {
        let mut at = found.map(Found::split);
        for Stage { it, .. } in &mut self.stages {
            it.from = at.get_mut(it.route).replace(it.to);
        }
    }

    /// The same, and where such a hook is to run it is waited for.
    #[must_use]
    pub fn with_hooks(mut self, is_wanted: impl Fn(Hook) -> bool) -> Self {
        let hook = |hook, stage| is_wanted(hook).then_some(Condition::Hook { hook, stage });
        let of_production = |stage: &Stage| stage.it.route == Route::Production;
        let last = self.stages.iter().rposition(of_production);
        let end = self.stages.len().saturating_sub(1);
        let mut number = 0;
        for (n, stage) in self.stages.iter_mut().enumerate() {
            if of_production(stage) {
                number += 1;
                stage.before.extend(hook(Hook::BeforeStage, Some(number)));
            }
            // All users are watched together with testers.
            let is_over = of_production(stage) && Some(n) != last || n == end;
            if is_over && number > 0 {
                let after = hook(Hook::AfterStage, Some(number));
                stage.after.splice(0..0, after);
            }
        }
        if let Some(first) = self.stages.first_mut() {
            first.before.splice(0..0, hook(Hook::BeforeShift, None));
        }
        if let Some(last) = self.stages.last_mut() {
            last.after.extend(hook(Hook::AfterShift, None));
        }
        self
    }

    /// The same as one module of a set: it waits for the others ahead of what runs
    /// before it all, ahead of each stage of production, and at its end.
    #[must_use]
    pub fn with_gates(mut self) -> Self {
        let mut number = 0;
        for stage in &mut self.stages {
            if stage.it.route == Route::Production {
                let is_first = |it: &Condition| {
                    matches!(
                        it,
                        Condition::Hook {
                            hook: Hook::BeforeShift,
                            ..
                        }
                    )
                };
                let after_first = stage
                    .before
                    .iter()
                    .rposition(is_first)
                    .map_or(0, |at| at + 1);
                let gate = Condition::Set(SetGate::Stage(number));
                stage.before.insert(after_first, gate);
                number += 1;
            }
        }
        if let Some(first) = self.stages.first_mut() {
            first.before.insert(0, Condition::Set(SetGate::Prepare));
        }
        if let Some(last) = self.stages.last_mut() {
            last.after.push(Condition::Set(SetGate::Commit));
        }
        self
    }

    /// The same without the hooks that have run.
    #[must_use]
    pub fn without_hooks(mut self, has_run: impl Fn(Hook, Option<usize>) -> bool) -> Self {
        let is_left = |condition: &Condition| match condition {
            Condition::Hook { hook, stage } => !has_run(*hook, *stage),
            Condition::Capacity(_) | Condition::Person | Condition::Set(_) => true,
        };
        for stage in &mut self.stages {
            stage.before.retain(is_left);
            stage.after.retain(is_left);
        }
        self
    }

    /// Of the new release at that stage of production, counted from 1, in basis
    /// points.
    pub fn share_at(&self, stage: usize) -> Option<u16> {
        let moves = self.stages.iter().map(|stage| stage.it);
        let mut moves = moves.filter(|it| it.route == Route::Production);
        let it = moves.nth(stage.checked_sub(1)?)?;
        Some(it.to.share(self.to))
    }

    /// Whether users are ever on both colours because it says so.
    pub fn is_gradual(&self) -> bool {
        let mut splits = self
            .stages
            .iter()
            .flat_map(|stage| [stage.it.from, Some(stage.it.to)]);
        splits.any(|split| split.is_some_and(|split| split.is_shared()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::{PORTS, observed, observed_by_header};

    fn told(strategy: &Strategy) -> Vec<String> {
        let told = |stage: &Stage| {
            let from = stage.it.from.map_or_else(String::new, |it| it.to_string());
            let (it, bake) = (stage.it.told(&PORTS), stage.bake.as_secs());
            let person = if stage.after.is_empty() {
                ""
            } else {
                ", then a person"
            };
            format!("{it} (it was {from}), {bake} s{person}")
        };
        strategy.stages.iter().map(told).collect()
    }

    #[test]
    fn production_grows_and_the_test_route_follows_at_the_end() {
        let steps = "5% for 5m,25% pause".parse().unwrap();
        let bake = Duration::from_secs(900);
        let mut found = observed().traffic;
        let strategy = Strategy::gradual(Color::Blue, &found, &steps, bake);
        let all = [
            "point port 80 at 5% blue, 95% green (it was green), 300 s",
            "point port 80 at 25% blue, 75% green (it was 5% blue, 95% green), 900 s, then a person",
            "point port 80 at blue (it was 25% blue, 75% green), 0 s",
            "point port 81 at green (it was blue), 900 s",
        ];
        assert_eq!(told(&strategy), all);
        assert!(strategy.is_gradual());
        let kept = serde_json::to_string(&strategy).unwrap();
        assert_eq!(serde_json::from_str::<Strategy>(&kept).unwrap(), strategy);

        // Gone on with from where production was left.
        assert_eq!(told(&strategy.rest(&found).unwrap()), all);
        found.production = Found::Split(Split::with_share(Color::Blue, 2500));
        let rest = strategy.rest(&found).unwrap();
        let there = "point port 80 at 25% blue, 75% green (it was 25% blue, 75% green), 900 s, then a person";
        assert_eq!(told(&rest), [&[there], &all[2..]].concat());
        assert_eq!(rest.moves().count(), 2);
        found.production = Found::Split(Split::with_share(Color::Blue, 3000));
        assert_eq!(strategy.rest(&found), None);

        let swap = Strategy::all_at_once(Color::Blue, &observed().traffic, bake);
        assert_eq!(swap.stages.len(), 2);
        assert!(!swap.is_gradual());
    }

    /// Users alone are moved, and all of them are watched as both routes are.
    #[test]
    fn a_test_route_by_header_has_no_stage() {
        let steps = "5% for 5m".parse().unwrap();
        let bake = Duration::from_secs(900);
        let mut found = observed_by_header().traffic;
        let strategy = Strategy::gradual(Color::Blue, &found, &steps, bake);
        let all = [
            "point port 80 at 5% blue, 95% green (it was green), 300 s",
            "point port 80 at blue (it was 5% blue, 95% green), 900 s",
        ];
        assert_eq!(told(&strategy), all);
        let hooks = strategy.clone().with_hooks(|_| true);
        let [_, last] = hooks.stages.as_slice() else {
            panic!("{hooks:?}");
        };
        let after = [(Hook::AfterStage, Some(2)), (Hook::AfterShift, None)];
        let after = after.map(|(hook, stage)| Condition::Hook { hook, stage });
        assert_eq!(last.after, after);

        found.production = Color::Blue.into();
        let rest = strategy.rest(&found).unwrap();
        assert_eq!(told(&rest), ["point port 80 at blue (it was blue), 900 s"]);
        assert_eq!(rest.moves().count(), 0);
        assert_eq!(Strategy::first(Color::Blue, &found).stages.len(), 1);
    }

    #[test]
    fn hooks_stand_where_their_names_say() {
        let steps = "5% for 5m,25% pause".parse().unwrap();
        let found = observed().traffic;
        let strategy = Strategy::gradual(Color::Blue, &found, &steps, Duration::ZERO);
        let strategy = strategy.with_hooks(|hook| hook != Hook::AfterRollback);
        let told = |conditions: &[Condition]| -> Vec<String> {
            let told = |condition: &Condition| match condition {
                Condition::Hook { hook, stage } => hook.at(*stage),
                other => format!("{other:?}"),
            };
            conditions.iter().map(told).collect()
        };
        let both = |stage: &Stage| (told(&stage.before), told(&stage.after));
        let all: Vec<_> = strategy.stages.iter().map(both).collect();
        let texts = |texts: &[&str]| texts.iter().map(ToString::to_string).collect();
        let expected: Vec<(Vec<String>, Vec<String>)> = vec![
            (
                texts(&["before_shift", "before_stage of stage 1"]),
                texts(&["after_stage of stage 1"]),
            ),
            (
                texts(&["before_stage of stage 2"]),
                texts(&["after_stage of stage 2", "Person"]),
            ),
            (texts(&["before_stage of stage 3"]), Vec::new()),
            (
                Vec::new(),
                texts(&["after_stage of stage 3", "after_shift"]),
            ),
        ];
        assert_eq!(all, expected);
        assert_eq!(strategy.share_at(2), Some(2500));
        assert_eq!((strategy.share_at(0), strategy.share_at(4)), (None, None));

        let kept = serde_json::to_string(&strategy).unwrap();
        assert_eq!(serde_json::from_str::<Strategy>(&kept).unwrap(), strategy);
        let rest = strategy.without_hooks(|hook, stage| {
            hook == Hook::BeforeShift || stage.is_some_and(|stage| stage < 3)
        });
        assert_eq!(told(&rest.stages[0].before), texts(&[]) as Vec<String>);
        assert_eq!(told(&rest.stages[1].after), ["Person"]);
        assert_eq!(told(&rest.stages[2].before), ["before_stage of stage 3"]);
    }
}
