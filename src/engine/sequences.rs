//! Random sequences of command lines, typed by people who retry, killed
//! anywhere, among strangers: whoever typed what, the live release is one that
//! was asked for and has not been taken back since.
//!
//! The decisions are bgecs's own; the world about them, and who asked for what,
//! is modelled here.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::plan::{self, Aim, DeployWish, SwapPlan};
use super::unfinished::{self, Course, Reaction, Resolution};
use crate::model::journal::{Command, Effect, Left, Operation, Previous, Truth};
use crate::model::testing::{moment, move_to, nowhere, observed, operation, release, service, to};
use crate::model::{
    Color, ColorState, Found, Observed, PerRoute, Release, Revision, Route, Strategy as Stages,
};

/// A release, by its number: tag and revision. Every third one fails once users
/// are on it.
type Number = u32;

fn is_well(number: Number) -> bool {
    !number.is_multiple_of(3)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// That release; of a script, the next one, or the last one's line again.
    Deploy(Number),
    Promote,
    PromoteTag(u8),
    Rollback,
    Retire,
    Resume,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// Typed until it ends; each time it is killed ahead of that effect, if one
    /// is named.
    Type(Line, [Option<u8>; 2]),
    StrangerMoves,
    StrangerRedeploys,
    Adopt,
}

/// Killed, or what came of it.
enum Ran {
    Killed,
    Refused,
    Done,
}

#[derive(Debug)]
struct World {
    seen: Observed,
    deployed: Number,
    /// Effects left until the kill.
    life: Option<u8>,
    /// Releases that somebody asked to be live, and nobody took back since.
    asked: BTreeSet<Number>,
}

impl World {
    fn new(by_header: bool) -> Self {
        let mut seen = observed();
        seen.traffic = PerRoute {
            production: nowhere(),
            test: match by_header {
                true => Found::ByRequest,
                false => nowhere(),
            },
        };
        Self {
            seen,
            deployed: 0,
            life: None,
            asked: BTreeSet::new(),
        }
    }

    fn number_on(&self, color: Color) -> Option<Number> {
        self.seen.color(color).tag()?.as_str().parse().ok()
    }

    fn live(&self) -> Option<Number> {
        self.number_on(self.seen.live_color()?)
    }

    fn put(&mut self, color: Color, number: Number) {
        let revision = Revision::new(format!("task-definition/bgecs-hello:{number}"));
        let mut service = service(1);
        service.task_definition = revision;
        let state = ColorState {
            service: Some(service),
            release: Some(Release {
                operation: Some(format!("{number:09}-0000002a")),
                config: Some(number.to_string()),
                ..release(&number.to_string())
            }),
            ..ColorState::default()
        };
        match color {
            Color::Blue => self.seen.colors.blue = state,
            Color::Green => self.seen.colors.green = state,
        }
    }

    /// One effect; nothing where the process is killed ahead of it.
    fn effect(&mut self, happens: impl FnOnce(&mut Self)) -> Option<()> {
        match &mut self.life {
            Some(0) => return None,
            Some(left) => *left -= 1,
            None => {}
        }
        happens(self);
        Some(())
    }

    /// But what nothing moves, as no strategy has a stage for it.
    fn point(&mut self, port: Route, color: Color) -> Option<()> {
        if self.seen.found_at(port).is_by_request() {
            return Some(());
        }
        self.effect(|world| {
            let effect = Effect::Move(move_to(port, color));
            if let Some(operation) = &mut world.seen.journal.operation {
                operation.intend(moment(), effect);
            }
        })?;
        self.effect(|world| {
            *world.seen.traffic.get_mut(port) = to(color);
        })
    }

    fn begin(&mut self, command: Command, to: Color) -> Option<()> {
        let mut begun = Operation {
            command,
            color: Some(to),
            from: self.seen.live_release(),
            ..operation()
        };
        if let Some(release) = self.seen.deployed(to) {
            (begun.tag, begun.task_definition) = (release.tag, release.revision);
        }
        self.effect(|world| world.seen.journal.operation = Some(begun))
    }

