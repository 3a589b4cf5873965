use super::*;
use crate::aws::testing::{Reply, Wire};
use crate::model::testing::{infrastructure, move_to, patience, to};
use crate::model::{Color, Route, Urgency};

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

fn forward(group: &str) -> String {
    format!("<member><Type>forward</Type><TargetGroupArn>{group}</TargetGroupArn></member>")
}

#[tokio::test]
async fn both_listeners_are_read_in_one_call_and_not_mixed_up() {
    let answer = listeners(&[
        // AWS promises no order.
        ("listener/test", &forward("tg/green")),
        ("listener/prod", &forward("tg/blue")),
    ]);
    let wire = Wire::new().on("DescribeListeners", answer);
    let listeners = wire
        .aws()
        .alb_router(&infrastructure())
        .read()
        .await
        .unwrap();
    assert_eq!(*listeners.get(Route::Production), to(Color::Blue));
    assert_eq!(*listeners.get(Route::Test), to(Color::Green));
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
async fn a_listener_that_is_gone_is_not_one_that_goes_nowhere() {
    let only = listeners(&[("listener/prod", &forward("tg/blue"))]);
    let wire = Wire::new().on("DescribeListeners", only);
    let error = wire.aws().alb_router(&infrastructure()).read().await;
    let error = error.unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::NotFound);
    assert_eq!(error.resource, "listener/test");
}

const SIGN_IN: &str = "<member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig>\
    <Issuer>https://id.example</Issuer><ClientId>shop</ClientId></AuthenticateOidcConfig></member>";

/// The list that is sent: type and target of each action, and nothing else.
fn sent(request: &crate::aws::testing::Request) -> Vec<String> {
    let field = |n: usize, name: &str| request.field(&format!("DefaultActions.member.{n}.{name}"));
    let actions = (1..).map_while(|n| {
        let target = field(n, "TargetGroupArn").unwrap_or_default();
        Some(format!("{} {target}", field(n, "Type")?))
    });
    actions.map(|action| action.trim().to_owned()).collect()
}

/// What was read last is sent back, without reading again.
#[tokio::test]
async fn a_write_keeps_what_the_last_look_saw() {
    let modified = || Reply::xml("ModifyListener", "<Listeners/>");
    let signed_in = format!("{SIGN_IN}{}", forward("tg/green"));
    let first = listeners(&[
        ("listener/prod", &forward("tg/green")),
        ("listener/test", &forward("tg/blue")),
    ]);
    let second = listeners(&[
        ("listener/prod", &signed_in),
        ("listener/test", &forward("tg/blue")),
    ]);
    let wire = Wire::new()
        .on("DescribeListeners", first)
        .on("DescribeListeners", second)
        .on("ModifyListener", modified())
        .on("ModifyListener", modified());
    let (aws, infra) = (wire.aws(), infrastructure());
    // One clone of the clients reads and another one writes.
    aws.clone().alb_router(&infra).read().await.unwrap();
    aws.clone().alb_router(&infra).read().await.unwrap();
    for port in [Route::Production, Route::Test] {
        let written = aws
            .alb_router(&infra)
            .apply(move_to(port, Color::Blue), Urgency::Forward)
            .await;
        written.unwrap();
    }
    wire.assert_used_up();
    let requests = wire.requests();
    let [_, _, production, test] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    assert_eq!(
        production.field("ListenerArn").as_deref(),
        Some("listener/prod")
    );
    assert_eq!(sent(production), ["authenticate-oidc", "forward tg/blue"]);
    let field = |name: &str| {
        let name = format!("DefaultActions.member.1.AuthenticateOidcConfig.{name}");
        production.field(&name)
    };
    assert_eq!(field("ClientId").as_deref(), Some("shop"));
    assert_eq!(field("UseExistingClientSecret").as_deref(), Some("true"));
    assert_eq!(test.field("ListenerArn").as_deref(), Some("listener/test"));
    assert_eq!(sent(test), ["forward tg/blue"]);
}

#[tokio::test]
async fn where_nothing_was_read_a_write_looks_first_and_overwrites_nothing_foreign() {
    let redirect = "<member><Type>redirect</Type><RedirectConfig><Protocol>HTTPS</Protocol>\
        <Port>443</Port></RedirectConfig></member>";
    let found = listeners(&[
        ("listener/prod", redirect),
        ("listener/test", &forward("tg/blue")),
    ]);
    let wire = Wire::new().on("DescribeListeners", found);
    let written = wire
        .aws()
        .alb_router(&infrastructure())
        .apply(move_to(Route::Production, Color::Blue), Urgency::Forward)
        .await;
    let error = written.unwrap_err().error;
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        "elasticloadbalancing:ModifyListener on listener/prod: port 80 answers with a redirect to \
         https://…:443, which is not overwritten"
    );
    assert_eq!(wire.request().operation, "DescribeListeners");
}

/// What is sent for a split, and that none of it is sent for a whole one.
#[tokio::test]
async fn users_stick_to_a_release_only_while_both_have_a_share() {
    let modified = || Reply::xml("ModifyListener", "<Listeners/>");
    let found = listeners(&[
        ("listener/prod", &forward("tg/green")),
        ("listener/test", &forward("tg/blue")),
    ]);
    let wire = Wire::new()
        .on("DescribeListeners", found)
        .on("ModifyListener", modified())
        .on("ModifyListener", modified());
    let (aws, infra) = (wire.aws(), infrastructure());
    let router = aws
        .alb_router(&infra)
        .sticky(Some(Duration::from_secs(600)));
    let whole = move_to(Route::Production, Color::Blue);
    let tenth = crate::model::PerColor { blue: 1, green: 9 };
    let part = Move {
        to: crate::model::Split::by_weight(tenth).unwrap(),
        ..whole
    };
    router.apply(part, Urgency::Forward).await.unwrap();
    router.apply(whole, Urgency::Forward).await.unwrap();
    let requests = wire.requests();
    let [_, part, whole] = requests.as_slice() else {
        panic!("{requests:?}");
    };
    let config = |request: &crate::aws::testing::Request, name: &str| {
        request.field(&format!("DefaultActions.member.1.ForwardConfig.{name}"))
    };
    for (name, expected) in [
        ("TargetGroups.member.1.TargetGroupArn", "tg/blue"),
        ("TargetGroups.member.1.Weight", "1"),
        ("TargetGroups.member.2.TargetGroupArn", "tg/green"),
        ("TargetGroups.member.2.Weight", "9"),
        ("TargetGroupStickinessConfig.Enabled", "true"),
        ("TargetGroupStickinessConfig.DurationSeconds", "600"),
    ] {
        assert_eq!(config(part, name).as_deref(), Some(expected), "{name}");
    }
    assert_eq!(sent(whole), ["forward tg/blue"]);
    assert_eq!(config(whole, "TargetGroupStickinessConfig.Enabled"), None);
}

#[test]
fn the_shifts_of_tests_are_as_patient_as_it_is() {
    let (wire, infra) = (Wire::new(), infrastructure());
    assert_eq!(wire.aws().alb_router(&infra).patience(), patience());
}
