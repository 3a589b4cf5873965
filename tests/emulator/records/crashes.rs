//! `kill -9` at the writes that matter of what moves a record, and of what deploys.

use localstack::gate::crash::Side;
use serde_json::Value;

use super::site::Site;
use crate::crashes::around_the_move;
use crate::support::Outcome;

#[test]
fn a_move_of_a_record_that_is_killed_is_named_and_ended() -> Outcome {
    let site = Site::new("killed", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    let writes = site
        .world
        .writes_of(&["promote", "green", "--window", "1s"])?;
    for write in around_the_move(&writes, "POST")? {
        for side in Side::BOTH {
            let what = format!("killed {side} {} {write}", write.number);
            let live = site.world.status()?["live"].clone();
            let idle = if live == "blue" { "green" } else { "blue" };
            let promote = ["promote", idle, "--window", "1s"];
            site.world.killed_at_write(&promote, write, side)?;
            // Nobody is answered nothing, or by a colour that does not serve.
            assert_eq!(site.answers("A")?.len(), 1, "{what}");
            site.world.done(&["resume"])?;
            let status = site.world.status()?;
            assert_eq!(status["unfinished"], Value::Null, "{what}: {status:#}");
            assert_eq!(
                status["drift"],
                Value::Array(Vec::new()),
                "{what}: {status:#}"
            );
            site.world.done(&promote)?;
            assert_eq!(site.world.status()?["live"], idle, "{what}");
            assert_eq!(site.answers("A")?, [idle], "{what}");
        }
    }
    Ok(())
}

/// All is as the file says then, and nobody has written that it ended.
#[test]
fn an_up_that_is_killed_after_its_move_is_ended_by_the_next() -> Outcome {
    let site = Site::new("killed-up", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    let declared = |tag: &str| {
        site.world.done(&["deploy", "--tag", tag])?;
        site.declare(&format!("{{ tag = \"{tag}\" }}"))
    };
    declared("2")?;
    let writes = site.world.writes_of(&["up"])?;
    let moved = around_the_move(&writes, "POST")?[1];
    declared("3")?;
    site.world.killed_at_write(&["up"], moved, Side::After)?;
    assert_ne!(site.world.status()?["unfinished"], Value::Null);
    let plan = site.world.ends(7, &["up", "--dry-run"])?.stdout;
    assert!(plan.contains("bring the unfinished promote"), "{plan}");
    site.world.done(&["up"])?;
    let status = site.world.status()?;
    assert_eq!(status["unfinished"], Value::Null, "{status:#}");
    let live = status["live"].as_str().unwrap_or_default();
    assert_eq!(status["hosted"][live]["tag"], "3", "{status:#}");
    site.world.ends(0, &["up", "--dry-run"])?;
    Ok(())
}

/// The same line, typed again, ends where the first would have.
#[test]
fn a_deploy_of_a_colour_s_own_command_that_is_killed_is_done_by_the_next() -> Outcome {
    let site = Site::new("killed-deploy", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    let writes = site.world.writes_of(&["deploy", "--tag", "2"])?;
    for (number, write) in (3..).zip(&writes) {
        for side in Side::BOTH {
            let what = format!("killed {side} {} {write}", write.number);
            let tag = format!("{number}{side}").replace(' ', "");
            let deploy = ["deploy", "--tag", &tag];
            site.world.killed_at_write(&deploy, write, side)?;
            assert_eq!(site.world.status()?["live"], "blue", "{what}");
            site.world.done(&deploy)?;
            let status = site.world.status()?;
            assert_eq!(status["hosted"]["green"]["tag"], tag, "{what}: {status:#}");
            assert_eq!(status["unfinished"], Value::Null, "{what}: {status:#}");
            assert_eq!(site.tag("green").as_deref(), Some(&*tag), "{what}");
        }
    }
    Ok(())
}

/// What a command that was killed may have put there is nothing to go back to, and
/// nothing to promote.
#[test]
fn what_a_killed_deploy_left_is_vouched_for_by_nobody() -> Outcome {
    let site = Site::new("vouched", &[])?;
    site.world.done(&["init"])?;
    site.world.done(&["deploy", "--tag", "1"])?;
    site.world.done(&["deploy", "--tag", "2"])?;
    site.world.done(&["promote", "--window", "1s"])?;
    let writes = site.world.writes_of(&["deploy", "--tag", "3"])?;
    let last = writes.last().ok_or("a deploy writes")?;
    site.world
        .killed_at_write(&["deploy", "--tag", "4"], last, Side::Before)?;
    let status = site.world.status()?;
    assert_eq!(status["hosted"]["blue"]["deployed"], false, "{status:#}");
    // The way out of trouble does not finish what may be the trouble.
    let refused = site.world.ends(6, &["rollback"])?.stderr;
    assert!(refused.contains("is gone"), "{refused}");
    assert_eq!(site.answers("A")?, ["green"]);
    Ok(())
}

/// Users are answered all the while; what was there before bgecs is known, and so is
/// the TTL that it is given back with.
#[test]
fn an_init_that_is_killed_takes_the_record_over_the_next_time() -> Outcome {
    let site = Site::new("killed-init", &[])?;
    site.record(&[site.address("green")], 2)?;
    site.put("green", "old")?;
    let writes = site.world.writes_of(&["init"])?;
    let changes = writes
        .iter()
        .filter(|write| write.operation.starts_with("POST "));
    for write in changes {
        for side in Side::BOTH {
            let what = format!("killed {side} {} {write}", write.number);
            site.world.done(&["destroy", "--yes"])?;
            assert_eq!((site.sets()?, site.ttl()?), (1, "2".to_owned()), "{what}");
            site.world.killed_at_write(&["init"], write, side)?;
            assert_eq!(site.answers("A")?, ["green"], "{what}");
            site.world.done(&["init"])?;
            assert_eq!(
                (site.answers("A")?, site.sets()?),
                (vec!["green".to_owned()], 2),
                "{what}"
            );
            let status = site.world.status()?;
            assert_eq!(status["live"], "green", "{what}: {status:#}");
            assert_eq!(status["unfinished"], Value::Null, "{what}: {status:#}");
            assert_eq!(
                status["hosted"]["green"]["deployed"], true,
                "{what}: {status:#}"
            );
        }
    }
    Ok(())
}
