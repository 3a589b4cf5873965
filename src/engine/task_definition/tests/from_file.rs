use serde_json::json;

use super::super::file::OUTPUT_ONLY;
use super::*;

pub(super) fn minimal() -> Value {
    json!({
        "cpu": "256",
        "memory": "512",
        "containerDefinitions": [
            { "name": "app", "image": "old", "portMappings": [{ "containerPort": 8080 }] },
        ],
    })
}

/// `minimal` with the value at a JSON pointer replaced.
pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut definition = minimal();
    let (holder, key) = pointer.rsplit_once('/').unwrap();
    match definition.pointer_mut(holder).unwrap() {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        list => list[key.parse::<usize>().unwrap()] = value,
    }
    definition
}

fn body_of(definition: &Value) -> Value {
    let world = World::with_file(definition);
    let mut body = compose(&world.file_input()).unwrap().body;
    body.as_object_mut().unwrap().remove("tags");
    body
}

fn ours() -> [Value; 2] {
    [
        json!({ "name": "BGECS_COLOR", "value": "green" }),
        json!({ "name": "BGECS_RELEASE", "value": "v2" }),
    ]
}

fn our_log() -> Value {
    json!({
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/bgecs/hello",
            "awslogs-region": "eu-central-1",
            "awslogs-stream-prefix": "green",
        },
    })
}

#[test]
fn what_is_not_there_is_filled_in() {
    let world = World::new();
    let body = compose(&world.file_input()).unwrap().body;
    assert_eq!(body["family"], "bgecs-hello");
    assert_eq!(body["networkMode"], "awsvpc");
    assert_eq!(body["requiresCompatibilities"], json!(["FARGATE"]));
    assert_eq!(
        body["runtimePlatform"],
        json!({ "cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX" })
    );
    assert_eq!(
        body["executionRoleArn"],
        "arn:aws:iam::123456789012:role/execution"
    );
    assert_eq!(body["taskRoleArn"], "arn:aws:iam::123456789012:role/task");
    let app = &body["containerDefinitions"][0];
    assert_eq!(app["image"], format!("{REPOSITORY}@{DIGEST}"));
    assert_eq!(app["logConfiguration"], our_log());
    assert_eq!(app["environment"], json!(ours()));
    assert_eq!(tag(&body, TAG_RELEASE), Some("v2"));
}

#[test]
fn what_is_there_stays() {
    let definition = json!({
        "family": "theirs",
        "taskRoleArn": "their-task-role",
        "executionRoleArn": "arn:aws:iam::123456789012:role/path/their-execution-role",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["EC2"],
        "runtimePlatform": { "operatingSystemFamily": "LINUX", "cpuArchitecture": "ARM64" },
        "cpu": 1024,
        "memory": "2GB",
        "ephemeralStorage": { "sizeInGiB": 30 },
        "volumes": [{ "name": "data" }, { "name": "nothing-said", "host": {} }],
        "ipcMode": null,
        "pidMode": "",
        "proxyConfiguration": {},
        "placementConstraints": [],
        "containerDefinitions": [
            {
                "name": "proxy",
                "image": "envoy:1",
                "privileged": false,
                "links": [],
                "environment": [{ "name": "B", "value": "1" }],
                "logConfiguration": {
                    "logDriver": "awsfirelens",
                    "options": { "Name": "http" },
                },
                "healthCheck": { "command": ["CMD", "true"] },
                "firelensConfiguration": { "type": "fluentbit" },
            },
            {
                "name": "app",
                "essential": false,
                "dependsOn": [{ "containerName": "proxy", "condition": "HEALTHY" }],
                "mountPoints": [{ "sourceVolume": "data", "containerPath": "/data" }],
                "portMappings": [{ "containerPort": 9000, "hostPort": 9000, "name": "web" }],
                "logConfiguration": { "logDriver": "awsfirelens" },
                "environment": [{ "name": "Z", "value": "" }, { "name": "A", "value": "" }],
            },
        ],
    });
    let mut expected = definition.clone();
    let top = expected.as_object_mut().unwrap();
    for nothing in ["ipcMode", "pidMode", "proxyConfiguration"] {
        top.remove(nothing);
    }
    expected["family"] = json!("bgecs-hello");
    expected["requiresCompatibilities"] = json!(["EC2", "FARGATE"]);
    expected["cpu"] = json!("1024");
    let app = &mut expected["containerDefinitions"][1];
    app["image"] = json!(format!("{REPOSITORY}@{DIGEST}"));
    app["environment"].as_array_mut().unwrap().extend(ours());
    assert_eq!(body_of(&definition), expected);
}

