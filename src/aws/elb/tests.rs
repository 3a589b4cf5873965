use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::testing::{infrastructure, to};
use crate::model::{Color, Port};

/// A listener's default action, in ELB's XML.
fn listeners(of: &[(&str, &str)]) -> Reply {
    let members: String = of
        .iter()
        .map(|(arn, action)| {
            format!(
                "<member><ListenerArn>{arn}</ListenerArn><DefaultActions>{action}</DefaultActions></member>"
            )
        })
        .collect();
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{members}</Listeners>"),
    )
}

/// As an emulator answers: the target group's ARN alone.
fn simple(group: &str) -> String {
    format!("<member><Type>forward</Type><TargetGroupArn>{group}</TargetGroupArn></member>")
}

fn weighted(groups: &[(&str, Option<i32>)]) -> String {
    let groups: String = groups
        .iter()
        .map(|(arn, weight)| {
            let weight = weight
                .map(|weight| format!("<Weight>{weight}</Weight>"))
                .unwrap_or_default();
            format!("<member><TargetGroupArn>{arn}</TargetGroupArn>{weight}</member>")
        })
        .collect();
    format!(
        "<member><Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig></member>"
    )
}

/// Both forms at once, as AWS answers a simple forward.
fn both(group: &str) -> String {
    let ends = (simple(group), weighted(&[(group, Some(1))]));
    ends.0.replace("</member>", "") + ends.1.strip_prefix("<member><Type>forward</Type>").unwrap()
}

const FIXED: &str = "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>503</StatusCode></FixedResponseConfig></member>";

/// What the prod listener's action means.
async fn prod(action: &str) -> Forwarding {
    let wire = Wire::new().on("DescribeListeners", listeners(&[("listener/prod", action)]));
    wire.aws()
        .read_listeners(&infrastructure())
        .await
        .unwrap()
        .prod
}

#[tokio::test]
async fn a_forward_is_understood_in_each_of_its_forms() {
    for action in [
        simple("tg/blue"),
        weighted(&[("tg/blue", None)]),
        both("tg/blue"),
    ] {
        assert_eq!(prod(&action).await, to(Color::Blue), "{action}");
    }
}

#[tokio::test]
async fn weights_are_kept_and_a_group_without_any_still_counts() {
    let split = prod(&weighted(&[("tg/blue", Some(90)), ("tg/green", Some(10))])).await;
    assert_eq!(split.only(), None);
    assert!(split.reaches(Color::Blue) && split.reaches(Color::Green));
    assert_eq!(split.to_string(), "blue (90 of 100), green (10 of 100)");

    let attached = prod(&weighted(&[("tg/blue", Some(1)), ("tg/green", Some(0))])).await;
    assert_eq!(attached.only(), Some(Color::Blue));
    assert!(!attached.reaches(Color::Green));
    assert_eq!(attached.0.len(), 2, "attached, with no traffic");
}

#[tokio::test]
async fn a_fixed_response_goes_nowhere() {
    let fixed = prod(FIXED).await;
    assert!(fixed.is_nowhere());
    assert_eq!(fixed.only(), None);
    // So does a listener that AWS does not know.
    let wire = Wire::new().on("DescribeListeners", listeners(&[]));
    let listeners = wire.aws().read_listeners(&infrastructure()).await.unwrap();
    assert!(listeners.prod.is_nowhere() && listeners.test.is_nowhere());
}

#[tokio::test]
async fn a_stranger_s_group_is_no_colour() {
    let strange = prod(&simple("tg/someone-else-s")).await;
    assert!(!strange.is_nowhere(), "traffic does go there");
    assert_eq!(strange.only(), None);
    assert_eq!(
        strange.to_string(),
        "a stranger's target group tg/someone-else-s"
    );
}

#[tokio::test]
async fn what_comes_before_the_forward_is_passed_over() {
    let sign_in = "<member><Type>authenticate-oidc</Type><Order>1</Order></member>";
    let action = format!("{sign_in}{}", simple("tg/green"));
    assert_eq!(prod(&action).await, to(Color::Green));
}

#[tokio::test]
async fn both_listeners_are_read_in_one_call_and_not_mixed_up() {
    let answer = listeners(&[
        // AWS promises no order.
        ("listener/test", &simple("tg/green")),
        ("listener/prod", &simple("tg/blue")),
    ]);
    let wire = Wire::new().on("DescribeListeners", answer);
    let listeners = wire.aws().read_listeners(&infrastructure()).await.unwrap();
    assert_eq!(*listeners.get(Port::Prod), to(Color::Blue));
    assert_eq!(*listeners.get(Port::Test), to(Color::Green));
    let asked = wire.request();
    assert_eq!(
        asked.field("ListenerArns.member.1").as_deref(),
        Some("listener/prod")
    );
    assert_eq!(
        asked.field("ListenerArns.member.2").as_deref(),
        Some("listener/test")
    );
}

#[tokio::test]
async fn a_listener_is_modified_in_place() {
    let wire = Wire::new().on(
        "ModifyListener",
        Reply::xml("ModifyListener", "<Listeners/>"),
    );
    let infra = infrastructure();
    wire.aws()
        .point_listener_at(infra.listener(Port::Prod), infra.target_group(Color::Blue))
        .await
        .unwrap();
    let sent = wire.request();
    assert_eq!(sent.field("ListenerArn").as_deref(), Some("listener/prod"));
    assert_eq!(
        sent.field("DefaultActions.member.1.Type").as_deref(),
        Some("forward")
    );
    assert_eq!(
        sent.field("DefaultActions.member.1.TargetGroupArn")
            .as_deref(),
        Some("tg/blue")
    );
    assert_eq!(sent.field("DefaultActions.member.2.Type"), None);
}

#[tokio::test]
async fn target_health_is_read_with_its_reason() {
    let target = |id: &str, health: &str| {
        format!(
            "<member><Target><Id>{id}</Id></Target><TargetHealth>{health}</TargetHealth></member>"
        )
    };
    let state = |state: &str| format!("<State>{state}</State>");
    let members = [
        target("10.0.0.1", &state("healthy")),
        target("10.0.0.2", &state("initial")),
        target(
            "10.0.0.3",
            &(state("unhealthy")
                + "<Reason>Target.ResponseCodeMismatch</Reason><Description>codes: [503]</Description>"),
        ),
        target("10.0.0.4", &state("unused")),
        target("10.0.0.5", &state("draining")),
        target("10.0.0.6", &state("unhealthy.draining")),
        target("10.0.0.7", &state("unavailable")),
        target("10.0.0.8", &state("a state of tomorrow")),
    ]
    .concat();
    let answer = Reply::xml(
        "DescribeTargetHealth",
        &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
    );
    let wire = Wire::new().on("DescribeTargetHealth", answer);
    let targets = wire
        .aws()
        .target_health(&TargetGroupArn::new("tg/blue"))
        .await
        .unwrap();
    let states: Vec<TargetState> = targets.0.iter().map(|target| target.state).collect();
    assert_eq!(
        states,
        [
            TargetState::Healthy,
            TargetState::Initial,
            TargetState::Unhealthy,
            TargetState::Unused,
            TargetState::Draining,
            TargetState::Draining,
            TargetState::Unavailable,
            TargetState::Unavailable,
        ]
    );
    assert_eq!(
        targets.0[2].reason.as_deref(),
        Some("Target.ResponseCodeMismatch")
    );
    assert_eq!(targets.0[2].description.as_deref(), Some("codes: [503]"));
    assert_eq!((targets.healthy(), targets.registered()), (1, 6));
}
