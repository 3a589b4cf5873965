//! Two releases from `init` to `destroy`, and what a person sees on the way.

use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, error, greeter, see, string};

#[test]
fn two_releases_from_init_to_destroy() -> Outcome {
    greeter()?;
    let world = World::new("life")?;

    // Nothing is there yet.
    see(
        "status-without-a-stack",
        &error(&world.ends(1, &["status"])?),
    )?;
    assert_eq!(
        world.done_json(&["destroy", "--yes"])?["outcome"],
        "unchanged"
    );
    see("init-dry-run", &world.done(&["init", "--dry-run"])?.shown())?;
    world.ends(1, &["status"])?;

    see("init-result", &world.done(&["init"])?.stdout)?;
    assert_eq!(world.done_json(&["init"])?["outcome"], "unchanged");
    assert_eq!(world.status()?["live"], Value::Null);
    see("status-nothing-live", &world.done(&["status"])?.shown())?;
    see("retire-nothing-live", &error(&world.ends(6, &["retire"])?))?;
    see(
        "rollback-nothing-live",
        &error(&world.ends(6, &["rollback"])?),
    )?;
    see(
        "promote-nothing-live",
        &error(&world.ends(6, &["promote"])?),
    )?;
    see("logs-nothing-live", &error(&world.ends(2, &["logs"])?))?;

    let first = ["deploy", V1, "--tag", "1", "--color", "green"];
    let planned = world.changes_nothing(0, &[&first[..], &["--dry-run"]].concat())?;
    see("deploy-first-dry-run", &planned.shown())?;
    see("deploy-first-result", &world.done(&first)?.stdout)?;
    let nothing_idle = world.changes_nothing(0, &["promote"])?;
    see("promote-nothing-idle", &nothing_idle.stdout)?;

    let second = ["deploy", V2, "--tag", "2"];
    see("deploy-second-result", &world.done(&second)?.stdout)?;
    world.expect_answers(ENGLISH, FRENCH)?;
    let again = world.changes_nothing(0, &second)?;
    see("deploy-again-result", &again.stdout)?;
    the_status_is_for_programs_too(&world)?;
    see("status-two-colors", &world.done(&["status"])?.shown())?;

    let planned = world.changes_nothing(0, &["promote", "--dry-run"])?;
    see("promote-dry-run", &planned.shown())?;
    a_promotion_says_what_users_saw(&world)?;
    world.expect_answers(FRENCH, ENGLISH)?;
    let already = world.changes_nothing(0, &["promote", "blue"])?;
    see("promote-already", &already.stdout)?;

    let planned = world.changes_nothing(0, &["rollback", "--dry-run"])?;
    see("rollback-dry-run", &planned.shown())?;
    let rolled_back = world.done(&["rollback", "--quiet"])?;
    assert_eq!(rolled_back.stderr, "");
    see("rollback-result", &rolled_back.stdout)?;
    world.expect_answers(ENGLISH, FRENCH)?;
    for (name, line) in [
        ("rollback-twice", "rollback"),
        ("promote-gone-back", "promote"),
    ] {
        see(name, &world.changes_nothing(0, &[line])?.stdout)?;
    }
    let live = ["deploy", V1, "--tag", "1", "--color", "blue"];
    see(
        "deploy-live-already",
        &world.changes_nothing(0, &live)?.stdout,
    )?;

    logs_and_probe_show_what_runs(&world)?;
    a_retired_colour_runs_nothing(&world)?;
    a_destroy_leaves_nothing(&world)
}

fn the_status_is_for_programs_too(world: &World) -> Outcome {
    let status = world.status()?;
    assert_eq!(status["app"], "life");
    assert_eq!(status["region"], "us-east-1");
    assert_eq!(
        (&status["live"], &status["idle"]),
        (&json!("green"), &json!("blue"))
    );
    let group = |port: &str| status["listeners"][port]["forwards"].clone();
    for (port, color) in [("prod", "green"), ("test", "blue")] {
        assert!(string(&status, &format!("/urls/{port}"))?.starts_with("http://"));
        assert!(string(&status, &format!("/listeners/{port}/arn"))?.starts_with("arn:aws:"));
        assert_eq!(group(port)[0]["color"], color, "{status:#}");
        assert!(group(port)[0]["weight"].is_number(), "{status:#}");
    }
    for (color, tag) in [("green", "1"), ("blue", "2")] {
        let state = &status["colors"][color];
        assert_eq!(state["tag"], tag);
        assert!(string(state, "/digest")?.starts_with("sha256:"));
        assert!(string(state, "/task_definition")?.contains("task-definition/bgecs-life:"));
        assert!(string(state, "/deployed_at")?.ends_with('Z'));
        for count in ["desired", "running", "healthy", "registered"] {
            assert_eq!(state[count], 1, "{count} of {color}: {status:#}");
        }
    }
    Ok(())
}

