use serde_json::json;

use crate::aws::error::AwsErrorKind;
use crate::aws::testing::{Reply, Wire, listeners};
use crate::model::Color;
use crate::model::Deployed;
use crate::model::testing::infrastructure;

fn health(targets: usize) -> Reply {
    let target = "<member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member>";
    let members = target.repeat(targets);
    Reply::xml(
        "DescribeTargetHealth",
        &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
    )
}

fn wire() -> Wire {
    let truth = json!({ "prod": "green", "test": "blue", "previous": "blue" }).to_string();
    let head = json!({ "Item": { "fence": { "N": "3" }, "truth": { "S": truth } } });
    Wire::new()
        .on("DescribeListeners", listeners())
        .on("GetItem", Reply::json(&head))
        // Blue's, then green's.
        .on("DescribeTargetHealth", health(0))
        .on("DescribeTargetHealth", health(2))
}

#[tokio::test]
async fn everything_is_read_once_and_put_together() {
    let services = json!({ "services": [{
        "serviceName": "green",
        "status": "ACTIVE",
        "taskDefinition": "task-definition/bgecs-hello:2",
        "desiredCount": 2,
    }]});
    let tags = json!({ "tags": [{ "key": crate::model::marks::TAG_RELEASE, "value": "2" }] });
    let wire = wire()
        .on("DescribeServices", Reply::json(&services))
        .on("DescribeTaskDefinition", Reply::json(&tags));
    let observed = wire.aws().observe(&infrastructure(), None).await.unwrap();
    wire.assert_used_up();
    assert_eq!(observed.live_color(), Some(Color::Green));
    // A journal in format 1.
    let previous = observed.previous().unwrap();
    assert_eq!(previous.release, Deployed::somewhere_on(Color::Blue));
    assert_eq!(observed.color(Color::Green).targets.healthy(), 2);
    assert_eq!(observed.color(Color::Green).desired(), 2);
    assert_eq!(observed.color(Color::Green).tag().unwrap().as_str(), "2");
    assert_eq!(observed.color(Color::Blue).service, None);
    assert_eq!(
        observed.color(Color::Blue).release,
        None,
        "nothing to ask for"
    );
    assert_eq!(wire.requests().len(), 8);
}

/// Its tasks keep running, and so do commands: a way back is not blocked by it.
#[tokio::test]
async fn a_revision_that_something_else_deleted_stops_no_look() {
    let revision = "task-definition/bgecs-hello:2";
    let services = json!({ "services": [{
        "serviceName": "green", "status": "ACTIVE", "taskDefinition": revision, "desiredCount": 2,
    }]});
    let gone = "Unable to describe task definition.";
    let wire = wire().on("DescribeServices", Reply::json(&services)).on(
        "DescribeTaskDefinition",
        Reply::json_error(400, "ClientException", gone),
    );
    let observed = wire.aws().observe(&infrastructure(), None).await.unwrap();
    let green = observed.color(Color::Green);
    assert_eq!((green.desired(), &green.release), (2, &None));
    let deployed = observed.live_release().unwrap();
    assert_eq!(deployed.revision.unwrap().as_str(), revision);
}

#[tokio::test]
async fn one_thing_that_cannot_be_read_is_an_error_not_a_guess() {
    let denied = Reply::json_error(400, "AccessDeniedException", "no");
    let wire = wire().on("DescribeServices", denied);
    let error = wire
        .aws()
        .observe(&infrastructure(), None)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.action),
        (AwsErrorKind::Denied, "ecs:DescribeServices")
    );
}
