//! Deploys beyond the ordinary one.

use serde_json::{Value, json};

use crate::api::{text, texts};
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V1, V2, World, error, greeter, see, string};

#[test]
fn a_deploy_restarts_warns_and_refuses_as_it_is_told() -> Outcome {
    let world = World::with_v2_idle("insist")?;
    let deployment = || string(&world.service("blue")?, "/deployments/0/id");

    let before = deployment()?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    assert_eq!(
        deployment()?,
        before,
        "nothing changed, so nothing is restarted"
    );
    world.done(&["deploy", V2, "--tag", "2", "--force"])?;
    assert_ne!(deployment()?, before, "--force restarts");

    let live = ["deploy", V1, "--tag", "1", "--color", "green"];
    world.changes_nothing(0, &live)?;
    world.configure("environment = { GREETING = \"Good morning\" }")?;
    see("deploy-live", &error(&world.changes_nothing(6, &live)?))?;
    let insisted = world.done(&[&live[..], &["--allow-live"]].concat())?;
    assert!(
        insisted.stderr.contains("warning: green (tag 1) is live"),
        "{}",
        insisted.shown()
    );
    world.expect_answers("Good morning", FRENCH)?;

    let taken = ["deploy", V1, "--tag", "2"];
    see(
        "deploy-tag-taken",
        &error(&world.changes_nothing(6, &taken)?),
    )
}

#[test]
fn a_failure_on_the_live_colour_is_one_to_look_at_now() -> Outcome {
    let world = World::with_v2_idle("bold")?;
    let live = [
        "deploy",
        V1,
        "--tag",
        "1",
        "--color",
        "green",
        "--allow-live",
    ];
    // Nothing is changed yet.
    let taken = [
        "deploy",
        V1,
        "--tag",
        "2",
        "--color",
        "green",
        "--allow-live",
    ];
    let taken = world.changes_nothing(6, &taken)?;
    assert!(taken.stderr.contains("port 80 -> green (tag 1), unchanged"));

    world.configure("environment = { GREETER_CRASH = \"1\" }")?;
    let crashed = world.ends(4, &live)?;
    for part in [
        "the deploy onto green failed: container `app` exited with code 3",
        "port 80 -> green, so users may see it: green runs",
    ] {
        assert!(
            crashed.stderr.contains(part),
            "{part}:\n{}",
            crashed.shown()
        );
    }
    assert!(!crashed.stderr.contains("unchanged"), "{}", crashed.shown());
    assert_eq!(world.history()?[0]["outcome"], "failed");
    let status = world.status()?;
    assert!(status["unfinished"].is_null(), "{status:#}");
    world.configure("")?;
    // The local AWS takes a newer deployment back along with the failed one, as
    // long as it is at it.
    world.until("ECS has gone back to what green ran", || {
        let green = &world.status()?["colors"]["green"];
        Ok(green["rollout"] == "COMPLETED" && green["running"] == green["desired"])
    })?;
    world.done(&live)?;
    world.expect_answers(ENGLISH, FRENCH)
}

/// A load balancer's port is told to a service at its creation, and with each
/// update that changes it.
#[test]
fn a_corrected_port_cures_its_colour() -> Outcome {
    let world = World::with_v1_live("port")?;
    let file = |port: u16, health: &str| {
        let text = format!(
            "app = \"port\"\n[container]\nport = {port}\nhealth_path = \"{health}\"\n\
             [service]\ndesired_count = 1\nhealth_check_grace_period_seconds = 5\n\
             [probe]\npath = \"/api\"\nrate = 20\nwindow_seconds = 2\n\
             [load_balancer]\nderegistration_delay_seconds = 0\n"
        );
        world.desk.write("bgecs.toml", &text)
    };
    let port = || -> Outcome<Value> {
        Ok(world.service("blue")?["loadBalancers"][0]["containerPort"].clone())
    };
    file(8081, "/health")?;
    let failed = world.ends(1, &["deploy", V2, "--tag", "2"])?;
    assert!(
        !failed.stderr.contains("differs from the stack"),
        "{}",
        failed.shown()
    );
    assert_eq!(port()?, 8081);

    // One that differs from the stack besides says so first.
    file(8080, "/healthz")?;
    let differs = "bgecs.toml differs from the stack (health path): run `bgecs init`";
    let planned = world.done(&["deploy", V2, "--tag", "2", "--dry-run"])?;
    let first = planned.stderr.lines().next().unwrap_or_default();
    assert_eq!(first, format!("warning: {differs}"), "{}", planned.shown());
    for part in ["app:8081 -> app:8080", "\"image\": "] {
        assert!(
            planned.stdout.contains(part),
            "{part}:\n{}",
            planned.shown()
        );
    }
    assert_eq!(world.status()?["differs_from_stack"], differs);
    assert!(world.ends(6, &["promote"])?.stderr.contains(differs));

    file(8080, "/health")?;
    let cured = world.done(&["deploy", V2, "--tag", "2"])?;
    let told = "updated the service blue: the load balancer's target app:8081 -> app:8080";
    assert!(cured.stderr.contains(told), "{}", cured.shown());
    assert_eq!(port()?, 8080);
    world.done(&["promote"])?;
    world.expect_answers(FRENCH, ENGLISH)?;

    // A service that users are on is told what needs no new task.
    let text = std::fs::read_to_string(world.desk.path().join("bgecs.toml"))?;
    world
        .desk
        .write("bgecs.toml", &text.replace("seconds = 5", "seconds = 7"))?;
    let amended = world.done(&["deploy", V2, "--tag", "2"])?;
    assert!(
        amended.stderr.contains("grace period 5 s -> 7 s"),
        "{}",
        amended.shown()
    );
    assert_eq!(world.service("blue")?["healthCheckGracePeriodSeconds"], 7);
    let again = world.changes_nothing(0, &["deploy", V2, "--tag", "2"])?;
    assert!(again.stdout.contains("nothing to do"), "{}", again.shown());
    Ok(())
}