    fn end(&mut self, came_off: Option<Previous>) -> Option<()> {
        self.effect(|world| {
            let journal = &world.seen.journal;
            let ended = journal.operation.clone().unwrap_or_else(|| Operation {
                command: Command::Adopt,
                from: None,
                ..operation()
            });
            let mut truth = Truth::after(journal.truth.as_ref(), &ended, &world.seen);
            truth.previous = came_off.or(truth.previous);
            world.seen.journal.truth = Some(truth);
            world.seen.journal.operation = None;
        })
    }

    /// There, and back again where users fail on what is new.
    fn swap(&mut self, from: Color, to: Color) -> Option<()> {
        self.point(Route::Production, to)?;
        let new = self.number_on(to);
        if new.is_some_and(is_well) {
            self.point(Route::Test, from)?;
            return self.end(None);
        }
        self.point(Route::Production, from)?;
        self.point(Route::Test, to)?;
        self.taken_back(new);
        let release = self.seen.deployed(to)?;
        self.end(Some(Previous {
            release,
            left: Left::TakenBack,
        }))
    }

    fn taken_back(&mut self, number: Option<Number>) {
        self.asked.retain(|asked| Some(*asked) != number);
    }

    fn settle(&mut self, met: &Operation, back: bool) -> Option<bool> {
        let to_is_well = !back && self.live().is_some_and(is_well);
        let (course, bake) = (Course::AsItIs, Duration::ZERO);
        let Ok(way) = unfinished::way(met, &self.seen, course, to_is_well, bake) else {
            return Some(false);
        };
        match way {
            Resolution::Shift {
                strategy: Stages { from, to, .. },
                is_back: false,
            } => {
                self.point(Route::Production, to)?;
                self.point(Route::Test, from)?;
                self.end(None)?;
            }
            Resolution::Shift {
                strategy: Stages { from, to, .. },
                ..
            } => {
                let was_live = self.seen.live_color() == Some(from);
                self.point(Route::Production, to)?;
                self.point(Route::Test, from)?;
                let left = if back {
                    Left::RolledBack
                } else {
                    Left::TakenBack
                };
                let release = met.release().filter(|_| was_live);
                if was_live {
                    let number = self.number_on(from);
                    self.taken_back(number);
                }
                self.end(release.map(|release| Previous { release, left }))?;
            }
            Resolution::MakeLive { color } => {
                self.point(Route::Production, color)?;
                self.point(Route::Test, color.other())?;
                self.end(None)?;
            }
            Resolution::AwaitServing { color, .. } => {
                if met.from.is_none() && self.seen.live_color().is_none() {
                    self.point(Route::Production, color)?;
                    self.point(Route::Test, color.other())?;
                }
                self.end(None)?;
            }
            Resolution::Hold { .. } => return Some(false),
            _ => self.end(None)?,
        }
        Some(true)
    }

    fn run(&mut self, line: Line) -> Ran {
        match self.attempt(line) {
            None => Ran::Killed,
            Some(false) => Ran::Refused,
            Some(true) => Ran::Done,
        }
    }

    /// None is a kill.
    fn attempt(&mut self, line: Line) -> Option<bool> {
        let command = match line {
            Line::Deploy(_) => Command::Deploy,
            Line::Promote | Line::PromoteTag(_) => Command::Promote,
            Line::Rollback => Command::Rollback,
            Line::Retire => Command::Retire,
            Line::Resume => Command::Resume,
        };
        if let Some(met) = self.seen.journal.operation.clone() {
            match unfinished::reaction(&met, command, None) {
                Ok(Reaction::Settle | Reaction::Try) => {
                    if !self.settle(&met, false)? {
                        return Some(false);
                    }
                }
                Ok(Reaction::TakeBack) => return self.settle(&met, true),
                Ok(Reaction::Supersede) => self.end(None)?,
                Err(_) => return Some(false),
            }
        }
        match line {
            Line::Deploy(number) => self.deploy(number),
            Line::Promote => self.go(
                Command::Promote,
                plan::promote(&self.seen, &Aim::Newest).ok(),
            ),
            Line::PromoteTag(number) => {
                let aim = self.tag(number);
                self.go(Command::Promote, plan::promote(&self.seen, &aim).ok())
            }
            Line::Rollback => self.go(Command::Rollback, plan::rollback(&self.seen).ok()),
            Line::Retire => self.retire(),
            Line::Resume => Some(true),
        }
    }

