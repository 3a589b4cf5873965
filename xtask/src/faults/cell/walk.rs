//! What is done in a cell, step by step, and what is looked at on the way.

use std::time::{Duration, Instant};

use localstack::gate::record::Mark;

use super::users;
use super::{End, Point, Told};
use crate::Result;
use crate::faults::judge::{self, Crossing, Naming, Outcome, Tags, naming};
use crate::faults::mode::{Mode, Next};
use crate::faults::operation::{Operation, Typed};
use crate::faults::state::{Color, State};
use crate::faults::world::World;
use crate::json::text;

/// A command that is not at its write by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Walk<'a, 'w> {
    world: &'a World<'w>,
    point: Point<'a>,
    before: State,
    typed: Typed,
    /// The task definitions that were active.
    known: Vec<String>,
    /// How many tasks had been started to run one command.
    one_offs: usize,
    /// Where it begins in the record.
    mark: Mark,
    /// The colour that users were on when it was last looked at.
    live: Option<Color>,
}

impl<'a, 'w> Walk<'a, 'w> {
    pub async fn new(world: &'a World<'w>, point: Point<'a>, before: State) -> Result<Self> {
        Ok(Self {
            known: world.revisions().await?,
            one_offs: world.one_offs().await?,
            mark: world.gate.calls().mark(),
            typed: point.operation.typed(&world.next_release()),
            live: before.live,
            world,
            point,
            before,
        })
    }

    pub async fn go(&mut self) -> Result<Told> {
        self.kill().await?;
        self.served("the kill")?;
        match self.point.mode {
            Mode::Resume => self.resumed().await,
            Mode::Repeat => self.repeated().await,
            Mode::Over(next) => self.overtaken(next).await,
        }
    }

    async fn kill(&self) -> Result<()> {
        let words = self.world.with_config(&self.typed.words);
        self.world.type_and_kill(&words, self.point, PATIENCE).await
    }

    fn due(&self) -> Naming {
        naming(self.point.writes, self.point.write, self.point.side)
    }

    async fn resumed(&self) -> Result<Told> {
        let due = self.due();
        self.named(self.world.state().await?.as_ref(), due)?;
        let resumed = self.resume().await?;
        let outcome = Outcome::of(&resumed, due);
        let outcome = outcome.ok_or_else(|| format!("`resume` says {resumed}"))?;
        self.over("`resume`").await?;
        let repeated = self.world.done(&self.typed.words).await;
        repeated.map_err(|error| format!("the repeat: {error}"))?;
        self.ended("the repeat").await?;
        Ok(Told::Resumed(outcome))
    }

    async fn repeated(&self) -> Result<Told> {
        let codes = self.until_done(&self.typed).await?;
        self.ended("the same line").await?;
        Ok(Told::Repeated(codes))
    }

    async fn overtaken(&mut self, next: Next) -> Result<Told> {
        let left = self.world.state().await?.ok_or("the kill left no stack")?;
        self.live = left.live;
        let line = next.typed(&self.world.next_release());
        let codes = match self.world.run(&line.words).await?.code {
            6 if Crossing::may_be_refused(next, self.due()) => {
                self.resume().await?;
                vec![6]
            }
            0 => vec![0],
            code => [vec![code], self.until_done(&line).await?].concat(),
        };
        let what = format!("{} over it", next.as_str());
        let after = self.over(&what).await?;
        let tags = after.as_ref().map(State::tags);
        let crossing = Crossing {
            killed: self.point.operation,
            typed: &self.typed.tag,
            next,
            typed_next: &line.tag,
            before: &self.before.tags(),
            left: &left.tags(),
            after: &tags.clone().unwrap_or_default(),
        };
        self.as_it_has_to_be(&what, crossing.goal().as_ref(), after.as_ref())
            .await?;
        Ok(Told::Overtaken(codes, self.end(tags.as_ref())))
    }

    fn end(&self, after: Option<&Tags>) -> End {
        let before = self.before.tags();
        match after.map(|after| after.live.as_deref()) {
            None => End::Gone,
            Some(live) if live == Some(self.typed.tag.as_str()) => End::Deployed,
            Some(live) if live == before.idle.as_deref() => End::Idle,
            Some(_) => End::AsBefore,
        }
    }

    /// The exit codes of a line that is typed until it succeeds.
    async fn until_done(&self, line: &Typed) -> Result<Vec<i32>> {
        let line = self.world.with_config(&line.words);
        self.world.type_until_done(&line).await
    }