#[test]
fn a_release_that_cannot_serve_is_told_with_its_reason() -> Outcome {
    let world = World::with_v1_live("broken")?;
    world.configure("environment = { GREETER_CRASH = \"1\" }")?;
    let crashed = world.ends(1, &["deploy", V2, "--tag", "2"])?;
    for part in [
        "exited with code 3",
        "port 80 -> green (tag 1), unchanged",
        "hint:",
    ] {
        assert!(
            crashed.stderr.contains(part),
            "{part}:\n{}",
            crashed.shown()
        );
    }
    // What is half done is there to see.
    let status = world.status()?;
    assert_eq!(
        (&status["live"], &status["colors"]["blue"]["tag"]),
        (&json!("green"), &json!("2"))
    );
    world.ends(6, &["promote"])?;

    world
        .desk
        .write("failing/Dockerfile", "FROM scratch\nCOPY nothing /\n")?;
    // Not all of the status: ECS goes on trying what crashes meanwhile.
    let lasting = || -> Outcome<_> {
        let status = world.status()?;
        let of_blue = status["colors"]["blue"]["task_definition"].clone();
        Ok((status["listeners"].clone(), of_blue))
    };
    let before = lasting()?;
    let unbuilt = world.ends(1, &["deploy", "failing", "--tag", "3"])?;
    assert_eq!(lasting()?, before);
    let unchanged = "traffic:   port 80 -> green (tag 1), unchanged";
    assert!(unbuilt.stderr.contains(unchanged), "{}", unbuilt.shown());

    world.configure("environment = { GREETER_START_DELAY_MS = \"60000\" }")?;
    let slow = ["deploy", V2, "--tag", "3", "--timeout", "3s"];
    let timed_out = world.ends(5, &slow)?;
    assert!(
        timed_out.stderr.contains("does not serve after 3 s"),
        "{}",
        timed_out.shown()
    );
    assert!(
        timed_out.stderr.contains("--timeout"),
        "{}",
        timed_out.shown()
    );
    assert_eq!(world.status()?["live"], "green");
    // And the next good one mends it.
    world.configure("")?;
    world.done(&["deploy", V2, "--tag", "4"])?;
    world.expect_answers(ENGLISH, FRENCH)
}

#[test]
fn a_task_definition_of_ones_own_survives_but_for_the_image() -> Outcome {
    greeter()?;
    let world = World::new("sidecar")?;
    world.done(&["init"])?;
    world.done(&["deploy", V1, "--tag", "1"])?;
    // The sidecar runs what is in the registry already.
    let image = format!("{}/bgecs-sidecar:1", world.registry());
    let own = json!({
        "family": "ignored",
        "cpu": "512",
        "memory": "1024",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [
            {
                "name": "web",
                "image": "replaced",
                "portMappings": [{ "containerPort": 8080 }],
                "environment": [{ "name": "GREETING", "value": "Good evening" }],
                "ulimits": [{ "name": "nofile", "softLimit": 2048, "hardLimit": 4096 }],
                "dockerLabels": { "team": "greetings" }
            },
            {
                "name": "helper",
                "image": image,
                "essential": false,
                "environment": [{ "name": "PORT", "value": "9090" }],
                "dependsOn": [{ "containerName": "web", "condition": "START" }]
            }
        ],
        "tags": [{ "key": "team", "value": "greetings" }]
    });
    world.desk.write("task.json", &own.to_string())?;
    world.configure("task_definition = \"task.json\"\ncontainer = \"web\"")?;
    let deployed = world.done_json(&["deploy", V1, "--tag", "1"])?;

    let described = json!({ "taskDefinition": deployed["task_definition"], "include": ["TAGS"] });
    let described = world.api.ecs("DescribeTaskDefinition", &described)?;
    let registered = &described["taskDefinition"];
    assert_eq!(registered["family"], "bgecs-sidecar");
    assert_eq!(
        (&registered["cpu"], &registered["memory"]),
        (&json!("512"), &json!("1024"))
    );
    let (web, helper) = (
        &registered["containerDefinitions"][0],
        &registered["containerDefinitions"][1],
    );
    let digest = string(&deployed, "/digest")?;
    assert!(string(web, "/image")?.ends_with(&digest), "{web:#}");
    assert_eq!(helper["image"], image.as_str());
    for (is, was) in [(web, 0), (helper, 1)] {
        survives(&own["containerDefinitions"][was], is);
    }
    let tags = described["tags"].as_array().ok_or("no tags")?;
    assert!(
        tags.contains(&json!({ "key": "team", "value": "greetings" })),
        "{tags:?}"
    );
    an_export_keeps_nothing_of_its_release(&world, &described)
}

