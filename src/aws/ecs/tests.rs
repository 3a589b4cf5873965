use std::collections::HashSet;
use std::time::Duration;

use serde_json::json;
use time::macros::datetime;

use super::*;
use crate::aws::testing::{Reply, Request, Wire, credentials};
use crate::model::ServiceKeys;
use crate::model::testing::observed;
use crate::model::{PerColor, StoppedContainer};

const FAMILY: &str = "bgecs-hello";

fn services() -> ColorServices {
    ColorServices::alone_in(FAMILY)
}

fn arn(name: &str) -> String {
    format!("arn:aws:ecs:eu-west-1:1:task-definition/{name}")
}

#[tokio::test]
async fn a_task_definition_is_registered_as_it_is() {
    // Fields that no SDK knows, in an unusual order, and not only ASCII.
    let body = json!({
        "family": FAMILY,
        "aFieldOfTomorrow": { "z": 1, "a": [1.50, null] },
        "containerDefinitions": [{ "name": "app", "environment": [{ "name": "GREETING", "value": "¡Olé! 👋" }] }],
    });
    let registered =
        || Reply::json(&json!({ "taskDefinition": { "taskDefinitionArn": arn("bgecs-hello:7") } }));
    let wire = Wire::new().on("RegisterTaskDefinition", registered());
    let answer = wire.aws().register_task_definition(FAMILY, &body).await;
    assert_eq!(answer.unwrap().short(), "bgecs-hello:7");
    let sent = wire.request();
    assert_eq!(sent.body, body.to_string());
    assert_eq!(
        sent.content_length,
        Some(sent.body.len().to_string()),
        "bytes, not characters"
    );
}

#[tokio::test]
async fn a_value_that_ecs_finds_invalid_is_not_repeated() {
    let variables = json!([
        { "name": "PASSWORD", "value": "hunter22" },
        { "name": "KEY", "value": "-----BEGIN\nhunter\"33\n" },
        { "name": "BGECS_COLOR", "value": "green" },
    ]);
    let body = json!({ "containerDefinitions": [{ "name": "app", "environment": variables }] });
    let said = format!("Value '{variables}' of hunter\"33, hunter22 in green is invalid");
    let wire = Wire::new().on(
        "RegisterTaskDefinition",
        Reply::json_error(400, "ClientException", &said),
    );
    let answer = wire.aws().register_task_definition(FAMILY, &body).await;
    let error = answer.unwrap_err().to_string();
    assert!(!error.contains("hunter"), "{error}");
    for kept in ["PASSWORD", "of ***, *** in green is invalid"] {
        assert!(error.contains(kept), "{kept}: {error}");
    }
}

