//! Two services that are to take each other's place: what else than their release differs
//! is told, and forbids a promotion where users would have less.

use serde_json::{Value, json};

use crate::support::Outcome;
use crate::world::{V1, V2, World, greeter};

impl World {
    /// Of the idle colour, as `status` has them.
    fn expect_differences(&self, all: &[&str]) -> Outcome {
        let told = self.status()?;
        let told = told["differences"].as_array().cloned().unwrap_or_default();
        let told: Vec<&str> = told.iter().filter_map(Value::as_str).collect();
        assert_eq!(told, all);
        Ok(())
    }
}

#[test]
fn what_would_serve_users_less_well_is_not_promoted() -> Outcome {
    let world = World::with_v2_idle("twins")?;
    world.expect_differences(&[])?;
    // Registered, it is clamped at once.
    world.scale_between("green", 2, 10)?;
    assert_eq!(world.status()?["colors"]["green"]["desired"], 2);
    // A promotion gives blue the same.
    world.expect_differences(&[])?;
    world.scale_between("blue", 0, 10)?;
    let others = json!({ "PolicyName": "others" });
    world.scale_by_requests("green")?;
    let mut policy = world.scaling("DescribeScalingPolicies", "green", &json!({}))?;
    let mut policy = policy["ScalingPolicies"][0].take();
    policy["PolicyName"] = "others".into();
    policy["ResourceId"] = format!("service/{}/blue", world.stack()).into();
    world.scaling("PutScalingPolicy", "blue", &policy)?;
    let refused = world.ends(6, &["promote", "--window", "1s"])?;
    let why = "the scaling policy `others` of blue counts requests of";
    assert!(refused.stderr.contains("✗ twin"), "{}", refused.shown());
    assert!(refused.stderr.contains(why), "{}", refused.shown());
    world.scaling("DeleteScalingPolicy", "blue", &others)?;

    let exec = json!({
        "cluster": world.stack(), "service": "green", "enableExecuteCommand": true,
    });
    world.api.ecs("UpdateService", &exec)?;
    let exec = "blue has ECS Exec off, and green on";
    let restless = "blue is scaled from 0 to 10 tasks without a user on it: that may start its tasks, or end those that a way back needs";
    world.expect_differences(&[exec, restless])?;
    world.until("green runs as many as it is told", || {
        Ok(world.status()?["colors"]["green"]["running"] == 2)
    })?;
    let done = world.done(&["promote", "--window", "1s"])?;
    assert!(
        done.stderr.contains("✓ twin") && done.stderr.contains(exec),
        "{}",
        done.shown()
    );
    assert_eq!(world.status()?["colors"]["blue"]["desired"], 2);
    // A way back does not wait for a twin.
    world.scale_between("green", 0, 1)?;
    world.done(&["rollback", "--window", "0s", "--now"])?;
    Ok(())
}

#[test]
fn the_second_colour_is_made_as_the_first_and_as_the_file_says() -> Outcome {
    let world = World::with_v1_live("alike")?;
    let cluster = world.stack();
    let service = |color: &str| -> Outcome<Value> {
        let asked = json!({ "cluster": cluster, "services": [color] });
        Ok(world.api.ecs("DescribeServices", &asked)?["services"][0].take())
    };
    let by_hand = json!({
        "cluster": cluster, "service": "green", "enableExecuteCommand": true,
        "platformVersion": "1.4.0",
        "deploymentConfiguration": {
            "minimumHealthyPercent": 50, "maximumPercent": 200,
            "deploymentCircuitBreaker": { "enable": true, "rollback": true },
        },
    });
    world.api.ecs("UpdateService", &by_hand)?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let blue = service("blue")?;
    assert_eq!(
        (&blue["enableExecuteCommand"], &blue["platformVersion"]),
        (&json!(true), &json!("1.4.0"))
    );
    let limits = &blue["deploymentConfiguration"];
    assert_eq!(limits["minimumHealthyPercent"], 50, "{blue:#}");
    world.expect_differences(&[])?;

    let file = world.file()?;
    let says = |keys: &str| {
        let text = file.replace("[service]\n", &format!("[service]\n{keys}\n"));
        world.desk.write("bgecs.toml", &text)
    };
    says("capacity = \"FARGATE_SPOT\"")?;
    let refused = world.changes_nothing(6, &["deploy", V2, "--tag", "3"])?;
    let why = "blue would run on FARGATE_SPOT weight 1 alone";
    assert!(refused.stderr.contains(why), "{}", refused.shown());
    says(
        "exec = true\ncapacity = [{ provider = \"FARGATE\", base = 1 }, { provider = \"FARGATE_SPOT\", weight = 3 }]",
    )?;
    world.done(&["init"])?;
    let done = world.done(&["deploy", V2, "--tag", "3"])?;
    let told = "the capacity FARGATE -> FARGATE base 1, FARGATE_SPOT weight 3";
    assert!(done.stderr.contains(told), "{}", done.shown());
    let blue = service("blue")?;
    let shares = blue["capacityProviderStrategy"].as_array().cloned();
    let mut shares: Vec<String> = shares
        .unwrap_or_default()
        .iter()
        .map(|it| format!("{} {} {}", it["capacityProvider"], it["base"], it["weight"]))
        .collect();
    shares.sort();
    assert_eq!(
        shares,
        ["\"FARGATE\" 1 0", "\"FARGATE_SPOT\" 0 3"],
        "{blue:#}"
    );
    world.expect_differences(&[
        "blue has the capacity FARGATE base 1, FARGATE_SPOT weight 3, and green FARGATE",
    ])?;
    world.done(&["promote", "--window", "1s"])?;
    // Users' colour is what the other one follows.
    world.desk.write("bgecs.toml", &file)?;
    world.done(&["deploy", V1, "--tag", "4"])?;
    world.expect_differences(&[])
}

/// MiniStack takes it of services that are made, and of no update.
#[test]
fn whose_tags_tasks_get_is_as_the_file_and_then_the_live_colour_has_it() -> Outcome {
    greeter()?;
    let world = World::new("tagged")?;
    let file = world.file()?;
    let says = file.replace("[service]\n", "[service]\npropagate_tags = \"SERVICE\"\n");
    world.desk.write("bgecs.toml", &says)?;
    world.init_and_v1()?;
    assert_eq!(world.service("green")?["propagateTags"], "SERVICE");
    world.desk.write("bgecs.toml", &file)?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    assert_eq!(world.service("blue")?["propagateTags"], "SERVICE");
    world.expect_differences(&[])
}
