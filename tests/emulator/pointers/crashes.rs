//! `kill -9` at the writes that matter of what moves an origin, while an edge is late.

use localstack::gate::crash::Side;
use serde_json::Value;

use super::cdn::KEEPS_NOTHING;
use super::origin::begun;
use crate::crashes::around_the_move;
use crate::support::Outcome;

/// `resume` does not take it for done ahead of the last edge.
#[test]
fn a_move_of_an_origin_that_is_killed_is_ended_when_every_edge_has_it() -> Outcome {
    let (it, made) = begun("killed-cdn", [31, 32], KEEPS_NOTHING, "")?;
    let (world, through) = (&it.world, it.through()?);
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    let promote = |color| {
        let words = ["promote", color, "--window", "1s", "--connect-to", &through];
        words.map(str::to_owned)
    };
    let writes = world.writes_of(&promote("blue").each_ref().map(String::as_str))?;
    for write in around_the_move(&writes, "PUT")? {
        for side in Side::BOTH {
            let what = format!("killed {side} {} {write}", write.number);
            let live = world.status()?["live"].clone();
            let idle = if live == "blue" { "green" } else { "blue" };
            let words = promote(idle);
            let words = words.each_ref().map(String::as_str);
            world.killed_at_write(&words, write, side)?;
            for edge in 0..2 {
                assert_eq!(it.answer(edge, "www.killed-cdn.test")?.0, 200, "{what}");
            }
            world.done(&["resume", "--connect-to", &through])?;
            let status = world.status()?;
            assert_eq!(status["unfinished"], Value::Null, "{what}: {status:#}");
            let live = status["live"].as_str().ok_or("nobody is live")?;
            for edge in 0..2 {
                let (_, body) = it.answer(edge, "www.killed-cdn.test")?;
                assert!(
                    body.starts_with(live),
                    "{what}: {live} is live, and edge {edge} answers {body}"
                );
            }
            assert_eq!(it.leads_to(&made.id)?, live, "{what}");
            world.done(&words)?;
            assert_eq!(world.status()?["live"], idle, "{what}");
        }
    }
    Ok(())
}
