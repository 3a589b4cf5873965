use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{Reply, Wire, listeners};
use crate::error::Exit;
use crate::model::Reserved;
use crate::model::marks::TAG_RELEASE;
use crate::model::testing::observed;

/// The outputs of an app with the listeners of [`listeners`].
const OUTPUTS: [(&str, &str); 15] = [
    ("ClusterName", "bgecs-hello"),
    ("RepositoryName", "r"),
    ("RepositoryUri", "r"),
    ("LoadBalancerArn", "balancer/app"),
    ("LoadBalancerDnsName", "lb.example"),
    ("ProdListenerArn", "listener/prod"),
    ("TestListenerArn", "listener/test"),
    ("BlueTargetGroupArn", "tg/blue"),
    ("GreenTargetGroupArn", "tg/green"),
    ("SubnetIds", "s"),
    ("TaskSecurityGroupId", "s"),
    ("ExecutionRoleArn", "r"),
    ("TaskRoleArn", "r"),
    ("LogGroupName", "l"),
    ("JournalTableName", "bgecs-hello"),
];

fn stack(app: &str, outputs: &[(&str, &str)]) -> String {
    let output = |(key, value): &(&str, &str)| {
        let value = value.replace("bgecs-hello", &format!("bgecs-{app}"));
        format!("<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>")
    };
    let outputs: String = outputs.iter().map(output).collect();
    format!(
        "<member><StackName>bgecs-{app}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
         <StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>{outputs}</Outputs>\
         <Tags><member><Key>bgecs:app</Key><Value>{app}</Value></member></Tags></member>"
    )
}

fn page(stacks: &str, next: &str) -> Reply {
    Reply::xml(
        "DescribeStacks",
        &format!("<Stacks>{stacks}</Stacks>{next}"),
    )
}

fn services() -> Reply {
    let service = |name: &str, running: u8| {
        json!({
            "serviceName": name, "status": "ACTIVE", "desiredCount": running,
            "runningCount": running, "taskDefinition": format!("task-definition/bgecs-hello:{running}"),
        })
    };
    Reply::json(&json!({ "services": [service("blue", 2), service("green", 1)] }))
}

fn definition() -> Reply {
    Reply::json(&json!({
        "taskDefinition": { "cpu": "256", "memory": "512", "status": "ACTIVE" },
        "tags": [{ "key": TAG_RELEASE, "value": "2" }],
    }))
}

fn heads() -> Reply {
    let truth = json!({
        "prod": { "color": "green", "revision": "task-definition/bgecs-hello:1", "tag": "1" },
        "test": "green",
    });
    let head = json!({ "fence": { "N": "3" }, "truth": { "S": truth.to_string() } });
    Reply::json(&json!({ "Responses": { "bgecs-hello": [head] } }))
}

fn nothing() -> Reply {
    Reply::json(&Value::from(serde_json::Map::from_iter([(
        "Items".to_owned(),
        json!([]),
    )])))
}

#[tokio::test]
async fn an_app_is_seen_with_one_call_of_its_own_for_each_thing() {
    let wire = Wire::new()
        .on("DescribeStacks", page(&stack("hello", &OUTPUTS), ""))
        .on("BatchGetItem", heads())
        .on("DescribeListeners", listeners())
        .on("DescribeServices", services())
        .on("Query", nothing())
        // For blue, which is warm; the journal knows what green is.
        .on("DescribeTaskDefinition", definition());
    let aws = wire.aws();
    let apps = look(&aws).await.unwrap();
    wire.assert_used_up();
    let [hello] = &apps[..] else {
        panic!("{} apps", apps.len())
    };
    let seen = hello.seen.as_ref().map_err(ToString::to_string).unwrap();
    let (it, like) = (&seen.observed, observed());
    assert_eq!(it.traffic, like.traffic);
    assert_eq!(it.live_release().unwrap().to_string(), "green (tag 1)");
    let blue = it.color(Color::Blue).release.as_ref().unwrap();
    let size = Reserved {
        cpu: 256,
        memory: 512,
    };
    assert_eq!(blue.reserves, Some(size));
    // The journal says that testers are on green.
    assert_eq!(it.drift().len(), 1);
    assert!(seen.held.is_none());
}

#[tokio::test]
async fn an_app_that_cannot_be_read_is_one_with_a_reason() {
    let broken = &OUTPUTS[..5];
    let wire = Wire::new()
        .on(
            "DescribeStacks",
            page(&stack("hello", &OUTPUTS), "<NextToken>n</NextToken>"),
        )
        .on("DescribeStacks", page(&stack("broken", broken), ""))
        .on("BatchGetItem", heads())
        .on("DescribeListeners", listeners())
        .on(
            "DescribeServices",
            Reply::json_error(400, "ClusterNotFoundException", "Cluster not found."),
        );
    let aws = wire.aws();
    let apps = look(&aws).await.unwrap();
    let said = |app: &FleetApp| match &app.seen {
        Ok(_) => (app.app.to_string(), String::new()),
        Err(error) => (app.app.to_string(), error.message.clone()),
    };
    let said: Vec<_> = apps.iter().map(said).collect();
    let broken = "the stack bgecs-broken is UPDATE_COMPLETE and has no output ProdListenerArn";
    let hello = "the cluster bgecs-hello is gone";
    let expected = [("broken", broken), ("hello", hello)];
    assert_eq!(
        said,
        expected.map(|(app, why)| (app.to_owned(), why.to_owned()))
    );
}

#[tokio::test]
async fn stacks_that_cannot_be_listed_are_the_end() {
    let denied = Reply::xml_error(403, "AccessDenied", "not authorized");
    let wire = Wire::new().on("DescribeStacks", denied);
    let error = look(&wire.aws()).await.err().unwrap();
    assert_eq!(error.exit, Exit::Failed);
    assert!(
        error.message.contains("cloudformation:DescribeStacks"),
        "{error}"
    );
}
