//! What is wrong with a file: where, and what is right.

use super::from_file::{minimal, with};
use super::*;

fn mistakes(definition: &Value) -> Vec<String> {
    match read(&definition.to_string(), &own()) {
        Ok(_) => Vec::new(),
        Err(TaskDefinitionError::Mistakes { mistakes, .. }) => {
            mistakes.iter().map(ToString::to_string).collect()
        }
        Err(error) => vec![error.to_string()],
    }
}

/// With a value at a key of the app's container.
fn app(key: &str, value: Value) -> Value {
    with(&format!("/containerDefinitions/0/{key}"), value)
}

fn sidecar(value: Value) -> Value {
    let mut definition = minimal();
    let containers = definition["containerDefinitions"].as_array_mut().unwrap();
    containers.push(value);
    definition
}

/// One mistake each, in whole or by how its sentence begins.
fn expect(cases: Vec<(Value, &str)>) {
    for (definition, expected) in cases {
        let found = mistakes(&definition);
        assert!(
            found.len() == 1 && found[0].starts_with(expected),
            "{definition}\nexpected: {expected}\nfound: {found:#?}"
        );
    }
}

#[test]
fn of_the_whole() {
    expect(vec![
        (json!(1), "the whole: it takes an object"),
        (
            json!([{ "name": "app" }]),
            "the whole: it is a list; containers belong in `containerDefinitions`",
        ),
        (
            json!({ "Type": "AWS::ECS::TaskDefinition", "Properties": {} }),
            "the whole: that is CloudFormation's; bgecs takes what `aws ecs describe-task-definition` prints",
        ),
        (
            json!({ "taskDefinition": 1 }),
            "`taskDefinition`: it takes an object",
        ),
        (
            with("/containerDefinitions", json!([])),
            "`containerDefinitions`: there is no container in it",
        ),
        (
            with("/containerDefinitions", json!("[]")),
            "`containerDefinitions`: it takes a list of containers, such as [{ \"name\": \"app\", \"image\": \"…\" }], not text",
        ),
        (
            app("name", json!("web")),
            "`containerDefinitions` (app): there is no container `app`, the app's by `container` in [container] of bgecs.toml: there is web",
        ),
        (
            with("/tags", json!({ "a": "b" })),
            "`tags`: it takes a list of tags, such as [{ \"key\": \"…\", \"value\": \"…\" }], not an object",
        ),
        (
            with(
                "/tags",
                (0..42).map(|n| json!({ "key": n.to_string() })).collect(),
            ),
            "`tags`: 42 of them; ECS takes 50, and 9 of those are bgecs's",
        ),
        (
            app("command", json!(["x".repeat(65_000)])),
            "the task definition has 65",
        ),
    ]);
    let many = (0..11).map(|n| match n {
        0 => minimal()["containerDefinitions"][0].clone(),
        n => json!({ "name": n.to_string(), "image": "x" }),
    });
    expect(vec![(
        with("/containerDefinitions", many.collect()),
        "`containerDefinitions`: 11 containers, and ECS takes at most 10",
    )]);
}

