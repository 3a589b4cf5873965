//! The policy of a worker of uploads.

use super::*;
use crate::aws::policy::table::WORKER;

fn served(apps: &[&str]) -> Value {
    let deployers: Vec<Value> = apps
        .iter()
        .map(|app| of(Role::Deployer, app, Some("eu-west-1")))
        .collect();
    let names = WorkerNames {
        name: &"shop".parse().unwrap(),
        place: &place(Some("eu-west-1")),
        bucket: "bgecs-shop-worker-bucket-*".to_owned(),
        topic: None,
    };
    to_serve(&names, &deployers)
}

/// Every action on every resource, with its condition.
fn grants_of(policy: &Value) -> BTreeSet<(String, String, String)> {
    let statements = statements(policy).iter();
    let all = statements.flat_map(|it| {
        let condition = it["Condition"].to_string();
        let actions = texts(&it["Action"]).into_iter();
        actions.flat_map(move |action| {
            let condition = condition.clone();
            let on = texts(&it["Resource"]).into_iter();
            on.map(move |on| (action.to_owned(), on.to_owned(), condition.clone()))
        })
    });
    all.collect()
}

#[test]
fn a_worker_may_what_its_apps_deployers_may_and_take_uploads() {
    let mut wanted = grants_of(&of(Role::Deployer, "site", Some("eu-west-1")));
    let worker = WORKER.iter().flat_map(|grant| grant.needs).count();
    let granted = grants_of(&served(&["site"]));
    assert!(granted.is_superset(&wanted));
    assert_eq!(granted.len(), wanted.len() + worker);
    // Nothing that creates or removes its own resources.
    wanted.extend(granted.clone());
    for (action, on, _) in granted.iter().filter(|(_, on, _)| on.contains("worker")) {
        let is_taken = action == "sqs:DeleteMessage";
        let makes = [":Create", ":Delete", ":Put", ":Set", ":Tag"];
        let makes = makes.iter().any(|part| action.contains(part));
        assert!(is_taken || !makes, "{action} on {on}");
    }
}

/// One statement for all apps if the rest is the same; and nothing beyond the two
/// policies.
#[test]
fn the_policies_of_several_apps_are_joined_and_not_widened() {
    let both = served(&["site", "api"]);
    let one = served(&["site"]);
    assert_eq!(statements(&both).len(), statements(&one).len());
    let mut wanted = grants_of(&one);
    wanted.extend(grants_of(&served(&["api"])));
    let unconditional = |all: &BTreeSet<(String, String, String)>| {
        let plain = all.iter().filter(|(_, _, condition)| condition == "null");
        plain.cloned().collect::<BTreeSet<_>>()
    };
    assert_eq!(unconditional(&grants_of(&both)), unconditional(&wanted));
    let lists = statements(&both).iter().find(|it| it["Sid"] == "ListTasks");
    let clusters = ["site", "api"].map(|app| format!("arn:*:ecs:eu-west-1:*:cluster/bgecs-{app}"));
    assert_eq!(
        lists.unwrap()["Condition"],
        json!({ "ArnLikeIfExists": { "ecs:cluster": clusters } })
    );
    let twice = served(&["site", "site"]);
    assert_eq!(twice, one);
}

/// Statements with different kinds of conditions stay separate, with names of their own.
#[test]
fn what_cannot_be_joined_stays_apart() {
    let condition = |operator: &str| json!({ operator: { "aws:ResourceTag/x": ["1"] } });
    let of = |condition: Value, on: &str| {
        json!({ "Statement": [{
            "Sid": "Move", "Effect": "Allow", "Action": ["a:Move"], "Resource": [on], "Condition": condition,
        }] })
    };
    let names = WorkerNames {
        name: &"shop".parse().unwrap(),
        place: &AwsPlace::default(),
        bucket: String::new(),
        topic: None,
    };
    let all = [
        of(condition("StringEquals"), "one"),
        of(condition("StringLike"), "one"),
        of(condition("StringEquals"), "two"),
        of(
            json!({ "StringLike": { "aws:ResourceTag/x": ["2"] } }),
            "two",
        ),
    ];
    let policy = to_serve(&names, &all);
    let moves = statements(&policy).iter().skip(WORKER.len());
    let moves: Vec<(&str, Vec<&str>)> = moves
        .map(|it| (it["Sid"].as_str().unwrap(), texts(&it["Resource"])))
        .collect();
    assert_eq!(
        moves,
        [
            ("Move", vec!["one", "two"]),
            ("Move2", vec!["one"]),
            ("Move3", vec!["two"])
        ]
    );
}

#[test]
fn a_topic_that_is_there_is_the_one_that_is_told() {
    let arn = "arn:aws:sns:eu-west-1:123456789012:releases"
        .parse()
        .unwrap();
    let names = WorkerNames {
        name: &"shop".parse().unwrap(),
        place: &AwsPlace::default(),
        bucket: String::new(),
        topic: Some(&arn),
    };
    let policy = to_serve(&names, &[]);
    let tells = statements(&policy)
        .iter()
        .find(|it| it["Sid"] == "TellOfReleases");
    assert_eq!(texts(&tells.unwrap()["Resource"]), [arn.as_str()]);
}
