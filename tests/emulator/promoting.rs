//! Promotions that do not go as one hopes.

use std::io::{BufRead, BufReader, Read};
use std::process::Command;

use serde_json::json;

use crate::support::{Ended, Outcome};
use crate::world::{ENGLISH, FRENCH, V2, World, error, see};

impl World {
    /// Runs it, and sends SIGINT when it has said that.
    fn interrupted(&self, arguments: &[&str], at: &str) -> Outcome<Ended> {
        let mut child = self.desk.command(arguments).spawn()?;
        let mut stderr = BufReader::new(child.stderr.take().ok_or("no stderr")?);
        let mut seen = String::new();
        let mut found = false;
        while !found && stderr.read_line(&mut seen)? > 0 {
            found = seen.contains(at);
        }
        if found {
            // The shell's own `kill`: no other is sure to be there.
            let kill = format!("kill -INT {}", child.id());
            Command::new("sh").args(["-c", &kill]).status()?;
        }
        stderr.read_to_string(&mut seen)?;
        let mut output = child.wait_with_output()?;
        output.stderr = seen.into_bytes();
        let ended = self.desk.ended(arguments, &output);
        if found {
            Ok(ended)
        } else {
            Err(format!("it never said `{at}`:\n{}", ended.shown()).into())
        }
    }
}

#[test]
fn an_interrupt_ends_a_promotion_where_production_is_well() -> Outcome {
    let world = World::with_v2_idle("sigint")?;
    let before = world.status()?;
    let early = world.interrupted(&["promote", "--window", "30s"], "probing ")?;
    assert_eq!(early.code, Some(130), "{}", early.shown());
    see("interrupt-baseline", &error(&early))?;
    assert_eq!(world.status()?, before);

    let late = world.interrupted(&["promote", "--window", "30s"], "watching for")?;
    assert_eq!(late.code, Some(3), "{}", late.shown());
    see("interrupt-window", &error(&late))?;
    assert_eq!(world.status()?["live"], "green");
    world.expect_answers(ENGLISH, FRENCH)?;

    // Neither left anything in the way of the next one.
    assert_eq!(world.done_json(&["promote"])?["outcome"], "committed");
    Ok(())
}

#[test]
fn a_release_that_fails_once_it_is_live_is_taken_back_unless_told_not_to() -> Outcome {
    let world = World::with_v1_live("bad")?;
    world.configure("environment = { GREETER_FAIL_WHEN_LIVE = \"1\" }")?;
    world.done(&["deploy", V2, "--tag", "2"])?;

    let taken_back = world.ends(3, &["promote", "--json"])?.json()?;
    assert_eq!(taken_back["outcome"], "rolled_back");
    assert_eq!(
        taken_back["probe"]["failures"][0]["status"], 500,
        "{taken_back:#}"
    );
    assert_eq!(world.status()?["live"], "green");
    // It is not taken up again by itself, and is no way back.
    for (name, line) in [("promote-again", "promote"), ("rollback-again", "rollback")] {
        see(name, &error(&world.changes_nothing(6, &[line])?))?;
    }
    let named = ["promote", "--tag", "2"];
    see("promote-rolled-back", &error(&world.ends(3, &named)?))?;
    world.expect_answers(ENGLISH, FRENCH)?;

    let left = ["promote", "--tag", "2", "--no-rollback"];
    see("promote-no-rollback", &error(&world.ends(4, &left)?))?;
    assert_eq!(world.status()?["live"], "blue");
    // The way out of it, although production fails.
    let rolled_back = world.done_json(&["rollback"])?;
    assert_eq!(rolled_back["outcome"], "committed");
    world.expect_answers(ENGLISH, FRENCH)
}

/// Nothing listens there, as a load balancer in another network would have it.
#[test]
fn a_machine_that_gets_no_connection_blames_no_release() -> Outcome {
    let world = World::with_v2_idle("unreached")?;
    let from_afar = |line: &[&str], code| {
        let line = [line, &["--connect-to", "127.0.0.1:9"]].concat();
        let ended = world.ends(code, &line)?;
        for part in [
            "gets no connection to",
            "127.0.0.1:9 refuses it",
            "--connect-to",
        ] {
            assert!(ended.stderr.contains(part), "{}", ended.shown());
        }
        Outcome::Ok(ended)
    };
    let refused = from_afar(&["promote"], 6)?;
    assert!(!refused.stderr.contains("probing"), "{}", refused.shown());
    let deployed = from_afar(&["deploy", V2, "--tag", "3"], 1)?;
    for part in [
        "its targets are healthy",
        "nothing shows that the release is bad",
    ] {
        assert!(deployed.stderr.contains(part), "{}", deployed.shown());
    }
    world.expect_answers(ENGLISH, FRENCH)?;
    assert_eq!(world.done_json(&["promote"])?["outcome"], "committed");
    Ok(())
}