    /// Without a stack it can only say so, and has nothing to do.
    async fn resume(&self) -> Result<String> {
        let ended = self.world.run(&["resume", "--json"]).await?;
        if self.point.operation == Operation::Destroy && World::has_no_stack(&ended) {
            return Ok("nothing".to_owned());
        }
        let ended = ended.expect_code(0);
        let ended = ended.map_err(|error| format!("`resume`: {error}"))?;
        Ok(text(&ended.json()?, &["outcome"])?.to_owned())
    }

    pub fn taken_away(&self) -> Option<Instant> {
        let calls = self.world.gate.calls().since(self.mark);
        users::taken_away(&calls, self.live)
    }

    /// Port 80 must not be left with a colour that is not healthy.
    fn served(&self, what: &str) -> Result<()> {
        match self.world.serves(&self.before.host) {
            Some(false) if self.taken_away().is_none() => {
                Err(format!("after {what} port 80 is on a colour that is not healthy").into())
            }
            _ => Ok(()),
        }
    }

    /// Without a stack there is nothing to name: it went with the journal.
    fn named(&self, state: Option<&State>, due: Naming) -> Result<()> {
        let unfinished = state.and_then(|state| state.unfinished.as_deref());
        match (due, unfinished) {
            (Naming::Due, None) => Err("`status` does not name what is unfinished".into()),
            (Naming::Wrong, Some(name)) => {
                Err(format!("`status` calls {name} unfinished, which is done").into())
            }
            (_, Some(name)) if name != self.point.operation.command() => {
                Err(format!("`status` calls {name} unfinished").into())
            }
            _ => Ok(()),
        }
    }

    /// Nothing is unfinished, and the ports forward as between operations.
    /// `None` is no stack.
    async fn over(&self, what: &str) -> Result<Option<State>> {
        let Some(state) = self.world.state().await? else {
            return Ok(None);
        };
        if let Some(why) = state.inconsistent() {
            return Err(format!("after {what}: {why}").into());
        }
        if let Some(endless) = self.world.endless().await?.first() {
            return Err(format!("after {what} the history has no end of {endless}").into());
        }
        self.served(what)?;
        Ok(Some(state))
    }

    /// The line that was killed has come to its end after all.
    async fn ended(&self, what: &str) -> Result<()> {
        let after = self.over(what).await?;
        let operation = self.point.operation;
        let goal = judge::goal(operation, &self.before.tags(), &self.typed.tag);
        self.as_it_has_to_be(what, goal.as_ref(), after.as_ref())
            .await?;
        self.ran_once().await?;
        let idle = after.as_ref().and_then(State::idle_service);
        match idle.filter(|idle| operation == Operation::Retire && idle.running > 0) {
            Some(idle) => Err(format!("the retired colour runs {}", idle.running).into()),
            None => Ok(()),
        }
    }

    /// A migration, and nothing else, is a task of its own.
    async fn ran_once(&self) -> Result<()> {
        if self.point.operation != Operation::PromoteMigrating {
            return Ok(());
        }
        match self.world.one_offs().await? - self.one_offs {
            1 => Ok(()),
            count => Err(format!("the migration ran {count} times").into()),
        }
    }

    async fn as_it_has_to_be(
        &self,
        what: &str,
        goal: Option<&Tags>,
        after: Option<&State>,
    ) -> Result<()> {
        let tags = after.map(State::tags);
        if let Some(amiss) = judge::amiss(goal, tags.as_ref()) {
            return Err(format!("after {what} {amiss}").into());
        }
        if self.point.operation == Operation::PromoteScaled {
            self.world.expect_roles(after).await?;
        }
        match after {
            Some(after) => self.nothing_leaks(after).await,
            None => self.nothing_is_left().await,
        }
    }

    /// No revision, service or task that nothing uses, once ECS is done.
    async fn nothing_leaks(&self, after: &State) -> Result<()> {
        let used: Vec<&str> = after.services().map(|is| is.revision.as_str()).collect();
        let mut leaked = self.world.revisions().await?;
        leaked.retain(|one| !self.known.contains(one) && !used.contains(&one.as_str()));
        if !leaked.is_empty() {
            return Err(format!("no service uses {}", leaked.join(", ")).into());
        }
        let services = self.world.services().await?.len();
        if services != used.len() {
            return Err(format!("there are {services} services").into());
        }
        let wanted: i64 = after.services().map(|is| is.desired).sum();
        let settled = async || Ok(i64::try_from(self.world.tasks().await?)? == wanted);
        self.world
            .until(&format!("{wanted} tasks run"), settled)
            .await
    }

    async fn nothing_is_left(&self) -> Result<()> {
        let left = self.world.leftovers().await?;
        match left.is_empty() {
            true => Ok(()),
            false => Err(format!("left behind: {}", left.join(", ")).into()),
        }
    }
}
