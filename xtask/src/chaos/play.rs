//! Playing a script on a world: typing, striking, looking, and judging what came
//! of each step.

mod onlooker;
mod settle;
mod typing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Instant;

use super::model::{Command, Model, Run, Seen};
use super::script::{Act, Kind, Line, Script, Step, Whose};
use super::stranger;
use super::users::{self, Excuse, Window};
use crate::Result;
use crate::faults::state::State;
use crate::faults::world::World;
use onlooker::Onlooker;

/// The configuration of a release of each kind.
pub type Configs = BTreeMap<Kind, PathBuf>;

/// What came of a script.
#[derive(Debug, Default)]
pub struct Played {
    /// What was broken of what is promised.
    pub violations: Vec<String>,
    /// A line for each step.
    pub told: Vec<String>,
}

/// Plays it on a world with a release on each colour.
///
/// # Errors
/// What is wrong with the world or with this, and not with bgecs.
pub async fn play(world: &World<'_>, configs: &Configs, script: &Script) -> Result<Played> {
    let state = world.state().await?.ok_or("there is no stack")?;
    let mut player = Player::new(world, configs, state).await?;
    let there = player.state.clone();
    player.onlooker.look_at(world, there.as_ref()).await?;
    let gone_through = player.play(script).await;
    world.gate.faults().clear();
    let seen = player.onlooker.stop().await?;
    gone_through?;
    let mut played = player.played;
    played
        .violations
        .extend(users::harm(&seen, &player.windows));
    Ok(played)
}

struct Player<'a, 'w> {
    world: &'a World<'w>,
    configs: &'a Configs,
    model: Model,
    /// What there was when it was last looked. `None`: no stack.
    state: Option<State>,
    /// The listeners before a stranger moved one.
    unmoved: Option<State>,
    /// The release that was deployed last.
    last: (String, Kind),
    /// A stranger's doing may harm users still.
    is_messed: bool,
    /// A stranger has moved a listener in this script.
    was_moved: bool,
    /// The task definitions that a service was seen to have, or may have had.
    served: BTreeSet<String>,
    windows: Vec<Window>,
    onlooker: Onlooker,
    played: Played,
}

impl<'a, 'w> Player<'a, 'w> {
    async fn new(world: &'a World<'w>, configs: &'a Configs, state: State) -> Result<Self> {
        let last = state.tags().idle.ok_or("one colour has no release")?;
        let mut model = Model::default();
        model.begin(&Seen::of(Some(&state)));
        Ok(Self {
            world,
            configs,
            model,
            state: Some(state),
            unmoved: None,
            last: (last, Kind::Good),
            is_messed: false,
            was_moved: false,
            served: world.revisions().await?.into_iter().collect(),
            windows: Vec::new(),
            onlooker: Onlooker::default(),
            played: Played::default(),
        })
    }

    async fn play(&mut self, script: &Script) -> Result<()> {
        for (number, step) in &script.0 {
            let from = Instant::now();
            let excuse = self.step(*number, step).await?;
            self.windows.push(Window {
                step: *number,
                from,
                until: Instant::now(),
                excuse,
            });
            // What follows goes on from a world that is as it should not be.
            if !self.played.violations.is_empty() {
                return Ok(());
            }
        }
        let from = Instant::now();
        let step = script.0.last().map_or(0, |(number, _)| number + 1);
        let excuse = self.settle().await?;
        self.windows.push(Window {
            step,
            from,
            until: Instant::now(),
            excuse,
        });
        Ok(())
    }

    async fn step(&mut self, number: usize, step: &Step) -> Result<Excuse> {
        let mut told = format!("{number}. {step}");
        let excuse = match step {
            Step::Stranger(act) => self.stranger(*act).await?,
            Step::PutBack => self.put_back().await?,
            Step::Commands {
                first,
                second,
                trouble,
                blow,
            } => {
                let lines: Vec<(Line, String)> = [Some(*first), *second]
                    .into_iter()
                    .flatten()
                    .zip(["a", "b"].map(|letter| format!("s{number}{letter}")))
                    .collect();
                let (runs, excuse) = self.commands(&lines, *trouble, *blow).await?;
                for run in &runs {
                    let code = run.code.map(|code| code.to_string());
                    told += &format!(" -> {}", code.unwrap_or_else(|| "killed".to_owned()));
                }
                excuse
            }
        };
        let seen = Seen::of(self.state.as_ref());
        told += &format!("   [{}]", seen.shown());
        self.played.told.push(told);
        Ok(excuse)
    }

