use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::marks::TAG_OPERATION;
use crate::model::testing::{moment, observed, operation};

fn arn(n: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:1:task-definition/bgecs-hello:{n}")
}

fn listed(revisions: &[u32]) -> Reply {
    let arns: Vec<_> = revisions.iter().map(|n| arn(*n)).collect();
    Reply::json(&json!({ "taskDefinitionArns": arns }))
}

fn tagged(operation: &str) -> Reply {
    Reply::json(&json!({ "tags": [{ "key": TAG_OPERATION, "value": operation }] }))
}

/// Blue's service, which runs that revision.
fn running(n: u32) -> Reply {
    let service = json!({ "serviceName": "blue", "status": "ACTIVE", "taskDefinition": arn(n) });
    Reply::json(&json!({ "services": [service] }))
}

async fn forgets(wire: &Wire, has_registered: bool) -> Vec<String> {
    let mut operation = operation();
    if has_registered {
        let digest = format!("sha256:{}", "2".repeat(64)).parse().unwrap();
        let family = "bgecs-hello".to_owned();
        operation.intend(moment(), Effect::RegisterTaskDefinition { family, digest });
    }
    let session = Session::of_hello(wire.aws());
    forget_unused(&session, &observed(), &operation)
        .await
        .unwrap();
    let requests = wire.requests().into_iter();
    let sent = requests.filter(|request| request.operation == "DeregisterTaskDefinition");
    sent.map(|request| request.json()["taskDefinition"].to_string())
        .collect()
}

fn of_another_and_own() -> Wire {
    Wire::new()
        .on("ListTaskDefinitions", listed(&[3, 2]))
        .on("DescribeTaskDefinition", tagged(operation().id.as_str()))
        .on("DescribeTaskDefinition", tagged("another-s"))
}

#[tokio::test(start_paused = true)]
async fn what_no_service_runs_is_deregistered_and_only_that() {
    let wire = of_another_and_own()
        .on("DescribeServices", running(2))
        .on("DeregisterTaskDefinition", Reply::json(&json!({})));
    assert_eq!(forgets(&wire, true).await, [json!(arn(3)).to_string()]);
    // The service was given it after all.
    let wire = of_another_and_own().on("DescribeServices", running(3));
    assert!(forgets(&wire, true).await.is_empty());
    assert!(forgets(&Wire::new(), false).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn one_that_is_late_to_be_seen_is_looked_for_again() {
    let wire = Wire::new()
        .on("ListTaskDefinitions", listed(&[]))
        .on("ListTaskDefinitions", listed(&[1]))
        .on("DescribeTaskDefinition", tagged(operation().id.as_str()))
        .on("DescribeServices", running(7))
        .on("DeregisterTaskDefinition", Reply::json(&json!({})));
    assert_eq!(forgets(&wire, true).await.len(), 1);
    wire.assert_used_up();
}
