use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::driver::turn::Turn;
use crate::model::journal::{Head, Truth};
use crate::model::testing::{NOT_HOSTED, infrastructure, operation};

const LEFT: Truth = Truth {
    production: Some(Deployed::somewhere_on(Color::Green)),
    test: Some(Color::Blue),
    previous: None,
    hosted: NOT_HOSTED,
};

fn shows_blue_twice() -> Reply {
    let listener = |name: &str| {
        format!(
            "<member><ListenerArn>listener/{name}</ListenerArn><DefaultActions><member><Type>forward</Type>\
             <TargetGroupArn>tg/blue</TargetGroupArn></member></DefaultActions></member>"
        )
    };
    let members = listener("prod") + &listener("test");
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{members}</Listeners>"),
    )
}

/// AWS for some readings of an app whose ports both lead to blue.
fn wire(looks: usize) -> Wire {
    let mut wire = Wire::new()
        .on("PutItem", Reply::json(&json!({})))
        .on("UpdateItem", Reply::json(&json!({})));
    for _ in 0..looks {
        wire = wire
            .on("DescribeListeners", shows_blue_twice())
            .on("DescribeServices", Reply::json(&json!({ "services": [] })))
            .on(
                "DescribeTargetHealth",
                Reply::xml("DescribeTargetHealth", ""),
            )
            .on(
                "DescribeTargetHealth",
                Reply::xml("DescribeTargetHealth", ""),
            );
    }
    wire
}

/// What a rollback sees after meeting that operation.
async fn after_meeting(unfinished: Operation) -> Observed {
    let wire = wire(2);
    let session = Session::of_hello(wire.aws());
    let head = Head {
        fence: 7,
        operation: Some(unfinished),
        truth: Some(LEFT),
        ..Head::default()
    };
    let turn = Turn::for_tests(&session.aws, head);
    let (_tell, mut interrupts) = Interrupts::relayed();
    let infrastructure = infrastructure().into();
    let mut work = Work {
        session: &session,
        infrastructure: &infrastructure,
        turn: &turn,
        interrupts: &mut interrupts,
        seat: None,
    };
    meet(&mut work, Command::Rollback.into()).await.unwrap();
    work.observe().await.unwrap()
}

#[tokio::test]
async fn a_deploy_that_never_touched_a_listener_explains_none_that_moved() {
    let mut deploy = operation();
    deploy.command = Command::Deploy;
    let now = after_meeting(deploy).await;
    assert_eq!(now.drift().len(), 1);
}
