use serde_json::{Value, json};

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::journal::Head;
use crate::model::marks::{TAG_CONFIG, TAG_OPERATION};
use crate::model::testing::holder;

const CONFIG: &str = "0123";

fn arn(n: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:1:task-definition/bgecs-hello:{n}")
}

fn registered(n: u32) -> Reply {
    Reply::json(&json!({ "taskDefinition": { "taskDefinitionArn": arn(n) } }))
}

fn listed(revisions: &[u32]) -> Reply {
    let arns: Vec<_> = revisions.iter().map(|n| arn(*n)).collect();
    Reply::json(&json!({ "taskDefinitionArns": arns }))
}

fn tagged(operation: &str, config: &str) -> Reply {
    let tag = |key: &str, value: &str| json!({ "key": key, "value": value });
    Reply::json(&json!({ "tags": [tag(TAG_OPERATION, operation), tag(TAG_CONFIG, config)] }))
}

fn throttled() -> Reply {
    Reply::json_error(400, "ThrottlingException", "Rate exceeded")
}

/// The result, and how many registrations were sent.
async fn registers(wire: &Wire) -> (Result<String, AwsError>, usize) {
    let session = Session::of_hello(wire.aws_with(crate::aws::testing::credentials(), 5));
    let turn = Turn::for_tests(&session.aws, Head::default());
    let definition = TaskDefinition {
        body: Value::Null,
        config_hash: CONFIG.to_owned(),
    };
    let arn = once(&session, &turn, "bgecs-hello", &definition).await;
    let requests = wire.requests();
    let sent = requests
        .iter()
        .filter(|r| r.operation == "RegisterTaskDefinition");
    (arn.map(|arn| arn.short().to_owned()), sent.count())
}

#[tokio::test(start_paused = true)]
async fn a_registration_whose_answer_was_lost_is_found_and_not_made_again() {
    let operation = holder().id;
    for lost in [
        Reply::Reset,
        Reply::Never,
        Reply::json_error(500, "ServerException", "oh"),
    ] {
        let wire = Wire::new()
            .on("RegisterTaskDefinition", lost)
            .on("ListTaskDefinitions", listed(&[8, 7]))
            .on("DescribeTaskDefinition", tagged("another-s", CONFIG))
            .on("DescribeTaskDefinition", tagged(operation.as_str(), CONFIG));
        let (found, sent) = registers(&wire).await;
        assert_eq!((found.unwrap().as_str(), sent), ("bgecs-hello:7", 1));
        wire.assert_used_up();
    }
}

#[tokio::test(start_paused = true)]
async fn one_that_was_not_made_is_made() {
    let operation = holder().id;
    let wire = Wire::new()
        .on("RegisterTaskDefinition", Reply::Reset)
        .on("ListTaskDefinitions", listed(&[8, 7]))
        // From an earlier configuration, and from an earlier deploy.
        .on("DescribeTaskDefinition", tagged(operation.as_str(), "4567"))
        .on("DescribeTaskDefinition", tagged("another-s", CONFIG))
        .on("RegisterTaskDefinition", registered(9));
    let (made, sent) = registers(&wire).await;
    assert_eq!((made.unwrap().as_str(), sent), ("bgecs-hello:9", 2));
    // What was throttled certainly did not happen.
    let wire = Wire::new()
        .on("RegisterTaskDefinition", throttled())
        .on("RegisterTaskDefinition", registered(1));
    let (made, sent) = registers(&wire).await;
    assert_eq!((made.unwrap().as_str(), sent), ("bgecs-hello:1", 2));
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_not_asked_for_again_and_what_never_comes_not_for_ever() {
    let denied = Reply::json_error(400, "AccessDeniedException", "no");
    let wire = Wire::new().on("RegisterTaskDefinition", denied);
    let (refused, sent) = registers(&wire).await;
    assert!(refused.unwrap_err().has_code("AccessDeniedException"));
    assert_eq!(sent, 1);

    let wire = (0..5).fold(Wire::new(), |wire, _| {
        wire.on("RegisterTaskDefinition", Reply::Reset)
            .on("ListTaskDefinitions", listed(&[]))
    });
    let (lost, sent) = registers(&wire).await;
    assert!(lost.unwrap_err().is_ambiguous());
    assert_eq!(sent, 5);
    wire.assert_used_up();
}