#[test]
fn keys_newer_than_the_model_pass_where_they_are_named() {
    let mut definition = with("/aKeyOfTomorrow", json!({ "deep": [1, 2.5, null, "ü"] }));
    definition["containerDefinitions"][0]["another"] = json!(1);
    let own = OwnDefinition {
        unchecked: vec!["aKeyOfTomorrow".to_owned(), "another".to_owned()],
        ..own()
    };
    let world = World {
        file: read(&definition.to_string(), &own).unwrap(),
        ..World::new()
    };
    let body = compose(&world.file_input()).unwrap().body;
    assert_eq!(body["aKeyOfTomorrow"], definition["aKeyOfTomorrow"]);
    assert_eq!(body["containerDefinitions"][0]["another"], 1);
}

/// Blue's release 1, as `describe-task-definition` prints it, is put on green as
/// release 2.
#[test]
fn an_export_of_a_release_does_not_keep_what_was_that_release_s() {
    let old = World::new();
    let mut input = old.file_input();
    let before: Tag = "v1".parse().unwrap();
    input.color = Color::Blue;
    input.image.tag = &before;
    input.app = &old.app;
    input.surroundings.logs.group = "/bgecs/hello-before";
    input.surroundings.logs.region = "us-east-1";
    let mut described = compose(&input).unwrap().body;
    for key in OUTPUT_ONLY {
        described[key] = json!("printed");
    }
    described["executionRoleArn"] =
        json!("arn:aws:iam::123456789012:role/bgecs-hello-ExecutionRole-1A2B3C");
    described["taskRoleArn"] = json!("arn:aws:iam::123456789012:role/bgecs-hello-TaskRole-1A2B3C");
    let log = json!({
        "logDriver": "awslogs",
        "options": { "awslogs-group": "/bgecs/hello", "awslogs-stream-prefix": "blue", "mode": "non-blocking" },
    });
    let mut prefixed = log.clone();
    prefixed["options"]["awslogs-stream-prefix"] = json!("envoy");
    let containers = described["containerDefinitions"].as_array_mut().unwrap();
    containers.push(json!({
        "name": "agent",
        "image": "agent",
        "environment": [{ "name": "BGECS_RELEASE", "value": "v1" }, { "name": "OTHER", "value": "" }],
        "logConfiguration": log,
    }));
    containers.push(json!({ "name": "envoy", "image": "envoy", "logConfiguration": prefixed }));
    let tags = described.as_object_mut().unwrap().remove("tags").unwrap();
    for printed in [
        json!({ "taskDefinition": described, "tags": tags, "ResponseMetadata": { "HTTPStatusCode": 200 } }),
        described.clone(),
    ] {
        let body = body_of(&printed);
        assert_eq!(
            body["executionRoleArn"],
            "arn:aws:iam::123456789012:role/execution"
        );
        assert_eq!(body["taskRoleArn"], "arn:aws:iam::123456789012:role/task");
        let [app, agent, envoy] = [0, 1, 2].map(|n| &body["containerDefinitions"][n]);
        assert_eq!(app["environment"], json!(ours()));
        assert_eq!(app["logConfiguration"], our_log());
        assert_eq!(
            agent["environment"],
            json!([{ "name": "OTHER", "value": "" }, ours()[1]])
        );
        let mut log = our_log();
        log["options"]["mode"] = json!("non-blocking");
        assert_eq!(agent["logConfiguration"], log);
        log["options"]["awslogs-stream-prefix"] = json!("envoy");
        assert_eq!(envoy["logConfiguration"], log);
        assert_eq!(envoy.get("environment"), None);
        let all = body.to_string();
        assert!(
            !all.contains("printed") && !all.contains("v1") && !all.contains("blue"),
            "{all}"
        );
    }
}

#[test]
fn what_describe_prints_can_be_registered_again() {
    let world = World::new();
    let first = compose(&world.file_input()).unwrap();
    let mut described = first.body.clone();
    let tags = described.as_object_mut().unwrap().remove("tags");
    for key in OUTPUT_ONLY {
        described[key] = json!("printed");
    }
    let mut tags = tags.unwrap();
    for (key, value) in [
        ("team", json!("a")),
        ("aws:cloudformation:stack-id", json!("b")),
    ] {
        tags.as_array_mut()
            .unwrap()
            .push(json!({ "key": key, "value": value }));
    }
    let printed = json!({ "taskDefinition": described, "tags": tags });
    let again = World::with_file(&printed);
    let mut input = again.file_input();
    input.provenance.commit = None;
    let second = compose(&input).unwrap();
    assert_eq!(second.config_hash, first.config_hash);
    assert_eq!(tag(&second.body, "team"), Some("a"));
    assert_eq!(tag(&second.body, "aws:cloudformation:stack-id"), None);
    // That of the release before.
    assert_eq!(tag(&second.body, TAG_COMMIT), None);
    assert_eq!(second.body["tags"].as_array().unwrap().len(), 9);
}

