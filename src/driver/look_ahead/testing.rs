//! Listeners on the wire.

use crate::aws::testing::Reply;
use crate::model::{Forwarding, Port};

/// Both, as DescribeListeners tells of them.
pub fn listeners(prod: &Forwarding, test: &Forwarding) -> Reply {
    let listener = |port: Port, forwarding: &Forwarding| {
        let name = match port {
            Port::Prod => "prod",
            Port::Test => "test",
        };
        let group = |forward: &crate::model::Forward| {
            let arn = &forward.target_group;
            let weight = forward.weight;
            format!(
                "<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>"
            )
        };
        let groups: String = forwarding.0.iter().map(group).collect();
        let action = match groups.is_empty() {
            true => "<member><Type>fixed-response</Type></member>".to_owned(),
            false => format!(
                "<member><Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig></member>"
            ),
        };
        format!(
            "<member><ListenerArn>listener/{name}</ListenerArn><DefaultActions>{action}</DefaultActions></member>"
        )
    };
    let both = [listener(Port::Prod, prod), listener(Port::Test, test)].concat();
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{both}</Listeners>"),
    )
}
