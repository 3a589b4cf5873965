use super::*;
use crate::aws::testing::{Reply, Wire};

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
