//! A `before_shift` that is a task of the new release: it runs once for that release,
//! whoever dies meanwhile, and users wait for it.

use localstack::gate::crash::{Side, Write};
use localstack::gate::faults::Fault;
use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::canary::expect_said;
use crate::support::Outcome;
use crate::world::{V1, V2, World, greeter, string};

impl World {
    fn migrates(&self, run: &str) -> Outcome {
        self.configure("")?;
        self.configure_more(&format!("[hooks]\nbefore_shift = {{ run = [{run}] }}\n"))
    }

    /// The image of tag 2 once more, as another release that has not been live.
    fn redeployed(&self, tag: &str) -> Outcome {
        let image = format!("{}/{}:2", self.registry(), self.stack());
        self.done(&["deploy", "--image", &image, "--tag", tag])?;
        Ok(())
    }

    /// As if the last try had been begun so much earlier.
    fn begun_earlier(&self, ago: Duration) -> Outcome {
        let table = self.stack();
        let call = |operation: &str, asked: &Value| {
            let target = format!("DynamoDB_20120810.{operation}");
            self.api.json("dynamodb", &target, asked)
        };
        let found = call("Scan", &json!({ "TableName": table }))?;
        let items = found["Items"].as_array().cloned().unwrap_or_default();
        let mut changed = 0;
        for mut item in items {
            let Some(text) = item["hook_task"]["S"].as_str() else {
                continue;
            };
            let mut record: Value = serde_json::from_str(text)?;
            let begun = string(&record, "/begun")?;
            let begun = OffsetDateTime::parse(&begun, &Rfc3339)?;
            record["begun"] = (begun - ago).format(&Rfc3339)?.into();
            item["hook_task"]["S"] = record.to_string().into();
            call("PutItem", &json!({ "TableName": table, "Item": item }))?;
            changed += 1;
        }
        assert_eq!(changed, 1, "one release has one");
        Ok(())
    }
}

#[test]
fn a_migration_runs_once_for_a_release_and_ahead_of_its_users() -> Outcome {
    let world = World::new("migrate")?;
    world.migrates("\"migrate\"")?;
    greeter()?;
    world.done(&["init"])?;
    let deploy = ["deploy", V1, "--tag", "1", "--color", "green"];
    let planned = world.done(&[&deploy[..], &["--dry-run"]].concat())?;
    let step = "run the hook `before_shift`";
    assert!(planned.stdout.contains(step), "{}", planned.shown());
    let first = world.done(&deploy)?;
    expect_said(&first, &["migrated, and ends with 0", "ran before_shift"]);
    world.expect_end("1", "the first release")?;
    assert_eq!(world.one_offs()?.len(), 1, "nobody was served, and it ran");

    world.done(&["deploy", V2, "--tag", "2"])?;
    world.done(&["promote"])?;
    assert_eq!(world.one_offs()?.len(), 2);
    world.done(&["rollback", "--window", "0s"])?;
    assert_eq!(world.one_offs()?.len(), 2, "a way back migrates nothing");
    let again = world.done(&["promote", "--tag", "2"])?;
    expect_said(&again, &["before_shift has run for tag 2, by the task"]);
    world.done(&["rollback", "--window", "0s"])?;
    // The same release, by a revision of its own.
    world.redeployed("2")?;
    world.done(&["promote", "--tag", "2"])?;
    assert_eq!(world.one_offs()?.len(), 2);
    world.done(&["rollback", "--window", "0s"])?;
    world.done(&["promote", "--tag", "2", "--before-shift", "again"])?;
    assert_eq!(world.one_offs()?.len(), 3);
    Ok(())
}