#[test]
fn of_a_fargate_task() {
    expect(vec![
        (
            with("/networkMode", json!("bridge")),
            "`networkMode`: `bridge`: Fargate takes awsvpc",
        ),
        (
            with("/networkMode", json!("host")),
            "`networkMode`: `host`: Fargate takes awsvpc",
        ),
        (
            with("/networkMode", json!("vpc")),
            "`networkMode`: it takes one of awsvpc, bridge, host, none, not `vpc`",
        ),
        (
            with("/cpu", json!(null)),
            "`cpu`: it is missing, and Fargate needs it: \"256\", say",
        ),
        (
            with("/memory", json!("4096")),
            "`memory`: Fargate has no task of 256 CPU units with 4096 MiB: with cpu = 256, memory is one of 512, 1024, 2048",
        ),
        (
            with("/memory", json!("${MEMORY}")),
            "`memory`: memory is MiB or GB, such as 512 or 0.5 GB, not `${MEMORY}`; with `expand = true` in [container] of bgecs.toml, `${NAME}` is replaced by the environment variable",
        ),
        (
            with("/cpu", json!(["256"])),
            "`cpu`: it takes text in quotes, not a list",
        ),
        (
            with("/requiresCompatibilities", json!("FARGATE")),
            "`requiresCompatibilities`: it takes a list of some of FARGATE",
        ),
        (
            with("/runtimePlatform", json!({ "cpuArchitecture": "amd64" })),
            "`runtimePlatform.cpuArchitecture`: it takes one of X86_64, ARM64, not `amd64`: write `X86_64`",
        ),
        (
            with(
                "/runtimePlatform",
                json!({ "operatingSystemFamily": "linux" }),
            ),
            "`runtimePlatform.operatingSystemFamily`: it takes one of LINUX, WINDOWS_SERVER_2016_FULL,",
        ),
        (
            with("/ephemeralStorage", json!({ "sizeInGiB": 20 })),
            "`ephemeralStorage.sizeInGiB`: it takes a whole number from 21 to 200, not 20",
        ),
        (
            with("/ephemeralStorage", json!(50)),
            "`ephemeralStorage`: it takes an object such as { \"sizeInGiB\": 30 }, not a number",
        ),
        (
            with("/pidMode", json!("host")),
            "`pidMode`: `host`: Fargate takes task",
        ),
        (
            with("/ipcMode", json!("task")),
            "`ipcMode`: Fargate does not take it: a task has its own",
        ),
        (
            with(
                "/volumes",
                json!([{ "name": "a", "host": { "sourcePath": "/x" } }]),
            ),
            "`volumes[0].host.sourcePath` (a): Fargate does not take it",
        ),
        (
            with("/executionRoleArn", json!("${ROLE}")),
            "`executionRoleArn`: it takes a role's ARN, such as arn:aws:iam::123456789012:role/name, not `${ROLE}`; with `expand = true`",
        ),
        (
            app("privileged", json!(true)),
            "container `app`, `privileged`: Fargate does not take it: a task does not own its machine",
        ),
        (
            app("links", json!(["db"])),
            "container `app`, `links`: Fargate does not take it: a task's containers reach each other at localhost",
        ),
        (
            app(
                "linuxParameters",
                json!({ "capabilities": { "add": ["SYS_PTRACE", "NET_ADMIN"] } }),
            ),
            "container `app`, `linuxParameters.capabilities.add`: `NET_ADMIN`: Fargate takes SYS_PTRACE",
        ),
        (
            app("logConfiguration", json!({ "logDriver": "json-file" })),
            "container `app`, `logConfiguration.logDriver`: `json-file`: Fargate takes awslogs, splunk, awsfirelens",
        ),
        (
            app("cpu", json!(512)),
            "`cpu`: the containers' `cpu` add up to 512, and the task has 256",
        ),
        (
            app("memoryReservation", json!(1024)),
            "`memory`: the containers' memory adds up to 1024 MiB, and the task has 512",
        ),
    ]);
}

#[test]
fn of_a_key_s_spelling() {
    expect(vec![
        (
            with("/ephemeralStorge", json!({ "sizeInGiB": 30 })),
            "`ephemeralStorge`: ECS has no such key; did you mean `ephemeralStorage`?",
        ),
        (
            with("/environment", json!([])),
            "`environment`: it belongs to a container, in `containerDefinitions`",
        ),
        (
            app("executionRoleArn", json!("x")),
            "container `app`, `executionRoleArn`: it belongs to the task, beside `containerDefinitions`",
        ),
        (
            app("env", json!([])),
            "container `app`, `env`: ECS has no such key; did you mean `environment`?",
        ),
        (
            app("healthcheck", json!({ "command": ["NONE"] })),
            "container `app`, `healthcheck`: ECS has `healthCheck`",
        ),
        (
            app("replicas", json!(2)),
            "container `app`, `replicas`: a container has no such key in ECS (if it is newer than this bgecs",
        ),
        (
            app(
                "environment",
                json!([{ "name": "DB", "valueFrom": "arn:x" }]),
            ),
            "container `app`, `environment[0].valueFrom` (DB): a value from Secrets Manager or Parameter Store belongs in `secrets`",
        ),
        (
            app(
                "environment",
                json!([{ "key": "DB", "value": "x", "name": "DB" }]),
            ),
            "container `app`, `environment[0].key` (DB): a variable has no such key in ECS",
        ),
    ]);
}

