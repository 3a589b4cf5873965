//! The rule as the router reads and writes it.

use std::time::Duration;

use crate::aws::error::AwsErrorKind;
use crate::aws::router::Router;
use crate::aws::testing::{Reply, Request, Wire, listeners};
use crate::error::Error;
use crate::model::testing::{by_rules, infrastructure, move_to, to};
use crate::model::{
    Color, EcsInfrastructure, Found, Move, PerColor, Place, Places, Route, RuleArn, Split,
    TestPlace, Urgency,
};

const BY_HOST: &str = "<Conditions><member><Field>host-header</Field><HostHeaderConfig><Values>\
    <member>shop.example.com</member></Values></HostHeaderConfig></member></Conditions>";
const SIGN_IN: &str = "<member><Type>authenticate-oidc</Type><Order>1</Order><AuthenticateOidcConfig>\
    <Issuer>https://id.example</Issuer><AuthorizationEndpoint>https://id.example/a</AuthorizationEndpoint>\
    <TokenEndpoint>https://id.example/t</TokenEndpoint><UserInfoEndpoint>https://id.example/u</UserInfoEndpoint>\
    <ClientId>shop</ClientId></AuthenticateOidcConfig></member>";

fn rule(arn: &str, actions: &str) -> Reply {
    Reply::xml(
        "DescribeRules",
        &format!(
            "<Rules><member><RuleArn>{arn}</RuleArn><Priority>10</Priority>{BY_HOST}\
             <Actions>{actions}</Actions></member></Rules>"
        ),
    )
}

fn forward(group: &str) -> String {
    format!("<member><Type>forward</Type><TargetGroupArn>{group}</TargetGroupArn></member>")
}

fn modified() -> Reply {
    Reply::xml("ModifyRule", "<Rules/>")
}

/// Everything that is sent, except for what every request has.
fn sent(request: &Request) -> Vec<String> {
    let fields: Vec<(String, String)> = serde_urlencoded::from_str(&request.body).unwrap();
    let own = fields
        .iter()
        .filter(|(name, _)| !["Action", "Version"].contains(&name.as_str()));
    own.map(|(name, value)| format!("{name}={value}")).collect()
}