    fn tag(&self, number: u8) -> Aim {
        let number = Number::from(number) % (self.deployed + 1);
        Aim::Tag {
            tag: number.to_string().parse().unwrap(),
            on: None,
        }
    }

    fn go(&mut self, command: Command, plan: Option<SwapPlan>) -> Option<bool> {
        let Some(plan) = plan else {
            return Some(false);
        };
        match plan {
            SwapPlan::NothingToDo { .. } => Some(true),
            SwapPlan::MakeLive { color } => {
                self.begin(command, color)?;
                self.point(Route::Production, color)?;
                self.point(Route::Test, color.other())?;
                self.end(None)?;
                Some(true)
            }
            SwapPlan::Swap { from, to, .. } => {
                let gone_back_from = self.number_on(from);
                self.begin(command, to)?;
                self.swap(from, to)?;
                if command == Command::Rollback && self.seen.live_color() == Some(to) {
                    self.taken_back(gone_back_from);
                }
                Some(true)
            }
        }
    }

    fn deploy(&mut self, number: Number) -> Option<bool> {
        let tag = number.to_string().parse().unwrap();
        let wish = DeployWish {
            tag: &tag,
            color: None,
            allow_live: false,
            force: false,
            count: 1,
        };
        let Ok(plan) = plan::deploy(&self.seen, &wish) else {
            return Some(false);
        };
        if plan.may_be_live.is_some() {
            return Some(true);
        }
        self.begin(Command::Deploy, plan.color)?;
        self.effect(|world| {
            let effect = Effect::CreateService {
                color: plan.color,
                task_definition: Revision::new("any"),
            };
            if let Some(operation) = &mut world.seen.journal.operation {
                operation.intend(moment(), effect);
                let arn = format!("task-definition/bgecs-hello:{number}");
                operation.task_definition = Some(Revision::new(arn));
            }
        })?;
        self.effect(|world| {
            world.put(plan.color, number);
            world.deployed = number;
        })?;
        if plan.becomes_live {
            self.asked.insert(number);
            self.point(Route::Production, plan.color)?;
            self.point(Route::Test, plan.color.other())?;
        }
        self.end(None)?;
        Some(true)
    }

    fn retire(&mut self) -> Option<bool> {
        let Ok(plan::RetirePlan::Retire { color, .. }) = plan::retire(&self.seen) else {
            return Some(false);
        };
        self.begin(Command::Retire, color)?;
        self.effect(|world| {
            let state = match color {
                Color::Blue => &mut world.seen.colors.blue,
                Color::Green => &mut world.seen.colors.green,
            };
            if let Some(service) = &mut state.service {
                (service.desired, service.running) = (0, 0);
            }
        })?;
        self.end(None)?;
        Some(true)
    }
}

/// What a line asks to be live, by somebody who knows what was deployed and what
/// users were on, and nothing of colours.
fn asks_for(world: &World, story: &Story, line: Line) -> Option<Number> {
    let there = |number: &Number| {
        Color::BOTH.into_iter().any(|color| {
            let runs = world.seen.color(color).desired() > 0;
            runs && world.number_on(color) == Some(*number)
        })
    };
    match line {
        Line::Promote => Some(world.deployed).filter(|number| !story.was_live.contains(number)),
        Line::PromoteTag(number) => Some(Number::from(number) % (world.deployed + 1)),
        Line::Rollback => story.before,
        _ => None,
    }
    .filter(there)
}