#[test]
fn one_that_fails_or_hangs_leaves_users_where_they_are() -> Outcome {
    let world = World::with_v2_idle("gated")?;
    world.migrates("\"migrate\", \"0\", \"3\"")?;
    for tries in [1, 2] {
        let refused = world.ends(6, &["promote"])?;
        expect_said(&refused, &["ended with 3", "its last lines", "ends with 3"]);
        world.expect_end("1", &refused.shown())?;
        assert_eq!(world.one_offs()?.len(), tries, "it may be tried again");
    }
    world.migrates("\"migrate\", \"600\"")?;
    world.configure_more("timeout = \"1s\"\n")?;
    let late = world.ends(6, &["promote"])?;
    expect_said(&late, &["took longer than 1 s", "was stopped"]);
    world.expect_end("1", &late.shown())?;
    let all = world.one_offs()?;
    assert!(all.iter().all(|(_, status)| status == "STOPPED"), "{all:?}");
    let done = world.done(&["promote", "--before-shift", "done"])?;
    expect_said(&done, &["before_shift is taken as done"]);
    world.expect_end("2", &done.shown())?;
    assert_eq!(world.one_offs()?.len(), 3);
    Ok(())
}

#[test]
fn one_that_nobody_waits_for_goes_on_and_is_found_again() -> Outcome {
    let world = World::with_v2_idle("goeson")?;
    world.migrates("\"migrate\", \"10\"")?;
    let mut promoting = world.start(&["promote"])?;
    promoting.until_said("the task is RUNNING")?;
    promoting.signal("INT")?;
    let ended = promoting.ends(130)?;
    expect_said(&ended, &["of before_shift keeps running"]);
    world.expect_end("1", &ended.shown())?;
    let done = world.done(&["promote"])?;
    expect_said(&done, &["following the task", "ran before_shift"]);
    world.expect_end("2", &done.shown())?;
    assert_eq!(world.one_offs()?.len(), 1);
    Ok(())
}

/// Killed around each write that comes ahead of the first move.
#[test]
fn whoever_is_killed_its_container_runs_once() -> Outcome {
    let world = World::with_v2_idle("killed")?;
    world.migrates("\"migrate\"")?;
    let line = |tag: &str| ["promote", "--tag", tag, "--window", "1s"].map(str::to_owned);
    let writes = world.writes_of(&line("2").each_ref().map(String::as_str))?;
    let ahead: Vec<&Write> = writes
        .iter()
        .take_while(|write| write.operation != "ModifyListener")
        .collect();
    assert!(
        ahead.iter().any(|write| write.operation == "RunTask"),
        "{ahead:#?}"
    );
    let mut started = world.one_offs()?.len();
    assert_eq!(started, 1);
    let mut tag = 10;
    for write in ahead {
        for side in Side::BOTH {
            tag += 1;
            let what = format!("killed {side} {} {write}", write.number);
            let name = tag.to_string();
            world.redeployed(&name)?;
            let line = line(&name);
            let line = line.each_ref().map(String::as_str);
            world.killed_at_write(&line, write, side)?;
            let done = world.done(&line)?;
            world.expect_end(&name, &format!("{what}:\n{}", done.shown()))?;
            started += 1;
            assert_eq!(
                world.one_offs()?.len(),
                started,
                "{what}:\n{}",
                done.shown()
            );
        }
    }
    Ok(())
}

#[test]
fn what_ecs_has_forgotten_is_not_run_again_unasked() -> Outcome {
    let world = World::with_v2_idle("forgot")?;
    world.migrates("\"migrate\"")?;
    world.killed_in(Fault::on("ecs", "RunTask").hold_after(), &["promote"])?;
    world.begun_earlier(Duration::hours(1))?;
    for _ in 0..2 {
        let refused = world.ends(6, &["promote"])?;
        expect_said(
            &refused,
            &[
                "was started for tag 2",
                "no longer says how it ended",
                "--before-shift done",
            ],
        );
        world.expect_end("1", &refused.shown())?;
    }
    assert_eq!(world.one_offs()?.len(), 1);
    let done = world.done(&["promote", "--before-shift", "done"])?;
    world.expect_end("2", &done.shown())?;
    assert_eq!(world.one_offs()?.len(), 1);
    Ok(())
}
