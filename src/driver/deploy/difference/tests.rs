use std::time::Duration;

use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::docker::Reference;
use crate::driver::deploy::ImageSource;
use crate::model::RunsOn;
use crate::model::testing::{observed, release, service};

fn request() -> Request {
    Request {
        image: ImageSource::Reference(Reference::parse("hello:2").unwrap()),
        runs_on: RunsOn::default(),
        tag: "2".parse().unwrap(),
        restart: false,
        shows_difference: true,
        is_blind: false,
        timeout: Duration::from_secs(600),
    }
}

/// What bgecs itself would have registered for tag 1 on green, for an ARM image.
fn tag_1(session: &Session, observed: &Observed) -> Value {
    let request = Request {
        tag: "1".parse().unwrap(),
        ..request()
    };
    let loaded = Loaded::from(&session.config).unwrap();
    let image = (CpuArchitecture::Arm64, None);
    let green = Color::Green;
    compose(session, observed, green, &request, &loaded, image, "")
        .unwrap()
        .body
}

/// Deployed onto blue, it is compared with what is live on green: only what a person
/// changed is a difference.
#[tokio::test]
async fn a_dry_run_shows_what_users_would_get_else() {
    let wire = Wire::new();
    let session = Session::of_hello(wire.aws());
    let mut observed = observed();
    observed.colors.green.service = Some(service(1));
    observed.colors.green.release = Some(release("1"));
    let registered = tag_1(&session, &observed);
    let wire = wire.on(
        "DescribeTaskDefinition",
        Reply::json(&json!({ "taskDefinition": registered })),
    );
    let loaded = Loaded::from(&session.config).unwrap();
    let shown = ahead(&session, &observed, Color::Blue, &request(), &loaded).await;
    insta::assert_snapshot!(shown.unwrap().unwrap(), @r#"
    the task definition of tag 2:
    --- bgecs-hello:1 on green (tag 1)
    +++ tag 2
    @@ -8,11 +8,11 @@
             },
             {
               "name": "BGECS_RELEASE",
    -          "value": "1"
    +          "value": "2"
             }
           ],
           "essential": true,
    -      "image": "1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:1",
    +      "image": "1.dkr.ecr.eu-west-1.amazonaws.com/bgecs-hello:2",
           "logConfiguration": {
             "logDriver": "awslogs",
             "options": {
    "#);
    wire.assert_used_up();
}

#[tokio::test]
async fn the_first_one_differs_from_nothing() {
    let session = Session::of_hello(Wire::new().aws());
    let loaded = Loaded::from(&session.config).unwrap();
    let observed = Observed {
        traffic: Default::default(),
        ..observed()
    };
    let shown = ahead(&session, &observed, Color::Blue, &request(), &loaded).await;
    assert_eq!(shown.unwrap(), None);
}

#[tokio::test]
async fn one_that_something_else_deleted_is_differed_from_by_nothing() {
    let gone = "Unable to describe task definition.";
    let wire = Wire::new().on(
        "DescribeTaskDefinition",
        Reply::json_error(400, "ClientException", gone),
    );
    let session = Session::of_hello(wire.aws());
    let loaded = Loaded::from(&session.config).unwrap();
    let mut observed = observed();
    observed.colors.green.service = Some(service(1));
    let shown = ahead(&session, &observed, Color::Blue, &request(), &loaded).await;
    assert_eq!(shown.unwrap(), None);
    wire.assert_used_up();
}