/// What a person remembers.
#[derive(Debug, Default)]
struct Story {
    was_live: BTreeSet<Number>,
    live: Option<Number>,
    /// What was live before it, until somebody went back.
    before: Option<Number>,
}

impl Story {
    fn goes_on(&mut self, live: Option<Number>, is_back: bool) {
        if live == self.live {
            return;
        }
        self.before = self.live.filter(|_| !is_back);
        self.live = live;
        self.was_live.extend(live);
    }
}

fn lines() -> impl Strategy<Value = Line> {
    prop_oneof![
        4 => (0u32..2).prop_map(Line::Deploy),
        4 => Just(Line::Promote),
        2 => any::<u8>().prop_map(Line::PromoteTag),
        3 => Just(Line::Rollback),
        1 => Just(Line::Retire),
        1 => Just(Line::Resume),
    ]
}

fn steps() -> impl Strategy<Value = Step> {
    let kill = || proptest::option::of(0u8..9);
    prop_oneof![
        12 => (lines(), [kill(), kill()]).prop_map(|(line, kills)| Step::Type(line, kills)),
        1 => Just(Step::StrangerMoves),
        1 => Just(Step::StrangerRedeploys),
        2 => Just(Step::Adopt),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn what_is_live_was_asked_for_and_not_taken_back_since(
        steps in proptest::collection::vec(steps(), 1..24),
        by_header in any::<bool>(),
    ) {
        let mut world = World::new(by_header);
        let mut story = Story::default();
        for step in steps {
            match step {
                Step::Type(line, kills) => type_it(&mut world, &mut story, line, kills)?,
                Step::StrangerMoves => {
                    let Some(live) = world.seen.live_color() else { continue };
                    if world.seen.color(live.other()).desired() > 0 {
                        world.seen.traffic.production = to(live.other());
                        let now = world.live();
                        world.asked.extend(now);
                    }
                }
                Step::StrangerRedeploys => {
                    let Some(live) = world.seen.live_color() else { continue };
                    let is_idle = world.seen.drift().is_empty();
                    if is_idle && world.seen.color(live.other()).service.is_some() {
                        world.deployed += 1;
                        let number = world.deployed;
                        world.put(live.other(), number);
                    }
                }
                Step::Adopt => {
                    if world.seen.live_color().is_some() {
                        world.life = None;
                        world.end(None);
                        let now = world.live();
                        world.asked.extend(now);
                        story.goes_on(now, false);
                    }
                }
            }
        }
    }
}

/// The same line, until it is not killed any more.
fn type_it(
    world: &mut World,
    story: &mut Story,
    line: Line,
    kills: [Option<u8>; 2],
) -> Result<(), TestCaseError> {
    let line = match line {
        Line::Deploy(next) => Line::Deploy((world.deployed + next).max(1)),
        line => line,
    };
    let was_live = world.live();
    let goal = asks_for(world, story, line);
    let is_new = world.seen.journal.operation.is_none() && story.live == was_live;
    world.asked.extend(goal);
    let mut refused = false;
    for kill in kills.into_iter().flatten().map(Some).chain([None]) {
        world.life = kill;
        match world.run(line) {
            Ran::Killed => continue,
            Ran::Refused => refused = true,
            Ran::Done => {}
        }
        break;
    }
    let live = world.live();
    if let Some(live) = live {
        prop_assert!(
            world.asked.contains(&live),
            "{line:?} left {live} live, of {:?}: {world:#?}",
            world.asked
        );
    }
    // Where nothing was in the way, it is what this very line asked for.
    if is_new && !refused {
        match goal.filter(|goal| is_well(*goal)) {
            Some(goal) => prop_assert_eq!(live, Some(goal), "{:?}", line),
            None => prop_assert!(
                live == was_live || was_live.is_none(),
                "{:?} moved users from {:?} to {:?}",
                line,
                was_live,
                live
            ),
        }
    }
    if !refused && world.seen.drift().is_empty() {
        story.live = was_live;
        story.was_live.extend(was_live);
        story.goes_on(live, line == Line::Rollback);
    }
    Ok(())
}
