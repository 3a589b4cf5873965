use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire, listeners};
use crate::model::Color;
use crate::model::testing::infrastructure;

fn stacks(named: &[(&str, &str, &str)], next: Option<&str>) -> Reply {
    let stack = |(name, tag, status): &(&str, &str, &str)| {
        format!(
            "<member><StackName>{name}</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime>\
             <StackStatus>{status}</StackStatus><Tags><member><Key>{tag}</Key><Value>hello</Value></member></Tags></member>"
        )
    };
    let members: String = named.iter().map(stack).collect();
    let next = next.map_or_else(String::new, |it| format!("<NextToken>{it}</NextToken>"));
    Reply::xml(
        "DescribeStacks",
        &format!("<Stacks>{members}</Stacks>{next}"),
    )
}

#[tokio::test]
async fn stacks_are_apps_by_their_tag_and_their_name() {
    let all = [
        ("bgecs-hello", "bgecs:app", "CREATE_COMPLETE"),
        // Somebody's own stack, tagged because it belongs to the app.
        ("network", "bgecs:app", "CREATE_COMPLETE"),
        ("bgecs-hello", "app", "CREATE_COMPLETE"),
        ("bgecs-hello", "bgecs:app", "DELETE_COMPLETE"),
    ];
    let wire = Wire::new().on("DescribeStacks", stacks(&all, Some("2")));
    let page = wire
        .aws()
        .read_app_stacks(Some("1".to_owned()))
        .await
        .unwrap();
    assert_eq!(page.next.as_deref(), Some("2"));
    let [it] = &page.apps[..] else {
        panic!("{:?}", page.apps)
    };
    assert_eq!((it.app.as_str(), &*it.stack.name), ("hello", "bgecs-hello"));
    let request = wire.request();
    assert_eq!(request.field("NextToken").as_deref(), Some("1"));
    assert_eq!(request.field("StackName"), None);
}

/// Another app, whose two listeners are the same.
fn gone() -> EcsInfrastructure {
    let text = format!("{:?}", infrastructure().places);
    assert!(text.contains("listener/prod"), "{text}");
    let mut gone = infrastructure();
    let place = Place::Listener(crate::model::ListenerArn::new("listener/gone"));
    gone.places.production = place.clone();
    gone.places.test = crate::model::TestPlace::At(place);
    gone
}

#[tokio::test]
async fn one_listener_that_is_gone_hides_no_others() {
    let refused = || Reply::xml_error(400, "ListenerNotFound", "One or more listeners not found");
    let wire = Wire::new()
        // First all three, then the halves (gone; prod and test), starting with the last.
        .on("DescribeListeners", refused())
        .on("DescribeListeners", listeners())
        .on("DescribeListeners", refused());
    let (aws, there, gone) = (wire.aws(), infrastructure(), gone());
    let all = aws.read_actions([&there, &gone].into_iter()).await;
    let found = aws.routes_among(&there, &all).unwrap();
    assert_eq!(found.production.only(), Some(Color::Green));
    let error = aws.routes_among(&gone, &all).unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::NotFound, "{error}");
    wire.assert_used_up();
}

#[tokio::test]
async fn whoever_may_not_look_asks_once() {
    let denied = Reply::xml_error(403, "AccessDenied", "not authorized");
    let wire = Wire::new().on("DescribeListeners", denied);
    let (aws, infra) = (wire.aws(), infrastructure());
    let all = aws.read_actions([&infra].into_iter()).await;
    let error = aws.routes_among(&infra, &all).unwrap_err();
    assert_eq!(error.kind, AwsErrorKind::Denied);
    assert_eq!(wire.requests().len(), 1);
}

#[tokio::test]
async fn services_of_several_apps_in_one_cluster_are_one_call() {
    let service = |name: &str, status: &str| json!({ "serviceName": name, "status": status, "desiredCount": 3, "taskDefinition": "t:1" });
    let services = json!({ "services": [
        service("shop", "ACTIVE"), service("admin-green", "ACTIVE"), service("admin", "INACTIVE"),
    ]});
    let wire = Wire::new().on("DescribeServices", Reply::json(&services));
    let of = |blue: &str, green: &str| {
        let [blue, green] = [blue, green].map(str::to_owned);
        ColorServices::new("prod", PerColor { blue, green })
    };
    let (shop, admin) = (of("shop", "shop-green"), of("admin", "admin-green"));
    let found = wire.aws().read_services_of("prod", &[&shop, &admin]).await;
    let found = found.unwrap();
    let is_there = |it: &PerColor<Option<ServiceState>>| (it.blue.is_some(), it.green.is_some());
    let there: Vec<_> = found.iter().map(is_there).collect();
    assert_eq!(there, [(true, false), (false, true)]);
    assert_eq!(
        wire.request().json(),
        json!({ "cluster": "prod", "services": ["shop", "shop-green", "admin", "admin-green"] })
    );
}
