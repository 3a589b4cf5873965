//! Production with a rule of one load balancer and the default action of another,
//! each with its own groups.

use super::*;
use crate::aws::testing::{Reply, Request, Wire};
use crate::model::Color;
use crate::model::testing::{by_several_ways, move_to};

fn forward(groups: &[(&str, u32)]) -> String {
    let groups = groups.iter().map(|(group, weight)| {
        format!(
            "<member><TargetGroupArn>{group}</TargetGroupArn><Weight>{weight}</Weight></member>"
        )
    });
    format!(
        "<member><Type>forward</Type><ForwardConfig><TargetGroups>{}</TargetGroups>\
         </ForwardConfig></member>",
        groups.collect::<String>()
    )
}

fn rule(actions: &str) -> Reply {
    let rule = format!(
        "<Rules><member><RuleArn>rule/prod</RuleArn><Actions>{actions}</Actions></member></Rules>"
    );
    Reply::xml("DescribeRules", &rule)
}

fn internal(actions: &str) -> Reply {
    let listener = format!(
        "<Listeners><member><ListenerArn>listener/internal</ListenerArn>\
         <DefaultActions>{actions}</DefaultActions></member></Listeners>"
    );
    Reply::xml("DescribeListeners", &listener)
}

fn denied() -> Reply {
    Reply::xml_error(403, "AccessDenied", "no")
}

fn asked(wire: &Wire) -> Vec<String> {
    let operation = |request: &Request| request.operation.clone();
    wire.requests().iter().map(operation).collect()
}

/// Both lead to green at first; then the writes get these answers.
fn wire(rule_written: Reply, internal_written: Reply) -> Wire {
    Wire::new()
        .on("DescribeRules", rule(&forward(&[("tg/green", 1)])))
        .on(
            "DescribeListeners",
            internal(&forward(&[("tg/internal-green", 1)])),
        )
        .on("ModifyRule", rule_written)
        .on("ModifyListener", internal_written)
}

fn done(operation: &str) -> Reply {
    Reply::xml(operation, "")
}

#[tokio::test]
async fn a_route_is_at_a_colour_when_all_its_ways_are() {
    let names = ["https://shop.example.com", "https://shop.internal"];
    for (group, expected) in [
        ("tg/internal-green", "green".to_owned()),
        // From the other pair, but green as well.
        ("tg/green", "green".to_owned()),
        (
            "tg/internal-blue",
            format!("green at {}, and blue at {}", names[0], names[1]),
        ),
        (
            "tg/theirs",
            format!(
                "forwards to a stranger's target group tg/theirs at {}",
                names[1]
            ),
        ),
    ] {
        let wire = Wire::new()
            .on("DescribeRules", rule(&forward(&[("tg/green", 1)])))
            .on("DescribeListeners", internal(&forward(&[(group, 1)])));
        let infra = by_several_ways();
        let found = wire.aws().alb_router(&infra).read().await.unwrap();
        assert_eq!(found.production.to_string(), expected, "{group}");
        assert_eq!(found.test, Found::ByRequest);
    }
}

/// Each within its own groups.
#[tokio::test]
async fn all_ways_are_moved_one_after_the_other() {
    let wire = wire(done("ModifyRule"), done("ModifyListener"));
    let (aws, infra) = (wire.aws(), by_several_ways());
    let quarter = Move {
        to: Split::with_share(Color::Blue, 2500),
        ..move_to(Route::Production, Color::Blue)
    };
    let moved = aws
        .alb_router(&infra)
        .apply(quarter, Urgency::Forward)
        .await;
    moved.unwrap();
    wire.assert_used_up();
    let written = &wire.requests()[2..];
    let split = |request: &Request, list: &str| {
        let field = |n: u8, name: &str| {
            let path = format!("{list}.member.1.ForwardConfig.TargetGroups.member.{n}.{name}");
            request.field(&path).unwrap()
        };
        [1, 2].map(|n| (field(n, "TargetGroupArn"), field(n, "Weight")))
    };
    let pair = |blue: &str, green: &str| {
        [(blue, "1"), (green, "3")].map(|(group, weight)| (group.to_owned(), weight.to_owned()))
    };
    assert_eq!(split(&written[0], "Actions"), pair("tg/blue", "tg/green"));
    assert_eq!(
        split(&written[1], "DefaultActions"),
        pair("tg/internal-blue", "tg/internal-green")
    );
}