#[tokio::test]
async fn a_test_route_by_header_is_where_it_is_and_costs_no_call() {
    let wire = Wire::new().on("DescribeRules", rule("rule/prod", &forward("tg/green")));
    let (aws, infra) = (wire.aws(), by_rules());
    let router = aws.alb_router(&infra);
    let found = router.read().await.unwrap();
    assert_eq!(
        (found.production, found.test),
        (to(Color::Green), Found::ByRequest)
    );
    assert_eq!(sent(&wire.request()), ["RuleArns.member.1=rule/prod"]);

    // It is not moved either.
    let moved = router
        .apply(move_to(Route::Test, Color::Blue), Urgency::Forward)
        .await;
    let error = moved.unwrap_err().error;
    assert!(!error.is_retryable());
    assert_eq!(
        error.to_string(),
        "elasticloadbalancing:ModifyRule on rule/blue and rule/green: header x-bgecs-color is not \
         moved: each request names its colour"
    );
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn a_rule_and_a_listener_are_read_in_a_call_each() {
    let infra = EcsInfrastructure {
        places: Places {
            production: Place::Rule(RuleArn::new("rule/prod")),
            ..infrastructure().places
        },
        ..infrastructure()
    };
    assert!(matches!(infra.places.test, TestPlace::At(_)));
    let wire = Wire::new()
        .on("DescribeListeners", listeners())
        .on("DescribeRules", rule("rule/prod", &forward("tg/blue")));
    let found = wire.aws().alb_router(&infra).read().await.unwrap();
    assert_eq!(found.map(Found::only).production, Some(Color::Blue));
    assert_eq!(found.map(Found::only).test, Some(Color::Blue));
    let asked: Vec<_> = wire.requests().iter().flat_map(sent).collect();
    assert_eq!(
        asked,
        [
            "ListenerArns.member.1=listener/test",
            "RuleArns.member.1=rule/prod"
        ]
    );
}

/// What a person has set in the rule stays; its conditions are not sent.
#[tokio::test]
async fn only_the_forward_of_a_rule_is_changed() {
    let signed_in = format!("{SIGN_IN}{}", forward("tg/green"));
    let wire = Wire::new()
        .on("DescribeRules", rule("rule/prod", &signed_in))
        .on("ModifyRule", modified());
    let (aws, infra) = (wire.aws(), by_rules());
    aws.clone().alb_router(&infra).read().await.unwrap();
    let blue = move_to(Route::Production, Color::Blue);
    aws.alb_router(&infra)
        .apply(blue, Urgency::Forward)
        .await
        .unwrap();
    wire.assert_used_up();
    let action = |field: &str| format!("Actions.member.{field}");
    assert_eq!(
        sent(&wire.requests()[1]),
        [
            "RuleArn=rule/prod".to_owned(),
            action("1.Type=authenticate-oidc"),
            action("1.AuthenticateOidcConfig.Issuer=https://id.example"),
            action("1.AuthenticateOidcConfig.AuthorizationEndpoint=https://id.example/a"),
            action("1.AuthenticateOidcConfig.TokenEndpoint=https://id.example/t"),
            action("1.AuthenticateOidcConfig.UserInfoEndpoint=https://id.example/u"),
            action("1.AuthenticateOidcConfig.ClientId=shop"),
            action("1.AuthenticateOidcConfig.UseExistingClientSecret=true"),
            action("1.Order=1"),
            action("2.Type=forward"),
            action("2.TargetGroupArn=tg/blue"),
        ]
    );
}

#[tokio::test]
async fn a_rule_is_split_by_weights_and_sticky_while_it_is() {
    let wire = Wire::new()
        .on("DescribeRules", rule("rule/prod", &forward("tg/green")))
        .on("ModifyRule", modified());
    let (aws, infra) = (wire.aws(), by_rules());
    let router = aws
        .alb_router(&infra)
        .sticky(Some(Duration::from_secs(600)));
    let tenth = Move {
        to: Split::by_weight(PerColor { blue: 1, green: 9 }).unwrap(),
        ..move_to(Route::Production, Color::Blue)
    };
    // Nothing was read yet, so it looks first.
    router.apply(tenth, Urgency::Forward).await.unwrap();
    let config = |field: &str| format!("Actions.member.1.ForwardConfig.{field}");
    assert_eq!(
        sent(&wire.requests()[1]),
        [
            "RuleArn=rule/prod".to_owned(),
            "Actions.member.1.Type=forward".to_owned(),
            config("TargetGroups.member.1.TargetGroupArn=tg/blue"),
            config("TargetGroups.member.1.Weight=1"),
            config("TargetGroups.member.2.TargetGroupArn=tg/green"),
            config("TargetGroups.member.2.Weight=9"),
            config("TargetGroupStickinessConfig.Enabled=true"),
            config("TargetGroupStickinessConfig.DurationSeconds=600"),
        ]
    );
}

#[tokio::test]
async fn what_somebody_else_made_of_a_rule_is_not_overwritten() {
    let redirect = "<member><Type>redirect</Type><RedirectConfig><Host>old.example.com</Host>\
        </RedirectConfig></member>";
    for (actions, told) in [
        (
            redirect.to_owned(),
            "port 80 answers with a redirect to …://old.example.com",
        ),
        (
            forward("tg/theirs"),
            "port 80 forwards to a stranger's target group tg/theirs",
        ),
    ] {
        let wire = Wire::new().on("DescribeRules", rule("rule/prod", &actions));
        let (aws, infra) = (wire.aws(), by_rules());
        let blue = move_to(Route::Production, Color::Blue);
        let error = aws
            .alb_router(&infra)
            .apply(blue, Urgency::Forward)
            .await
            .unwrap_err()
            .error;
        assert_eq!(
            error.to_string(),
            format!(
                "elasticloadbalancing:ModifyRule on rule/prod: {told}, which is not overwritten"
            )
        );
        assert_eq!(wire.requests().len(), 1);
    }
}

/// Whether AWS returns an error, or leaves it out.
#[tokio::test]
async fn a_rule_that_is_gone_is_said_to_be_with_the_way_out() {
    for reply in [
        Reply::xml_error(400, "RuleNotFound", "One or more rules not found"),
        rule("rule/another", &forward("tg/blue")),
    ] {
        let wire = Wire::new().on("DescribeRules", reply);
        let error = wire.aws().alb_router(&by_rules()).read().await.unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::NotFound);
        let error = Error::from(error);
        assert_eq!(error.message, "the rule rule/prod is gone");
        assert_eq!(
            error.hint.unwrap(),
            "something else deleted it: a rule of users' has to be made again, and named under \
             [production] in bgecs.toml; one of testers' goes with [test] out of it; then \
             `bgecs attach`"
        );
    }
}
