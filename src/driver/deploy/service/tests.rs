use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire, credentials};
use crate::driver::look_ahead::testing::listeners;
use crate::model::journal::Head;
use crate::model::testing::{holder, observed, to};

fn done() -> Reply {
    Reply::json(&json!({}))
}

fn as_planned(wire: Wire) -> Wire {
    let seen = listeners(&to(Color::Green), &to(Color::Blue));
    wire.on("UpdateItem", done()).on("DescribeListeners", seen)
}

/// Blue's service, which runs that revision, behind a wrong port.
fn runs(revision: &str) -> Reply {
    let target =
        json!({ "targetGroupArn": "tg/blue", "containerName": "app", "containerPort": 8081 });
    let service = json!({
        "serviceName": "blue", "status": "ACTIVE", "taskDefinition": revision, "desiredCount": 1,
        "loadBalancers": [target],
    });
    Reply::json(&json!({ "services": [service] }))
}

/// The second attempt of the SDK finds what the first one created.
fn made_twice() -> Wire {
    let again = "Creation of service was not idempotent.";
    as_planned(Wire::new())
        .on("CreateService", Reply::Reset)
        .on(
            "CreateService",
            Reply::json_error(400, "InvalidParameterException", again),
        )
}

async fn tells(wire: &Wire) -> Result<()> {
    let session = Session::of_hello(wire.aws_with(credentials(), 2));
    let turn = Turn::for_tests(&session.aws, Head::default());
    let plan = DeployPlan {
        color: Color::Blue,
        becomes_live: false,
        onto_live: false,
        allow_live: false,
        may_be_live: None,
        service: ServicePlan::Create { desired: 1 },
    };
    let loaded = Loaded::from(&session.config).unwrap();
    let observed = observed();
    let told = Told {
        task_definition: &Revision::new("hello:2"),
        definition: &wanted_definition(&session, &observed, Color::Blue, &loaded).unwrap(),
        restart: false,
    };
    tell(&session, &turn, &observed, &plan, &told).await
}

#[tokio::test(start_paused = true)]
async fn a_service_whose_creation_was_not_told_of_is_found() {
    let wire = made_twice().on("DescribeServices", runs("hello:2"));
    assert!(tells(&wire).await.is_ok());
    let sent = wire.requests();
    let tokens = sent.iter().filter(|r| r.operation == "CreateService");
    for request in tokens {
        assert_eq!(request.json()["clientToken"], holder().id.as_str());
    }
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn one_that_was_there_and_not_seen_is_updated() {
    let wire = as_planned(made_twice().on("DescribeServices", runs("hello:1")))
        .on("UpdateService", done());
    assert!(tells(&wire).await.is_ok());
    let sent = wire.requests();
    let update = sent.iter().find(|r| r.operation == "UpdateService");
    let update = update.unwrap().json();
    assert_eq!(update["taskDefinition"], "hello:2");
    assert_eq!(update.get("desiredCount"), None, "it has as many already");
    assert_eq!(update["loadBalancers"][0]["containerPort"], 8080);
    wire.assert_used_up();
}

#[tokio::test(start_paused = true)]
async fn a_mistake_in_the_request_is_told_as_it_is() {
    let wire = (0..3).fold(
        as_planned(Wire::new()).on(
            "CreateService",
            Reply::json_error(400, "InvalidParameterException", "no such subnet"),
        ),
        |wire, _| wire.on("DescribeServices", Reply::json(&json!({ "services": [] }))),
    );
    let error = tells(&wire).await.unwrap_err();
    assert!(error.causes[0].contains("no such subnet"), "{error}");
}