#[test]
fn in_others_spelling() {
    let cloudformation = json!({
        "Cpu": "256",
        "Memory": "512",
        "ContainerDefinitions": [{
            "Name": "app",
            "PortMappings": [{ "ContainerPort": 8080 }],
        }],
    });
    assert_eq!(
        mistakes(&cloudformation),
        [
            "`Cpu`: that is CloudFormation's spelling; ECS has `cpu`",
            "`Memory`: that is CloudFormation's spelling; ECS has `memory`",
            "`ContainerDefinitions`: that is CloudFormation's spelling; ECS has `containerDefinitions`",
            "container `app`, `Name`: that is CloudFormation's spelling; ECS has `name`",
            "container `app`, `PortMappings`: that is CloudFormation's spelling; ECS has `portMappings`",
            "container `app`, `PortMappings[0].ContainerPort`: that is CloudFormation's spelling; ECS has `containerPort`",
        ]
    );
    expect(vec![
        (
            with("/ephemeral_storage", json!({ "sizeInGiB": 30 })),
            "`ephemeral_storage`: that is Terraform's spelling; ECS has `ephemeralStorage`",
        ),
        (
            with("/ephemeralStorage", json!({ "size_in_gib": 30 })),
            "`ephemeralStorage.size_in_gib`: that is Terraform's spelling; ECS has `sizeInGiB`",
        ),
    ]);
}

#[test]
fn of_a_type() {
    expect(vec![
        (
            app("environment", json!([{ "name": "PORT", "value": 8080 }])),
            "container `app`, `environment[0].value` (PORT): it takes text in quotes, not a number",
        ),
        (
            app("environment", json!([{ "name": "DEBUG", "value": true }])),
            "container `app`, `environment[0].value` (DEBUG): it takes text in quotes, not true or false",
        ),
        (
            app("environment", json!({ "A": "b" })),
            "container `app`, `environment`: it takes a list of variables, such as [{ \"name\": \"…\", \"value\": \"…\" }], not an object",
        ),
        (
            app("memory", json!("512")),
            "container `app`, `memory`: it takes a whole number from 4, without quotes: 512",
        ),
        (
            app("essential", json!("true")),
            "container `app`, `essential`: it takes true or false, without quotes: true",
        ),
        (
            app("command", json!("serve")),
            "container `app`, `command`: it takes a list of texts in quotes, not text",
        ),
        (
            app("dockerLabels", json!({ "a": 1 })),
            "container `app`, `dockerLabels.a`: it takes text in quotes, not a number",
        ),
        (
            app("stopTimeout", json!(300)),
            "container `app`, `stopTimeout`: it takes a whole number from 2 to 120, not 300",
        ),
        (
            with("/containerDefinitions/0", json!(1)),
            "`containerDefinitions[0]`: it takes an object such as",
        ),
    ]);
    let number = json!({ "name": "PORT", "value": 8_080_808 });
    let shown = mistakes(&app("environment", json!([number])));
    assert!(!shown[0].contains("8080808"), "{shown:?}");
}

