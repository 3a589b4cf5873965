//! Canned listeners.

use crate::aws::testing::Reply;
use crate::model::{Color, Found, Route};

/// Both listeners, as DescribeListeners returns them.
pub fn listeners(production: &Found, test: &Found) -> Reply {
    let listener = |route: Route, found: &Found| {
        let name = match route {
            Route::Production => "prod",
            Route::Test => "test",
        };
        let group = |color: Color| {
            let weight = found.split().map_or(0, |split| split.share(color));
            format!(
                "<member><TargetGroupArn>tg/{color}</TargetGroupArn><Weight>{weight}</Weight></member>"
            )
        };
        let reached = Color::BOTH
            .into_iter()
            .filter(|color| found.reaches(*color));
        let groups: String = reached.map(group).collect();
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
