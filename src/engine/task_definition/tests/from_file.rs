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

fn refused(value: &Value) -> TaskDefinitionError {
    match TaskFile::parse(&value.to_string(), "td.json".as_ref()) {
        Err(error) => error,
        Ok(file) => compose(
            &World {
                file,
                ..World::new()
            }
            .file_input(),
        )
        .unwrap_err(),
    }
}

/// `minimal` with the value at a JSON pointer replaced.
pub(super) fn with(pointer: &str, value: Value) -> Value {
    let mut definition = minimal();
    match pointer.rsplit_once('/') {
        Some(("", key)) => definition[key] = value,
        _ => *definition.pointer_mut(pointer).unwrap() = value,
    }
    definition
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
    assert_eq!(
        app["logConfiguration"]["options"]["awslogs-group"],
        "/bgecs/hello"
    );
    assert_eq!(app.get("environment"), None);
    assert_eq!(tag(&body, TAG_RELEASE), Some("v2"));
}

#[test]
fn what_is_there_stays() {
    let definition = json!({
        "family": "theirs",
        "taskRoleArn": "their-task-role",
        "executionRoleArn": "their-execution-role",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["EC2"],
        "runtimePlatform": { "operatingSystemFamily": "LINUX", "cpuArchitecture": "X86_64", "new": 1 },
        "cpu": 1024,
        "memory": "2GB",
        "ephemeralStorage": { "sizeInGiB": 30 },
        "volumes": [{ "name": "data" }],
        "aFieldOfTomorrow": { "deep": [1, 2.5, null, "ü"] },
        "containerDefinitions": [
            { "name": "proxy", "image": "envoy:1", "environment": [{ "name": "B", "value": "1" }] },
            {
                "name": "app",
                "image": "old",
                "essential": false,
                "portMappings": [{ "containerPort": 9000, "name": "web" }],
                "logConfiguration": { "logDriver": "awsfirelens" },
                "environment": [{ "name": "Z", "value": "" }, { "name": "A", "value": "" }],
            },
        ],
    });
    let mut expected = definition.clone();
    expected["family"] = json!("bgecs-hello");
    expected["requiresCompatibilities"] = json!(["EC2", "FARGATE"]);
    expected["runtimePlatform"]["cpuArchitecture"] = json!("ARM64");
    expected["cpu"] = json!("1024");
    expected["containerDefinitions"][1]["image"] = json!(format!("{REPOSITORY}@{DIGEST}"));
    let world = World::with_file(&definition);
    let mut body = compose(&world.file_input()).unwrap().body;
    body.as_object_mut().unwrap().remove("tags");
    assert_eq!(body, expected);
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
fn a_byte_order_mark_and_tags_inside_are_read() {
    let definition = with(
        "/tags",
        json!([{ "key": "team", "value": "a" }, { "key": "bare" }]),
    );
    let text = format!("\u{feff}{definition}");
    let file = TaskFile::parse(&text, "td.json".as_ref()).unwrap();
    let world = World {
        file,
        ..World::new()
    };
    let body = compose(&world.file_input()).unwrap().body;
    assert_eq!(tag(&body, "team"), Some("a"));
    assert_eq!(tag(&body, "bare"), Some(""));
}

#[test]
fn the_port_behind_the_load_balancer() {
    let ports = |configured: Option<u16>, mappings: Value| {
        let file = file(&with("/containerDefinitions/0/portMappings", mappings));
        let source = Source::File {
            container: "app",
            port: configured,
            file: &file,
        };
        source.port().map_err(|error| error.to_string())
    };
    assert_eq!(ports(None, json!([{ "containerPort": 80 }])), Ok(80));
    let two = json!([{ "containerPort": 80 }, { "containerPort": 8080, "protocol": "tcp" }]);
    assert_eq!(ports(None, two.clone()), Ok(8080));
    assert_eq!(ports(Some(80), two.clone()), Ok(80));
    let error = "td.json: container `app` does not map port 81: it maps 80, 8080";
    assert_eq!(ports(Some(81), two), Err(error.to_owned()));
    let unfit = json!([{ "containerPort": 8080, "protocol": "udp" }, { "containerPortRange": "8080-8090" }]);
    let error = "td.json: container `app` does not map port 8080: it maps no TCP port";
    assert_eq!(ports(None, unfit), Err(error.to_owned()));
    assert_eq!(World::new().input().source.port().unwrap(), DEFAULT_PORT);
}

#[test]
fn refusals() {
    let containers = |count: usize| vec![json!({ "name": "app" }); count];
    let tags: Vec<Value> = (0..43).map(|n| json!({ "key": n.to_string() })).collect();
    let cases = [
        (json!([]), "td.json: the file must be an object"),
        (
            json!({ "taskDefinition": 1 }),
            "td.json: taskDefinition must be an object",
        ),
        (
            json!({}),
            "td.json: containerDefinitions must be a list of containers",
        ),
        (
            json!({ "containerDefinitions": [1] }),
            "td.json: containerDefinitions[0] must be an object",
        ),
        (
            json!({ "containerDefinitions": [] }),
            "td.json has no container `app`: it has none at all",
        ),
        (
            with("/containerDefinitions/0/name", json!("web")),
            "td.json has no container `app`: it has web",
        ),
        (
            with("/containerDefinitions", json!(containers(11))),
            "td.json: 11 containers, and ECS takes at most 10",
        ),
        (
            with("/networkMode", json!("bridge")),
            "td.json: `networkMode` is \"bridge\", and Fargate's is awsvpc",
        ),
        (
            with("/requiresCompatibilities", json!("FARGATE")),
            "td.json: requiresCompatibilities must be a list, such as [\"FARGATE\"]",
        ),
        (
            with("/runtimePlatform", json!([])),
            "td.json: runtimePlatform must be an object",
        ),
        (
            with("/cpu", json!(null)),
            "td.json: cpu must be there for Fargate, such as \"512\"",
        ),
        (
            with("/memory", json!("4096")),
            "td.json: Fargate has no task of 256 CPU units with 4096 MiB: with cpu = 256, memory is one of 512, 1024, 2048",
        ),
        (
            with("/tags", json!({ "a": "b" })),
            "td.json: tags must be a list of { \"key\": …, \"value\": … }",
        ),
        (
            with("/tags", json!(tags)),
            "the task definition has 52 tags with bgecs's own, and ECS takes at most 50",
        ),
    ];
    for (definition, message) in cases {
        assert_eq!(refused(&definition).to_string(), message);
    }
}

#[test]
fn what_is_not_json_is_said_with_its_place() {
    let error = TaskFile::parse("{\n  \"cpu\": 256,\n}", "td.json".as_ref()).unwrap_err();
    assert_eq!(error.to_string(), "td.json:3:1: not JSON: trailing comma");
}

#[test]
fn hints_name_the_key_to_change() {
    let unmapped = refused(&with("/containerDefinitions/0/portMappings", json!([])));
    assert!(unmapped.hint().unwrap().contains("\"containerPort\": 8080"));
    let unknown = refused(&with("/containerDefinitions/0/name", json!("web")));
    assert!(
        unknown
            .hint()
            .unwrap()
            .contains("`container` in [container]")
    );
}
