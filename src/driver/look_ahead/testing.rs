//! Listeners on the wire.

use crate::aws::testing::Reply;
use crate::model::{Forwarding, Route};

/// Both, as DescribeListeners tells of them.
pub fn listeners(production: &Forwarding, test: &Forwarding) -> Reply {
    let listener = |route: Route, forwarding: &Forwarding| {
        let name = match route {
            Route::Production => "prod",
            Route::Test => "test",
        };
        let group = |forward: &crate::model::Forward| {
            let arn = &forward.target_group;
            let weight = forward.weight;
            format!(
                "<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>"
            )
        };
        let groups: String = forwarding.forwards().iter().map(group).collect();
        let action = match groups.is_empty() {
            true => "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>503</StatusCode>\
                 <MessageBody>bgecs: nothing is live yet</MessageBody></FixedResponseConfig></member>"
                .to_owned(),
            false => format!(
                "<member><Type>forward</Type><ForwardConfig><TargetGroups>{groups}</TargetGroups></ForwardConfig></member>"
            ),
        };
        format!(
            "<member><ListenerArn>listener/{name}</ListenerArn><DefaultActions>{action}</DefaultActions></member>"
        )
    };
    let both = [
        listener(Route::Production, production),
        listener(Route::Test, test),
    ]
    .concat();
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{both}</Listeners>"),
    )
}
