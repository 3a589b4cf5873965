//! `kill -9` at every write of a promotion: a small part of `cargo xtask faults`.

use localstack::gate::crash::{Side, Write, kill_at};
use serde_json::Value;

use crate::support::Outcome;
use crate::world::{World, string};

/// The writes around the first that is made so, `PUT` or `POST`: the note ahead of it, it,
/// and what comes after.
pub fn around_the_move<'a>(writes: &'a [Write], method: &str) -> Outcome<Vec<&'a Write>> {
    let is_move = |write: &Write| {
        let call = write.operation.split_once(' ');
        call.is_some_and(|(its, _)| its == method)
    };
    let at = writes.iter().position(is_move).ok_or("nothing was moved")?;
    Ok(writes[at.saturating_sub(1)..].iter().take(3).collect())
}

impl World {
    /// The writes of a command that nothing disturbs.
    pub fn writes_of(&self, arguments: &[&str]) -> Outcome<Vec<Write>> {
        let mark = self.gate.calls().mark();
        self.done(arguments)?;
        Ok(Write::all(&self.gate.calls().since(mark)))
    }

    pub fn killed_at_write(&self, arguments: &[&str], write: &Write, side: Side) -> Outcome {
        let client = self.desk.command(arguments);
        self.wait_for(kill_at(&self.gate, client, write, side))?;
        Ok(())
    }

    /// Production serves, and the two ports are apart.
    pub fn expect_consistent(&self, what: &str) -> Outcome<Value> {
        let status = self.status()?;
        assert_eq!(status["unfinished"], Value::Null, "{what}: {status:#}");
        assert_eq!(status["lease"], Value::Null, "{what}: {status:#}");
        let (live, idle) = (string(&status, "/live")?, string(&status, "/idle")?);
        for (port, color) in [("prod", live), ("test", idle)] {
            let forwards = &status["listeners"][port]["forwards"];
            assert_eq!(forwards[0]["color"], color, "{what}: {status:#}");
        }
        Ok(status)
    }
}

#[test]
fn a_promotion_that_is_killed_at_any_write_is_named_and_ended() -> Outcome {
    let world = World::with_v2_idle("crash")?;
    let prod = string(&world.status()?, "/urls/prod")?;
    let writes = world.writes_of(&["promote", "--window", "1s"])?;
    let moves = |write: &&Write| write.operation == "ModifyListener";
    assert_eq!(writes.iter().filter(moves).count(), 2, "{writes:#?}");
    for write in &writes {
        for side in Side::BOTH {
            let what = format!("killed {side} {} {write}", write.number);
            let idle = string(&world.status()?, "/idle")?;
            let promote = ["promote", &idle, "--window", "1s"];
            world.killed_at_write(&promote, write, side)?;

            assert_eq!(world.api.visit(&prod, "/api")?.0, 200, "{what}");
            let left = world.status()?;
            if write.service != "dynamodb" {
                assert_eq!(left["unfinished"]["command"], "promote", "{what}: {left:#}");
            }
            world.done(&["resume"])?;
            assert_eq!(world.api.visit(&prod, "/api")?.0, 200, "{what}");
            world.expect_consistent(&what)?;
            world.done(&promote)?;
            let status = world.expect_consistent(&what)?;
            assert_eq!(status["live"], idle, "{what}: {status:#}");
        }
    }
    Ok(())
}