#[test]
fn tags_inside_and_beside_are_read() {
    let definition = with(
        "/tags",
        json!([{ "key": "team", "value": "a" }, { "key": "bare" }]),
    );
    let printed =
        json!({ "taskDefinition": definition, "tags": [{ "key": "beside", "value": "b" }] });
    let world = World::with_file(&printed);
    let body = compose(&world.file_input()).unwrap().body;
    assert_eq!(tag(&body, "team"), Some("a"));
    assert_eq!(tag(&body, "bare"), Some(""));
    assert_eq!(tag(&body, "beside"), Some("b"));
}

#[test]
fn further_containers_can_run_the_released_image() {
    let mut definition = minimal();
    definition["containerDefinitions"]
        .as_array_mut()
        .unwrap()
        .extend([
            json!({ "name": "migrate", "essential": false, "command": ["migrate"] }),
            json!({ "name": "other", "image": "theirs" }),
        ]);
    let own = OwnDefinition {
        app_containers: vec!["migrate".to_owned(), "app".to_owned()],
        ..own()
    };
    let world = World {
        file: read(&definition.to_string(), &own).unwrap(),
        ..World::new()
    };
    let body = compose(&world.file_input()).unwrap().body;
    let [app, migrate, other] = [0, 1, 2].map(|n| &body["containerDefinitions"][n]);
    for key in ["image", "environment", "logConfiguration"] {
        assert_eq!(migrate[key], app[key], "{key}");
    }
    assert_eq!(other, &json!({ "name": "other", "image": "theirs" }));
}

#[test]
fn a_variable_of_ours_that_is_a_secret_stays_one() {
    let secrets = json!([{ "name": "BGECS_COLOR", "valueFrom": "/shop/color" }]);
    let body = body_of(&with("/containerDefinitions/0/secrets", secrets));
    let app = &body["containerDefinitions"][0];
    assert_eq!(app["environment"], json!([ours()[1]]));
}

#[test]
fn the_port_behind_the_load_balancer() {
    let ports = |configured: Option<u16>, mappings: Value| {
        let definition = with("/containerDefinitions/0/portMappings", mappings);
        let own = OwnDefinition {
            port: configured,
            ..own()
        };
        let file = read(&definition.to_string(), &own);
        file.map(|file| file.port())
            .map_err(|error| error.to_string())
    };
    assert_eq!(ports(None, json!([{ "containerPort": 80 }])), Ok(80));
    let two = json!([{ "containerPort": 80 }, { "containerPort": 8080, "protocol": "tcp" }]);
    assert_eq!(ports(None, two.clone()), Ok(8080));
    assert_eq!(ports(Some(80), two.clone()), Ok(80));
    let error = "td.json: container `app`, `portMappings`: port 81 is not mapped, only 80, 8080: `port` in [container] of bgecs.toml says which one the load balancer uses";
    assert_eq!(ports(Some(81), two), Err(error.to_owned()));
    let unfit = json!([{ "containerPort": 8080, "protocol": "udp" }, { "containerPortRange": "8080-8090" }]);
    let error = "td.json: container `app`, `portMappings`: no TCP port is mapped: write [{ \"containerPort\": 8080 }], with the port on which the app serves";
    assert_eq!(ports(None, unfit), Err(error.to_owned()));
    assert_eq!(World::new().input().source.port(), 8080);
}

#[test]
fn placeholders_are_expanded_where_that_is_asked_for() {
    let text = r#"{ "cpu": "256", "memory": "${MEMORY}", "containerDefinitions": [
        { "name": "app", "memory": ${MEMORY}, "memoryReservation": "${MEMORY}", "portMappings": [{ "containerPort": 80 }],
          "command": ["echo", "$${MEMORY}"] }
    ] }"#;
    let own = OwnDefinition {
        expand: true,
        ..own()
    };
    let file = read(text, &own).unwrap();
    assert_eq!(file.definition["memory"], "512");
    let app = &file.definition["containerDefinitions"][0];
    assert_eq!(app["memory"], 512);
    assert_eq!(app["memoryReservation"], 512);
    assert_eq!(app["command"][1], "${MEMORY}");
    let error = read(&text.replace("{MEMORY}", "{GONE}"), &own).unwrap_err();
    assert_eq!(
        error.causes()[0],
        "line 1, column 28: `${GONE}`: there is no environment variable GONE"
    );
    assert_eq!(error.causes().len(), 3);
}

