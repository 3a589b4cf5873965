use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::journal::Head;
use crate::model::testing::observed;

/// What a write that ends in this answer is taken for.
async fn fault(reply: Reply) -> WriteFault {
    let wire = Wire::new().on("ModifyListener", reply);
    let aws = wire.aws();
    let turn = Turn::for_tests(&aws, Head::default());
    let world = LiveWorld {
        aws: &aws,
        observed: &observed(),
        turn: &turn,
    };
    let written = world
        .point_listener_at(Port::Test, Color::Green, Urgency::Forward)
        .await;
    let sent = wire.request();
    assert_eq!(sent.field("ListenerArn").as_deref(), Some("listener/test"));
    assert_eq!(
        sent.field("DefaultActions.member.1.TargetGroupArn")
            .as_deref(),
        Some("tg/green")
    );
    written.unwrap_err()
}

#[tokio::test(start_paused = true)]
async fn a_write_is_refused_for_good_or_worth_another_look() {
    for (reply, ambiguous) in [
        (Reply::xml_error(403, "AccessDenied", "no"), false),
        (Reply::xml_error(400, "TargetGroupNotFound", "no"), false),
        (Reply::xml_error(400, "Throttling", "Rate exceeded"), true),
        (Reply::xml_error(500, "InternalFailure", "oh"), true),
        (Reply::Reset, true),
        (Reply::Never, true),
    ] {
        let fault = fault(reply.clone()).await;
        assert_eq!(fault.ambiguous, ambiguous, "{reply:?}: {fault:?}");
        assert!(
            fault
                .message
                .starts_with("elasticloadbalancing:ModifyListener on listener/test: "),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_colour_is_healthy_with_one_healthy_target() {
    let targets = |states: &[&str]| {
        let members: String = states
            .iter()
            .map(|state| {
                format!("<member><TargetHealth><State>{state}</State></TargetHealth></member>")
            })
            .collect();
        Reply::xml(
            "DescribeTargetHealth",
            &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
        )
    };
    for (states, expected) in [
        (&["unhealthy", "healthy"][..], true),
        (&["unhealthy", "initial", "draining", "unused"], false),
        (&[], false),
    ] {
        let wire = Wire::new().on("DescribeTargetHealth", targets(states));
        let aws = wire.aws();
        let turn = Turn::for_tests(&aws, Head::default());
        let world = LiveWorld {
            aws: &aws,
            observed: &observed(),
            turn: &turn,
        };
        assert_eq!(
            world.is_healthy(Color::Blue).await,
            Ok(expected),
            "{states:?}"
        );
        assert_eq!(
            wire.request().field("TargetGroupArn").as_deref(),
            Some("tg/blue")
        );
    }
}