#[test]
fn within_a_container() {
    let port = |mapping: Value| app("portMappings", json!([{ "containerPort": 8080 }, mapping]));
    let check = |check: Value| app("healthCheck", check);
    expect(vec![
        (
            port(json!({ "containerPort": 90, "hostPort": 80 })),
            "container `app`, `portMappings[1].hostPort`: 80: on Fargate it is the same as `containerPort`, 90; leave it out",
        ),
        (
            port(json!({ "containerPort": 90, "protocol": "TCP" })),
            "container `app`, `portMappings[1].protocol`: it takes one of tcp, udp, not `TCP`: write `tcp`",
        ),
        (
            port(json!({ "containerPortRange": "90-80" })),
            "container `app`, `portMappings[1].containerPortRange`: it takes two ports",
        ),
        (
            port(json!({})),
            "container `app`, `portMappings[1].containerPort`: it is missing",
        ),
        (
            app(
                "environment",
                json!([{ "name": "A", "value": "" }, { "name": "A", "value": "" }]),
            ),
            "container `app`, `environment[1].name` (A): a variable of that name is there already",
        ),
        (
            app("environment", json!([{ "name": "", "value": "" }])),
            "container `app`, `environment[0].name`: the name of an environment variable is not empty",
        ),
        (
            app(
                "secrets",
                json!([{ "name": "A", "valueFrom": "arn:aws:s3:::b" }]),
            ),
            "container `app`, `secrets[0].valueFrom` (A): a secret is named by its whole ARN",
        ),
        (
            app("secrets", json!([{ "name": "A" }])),
            "container `app`, `secrets[0].valueFrom` (A): it is missing: a secret is",
        ),
        (
            app(
                "secrets",
                json!([{ "name": "A", "value": "x", "valueFrom": "/x" }]),
            ),
            "container `app`, `secrets[0].value` (A): a plain value belongs in `environment`",
        ),
        (
            app(
                "environmentFiles",
                json!([{ "type": "s3", "value": "s3://bucket/a.env" }]),
            ),
            "container `app`, `environmentFiles[0].value`: it takes the ARN of a file in S3 whose name ends in .env",
        ),
        (
            check(json!({ "command": ["curl", "-f", "http://localhost"] })),
            "container `app`, `healthCheck.command`: it begins with \"CMD\" or \"CMD-SHELL\"",
        ),
        (
            check(json!({ "command": ["CMD", "true"], "interval": 1 })),
            "container `app`, `healthCheck.interval`: it takes a whole number from 5 to 300, not 1",
        ),
        (
            app("memory", json!(1024)),
            "`memory`: the containers' memory adds up to 1024 MiB",
        ),
        (
            app("logConfiguration", json!({ "logDriver": "awsfirelens" })),
            "container `app`, `logConfiguration.logDriver`: awsfirelens needs a container with a `firelensConfiguration`",
        ),
        (
            app(
                "logConfiguration",
                json!({ "logDriver": "awslogs", "options": { "awslogs-group": "/x", "awslogs-region": "r" } }),
            ),
            "container `app`, `logConfiguration.options.awslogs-stream-prefix`: it is missing, and Fargate needs it",
        ),
        (
            sidecar(json!({ "name": "proxy" })),
            "container `proxy`, `image`: it is missing; where this container is to run the released image, name it in `app_containers`",
        ),
        (
            sidecar(json!({ "name": "proxy", "image": "envoy:${VERSION}" })),
            "container `proxy`, `image`: `envoy:${VERSION}` is not the name of an image; with `expand = true`",
        ),
        (
            sidecar(json!({ "name": "a proxy", "image": "envoy" })),
            "`containerDefinitions` (a proxy): a container's name has 1 to 255 letters",
        ),
        (
            sidecar(json!({ "name": "app", "image": "envoy" })),
            "`containerDefinitions` (app): two of them are called `app`",
        ),
    ]);
}