const HERE: LogPlace<'_> = LogPlace {
    group: "/shop/web",
    region: "us-east-1",
    shared_by: None,
};

/// Of a service that ran before bgecs came: both colours log there, and each by its
/// name, or nobody could tell one's lines from the other's.
#[test]
fn a_group_of_the_app_s_own_has_streams_for_each_colour() {
    let log = |prefix: &str, region: Option<&str>| {
        let options = json!({
            "awslogs-group": "/shop/web", "awslogs-region": region.unwrap_or("us-east-1"),
            "awslogs-stream-prefix": prefix, "mode": "non-blocking",
        });
        json!({ "logDriver": "awslogs", "options": options })
    };
    let of = |app: Value, sidecar: Value| {
        let mut text = with("/containerDefinitions/0/logConfiguration", app);
        let containers = text["containerDefinitions"].as_array_mut().unwrap();
        containers.push(json!({ "name": "envoy", "image": "envoy", "logConfiguration": sidecar }));
        let world = World::with_file(&text);
        let mut input = world.file_input();
        input.surroundings.logs = HERE;
        let elsewhere: Vec<String> = file(&text)
            .logs_elsewhere(HERE)
            .into_iter()
            .map(|it| it.0)
            .collect();
        let body = compose(&input).unwrap().body;
        let prefix = |n: usize| {
            let container = &body["containerDefinitions"][n];
            container["logConfiguration"]["options"]["awslogs-stream-prefix"].clone()
        };
        ([prefix(0), prefix(1)], elsewhere)
    };
    let alike = of(log("web", None), log("web", None));
    assert_eq!(alike, ([json!("green"), json!("green")], vec![]));
    let own = of(log("web", None), log("envoy", None));
    assert_eq!(
        own,
        ([json!("green"), json!("envoy")], vec!["envoy".to_owned()])
    );
    // Where that is another group of the same name.
    let far = of(log("web", Some("eu-west-1")), log("web", None));
    assert_eq!(
        far,
        ([json!("web"), json!("green")], vec!["app".to_owned()])
    );
}

#[test]
fn where_logs_go_if_not_to_the_app_s_group() {
    let elsewhere = |log: Value| {
        let file = file(&with("/containerDefinitions/0/logConfiguration", log));
        file.logs_elsewhere(HERE).pop().map(|(_, place)| place)
    };
    let group = |group: &str| {
        json!({ "logDriver": "awslogs", "options": {
            "awslogs-group": group, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "web",
        } })
    };
    assert_eq!(file(&minimal()).logs_elsewhere(HERE), []);
    assert_eq!(elsewhere(group("/bgecs/hello")), None);
    assert_eq!(
        elsewhere(group("/ecs/shop")).as_deref(),
        Some("the log group /ecs/shop in us-east-1, streams web/…")
    );
    let splunk = json!({ "logDriver": "splunk", "options": { "splunk-url": "https://splunk.example" },
        "secretOptions": [{ "name": "splunk-token", "valueFrom": "/splunk/token" }] });
    assert_eq!(
        elsewhere(splunk).as_deref(),
        Some("Splunk at https://splunk.example")
    );
    let mut routed = with(
        "/containerDefinitions/0/logConfiguration",
        json!({ "logDriver": "awsfirelens", "options": { "Name": "datadog" } }),
    );
    let router =
        json!({ "name": "router", "image": "x", "firelensConfiguration": { "type": "fluentbit" } });
    routed["containerDefinitions"]
        .as_array_mut()
        .unwrap()
        .push(router);
    assert_eq!(
        file(&routed).logs_elsewhere(HERE),
        [(
            "app".to_owned(),
            "the log router (awsfirelens), output datadog".to_owned()
        )]
    );
}

#[test]
fn what_is_not_json_is_said_with_its_place() {
    let message = |text: &str| read(text, &own()).unwrap_err().to_string();
    assert_eq!(
        message("{\n  \"cpu\": 256,\n}"),
        "td.json:3:1: not JSON: trailing comma"
    );
    assert_eq!(message(" \n"), "td.json:2:0: not JSON: the file is empty");
    let bare = message("{ \"memory\": ${MEMORY} }");
    assert!(
        bare.contains("not JSON") && bare.contains("with `expand = true` in [container]"),
        "{bare}"
    );
}