    async fn stranger(&mut self, act: Act) -> Result<Excuse> {
        let Some(state) = self.state.clone() else {
            return Ok(Excuse::Else);
        };
        let is_listener = matches!(act, Act::MoveProd | Act::MoveTest);
        if is_listener && self.unmoved.is_none() {
            self.unmoved = Some(state.clone());
        }
        let done = stranger::act(self.world, &state, act).await?;
        self.is_messed |= done && act == Act::MoveProd;
        self.was_moved |= done && is_listener;
        self.look_again().await
    }

    async fn put_back(&mut self) -> Result<Excuse> {
        if let Some(unmoved) = self.unmoved.take() {
            // What bgecs did meanwhile is not undone by it.
            if self.state.as_ref().is_some_and(|state| state.has_drift) {
                stranger::put_back(self.world, &unmoved).await?;
            }
        }
        self.look_again().await
    }

    /// After something that was not bgecs's doing.
    async fn look_again(&mut self) -> Result<Excuse> {
        let before = self.state.take();
        self.look(0).await?;
        self.model.accept(&Seen::of(self.state.as_ref()));
        let excuse = self.excuse(before.as_ref(), &[]);
        self.calm_down();
        Ok(excuse)
    }

    /// After a step: what users may have seen of it.
    fn excuse(&self, before: Option<&State>, runs: &[Run]) -> Excuse {
        let (before, after) = (Seen::of(before), Seen::of(self.state.as_ref()));
        let destroys = runs.iter().any(|run| run.command == Command::Destroy);
        // Also where the live colour's service was taken away.
        let is_nobody_there = |seen: &Seen| seen.live_tag().is_none();
        if self.is_messed || destroys || is_nobody_there(&before) || is_nobody_there(&after) {
            return Excuse::Else;
        }
        let fails = |seen: &Seen| self.model.fails_by_itself(seen.live_tag());
        match fails(&before) || fails(&after) || self.model.may_expose(&before, runs) {
            true => Excuse::Release,
            false => Excuse::None,
        }
    }

    /// A stranger's doing is mended when nothing differs from the journal and
    /// somebody serves.
    fn calm_down(&mut self) {
        let Some(state) = &self.state else {
            return;
        };
        if !state.has_drift {
            self.unmoved = None;
            let live = state.live.and_then(|live| state.service(live));
            if live.is_some_and(|live| live.healthy > 0) {
                self.is_messed = false;
            }
        }
    }

    /// Looks, after commands have ended.
    async fn look(&mut self, commands: usize) -> Result<()> {
        self.state = self.world.state().await?;
        let state = self.state.as_ref();
        self.onlooker.look_at(self.world, state).await?;
        let services = self.state.iter().flat_map(State::services);
        self.served.extend(services.map(|is| is.revision.clone()));
        let told = Seen::of(self.state.as_ref()).live_tag().cloned();
        if let (Some(told), Some(found)) = (told, self.onlooker.release().await)
            && told != found
        {
            self.played.violations.push(format!(
                "users get tag {found}, and `status` says that tag {told} is live"
            ));
        }
        // What one of two deployed, the other may have replaced.
        if commands > 1 {
            self.served.extend(self.world.revisions().await?);
        }
        Ok(())
    }

    /// What the line stands for now.
    fn command(&mut self, line: Line, tag: &str) -> Command {
        let seen = Seen::of(self.state.as_ref());
        match line {
            Line::Deploy(kind) => {
                self.last = (tag.to_owned(), kind);
                self.model.deployed(tag, kind);
                Command::Deploy(tag.to_owned())
            }
            Line::DeployAgain => Command::Deploy(self.last.0.clone()),
            Line::Promote => Command::Promote,
            Line::PromoteTag(Whose::Live) => named(seen.live_tag()),
            Line::PromoteTag(Whose::Idle) => named(seen.idle_tag()),
            Line::PromoteColor(whose) => match (seen.live, whose) {
                (Some(live), Whose::Live) => Command::PromoteColor(live),
                (Some(live), Whose::Idle) => Command::PromoteColor(live.other()),
                (None, _) => Command::Promote,
            },
            Line::Rollback => Command::Rollback,
            Line::Resume => Command::Resume,
            Line::Retire => Command::Retire,
            Line::Adopt => Command::Adopt,
            Line::Destroy => Command::Destroy,
            Line::Init | Line::Status | Line::Unlock => Command::Other,
        }
    }
}

/// A tag that is nowhere is refused.
fn named(tag: Option<&String>) -> Command {
    Command::PromoteTag(tag.cloned().unwrap_or_else(|| "nowhere".to_owned()))
}