/// What ECS printed of one release is the file of the next.
fn an_export_keeps_nothing_of_its_release(world: &World, described: &Value) -> Outcome {
    world.desk.write("task.json", &described.to_string())?;
    let next = world.done_json(&["deploy", V2, "--tag", "2"])?;
    let next = json!({ "taskDefinition": next["task_definition"] });
    let next = world.api.ecs("DescribeTaskDefinition", &next)?;
    let containers =
        |described: &Value| described["taskDefinition"]["containerDefinitions"].clone();
    let (old, new) = (&containers(described)[0], &containers(&next)[0]);
    let value = |container: &Value, name: &str| {
        let variables = container["environment"].as_array().cloned();
        let mut named = variables
            .into_iter()
            .flatten()
            .filter(|it| it["name"] == name);
        (named.next().map(|it| it["value"].clone()), named.next())
    };
    assert_eq!(value(new, "BGECS_RELEASE"), (Some(json!("2")), None));
    let color = value(new, "BGECS_COLOR").0;
    let prefix = &new["logConfiguration"]["options"]["awslogs-stream-prefix"];
    assert_eq!(color.as_ref(), Some(prefix));
    assert_ne!(new["image"], old["image"]);
    assert_eq!(value(new, "GREETING"), value(old, "GREETING"));
    Ok(())
}

#[test]
fn init_grants_what_a_task_definition_of_ones_own_needs() -> Outcome {
    let world = World::new("grants")?;
    let secret = "arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf";
    let own = json!({
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [{
            "name": "app",
            "portMappings": [{ "containerPort": 8080 }],
            "secrets": [
                { "name": "PASSWORD", "valueFrom": format!("{secret}:password::") },
                { "name": "USER", "valueFrom": "/grants/user" },
            ],
            "environmentFiles": [{ "type": "s3", "value": "arn:aws:s3:::grants/prod.env" }],
        }],
    });
    world.desk.write("task.json", &own.to_string())?;
    world.configure("task_definition = \"task.json\"")?;
    world.done(&["init"])?;
    let roles = world.api.iam(&[("Action", "ListRoles")])?;
    let mut roles = texts(&roles, "RoleName").into_iter();
    let role = roles
        .find(|name| name.starts_with("bgecs-grants-ExecutionRole"))
        .ok_or("no execution role")?;
    let policy = world.api.iam(&[
        ("Action", "GetRolePolicy"),
        ("RoleName", role),
        ("PolicyName", "start-tasks"),
    ])?;
    let policy = format!("document={}", text(&policy, "PolicyDocument")?);
    let policy: Vec<(String, String)> = serde_urlencoded::from_str(&policy)?;
    for needed in [
        "secretsmanager:GetSecretValue",
        secret,
        "ssm:GetParameters",
        ":parameter/grants/user",
        "s3:GetObject",
        "arn:aws:s3:::grants/prod.env",
        "s3:GetBucketLocation",
        "kms:EncryptionContext:SecretARN",
    ] {
        assert!(policy[0].1.contains(needed), "{needed}: {}", policy[0].1);
    }
    assert!(!policy[0].1.contains(":password"), "{}", policy[0].1);
    let nothing = world.done(&["init"])?;
    assert!(
        nothing.stdout.contains("nothing to do"),
        "{}",
        nothing.shown()
    );
    Ok(())
}

/// Every field of the user's own is there, but for the image. What was added is
/// bgecs's and ECS's.
fn survives(own: &Value, registered: &Value) {
    for (key, value) in own.as_object().into_iter().flatten() {
        let is = &registered[key];
        match (value, is) {
            _ if key == "image" => {}
            (Value::Array(own), Value::Array(is)) => {
                for item in own {
                    let kept = is.iter().any(|is| contains(is, item));
                    assert!(kept, "{key} lost {item}: {is:?}");
                }
            }
            _ => assert_eq!(is, value, "{key}"),
        }
    }
}

fn contains(is: &Value, own: &Value) -> bool {
    match own.as_object() {
        Some(own) => own.iter().all(|(key, value)| is[key] == *value),
        None => is == own,
    }
}
