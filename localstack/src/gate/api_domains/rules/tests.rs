use super::*;
use serde_json::{Value, json};

/// Rules by their priority, what they match and the API that they invoke.
fn rules(all: &[(u32, Value, &str)]) -> Vec<Rule> {
    let rule = |(priority, conditions, api): &(u32, Value, &str)| {
        let wanted = json!({
            "priority": priority,
            "conditions": conditions,
            "actions": [{"invokeApi": {"apiId": api, "stage": "live", "stripBasePath": true}}],
        });
        Rule {
            routing_rule_id: format!("r{priority}"),
            routing_rule_arn: String::new(),
            wanted: serde_json::from_value(wanted).unwrap(),
        }
    };
    all.iter().map(rule).collect()
}

fn header(name: &str, glob: &str) -> Value {
    json!({"matchHeaders": {"anyOf": [{"header": name, "valueGlob": glob}]}})
}

fn base(paths: &[&str]) -> Value {
    json!({"matchBasePaths": {"anyOf": paths}})
}

fn headers(all: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        let name = hyper::header::HeaderName::from_static(name);
        (name, hyper::header::HeaderValue::from_static(value))
    };
    all.iter().map(pair).collect()
}

/// Which API is invoked, and with which path.
fn invoked(way: Way) -> Option<(String, String)> {
    match way {
        Way::Invoke { api, path, .. } => Some((api, path)),
        Way::Mapping | Way::Forbidden => None,
    }
}

#[test]
fn of_the_rules_that_match_the_lowest_priority_is_taken_in_whatever_order_they_are() {
    let all = rules(&[
        (100, json!([]), "rest"),
        (10, json!([header("hello", "world")]), "one"),
        (
            50,
            json!([header("hello", "world"), header("x-version", "beta")]),
            "two",
        ),
    ]);
    for (asked, api) in [
        (headers(&[("hello", "world"), ("x-version", "beta")]), "one"),
        (headers(&[("x-version", "beta")]), "rest"),
        (headers(&[]), "rest"),
    ] {
        let to = invoked(way(Mode::RoutingRuleOnly, &all, "/a", &asked));
        assert_eq!(to.unwrap().0, api, "{asked:?}");
    }
}

#[test]
fn without_a_rule_that_matches_the_mode_decides() {
    let all = rules(&[(1, json!([header("hello", "world")]), "one")]);
    let none = headers(&[]);
    let way_in = |mode, headers| way(mode, &all, "/", headers);
    assert_eq!(way_in(Mode::RoutingRuleOnly, &none), Way::Forbidden);
    assert_eq!(way_in(Mode::RoutingRuleThenApiMapping, &none), Way::Mapping);
    let asked = headers(&[("hello", "world")]);
    assert_eq!(way_in(Mode::ApiMappingOnly, &asked), Way::Mapping);
    assert!(invoked(way_in(Mode::RoutingRuleThenApiMapping, &asked)).is_some());
}

#[test]
fn a_header_is_matched_whatever_the_case_of_its_name_and_whole_but_for_wildcards() {
    for (glob, matches, not) in [
        ("World", &["World"][..], &["world", "Worlds", "aWorld"][..]),
        ("a*", &["a", "alpha"], &["beta", "Alpha"]),
        ("*a", &["a", "beta"], &["users"]),
        ("*v*", &["v", "version", "anv"], &["x"]),
        ("*", &["", "anything"], &[]),
    ] {
        assert!(matches.iter().all(|value| globs(glob, value)), "{glob}");
        assert!(!not.iter().any(|value| globs(glob, value)), "{glob}");
    }
    let all = rules(&[(1, json!([header("X-Version", "beta")]), "one")]);
    let asked = headers(&[("x-version", "alpha"), ("x-version", "beta")]);
    let way = way(Mode::RoutingRuleOnly, &all, "/", &asked);
    assert!(invoked(way).is_some());
}

#[test]
fn a_base_path_is_matched_by_whole_parts_and_stripped() {
    let all = rules(&[(1, json!([base(&["shop/eu", "users"])]), "one")]);
    let none = headers(&[]);
    for (path, stripped) in [
        ("/users", Some("/")),
        ("/users/7", Some("/7")),
        ("/shop/eu/cart", Some("/cart")),
        ("/shop", None),
        ("/userspace", None),
        ("/Users", None),
        ("/a/users", None),
    ] {
        let to = invoked(way(Mode::RoutingRuleOnly, &all, path, &none));
        assert_eq!(to.map(|(_, path)| path).as_deref(), stripped, "{path}");
    }
    let mut kept = all;
    let [action] = &mut kept[0].wanted.actions;
    action.invoke_api.strip_base_path = false;
    let to = invoked(way(Mode::RoutingRuleOnly, &kept, "/users/7", &none));
    assert_eq!(to, Some(("one".to_owned(), "/users/7".to_owned())));
}

#[test]
fn a_rule_that_cannot_be_is_told_from_one_that_can() {
    let conditions = json!([header("a", "1"), header("b", "1"), base(&["c"])]);
    let mut can = rules(&[(1_000_000, conditions, "one")]).remove(0).wanted;
    assert_eq!(can.fault(), None);
    let mut third = can.clone();
    third.conditions.push(third.conditions[0].clone());
    assert!(third.fault().is_some());
    for priority in [0, 1_000_001] {
        can.priority = priority;
        assert!(can.fault().is_some());
    }
    let none: Value = json!({"priority": 1, "actions": []});
    assert!(serde_json::from_value::<Wanted>(none).is_err());
}

#[test]
fn a_rule_is_told_as_it_was_written() {
    let rule = rules(&[(7, json!([header("a", "1"), base(&["c"])]), "one")]).remove(0);
    assert_eq!(
        json!(rule),
        json!({
            "routingRuleId": "r7",
            "routingRuleArn": "",
            "priority": 7,
            "conditions": [header("a", "1"), base(&["c"])],
            "actions": [{"invokeApi": {"apiId": "one", "stage": "live", "stripBasePath": true}}],
        })
    );
}
