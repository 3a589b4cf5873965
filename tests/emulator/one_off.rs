//! `bgecs run`: one command in a task of its own, which is started once, followed to its
//! end, and stopped where nobody waits for it any more.

use localstack::gate::faults::Fault;
use serde_json::json;

use crate::support::Outcome;
use crate::world::{World, greeter, string};

impl World {
    /// The ARNs of the tasks that `run` has started, with how far each is.
    pub fn one_offs(&self) -> Outcome<Vec<(String, String)>> {
        let cluster = self.stack();
        let mut arns = Vec::new();
        for desired in ["RUNNING", "STOPPED"] {
            let asked = json!({ "cluster": cluster, "desiredStatus": desired });
            let listed = self.api.ecs("ListTasks", &asked)?;
            arns.extend(listed["taskArns"].as_array().cloned().unwrap_or_default());
        }
        let all = self.api.ecs(
            "DescribeTasks",
            &json!({ "cluster": cluster, "tasks": arns }),
        )?;
        let own = format!("bgecs/{}", self.app);
        let all = all["tasks"].as_array().into_iter().flatten();
        all.filter(|task| task["startedBy"] == own.as_str())
            .map(|task| Ok((string(task, "/taskArn")?, string(task, "/lastStatus")?)))
            .collect()
    }
}

#[test]
fn a_command_ends_with_its_own_code_and_its_output_is_all_there_is() -> Outcome {
    let world = World::with_v1_live("once")?;
    let ended = world.ends(4, &["run", "--", "migrate", "0", "4"])?;
    let lines: Vec<&str> = ended.stdout.lines().collect();
    assert_eq!(lines.len(), 2, "{}", ended.shown());
    assert!(
        lines[1].ends_with("migrated, and ends with 4"),
        "{}",
        ended.shown()
    );
    let told = world
        .ends(4, &["run", "--json", "--", "migrate", "0", "4"])?
        .json()?;
    assert_eq!(
        (&told["operation"], &told["color"], &told["exit_code"]),
        (&json!("run"), &json!("green"), &json!(4))
    );
    Ok(())
}

/// Also where the answer to the first request is lost, and where it is typed again.
#[test]
fn one_task_is_started_however_often_it_is_asked_for() -> Outcome {
    let world = World::with_v1_live("again")?;
    let lost = Fault::on("ecs", "RunTask").nth(1).drop_after();
    let lost = world.gate.faults().add(lost);
    let line = ["run", "--once", "backfill", "--json", "--", "migrate"];
    let first = world.ends(0, &line)?.json()?;
    assert_eq!(world.gate.faults().struck(lost), 1);
    assert_eq!(world.ends(0, &line)?.json()?["task"], first["task"]);
    assert_eq!(world.one_offs()?.len(), 1);
    let other = world.ends(6, &["run", "--once", "backfill", "--", "migrate", "1"])?;
    assert!(
        other
            .stderr
            .contains("`--once backfill` has started another command"),
        "{}",
        other.shown()
    );
    world.done(&["run", "--once", "other", "--", "migrate"])?;
    assert_eq!(world.one_offs()?.len(), 2);
    Ok(())
}

#[test]
fn what_nobody_waits_for_is_stopped() -> Outcome {
    let world = World::with_v1_live("cutoff")?;
    let late = world.ends(5, &["run", "--timeout", "1s", "--", "migrate", "600"])?;
    assert!(
        late.stderr.contains("it took longer than 1 s"),
        "{}",
        late.shown()
    );
    let mut running = world.start(&["run", "--", "migrate", "600"])?;
    running.until_said("the task is RUNNING")?;
    running.signal("INT")?;
    let cut = running.ends(130)?;
    assert!(
        cut.stderr.contains("was interrupted and is stopped"),
        "{}",
        cut.shown()
    );
    let all = world.one_offs()?;
    assert_eq!(all.len(), 2);
    assert!(all.iter().all(|(_, status)| status == "STOPPED"), "{all:?}");
    Ok(())
}

#[test]
fn without_a_release_nothing_is_run() -> Outcome {
    greeter()?;
    let world = World::new("bare")?;
    world.done(&["init"])?;
    for (line, part) in [
        (&["run", "--", "migrate"][..], "nothing is deployed yet"),
        (
            &["run", "--color", "blue", "--", "migrate"],
            "nothing is deployed on blue",
        ),
    ] {
        let refused = world.ends(6, line)?;
        assert!(refused.stderr.contains(part), "{}", refused.shown());
    }
    let usage = world.ends(2, &["run"])?;
    assert!(usage.stderr.contains("<CMD>"), "{}", usage.shown());
    assert_eq!(world.one_offs()?, []);
    Ok(())
}