fn a_promotion_says_what_users_saw(world: &World) -> Outcome {
    let ended = world.done(&["promote", "blue", "--json"])?;
    let promoted = ended.json()?;
    assert_eq!(promoted["operation"], "promote");
    assert_eq!(
        (&promoted["from"], &promoted["to"]),
        (&json!("green"), &json!("blue"))
    );
    assert_eq!(promoted["outcome"], "committed");
    for check in promoted["checks"].as_array().ok_or("no checks")? {
        assert_eq!(check["ok"], true, "{check}");
        assert!(
            check["name"].is_string() && check["detail"].is_string(),
            "{check}"
        );
    }
    let probe = &promoted["probe"];
    assert_eq!(probe["failed"], 0, "{probe:#}");
    assert_eq!(probe["rate"], 20.0);
    assert_eq!(probe["failures"], json!([]));
    // A baseline of a second and a window of two, twenty times a second.
    assert!(probe["sent"].as_u64() >= Some(50), "{probe:#}");
    for number in ["first_new_ms", "changeover_ms"] {
        assert!(probe[number].is_number(), "{number}: {probe:#}");
    }
    for number in ["p50", "p99", "max"] {
        assert!(
            probe["latency_ms"][number].is_number(),
            "{number}: {probe:#}"
        );
    }
    for number in ["prod_ms", "test_ms", "window_ms"] {
        assert!(
            promoted["swap"][number].is_number(),
            "{number}: {promoted:#}"
        );
    }
    Ok(())
}

fn logs_and_probe_show_what_runs(world: &World) -> Outcome {
    let logs = world.done(&["logs"])?;
    assert!(logs.stdout.contains("listening"), "{}", logs.shown());
    let logs = world.done_json(&["logs", "blue", "--since", "1h"])?;
    assert_eq!(logs["color"], "blue");
    assert!(
        logs["lines"]
            .as_array()
            .is_some_and(|lines| !lines.is_empty()),
        "{logs:#}"
    );
    for listener in ["prod", "test"] {
        let probed = world.done_json(&["probe", "--listener", listener, "--duration", "500ms"])?;
        assert_eq!(
            (&probed["outcome"], &probed["probe"]["failed"]),
            (&json!("ok"), &json!(0))
        );
    }
    // Port 9 discards, where anybody listens at all.
    let nowhere = [
        "probe",
        "--url",
        "http://127.0.0.1:9/",
        "--duration",
        "300ms",
        "--json",
    ];
    let probed = world.ends(1, &nowhere)?.json()?;
    assert_eq!(probed["outcome"], "failed");
    assert_eq!(probed["probe"]["failed"], probed["probe"]["sent"]);
    Ok(())
}

fn a_retired_colour_runs_nothing(world: &World) -> Outcome {
    let planned = world.changes_nothing(0, &["retire", "--dry-run"])?;
    see("retire-dry-run", &planned.shown())?;
    see("retire-result", &world.done(&["retire"])?.stdout)?;
    let status = world.status()?;
    assert_eq!(status["colors"]["blue"]["desired"], 0);
    assert_eq!(status["colors"]["blue"]["running"], 0);
    assert_eq!(status["live"], "green");
    let again = world.changes_nothing(0, &["retire", "--json"])?.json()?;
    assert_eq!(again["outcome"], "unchanged");
    see(
        "promote-retired",
        &error(&world.changes_nothing(6, &["promote", "--tag", "2"])?),
    )
}

fn a_destroy_leaves_nothing(world: &World) -> Outcome {
    let planned = world.changes_nothing(0, &["destroy", "--dry-run"])?;
    see("destroy-dry-run", &planned.shown())?;
    // There is nobody to ask.
    see(
        "destroy-unasked",
        &error(&world.changes_nothing(2, &["destroy"])?),
    )?;
    see("destroy-result", &world.done(&["destroy", "--yes"])?.stdout)?;
    world.expect_nothing()?;
    assert_eq!(
        world.done_json(&["destroy", "--yes"])?["outcome"],
        "unchanged"
    );
    Ok(())
}
