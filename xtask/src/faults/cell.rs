//! One cell of the matrix: bgecs is killed at one write, and what it left is
//! looked at and ended, while somebody uses production.

mod users;
mod walk;

use std::time::Duration;

use localstack::gate::crash::{Side, Write};

use super::judge::Outcome;
use super::mode::Mode;
use super::operation::Operation;
use super::world::World;
use crate::Result;
use crate::observer::{CLOSE, Observer};
use walk::Walk;

/// Where bgecs is killed, and what comes then.
#[derive(Debug, Clone, Copy)]
pub struct Point<'a> {
    pub operation: Operation,
    /// All that the operation makes.
    pub writes: &'a [Write],
    pub write: &'a Write,
    pub side: Side,
    pub mode: Mode,
}

/// What came of a kill, where it was well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Resumed(Outcome),
    /// The exit codes of the line, until it succeeded.
    Repeated(Vec<i32>),
    /// Those of the other command, and what it left.
    Overtaken(Vec<i32>, End),
}

/// What is live in the end, by what it was in the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// What was live.
    AsBefore,
    /// What was idle.
    Idle,
    /// What the killed command deployed.
    Deployed,
    /// Nothing is left.
    Gone,
}

/// A cell that was gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gone {
    /// The error says which promise was broken.
    pub verdict: std::result::Result<Told, String>,
    /// How long users failed, if they did.
    pub failed_for: Option<Duration>,
}

impl Gone {
    pub fn badly(reason: &str) -> Self {
        Self {
            verdict: Err(reason.to_owned()),
            failed_for: None,
        }
    }
}

/// Goes through it.
pub async fn go(world: &mut World<'_>, point: Point<'_>) -> Gone {
    let gone = gone_through(world, point).await;
    gone.unwrap_or_else(|error| Gone::badly(&error.to_string()))
}

async fn gone_through(world: &mut World<'_>, point: Point<'_>) -> Result<Gone> {
    let before = world.prepare(point.operation, point.mode).await;
    let before = before.map_err(|error| format!("not brought to its start: {error}"))?;
    let door = world.door(&before.host).await?;
    let mut walk = Walk::new(world, point, before).await?;
    let observer = Observer::start(door, "/api", CLOSE);
    let outcome = walk.go().await;
    let seen = observer.stop().await?;
    let taken_away = walk.taken_away();
    let verdict = match (outcome, users::harm(&seen, taken_away)) {
        (Ok(told), None) => Ok(told),
        (Ok(_), Some(harm)) => Err(harm),
        (Err(error), _) => Err(error.to_string()),
    };
    Ok(Gone {
        verdict,
        failed_for: users::failed_for(&seen, taken_away),
    })
}