#[test]
fn of_limits_ports_and_volumes() {
    let limits = |limits: Value| app("ulimits", limits);
    let efs = |efs: Value| {
        with(
            "/volumes",
            json!([{ "name": "data", "efsVolumeConfiguration": efs }]),
        )
    };
    let logs = |key: &str, value: &str| {
        let mut options =
            json!({ "awslogs-group": "/x", "awslogs-region": "r", "awslogs-stream-prefix": "p" });
        options[key] = json!(value);
        app(
            "logConfiguration",
            json!({ "logDriver": "awslogs", "options": options }),
        )
    };
    expect(vec![
        (
            limits(json!([{ "name": "nofile", "softLimit": 100, "hardLimit": 10 }])),
            "container `app`, `ulimits[0].softLimit`: it is more than `hardLimit`",
        ),
        (
            limits(json!([{ "name": "nofile", "softLimit": -1, "hardLimit": 10 }])),
            "container `app`, `ulimits[0].softLimit`: it is more than `hardLimit`",
        ),
        (
            limits(json!([
                { "name": "core", "softLimit": 0, "hardLimit": -1 },
                { "name": "core", "softLimit": 0, "hardLimit": 0 },
            ])),
            "container `app`, `ulimits[1].name`: `core` is there already",
        ),
        (
            sidecar(
                json!({ "name": "proxy", "image": "envoy", "portMappings": [{ "containerPort": 8080 }] }),
            ),
            "container `proxy`, `portMappings[0].containerPort`: 8080 is mapped in `app` already",
        ),
        (
            app(
                "portMappings",
                json!([{ "containerPort": 8080 }, { "containerPort": 8080 }]),
            ),
            "container `app`, `portMappings[1].containerPort`: 8080 is mapped in `app` already",
        ),
        (
            efs(json!({ "fileSystemId": "fs-1", "authorizationConfig": { "iam": "ENABLED" } })),
            "`volumes[0].efsVolumeConfiguration.transitEncryption` (data): it takes `ENABLED` with",
        ),
        (
            efs(
                json!({ "fileSystemId": "fs-1", "authorizationConfig": { "accessPointId": "fsap-1" } }),
            ),
            "`volumes[0].efsVolumeConfiguration.transitEncryption` (data): it takes `ENABLED` with",
        ),
        (
            efs(json!({
                "fileSystemId": "fs-1",
                "rootDirectory": "/srv",
                "transitEncryption": "ENABLED",
                "authorizationConfig": { "accessPointId": "fsap-1" },
            })),
            "`volumes[0].efsVolumeConfiguration.rootDirectory` (data): the access point says that",
        ),
        (
            logs("awslog-create-group", "true"),
            "container `app`, `logConfiguration.options.awslog-create-group`: awslogs has no such option; did you mean `awslogs-create-group`?",
        ),
        (
            logs("mode", "nonblocking"),
            "container `app`, `logConfiguration.options.mode`: it takes `blocking` or `non-blocking`",
        ),
    ]);
    let migrations = json!({
        "name": "migrate",
        "image": "x",
        "essential": false,
        "portMappings": [{ "containerPort": 8080 }],
    });
    for well in [
        sidecar(migrations),
        app(
            "portMappings",
            json!([{ "containerPort": 8080 }, { "containerPort": 8080, "protocol": "udp" }]),
        ),
        logs("awslogs-stream", "x"),
        logs("max-buffer-size", "25m"),
    ] {
        assert_eq!(mistakes(&well), [""; 0], "{well}");
    }
}

#[test]
fn of_windows() {
    let windows = |key: &str, value: Value| {
        let mut definition = with(
            "/runtimePlatform",
            json!({ "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE" }),
        );
        definition["cpu"] = json!("1 vCPU");
        definition["memory"] = json!("2 GB");
        definition[key] = value;
        definition
    };
    assert_eq!(mistakes(&windows("family", json!("x"))), [""; 0]);
    let mut small = windows("cpu", json!("512"));
    small["memory"] = json!("1024");
    let arm =
        json!({ "operatingSystemFamily": "WINDOWS_SERVER_2022_CORE", "cpuArchitecture": "ARM64" });
    expect(vec![
        (small, "`cpu`: a Windows task has at least 1024"),
        (
            windows("runtimePlatform", arm),
            "`runtimePlatform.cpuArchitecture`: Windows runs on X86_64 alone",
        ),
        (
            windows("pidMode", json!("task")),
            "`pidMode`: Windows tasks on Fargate do not take it",
        ),
        (
            windows("ephemeralStorage", json!({ "sizeInGiB": 30 })),
            "`ephemeralStorage`: Windows tasks on Fargate do not take it",
        ),
        (
            windows(
                "volumes",
                json!([{ "name": "e", "efsVolumeConfiguration": { "fileSystemId": "fs-1" } }]),
            ),
            "`volumes`: Windows tasks on Fargate do not take EFS",
        ),
    ]);
}

#[test]
fn of_tags() {
    let tags = |tags: Value| with("/tags", tags);
    expect(vec![
        (
            tags(json!([{ "key": "a", "value": "1" }, { "key": "a", "value": "2" }])),
            "`tags` (a): it is there already with another value",
        ),
        (
            tags(json!([{ "key": "", "value": "1" }])),
            "`tags`: a tag's key has 1 to 128 characters",
        ),
        (
            tags(json!([{ "key": "a", "value": "v".repeat(257) }])),
            "`tags` (a): a tag's value has at most 256 characters",
        ),
    ]);
}