#[test]
fn a_colour_grows_to_the_size_of_the_one_it_replaces() -> Outcome {
    let world = World::with_v2_idle("grow")?;
    // As autoscaling does.
    let grow = json!({ "cluster": world.stack(), "service": "green", "desiredCount": 2 });
    world.api.ecs("UpdateService", &grow)?;
    world.until("green runs two tasks", || {
        Ok(world.status()?["colors"]["green"]["healthy"] == 2)
    })?;
    let planned = world.changes_nothing(0, &["promote", "--dry-run"])?;
    see("promote-grows-dry-run", &planned.stdout)?;
    assert_eq!(world.done_json(&["promote"])?["outcome"], "committed");
    let status = world.status()?;
    assert_eq!(status["live"], "blue");
    assert_eq!(status["colors"]["blue"]["running"], 2);
    Ok(())
}

#[test]
fn a_service_that_somebody_deleted_is_missed_and_made_anew() -> Outcome {
    let world = World::with_v2_idle("deleted")?;
    let delete = json!({ "cluster": world.stack(), "service": "blue", "force": true });
    world.api.ecs("DeleteService", &delete)?;
    assert!(world.status()?["colors"]["blue"].is_null());
    see("deleted-service-status", &world.done(&["status"])?.stdout)?;
    see(
        "deleted-service-promote",
        &error(&world.changes_nothing(6, &["promote", "blue"])?),
    )?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let blue = &world.status()?["colors"]["blue"];
    assert_eq!((&blue["tag"], &blue["running"]), (&json!("2"), &json!(1)));
    world.expect_answers(ENGLISH, FRENCH)
}

/// Between two stages, with users on both colours by then.
#[test]
fn a_colour_grows_with_its_share() -> Outcome {
    let world = World::with_v2_idle("growing")?;
    let grow = json!({ "cluster": world.stack(), "service": "green", "desiredCount": 4 });
    world.api.ecs("UpdateService", &grow)?;
    world.until("green runs four tasks", || {
        Ok(world.status()?["colors"]["green"]["healthy"] == 4)
    })?;
    let line = [
        "promote",
        "--steps",
        "10% for 1s,25% for 1s",
        "--bake",
        "1s",
    ];
    let dry = world.done(&[&line[..], &["--dry-run"]].concat())?;
    let at = |text: &str| dry.stdout.find(text).ok_or_else(|| dry.shown());
    assert!(
        at("25% blue")? < at("scale blue to 4 tasks")?,
        "{}",
        dry.shown()
    );
    assert!(
        at("scale blue to 4 tasks")? < at("point port 80 at blue,")?,
        "{}",
        dry.shown()
    );
    let ended = world.done(&line)?;
    assert!(
        ended.stderr.contains("scaling blue to 4 tasks"),
        "{}",
        ended.shown()
    );
    assert_eq!(world.status()?["colors"]["blue"]["running"], 4);
    world.expect_answers(FRENCH, ENGLISH)
}

#[test]
fn who_watches_a_pause_sees_that_somebody_went_on() -> Outcome {
    let world = World::with_v2_idle("watched")?;
    let line = [
        "promote",
        "--steps",
        "50% pause",
        "--bake",
        "1s",
        "--wait",
        "2m",
    ];
    let mut child = world.desk.command(&line).spawn()?;
    let mut stderr = BufReader::new(child.stderr.take().ok_or("no stderr")?);
    let mut seen = String::new();
    while !seen.contains("watching it for") {
        let read = stderr.read_line(&mut seen)?;
        assert!(read > 0, "it never watched: {seen}");
    }
    world.done(&["promote", "--continue"])?;
    stderr.read_to_string(&mut seen)?;
    assert!(child.wait()?.success(), "{seen}");
    assert!(seen.contains("somebody went on with it"), "{seen}");
    world.expect_answers(FRENCH, ENGLISH)
}