#[tokio::test]
async fn a_way_that_is_refused_keeps_the_next_from_being_moved_and_never_from_going_back() {
    let reads = ["DescribeRules", "DescribeListeners"];
    for (urgency, writes) in [
        (Urgency::Forward, &["ModifyRule"][..]),
        (Urgency::Back, &["ModifyRule", "ModifyListener"]),
    ] {
        let wire = wire(denied(), done("ModifyListener"));
        let (aws, infra) = (wire.aws(), by_several_ways());
        let router = aws.alb_router(&infra);
        router.read().await.unwrap();
        let moved = router.apply(move_to(Route::Production, Color::Blue), urgency);
        let unmoved = moved.await.unwrap_err();
        assert_eq!(unmoved.is_in_part, urgency == Urgency::Back);
        assert_eq!(unmoved.error.resource, "rule/prod");
        let mut asked = asked(&wire);
        asked.sort();
        let mut expected = [&reads, writes].concat();
        expected.sort_unstable();
        assert_eq!(asked, expected, "{urgency:?}");
    }
}

/// If one of them does something of somebody else's, that is not overwritten, and the
/// other is not moved without it.
#[tokio::test]
async fn where_one_way_cannot_be_moved_none_is() {
    let wire = Wire::new()
        .on("DescribeRules", rule(&forward(&[("tg/green", 1)])))
        .on("DescribeListeners", internal(&forward(&[("tg/theirs", 1)])));
    let (aws, infra) = (wire.aws(), by_several_ways());
    let blue = move_to(Route::Production, Color::Blue);
    let error = aws.alb_router(&infra).apply(blue, Urgency::Forward).await;
    let error = error.unwrap_err().error;
    assert_eq!(
        error.to_string(),
        "elasticloadbalancing:ModifyListener on listener/internal: https://shop.internal forwards \
         to a stranger's target group tg/theirs, which is not overwritten"
    );
    assert_eq!(wire.requests().len(), 2);
}

/// A colour is as healthy as its worst group.
#[tokio::test]
async fn a_colour_serves_where_all_its_groups_do() {
    let targets = |states: &[&str]| {
        let members: String = states
            .iter()
            .map(|state| {
                format!(
                    "<member><Target><Id>10.0.0.1</Id></Target><TargetHealth><State>{state}\
                     </State></TargetHealth></member>"
                )
            })
            .collect();
        Reply::xml(
            "DescribeTargetHealth",
            &format!("<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"),
        )
    };
    for (first, second, healthy, registered) in [
        (&["healthy"; 2][..], &["healthy"; 2][..], 2, 2),
        (&["healthy"; 2], &["healthy", "unhealthy"], 1, 2),
        (&["healthy"; 2], &[], 0, 0),
        (&["unused"; 2], &["healthy"; 2], 0, 2),
    ] {
        let wire = Wire::new()
            .on("DescribeTargetHealth", targets(first))
            .on("DescribeTargetHealth", targets(second));
        let (aws, infra) = (wire.aws(), by_several_ways());
        let health = aws.color_health(&infra, Color::Blue).await.unwrap();
        assert_eq!(
            (health.healthy(), health.registered()),
            (healthy, registered)
        );
        let mut groups: Vec<_> = wire
            .requests()
            .iter()
            .filter_map(|request| request.field("TargetGroupArn"))
            .collect();
        groups.sort();
        assert_eq!(groups, ["tg/blue", "tg/internal-blue"]);
    }
}

#[test]
fn what_a_person_has_to_put_right_is_all_of_it() {
    let infra = by_several_ways();
    for (named, expected) in [
        (
            infra.groups_named(Color::Blue),
            "tg/blue and tg/internal-blue",
        ),
        (
            infra.places_named(Route::Production),
            "rule/prod and listener/internal",
        ),
        (infra.places_named(Route::Test), "rule/blue and rule/green"),
    ] {
        assert_eq!(named, expected);
    }
}