/// Each request creates a revision: the caller has to look whether a lost one did.
#[tokio::test(start_paused = true)]
async fn a_registration_is_sent_once() {
    for reply in [
        Reply::json_error(500, "ServerException", "try again"),
        Reply::json_error(400, "ThrottlingException", "Rate exceeded"),
        Reply::Reset,
        Reply::Never,
    ] {
        let wire = Wire::new().on("RegisterTaskDefinition", reply);
        let aws = wire.aws_with(credentials(), 5);
        let answer = aws.register_task_definition(FAMILY, &json!({})).await;
        assert!(answer.unwrap_err().is_retryable());
        assert_eq!(wire.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_registered_definition_is_read_whole() {
    let body = json!({ "family": FAMILY, "aFieldOfTomorrow": { "z": [1.5, null] } });
    let wire = Wire::new().on(
        "DescribeTaskDefinition",
        Reply::json(&json!({ "taskDefinition": body, "tags": [] })),
    );
    let arn = Revision::new(arn("bgecs-hello:7"));
    assert_eq!(wire.aws().read_task_definition(&arn).await.unwrap(), body);
}

#[tokio::test]
async fn a_registration_that_names_nothing_is_unusable() {
    let wire = Wire::new().on("RegisterTaskDefinition", Reply::json(&json!({})));
    let error = wire
        .aws()
        .register_task_definition(FAMILY, &json!({}))
        .await
        .unwrap_err();
    assert_eq!(error.message, "the answer names no task definition");
}

#[tokio::test]
async fn task_definitions_are_read_page_by_page_and_only_of_this_family() {
    let page = |names: &[&str], next: Option<&str>| {
        let arns: Vec<String> = names.iter().map(|name| arn(name)).collect();
        Reply::json(&json!({ "taskDefinitionArns": arns, "nextToken": next }))
    };
    let wire = Wire::new()
        .on(
            "ListTaskDefinitions",
            page(&["bgecs-hello:1", "bgecs-hello-2:1"], Some("page 2")),
        )
        .on("ListTaskDefinitions", page(&[], Some("page 3")))
        .on(
            "ListTaskDefinitions",
            page(&["bgecs-hello-2:9", "bgecs-hello:12"], None),
        )
        .on("ListTaskDefinitions", page(&["bgecs-hello:3"], Some("4")))
        .on("ListTaskDefinitions", page(&["bgecs-hello:4"], None));
    let all = wire.aws().all_revisions(FAMILY).await.unwrap();
    let revisions = |names: [&str; 2]| names.map(|name| Revision::new(arn(name))).to_vec();
    let expected = Revisions {
        active: revisions(["bgecs-hello:1", "bgecs-hello:12"]),
        inactive: revisions(["bgecs-hello:3", "bgecs-hello:4"]),
    };
    assert_eq!((all.count(), all), (4, expected));
    let asked: Vec<_> = wire
        .requests()
        .iter()
        .map(|request| {
            let request = request.json();
            (request["status"].clone(), request["nextToken"].clone())
        })
        .collect();
    assert_eq!(
        json!(asked),
        json!([
            ["ACTIVE", null],
            ["ACTIVE", "page 2"],
            ["ACTIVE", "page 3"],
            ["INACTIVE", null],
            ["INACTIVE", "4"],
        ])
    );
    wire.assert_used_up();
}

fn service(name: &str, status: &str) -> serde_json::Value {
    json!({
        "serviceName": name,
        "status": status,
        "taskDefinition": arn("bgecs-hello:2"),
        "desiredCount": 3,
        "runningCount": 2,
        "pendingCount": 1,
        "deployments": [
            {
                "id": "ecs-svc/2",
                "status": "PRIMARY",
                "taskDefinition": arn("bgecs-hello:2"),
                "rolloutState": "IN_PROGRESS",
                "rolloutStateReason": "in progress",
                "desiredCount": 3,
                "runningCount": 2,
                "pendingCount": 1,
                "failedTasks": 4,
                "createdAt": 1_767_225_600.5,
            },
            { "id": "ecs-svc/1", "status": "ACTIVE", "rolloutState": "COMPLETED" },
        ],
        "events": [{ "id": "e1", "createdAt": 1_767_225_600, "message": "has started 1 tasks" }],
    })
}

#[tokio::test]
async fn a_deleted_service_counts_as_none() {
    let answer = json!({
        "services": [service("blue", "INACTIVE"), service("green", "DRAINING")],
        "failures": [{ "arn": "blue", "reason": "MISSING" }],
    });
    let wire = Wire::new()
        .on("DescribeServices", Reply::json(&answer))
        .on(
            "DescribeServices",
            Reply::json(&json!({ "services": [service("blue", "INACTIVE")] })),
        )
        .on("DescribeServices", Reply::json(&json!({ "services": [] })));
    let aws = wire.aws();
    let colors: Vec<Color> = aws
        .read_services(&services())
        .await
        .unwrap()
        .into_iter()
        .map(|(color, _)| color)
        .collect();
    assert_eq!(colors, [Color::Green]);
    assert_eq!(
        aws.read_service(&services(), Color::Blue).await.unwrap(),
        None
    );
    assert_eq!(
        aws.read_service(&services(), Color::Blue).await.unwrap(),
        None
    );
    let asked = wire.requests()[0].json();
    assert_eq!(
        asked["services"],
        json!(["blue", "green"]),
        "both in one call"
    );
}

#[tokio::test]
async fn a_service_is_read_whole() {
    let answer =
        json!({ "services": [service("blue", "ACTIVE"), service("someone-else-s", "ACTIVE")] });
    let wire = Wire::new().on("DescribeServices", Reply::json(&answer));
    let services = wire.aws().read_services(&services()).await.unwrap();
    let [(Color::Blue, state)] = &services[..] else {
        panic!("{services:?}");
    };
    assert_eq!((state.desired, state.running, state.pending), (3, 2, 1));
    assert_eq!(state.task_definition.short(), "bgecs-hello:2");
    let primary = state.primary().unwrap();
    assert_eq!(primary.id, "ecs-svc/2");
    assert_eq!(primary.rollout, Some(Rollout::InProgress));
    assert_eq!(primary.rollout_reason.as_deref(), Some("in progress"));
    assert_eq!(
        (primary.desired, primary.running, primary.pending),
        (3, 2, 1)
    );
    assert_eq!(primary.failed_tasks, 4);
    assert_eq!(
        primary.created_at,
        Some(datetime!(2026-01-01 00:00:00.5 UTC))
    );
    assert_eq!(state.deployments[1].rollout, Some(Rollout::Completed));
    assert!(!state.deployments[1].is_primary);
    assert_eq!(state.events[0].message, "has started 1 tasks");
    assert_eq!(state.events[0].at, Some(datetime!(2026-01-01 00:00:00 UTC)));
}

#[tokio::test]
async fn a_release_is_read_from_the_tags() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    let wire = Wire::new().on(
        "DescribeTaskDefinition",
        Reply::json(
            &json!({ "taskDefinition": { "cpu": "256", "memory": "512" }, "tags": [
                tag("team", "web"),
                tag(tags::TAG_RELEASE, "2"),
                tag(tags::TAG_DIGEST, &digest),
                tag(tags::TAG_COMMIT, "c0ffee"),
            ]}),
        ),
    );
    let release = wire
        .aws()
        .read_release(&Revision::new(arn("bgecs-hello:2")))
        .await
        .unwrap();
    assert_eq!(release.tag.unwrap().as_str(), "2");
    assert_eq!(release.digest.unwrap().as_str(), digest);
    assert_eq!(release.commit.as_deref(), Some("c0ffee"));
    assert_eq!(release.deployed_by, None);
    let reserves = release.reserves.unwrap().to_string();
    assert_eq!(reserves, "0.25 vCPU and 0.5 GB");
    assert_eq!(wire.request().json()["include"], json!(["TAGS"]));
}

#[tokio::test]
async fn a_revision_that_something_else_took_away_is_told() {
    let gone = Reply::json_error(
        400,
        "ClientException",
        "Unable to describe task definition.",
    );
    let revision = Revision::new(arn("bgecs-hello:2"));
    let wire = || Wire::new().on("DescribeTaskDefinition", gone.clone());
    let found = wire().aws().find_release(&revision).await;
    assert_eq!(found.unwrap(), None);
    let error = wire().aws().read_task_definition(&revision).await;
    let error = crate::error::Error::from(error.unwrap_err());
    assert_eq!(error.message, "the task definition bgecs-hello:2 is gone");
    assert!(
        error
            .hint
            .unwrap()
            .contains("`bgecs deploy CONTEXT --tag TAG`")
    );
    // Not every error with that code is one of those.
    for (message, is_it) in [
        ("TaskDefinition is inactive", true),
        ("Unable to find task definition: bgecs-hello:2", true),
        ("TaskDefinition not found.", true),
        ("The task definition names no container app", false),
        ("The service names no role", false),
    ] {
        let refused = Reply::json_error(400, "ClientException", message);
        let wire = Wire::new().on("UpdateService", refused);
        let change = ServiceChange {
            task_definition: Some(&revision),
            ..ServiceChange::default()
        };
        let aws = wire.aws();
        let error = aws.update_service(&services(), Color::Blue, &change).await;
        let error = crate::error::Error::from(error.unwrap_err());
        let sentence =
            "the task definition that bgecs-hello/blue was to run is gone, or deregistered";
        assert_eq!(error.message == sentence, is_it, "{error}");
        assert_eq!(error.hint.is_some(), is_it, "{error}");
    }
    let refused = Reply::json_error(400, "ClientException", "Role is not valid");
    let wire = Wire::new().on("RegisterTaskDefinition", refused);
    let aws = wire.aws();
    let error = aws
        .register_task_definition("bgecs-hello", &json!({}))
        .await;
    let error = crate::error::Error::from(error.unwrap_err());
    assert_eq!(
        error.message,
        "a role that the task definition of bgecs-hello names does not exist"
    );
    assert!(
        error
            .hint
            .unwrap()
            .contains("`bgecs destroy`, then `bgecs init`")
    );
    for (status, is_deregistered) in [
        ("ACTIVE", false),
        ("INACTIVE", true),
        ("DELETE_IN_PROGRESS", true),
    ] {
        let read = json!({ "taskDefinition": { "status": status }, "tags": [] });
        let wire = Wire::new().on("DescribeTaskDefinition", Reply::json(&read));
        let release = wire.aws().read_release(&revision).await.unwrap();
        assert_eq!(release.is_deregistered, is_deregistered, "{status}");
    }
}

#[tokio::test]
async fn a_revision_is_read_once_and_each_has_its_own() {
    let tagged = |tag: &str| json!({ "tags": [{ "key": tags::TAG_RELEASE, "value": tag }] });
    let wire = Wire::new()
        .on("DescribeTaskDefinition", Reply::json(&tagged("2")))
        .on("DescribeTaskDefinition", Reply::json(&tagged("3")));
    let aws = wire.aws();
    let read = async |name: &str| {
        let release = aws.read_release(&Revision::new(arn(name))).await;
        release.unwrap().tag.unwrap().to_string()
    };
    assert_eq!(read("bgecs-hello:2").await, "2");
    assert_eq!(read("bgecs-hello:2").await, "2");
    assert_eq!(read("bgecs-hello:3").await, "3");
    wire.assert_used_up();
}

#[tokio::test]
async fn tags_that_are_none_of_ours_are_left_out() {
    let tags = json!({ "tags": [{ "key": tags::TAG_RELEASE, "value": "no tag!" }, { "key": tags::TAG_DIGEST, "value": "md5:0" }] });
    let wire = Wire::new().on("DescribeTaskDefinition", Reply::json(&tags));
    let release = wire
        .aws()
        .read_release(&Revision::new(arn("bgecs-hello:2")))
        .await
        .unwrap();
    assert_eq!((release.tag, release.digest), (None, None));
}

/// In a cluster with others, next to a service that existed before bgecs.
#[tokio::test]
async fn a_copy_has_all_settings_of_its_original_but_its_names_for_others() {
    let original = json!({ "services": [{
        "serviceName": "web",
        "status": "ACTIVE",
        "capacityProviderStrategy": [{ "capacityProvider": "FARGATE_SPOT", "weight": 3, "base": 0 }],
        "platformVersion": "1.4.0",
        "enableExecuteCommand": true,
        "enableECSManagedTags": true,
        "propagateTags": "SERVICE",
        "availabilityZoneRebalancing": "ENABLED",
        "serviceRegistries": [{ "registryArn": "arn:aws:servicediscovery:eu-west-1:1:service/srv-1" }],
        "deploymentConfiguration": {
            "maximumPercent": 150,
            "minimumHealthyPercent": 50,
            "alarms": { "alarmNames": ["web-5xx"], "enable": true, "rollback": true },
        },
        "tags": [
            { "key": "team", "value": "shop" },
            { "key": "aws:cloudformation:stack-name", "value": "shop" },
            { "key": "bgecs:color", "value": "blue" },
        ],
    }] });
    let wire = Wire::new()
        .on("DescribeServices", Reply::json(&original))
        .on("CreateService", Reply::json(&json!({})));
    let names = PerColor {
        blue: "web".to_owned(),
        green: "web-green".to_owned(),
    };
    let new = NewService {
        app: "web",
        services: &ColorServices::new("prod", names),
        color: Color::Green,
        task_definition: &Revision::new("web:2"),
        desired: 2,
        definition: &wanted("app", 8080),
        copy_of: Some(Color::Blue),
        token: "20231114T221320Z-0000002a",
    };
    wire.aws().create_service(&new).await.unwrap();
    let sent = wire.requests().pop().unwrap().json();
    assert_eq!(
        (&sent["cluster"], &sent["serviceName"]),
        (&json!("prod"), &json!("web-green"))
    );
    let of_original = &original["services"][0];
    for key in [
        "capacityProviderStrategy",
        "platformVersion",
        "enableExecuteCommand",
        "enableECSManagedTags",
        "propagateTags",
        "availabilityZoneRebalancing",
        "deploymentConfiguration",
    ] {
        assert_eq!(sent[key], of_original[key], "{key}");
    }
    for key in ["launchType", "serviceRegistries"] {
        assert_eq!(sent.get(key), None, "{key}");
    }
    let tags = json!([
        { "key": "bgecs:app", "value": "web" },
        { "key": "bgecs:color", "value": "green" },
        { "key": "team", "value": "shop" },
    ]);
    assert_eq!(sent["tags"], tags);
}

#[tokio::test]
async fn a_service_is_made_for_its_colour() {
    let wire = Wire::new().on("CreateService", Reply::json(&json!({})));
    let definition = Revision::new(arn("bgecs-hello:2"));
    let wanted = wanted("app", 8080);
    let new = NewService {
        app: "hello",
        services: &services(),
        color: Color::Green,
        task_definition: &definition,
        desired: 2,
        definition: &wanted,
        copy_of: None,
        token: "20231114T221320Z-0000002a",
    };
    wire.aws().create_service(&new).await.unwrap();
    insta::assert_snapshot!(serde_json::to_string_pretty(&wire.request().json()).unwrap(), @r#"
    {
      "cluster": "bgecs-hello",
      "serviceName": "green",
      "taskDefinition": "arn:aws:ecs:eu-west-1:1:task-definition/bgecs-hello:2",
      "loadBalancers": [
        {
          "targetGroupArn": "tg/green",
          "containerName": "app",
          "containerPort": 8080
        }
      ],
      "desiredCount": 2,
      "clientToken": "20231114T221320Z-0000002a",
      "launchType": "FARGATE",
      "deploymentConfiguration": {
        "deploymentCircuitBreaker": {
          "enable": true,
          "rollback": true
        },
        "maximumPercent": 200,
        "minimumHealthyPercent": 100
      },
      "networkConfiguration": {
        "awsvpcConfiguration": {
          "subnets": [
            "subnet-1",
            "subnet-2"
          ],
          "securityGroups": [
            "sg-1"
          ],
          "assignPublicIp": "ENABLED"
        }
      },
      "healthCheckGracePeriodSeconds": 60,
      "tags": [
        {
          "key": "bgecs:app",
          "value": "hello"
        },
        {
          "key": "bgecs:color",
          "value": "green"
        }
      ],
      "propagateTags": "TASK_DEFINITION"
    }
    "#);
}

#[tokio::test]
async fn an_update_changes_nothing_that_it_does_not_name() {
    let definition = Revision::new(arn("bgecs-hello:2"));
    let wire = Wire::new()
        .on("UpdateService", Reply::json(&json!({})))
        .on("UpdateService", Reply::json(&json!({})));
    let aws = wire.aws();
    let deploy = ServiceChange {
        task_definition: Some(&definition),
        desired: None,
        restart: true,
        definition: wanted("app", 8080).change_to(&ServiceDefinition {
            health_check_grace_period: Duration::from_secs(90),
            ..wanted("app", 8080)
        }),
    };
    let scale = ServiceChange {
        desired: Some(0),
        ..ServiceChange::default()
    };
    aws.update_service(&services(), Color::Blue, &deploy)
        .await
        .unwrap();
    aws.update_service(&services(), Color::Blue, &scale)
        .await
        .unwrap();
    let sent: Vec<_> = wire.requests().iter().map(Request::json).collect();
    assert_eq!(
        sent[0].get("desiredCount"),
        None,
        "a deploy never resets the count"
    );
    assert_eq!(sent[0]["taskDefinition"], json!(definition.as_str()));
    assert_eq!(sent[0]["forceNewDeployment"], json!(true));
    assert_eq!(sent[0]["healthCheckGracePeriodSeconds"], json!(90));
    let untold = [
        "healthCheckGracePeriodSeconds",
        "loadBalancers",
        "networkConfiguration",
        "deploymentConfiguration",
        "propagateTags",
    ];
    assert_eq!(untold.map(|key| sent[1].get(key)), [None; 5]);
    assert_eq!(sent[1].get("taskDefinition"), None);
    assert_eq!(sent[1]["desiredCount"], json!(0));
}

/// A service that is created like this is read like this, and what is sent to one that
/// differs makes it the same.
#[tokio::test]
async fn all_that_a_service_is_made_with_reaches_one_that_is_there() {
    let there = json!({
        "serviceName": "green", "status": "ACTIVE", "launchType": "FARGATE", "taskDefinition": "hello:1",
        "loadBalancers": [
            { "targetGroupArn": "tg/theirs", "containerName": "app", "containerPort": 9000 },
            { "targetGroupArn": "tg/green", "containerName": "web", "containerPort": 8081 },
        ],
        "networkConfiguration": { "awsvpcConfiguration": {
            "subnets": ["subnet-1"], "securityGroups": ["sg-theirs"], "assignPublicIp": "DISABLED",
        }},
        "deploymentConfiguration": { "minimumHealthyPercent": 50, "maximumPercent": 200 },
        "propagateTags": "NONE",
    });
    let wire = Wire::new()
        .on(
            "DescribeServices",
            Reply::json(&json!({ "services": [there] })),
        )
        .on("UpdateService", Reply::json(&json!({})));
    let aws = wire.aws();
    let found = aws
        .read_service(&services(), Color::Green)
        .await
        .unwrap()
        .unwrap();
    let wanted = wanted("app", 8080);
    let change = ServiceChange {
        definition: found.definition.change_to(&wanted),
        ..ServiceChange::default()
    };
    assert_eq!(
        change.definition.words(),
        [
            "the load balancer's target web:8081 -> app:8080",
            "the network",
            "the health check grace period 0 s -> 60 s",
            "the deployment configuration",
            "the tasks' tags",
        ]
    );
    aws.update_service(&services(), Color::Green, &change)
        .await
        .unwrap();
    let sent = wire.requests().last().unwrap().json();
    assert_eq!(
        sent["loadBalancers"],
        json!([
            { "targetGroupArn": "tg/green", "containerName": "app", "containerPort": 8080 },
            { "targetGroupArn": "tg/theirs", "containerName": "app", "containerPort": 9000 },
        ]),
        "another's stays"
    );
    let network = &sent["networkConfiguration"]["awsvpcConfiguration"];
    assert_eq!(network["subnets"], json!(["subnet-1", "subnet-2"]));
    assert_eq!(network["securityGroups"], json!(["sg-theirs", "sg-1"]));
    assert_eq!(network["assignPublicIp"], "ENABLED");
    assert_eq!(
        sent["deploymentConfiguration"]["minimumHealthyPercent"],
        100
    );
    assert_eq!(sent["healthCheckGracePeriodSeconds"], 60);
    assert_eq!(sent["propagateTags"], "TASK_DEFINITION");
    // What was sent is what is wanted.
    let mut now = sent;
    now["serviceName"] = json!("green");
    now["launchType"] = json!("FARGATE");
    let wire = Wire::new().on(
        "DescribeServices",
        Reply::json(&json!({ "services": [now] })),
    );
    let now = wire.aws().read_service(&services(), Color::Green).await;
    let now = now.unwrap().unwrap().definition;
    assert!(now.change_to(&wanted).is_nothing());
    assert!(change.definition.is_shown_by(&now));
    assert!(!change.definition.is_shown_by(&found.definition));
}

fn wanted(container: &str, port: u16) -> ServiceDefinition {
    let door = (container, port);
    let grace = Duration::from_secs(60);
    let observed = observed();
    let observed = (observed.ecs().unwrap(), &observed);
    let said = ServiceKeys::default();
    ServiceDefinition::of_color(observed, Color::Green, door, grace, &said)
}

#[tokio::test]
async fn stopped_tasks_tell_how_each_container_was_left() {
    let task = |id: &str, status: &str, containers: serde_json::Value| {
        json!({
            "taskArn": format!("arn:aws:ecs:eu-west-1:1:task/bgecs-hello/{id}"),
            "taskDefinitionArn": arn("bgecs-hello:2"),
            "lastStatus": status,
            "stopCode": "EssentialContainerExited",
            "stoppedReason": "Essential container in task exited",
            "memory": "512",
            "containers": containers,
        })
    };
    let proxy = json!({ "name": "proxy", "exitCode": 143, "healthStatus": "UNHEALTHY" });
    let crashed =
        json!({ "name": "app", "exitCode": 137, "reason": "OutOfMemory", "memory": "256" });
    let tasks = json!({ "tasks": [
        task("crashed", "STOPPED", json!([proxy, crashed])),
        task("not-pulled", "STOPPED", json!([{ "name": "app", "reason": "CannotPullContainerError" }])),
        task("on-its-way", "DEPROVISIONING", json!([])),
    ]});
    let definition = json!({ "taskDefinition": { "containerDefinitions": [
        { "name": "app" },
        { "name": "proxy", "essential": false },
    ]}});
    let listed = json!({ "taskArns": ["crashed", "not-pulled", "on-its-way"] });
    let wire = Wire::new()
        .on("ListTasks", Reply::json(&listed))
        .on("DescribeTasks", Reply::json(&tasks))
        .on("DescribeTaskDefinition", Reply::json(&definition))
        .on("ListTasks", Reply::json(&json!({ "taskArns": [] })))
        .on(
            "ListTasks",
            Reply::json(&json!({ "taskArns": ["x/crashed"] })),
        );
    let aws = wire.aws();
    let none = HashSet::new();
    let both = services();
    let stopped = aws.stopped_tasks(&both, Color::Blue, &none);
    let stopped = stopped.await.unwrap();
    let left = |name: &str, exit_code, reason: Option<&str>| StoppedContainer {
        name: name.to_owned(),
        is_essential: true,
        is_unhealthy: false,
        memory: None,
        exit_code,
        reason: reason.map(str::to_owned),
    };
    let ids: Vec<&str> = stopped.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, ["crashed", "not-pulled"]);
    assert_eq!(stopped[0].memory, Some(512));
    assert_eq!(
        stopped[0].containers,
        [
            StoppedContainer {
                memory: Some(256),
                ..left("app", Some(137), Some("OutOfMemory"))
            },
            StoppedContainer {
                is_essential: false,
                is_unhealthy: true,
                ..left("proxy", Some(143), None)
            },
        ],
        "in the definition's order"
    );
    assert_eq!(
        stopped[1].containers,
        [left("app", None, Some("CannotPullContainerError"))]
    );
    assert_eq!(wire.requests()[0].json()["desiredStatus"], json!("STOPPED"));
    // DescribeTasks refuses an empty list.
    // None is listed; and a task that is known is not read again.
    for known in [HashSet::new(), HashSet::from(["crashed"])] {
        let tasks = aws.stopped_tasks(&services(), Color::Blue, &known).await;
        assert_eq!(tasks.unwrap(), []);
    }
}

#[tokio::test]
async fn what_is_gone_already_is_no_failure() {
    let gone = |code| Reply::json_error(400, code, "not found");
    let wire = Wire::new()
        .on("DeleteService", gone("ServiceNotFoundException"))
        .on("DeleteService", gone("ClusterNotFoundException"))
        .on("DeleteService", gone("ServiceNotActiveException"))
        .on("DeleteService", gone("AccessDeniedException"))
        .on("ListTasks", gone("ClusterNotFoundException"));
    let aws = wire.aws();
    for _ in 0..3 {
        aws.delete_service(&services(), Color::Blue).await.unwrap();
    }
    let denied = aws
        .delete_service(&services(), Color::Blue)
        .await
        .unwrap_err();
    assert_eq!(denied.kind, AwsErrorKind::Denied);
    assert_eq!(
        aws.tasks_left(&services(), FAMILY).await.unwrap(),
        TasksLeft::default()
    );
}

#[tokio::test]
async fn revisions_are_deleted_ten_at_a_time_and_those_that_stay_are_named() {
    let arns: Vec<_> = (1..=21)
        .map(|n| Revision::new(arn(&format!("bgecs-hello:{n}"))))
        .collect();
    let answer = || Reply::json(&json!({ "taskDefinitions": [], "failures": [] }));
    let failed = Reply::json(&json!({ "taskDefinitions": [], "failures": [
        { "arn": arns[20].as_str(), "reason": "ACCESS_DENIED", "detail": "not yours" },
    ]}));
    let wire = Wire::new()
        .on("DeleteTaskDefinitions", answer())
        .on("DeleteTaskDefinitions", answer())
        .on("DeleteTaskDefinitions", failed);
    let kept = wire.aws().delete_task_definitions(&arns).await.unwrap();
    let expected = Kept {
        arn: arns[20].clone(),
        reason: "ACCESS_DENIED: not yours".to_owned(),
    };
    assert_eq!(kept, [expected]);
    let sent: Vec<usize> = wire
        .requests()
        .iter()
        .map(|request| request.json()["taskDefinitions"].as_array().unwrap().len())
        .collect();
    assert_eq!(sent, [10, 10, 1]);
}

/// `n` tasks, one of which has started to stop.
fn tasks(n: usize, last: &str) -> serde_json::Value {
    let task = |n: usize, status: &str| json!({ "taskArn": format!("task/bgecs-hello/{n}"), "lastStatus": status });
    let mut tasks: Vec<_> = (1..n).map(|n| task(n, "STOPPED")).collect();
    tasks.push(task(n, last));
    json!({ "tasks": tasks })
}

fn page(names: std::ops::Range<usize>, next: Option<&str>) -> Reply {
    let arns: Vec<_> = names.map(|n| format!("task/bgecs-hello/{n}")).collect();
    Reply::json(&json!({ "taskArns": arns, "nextToken": next }))
}

#[tokio::test]
async fn all_pages_of_stopped_tasks_are_read() {
    let wire = Wire::new()
        .on("ListTasks", page(0..100, Some("2")))
        .on("ListTasks", page(100..130, None))
        .on("DescribeTasks", Reply::json(&tasks(100, "STOPPED")))
        .on("DescribeTasks", Reply::json(&tasks(30, "DEPROVISIONING")));
    let aws = wire.aws();
    let known = HashSet::new();
    let stopped = aws.stopped_tasks(&services(), Color::Blue, &known).await;
    assert_eq!(stopped.unwrap().len(), 129);
    let asked: Vec<usize> = wire
        .requests()
        .iter()
        .filter_map(|request| Some(request.json()["tasks"].as_array()?.len()))
        .collect();
    assert_eq!(asked, [100, 30]);
    assert_eq!(wire.requests()[1].json()["nextToken"], "2");
    wire.assert_used_up();
}

#[tokio::test]
async fn a_task_that_is_still_stopping_is_left() {
    let wire = Wire::new()
        .on("ListTasks", page(0..2, None))
        .on("ListTasks", page(2..5, None))
        .on("DescribeTasks", Reply::json(&tasks(3, "DEPROVISIONING")));
    let left = wire.aws().tasks_left(&services(), FAMILY).await.unwrap();
    assert_eq!((left.running, left.stopping), (2, 1));
    let asked: Vec<_> = wire
        .requests()
        .iter()
        .map(|request| request.json()["desiredStatus"].clone())
        .collect();
    assert_eq!(json!(asked), json!(["RUNNING", "STOPPED", null]));
}