#[test]
fn a_key_that_stands_twice_is_not_dropped_in_silence() {
    for (text, expected) in [
        (
            r#"{"cpu":"256","cpu":"512"}"#,
            "td.json:1:18: not JSON: the key `cpu` stands twice in one object: keep one of them",
        ),
        (
            r#"{"containerDefinitions":[{"name":"app","environment":[{}],"environment":[]}]}"#,
            "td.json:1:71: not JSON: the key `environment` stands twice in one object: keep one of them",
        ),
    ] {
        assert_eq!(read(text, &own()).unwrap_err().to_string(), expected);
    }
}

#[test]
fn of_a_comment() {
    for text in ["# mine\n{}", "{// mine\n}", "{\"cpu\": \"256\" /* mine */}"] {
        let said = read(text, &own()).unwrap_err().to_string();
        assert!(said.ends_with("not JSON: JSON has no comments"), "{said}");
    }
}

#[test]
fn of_a_name_that_is_referred_to() {
    let sidecar = |key: &str, value: Value| {
        let mut container = json!({ "name": "proxy", "image": "envoy" });
        container[key] = value;
        sidecar(container)
    };
    let depends = |on: &str, condition: &str| {
        sidecar(
            "dependsOn",
            json!([{ "containerName": on, "condition": condition }]),
        )
    };
    expect(vec![
        (
            depends("ap", "START"),
            "container `proxy`, `dependsOn[0].containerName`: there is no container `ap`: there are app, proxy; did you mean `app`?",
        ),
        (
            depends("proxy", "START"),
            "container `proxy`, `dependsOn[0].containerName`: `proxy` would wait for itself",
        ),
        (
            depends("app", "HEALTHY"),
            "container `proxy`, `dependsOn[0].condition`: HEALTHY needs a `healthCheck` in `app`",
        ),
        (
            depends("app", "SUCCESS"),
            "container `proxy`, `dependsOn[0].condition`: SUCCESS waits until `app` has ended",
        ),
        (
            depends("app", "started"),
            "container `proxy`, `dependsOn[0].condition`: it takes one of START, COMPLETE, SUCCESS, HEALTHY, not `started`",
        ),
        (
            app(
                "mountPoints",
                json!([{ "sourceVolume": "data", "containerPath": "/data" }]),
            ),
            "container `app`, `mountPoints[0].sourceVolume`: there is no volume `data`: there is none",
        ),
        (
            sidecar("volumesFrom", json!([{ "sourceContainer": "web" }])),
            "container `proxy`, `volumesFrom[0].sourceContainer`: there is no container `web`",
        ),
        (
            with("/proxyConfiguration", json!({ "containerName": "envoy" })),
            "`proxyConfiguration.containerName`: there is no container `envoy`: there is app",
        ),
    ]);
    let mut cycle = depends("app", "START");
    cycle["containerDefinitions"][0]["dependsOn"] =
        json!([{ "containerName": "proxy", "condition": "START" }]);
    assert_eq!(mistakes(&cycle).len(), 2);
    let mut idle = minimal();
    idle["containerDefinitions"][0]["essential"] = json!(false);
    assert!(mistakes(&idle)[0].contains("at least one container must be essential"));

    let own = OwnDefinition {
        app_containers: vec!["migrat".to_owned()],
        ..own()
    };
    let error = read(&minimal().to_string(), &own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "td.json: `containerDefinitions` (migrat): there is no container `migrat`, which `app_containers` in [container] of bgecs.toml names: there is app"
    );
}

#[test]
fn all_are_listed() {
    let error = read(
        &json!({ "networkMode": "bridge", "containerDefinitions": [{ "name": "web" }] })
            .to_string(),
        &own(),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "td.json has 5 mistakes");
    insta::assert_snapshot!(error.causes().join("\n"), @r#"
    `networkMode`: `bridge`: Fargate takes awsvpc
    `cpu`: it is missing, and Fargate needs it: "256", say
    `memory`: it is missing, and Fargate needs it: "512", say
    container `web`, `image`: it is missing; where this container is to run the released image, name it in `app_containers` in [container] of bgecs.toml
    `containerDefinitions` (app): there is no container `app`, the app's by `container` in [container] of bgecs.toml: there is web
    "#);
}
