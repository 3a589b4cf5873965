//! The lease between processes that know nothing of each other.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use localstack::gate::faults::Fault;
use localstack::gate::record::Mark;
use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, greeter};

const ELB: &str = "elasticloadbalancing";
const MINUTE: Duration = Duration::from_secs(60);

impl World {
    fn shorten_the_lease(&self) -> Outcome {
        let text = std::fs::read_to_string(self.desk.path().join("bgecs.toml"))?;
        let text = format!("{text}\n[lease]\nseconds = 5\n");
        self.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    fn count_of(&self, key: &str, service: &str, operation: &str, since: Mark) -> usize {
        let calls = self.gate.calls().since(since).into_iter();
        let is_it = |call: &localstack::gate::record::Call| {
            call.is(service, operation) && call.access_key.as_deref() == Some(key)
        };
        calls.filter(is_it).count()
    }
}

/// Ids are ordered to the second.
fn until_the_next_second(world: &World) -> Outcome {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH);
    let began = now()?.as_secs();
    world.until("the next second", || Ok(now()?.as_secs() > began))
}

#[test]
fn a_lease_of_another_is_respected_waited_for_in_line_and_taken_over_when_it_has_expired() -> Outcome
{
    let world = World::with_v2_idle("line")?;
    world.lease_to_bob(MINUTE)?;
    let held = world.done_json(&["unlock"])?;
    assert_eq!(
        (&held["outcome"], &held["lease"]["who"]),
        (&json!("held"), &json!("bob@desk"))
    );
    for line in [
        &["promote"][..],
        &["deploy", V2, "--tag", "3"],
        &["retire"],
        &["adopt"],
    ] {
        let refused = world.ends(6, line)?;
        let errors = refused
            .stderr
            .lines()
            .find(|line| line.starts_with("error:"));
        let sentence = errors.unwrap_or_default();
        let who = "error: bob@desk, process 7 on desk, has been running `deploy` since 2026-11-21 07:00:00 UTC; the lease expires in ";
        assert!(sentence.starts_with(who), "{}", refused.shown());
    }
    let tired = world.ends(6, &["promote", "--wait", "1s"])?;
    assert!(tired.stderr.contains("bob@desk"), "{}", tired.shown());
    assert_eq!(world.in_line()?, 0, "it left the line");

    let mut waiting = Vec::new();
    let lines = [
        ["promote", "--window", "0s", "--wait", "2m"],
        ["rollback", "--window", "0s", "--wait", "2m"],
    ];
    for (place, line) in lines.iter().enumerate() {
        waiting.push(world.start(line)?);
        world.until("it stands in line", || Ok(world.in_line()? > place))?;
        until_the_next_second(&world)?;
    }
    world.done(&["unlock", "--force"])?;
    for one in waiting {
        one.ends(0)?;
    }
    let history = world.history()?;
    let commands = history.iter().rev().map(|line| line["command"].as_str());
    let commands: Vec<&str> = commands.flatten().collect();
    assert!(commands.ends_with(&["promote", "rollback"]), "{history:#?}");
    world.expect_settled("the line")?;

    // Nobody holds it, and yet it is another's turn.
    world.bob_in_line()?;
    let polite = world.start(&["promote", "--window", "0s", "--wait", "2m"])?;
    world.until("it stands in line", || Ok(world.in_line()? == 2))?;
    world.bob_leaves_the_line()?;
    polite.ends(0)?;

    world.lease_to_bob(Duration::ZERO)?;
    let over = world.done(&["rollback", "--window", "0s"])?;
    let told = "the lease of bob@desk, process 7 on desk (deploy) has expired: taking it over";
    assert!(over.stderr.contains(told), "{}", over.shown());
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn what_a_killed_holder_had_is_taken_at_once() -> Outcome {
    let world = World::with_v2_idle("killed")?;
    let second = Fault::on(ELB, "ModifyListener").nth(2);
    world.killed_in(second.hold_after(), &["promote"])?;
    // Its lease would last for most of a minute.
    let next = world.done(&["rollback", "--window", "0s"])?;
    let told = "(promote) belongs to a process that is gone: taking it over";
    assert!(next.stderr.contains(told), "{}", next.shown());
    assert!(next.stderr.contains("is unfinished"), "{}", next.shown());
    world.expect_settled("the rollback")?;
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn a_holder_that_slept_beyond_its_lease_writes_nothing_more() -> Outcome {
    let world = World::with_v2_idle("slept")?;
    world.shorten_the_lease()?;
    let before = world.gate.calls().mark();
    let mut promoting = world.start_as("sleeper", &["promote", "--window", "0s"])?;
    promoting.until_said("probing ")?;
    // From here on it reads listeners only right ahead of its first write.
    let look = Fault::on(ELB, "DescribeListeners").delay(Duration::from_secs(2));
    let look = world.gate.faults().add(look);
    world.until("it looks ahead of its write", || {
        Ok(world.gate.faults().struck(look) > 0)
    })?;
    promoting.signal("STOP")?;
    world.gate.faults().remove(look);
    assert_eq!(world.count_of("sleeper", ELB, "ModifyListener", before), 0);

    let over = world.done(&["promote", "--window", "0s", "--wait", "1m"])?;
    assert!(over.stderr.contains("has expired"), "{}", over.shown());
    // Both listeners are where the sleeper saw them: only the lease tells.
    world.done(&["rollback", "--window", "0s"])?;
    promoting.signal("CONT")?;
    let ended = promoting.ends(6)?;
    for part in ["the lease was lost", "look at what changed: `bgecs status`"] {
        assert!(ended.stderr.contains(part), "{}", ended.shown());
    }
    assert_eq!(world.count_of("sleeper", ELB, "ModifyListener", before), 0);
    world.expect_settled("the sleeper's end")?;
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn a_holder_that_was_overtaken_does_not_rewrite_the_history() -> Outcome {
    let world = World::with_v1_live("overtaken")?;
    world.shorten_the_lease()?;
    // Its last word to the history lies until it is retried.
    let last = Fault::on("dynamodb", "PutItem").nth(1).hold_before();
    let last = world.gate.faults().add(last);
    let deploying = world.start_as("sleeper", &["deploy", V2, "--tag", "2"])?;
    world.until_held(last)?;
    deploying.signal("STOP")?;
    let resumed = world.done_json(&["resume", "--wait", "1m"])?;
    assert_eq!(resumed["outcome"], "finished", "{resumed:#}");
    world.gate.faults().remove(last);
    deploying.signal("CONT")?;
    deploying.ends(0)?;
    let newest = world.history()?.remove(0);
    assert_eq!(
        (&newest["outcome"], &newest["id"]),
        (&json!("finished"), &resumed["id"]),
        "{newest:#}"
    );
    world.expect_settled("the deploy")
}

#[test]
fn a_holder_whose_lease_is_broken_stops_ahead_of_its_next_write() -> Outcome {
    let world = World::with_v2_idle("broken")?;
    let before = world.gate.calls().mark();
    // The first write of the table takes the lease.
    let note = Fault::on("dynamodb", "UpdateItem").nth(2).hold_before();
    let note = world.gate.faults().add(note);
    let promoting = world.start_as("broken", &["promote"])?;
    world.until_held(note)?;
    let unlocked = world.done_json(&["unlock"])?;
    assert_eq!(unlocked["lease"]["command"], "promote", "{unlocked:#}");
    let broken = world.done_json(&["unlock", "--force"])?;
    assert_eq!(broken["outcome"], "broken");
    world.gate.faults().remove(note);
    let ended = promoting.ends(6)?;
    assert!(
        ended.stderr.contains("the lease was lost: it was broken"),
        "{}",
        ended.shown()
    );
    assert_eq!(world.count_of("broken", ELB, "ModifyListener", before), 0);
    world.expect_settled("the broken promote")?;

    let register = Fault::on("ecs", "RegisterTaskDefinition").nth(1);
    let register = world.gate.faults().add(register.hold_before());
    let deploying = world.start_as("broken", &["deploy", V2, "--tag", "3"])?;
    world.until_held(register)?;
    world.done(&["unlock", "--force"])?;
    world.gate.faults().remove(register);
    let ended = deploying.ends(6)?;
    assert!(
        ended.stderr.contains("the lease was lost"),
        "{}",
        ended.shown()
    );
    assert_eq!(world.count_of("broken", "ecs", "UpdateService", before), 0);
    // What it registered is for the next one to tidy up.
    let status = world.status()?;
    assert_eq!(status["unfinished"]["command"], "deploy", "{status:#}");
    assert_eq!(world.done_json(&["resume"])?["outcome"], "undone");
    world.expect_settled("the resume")
}

#[test]
fn a_journal_of_a_newer_bgecs_is_left_alone() -> Outcome {
    greeter()?;
    let world = World::with_v2_idle("newer")?;
    world.set_head(&json!({ "format": { "N": "1000" }, "holder": { "M": {} } }))?;
    let before: Vec<Value> = world.items(None)?;
    let text = std::fs::read_to_string(world.desk.path().join("bgecs.toml"))?;
    let text = format!("{text}\n[logs]\nretention_days = 7\n");
    world.desk.write("bgecs.toml", &text)?;
    for line in [
        &["status"][..],
        &["history"],
        &["unlock"],
        &["unlock", "--force"],
        &["init"],
        &["deploy", V2, "--tag", "3"],
        &["promote"],
        &["promote", "--wait", "1s"],
        &["rollback"],
        &["retire"],
        &["resume"],
        &["adopt"],
        &["destroy", "--yes"],
    ] {
        let refused = world.ends(6, line)?;
        for part in [
            "the journal of this app was written by a newer bgecs",
            "update bgecs",
        ] {
            assert!(refused.stderr.contains(part), "{}", refused.shown());
        }
    }
    let is_head = |item: &&Value| item["pk"]["S"] != "line";
    let after = world.items(None)?;
    assert_eq!(
        after.iter().filter(is_head).collect::<Vec<_>>(),
        before.iter().collect::<Vec<_>>()
    );
    Ok(())
}
