//! One cell of the matrix: bgecs is killed at one write, and what it left is
//! looked at, resumed, and repeated, while somebody uses production.

mod users;

use std::time::Duration;

use localstack::gate::crash::{Side, Write, kill_at};
use localstack::gate::record::Mark;
use tokio::time::timeout;

use super::judge::{Naming, Outcome, naming};
use super::operation::Operation;
use super::state::State;
use super::world::World;
use crate::Result;
use crate::json::text;
use crate::observer::{Observer, PACE};

/// A command that is not at its write by then never will be.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where bgecs is killed.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    pub operation: Operation,
    /// All that the operation makes.
    pub writes: &'a [Write],
    pub write: &'a Write,
    pub side: Side,
}

/// Goes through it. The error says which promise was broken.
pub async fn go(world: &mut World<'_>, point: Point<'_>) -> Result<Outcome> {
    let before = world.prepare(point.operation).await;
    let before = before.map_err(|error| format!("not brought to its start: {error}"))?;
    let cell = Cell {
        known: world.revisions().await?,
        mark: world.gate.calls().mark(),
        typed: world.typed(point.operation, &before)?,
        world,
        point,
        before,
    };
    let observer = Observer::start(world.door(&cell.before.host)?, "/api", PACE);
    let outcome = cell.walk().await;
    let seen = observer.stop().await?;
    let outcome = outcome?;
    match users::harm(&seen, cell.taken_away()) {
        Some(harm) => Err(harm.into()),
        None => Ok(outcome),
    }
}

struct Cell<'a, 'w> {
    world: &'a World<'w>,
    point: Point<'a>,
    before: State,
    /// The command line.
    typed: Vec<String>,
    /// The task definitions that were active.
    known: Vec<String>,
    /// Where it begins in the record.
    mark: Mark,
}

impl Cell<'_, '_> {
    async fn walk(&self) -> Result<Outcome> {
        self.kill().await?;
        self.served("the kill")?;
        let due = naming(self.point.writes, self.point.write, self.point.side);
        self.named(self.world.state().await?.as_ref(), due)?;

        let resumed = self.resume().await?;
        let outcome = Outcome::of(&resumed, due);
        let outcome = outcome.ok_or_else(|| format!("`resume` says {resumed}"))?;
        self.over("`resume`").await?;

        self.repeat().await?;
        let after = self.over("the repeat").await?;
        let amiss = self.point.operation.amiss(&self.before, after.as_ref());
        if let Some(amiss) = amiss {
            return Err(format!("after the repeat: {amiss}").into());
        }
        match after {
            Some(after) => self.nothing_leaks(&after).await?,
            None => self.nothing_is_left().await?,
        }
        Ok(outcome)
    }

    async fn kill(&self) -> Result<()> {
        let words: Vec<&str> = self.typed.iter().map(String::as_str).collect();
        let words = self.world.with_config(&words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let client = self.world.bgecs.command(&words);
        let Point { write, side, .. } = self.point;
        let killed = timeout(PATIENCE, kill_at(self.world.gate, client, write, side)).await;
        let killed = killed.map_err(|_| format!("it is not at that write after {PATIENCE:?}"))?;
        killed.map_err(|error| format!("it was not killed there: {error}"))?;
        Ok(())
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

    async fn repeat(&self) -> Result<()> {
        let words: Vec<&str> = self.typed.iter().map(String::as_str).collect();
        let repeated = self.world.done(&words).await;
        repeated.map_err(|error| format!("the repeat: {error}"))?;
        Ok(())
    }

    fn taken_away(&self) -> Option<std::time::Instant> {
        let calls = self.world.gate.calls().since(self.mark);
        users::taken_away(&calls, self.before.live)
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
    async fn over(&self, what: &str) -> Result<Option<State>> {
        let Some(state) = self.world.state().await? else {
            return match self.point.operation {
                Operation::Destroy => Ok(None),
                _ => Err(format!("after {what} there is no stack").into()),
            };
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
