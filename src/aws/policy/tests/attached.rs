//! The policies for an app beside a service that existed before.

use super::*;
use crate::aws::attached_template;
use crate::aws::policy::table::WhyNeeded;
use crate::model::testing::attachment;
use crate::model::{Attachment, ListenerCopy, TestWay};

const LISTENER: &str =
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/shared/b1/l1";

fn way() -> PolicyWay {
    let rule = LISTENER.replace(":listener/", ":listener-rule/");
    PolicyWay {
        listener: NamedListener::Arn(ListenerArn::new(LISTENER)),
        moved: MovedAt::Rule(Some(format!("{rule}/r1"))),
    }
}

fn names() -> AttachedNames {
    AttachedNames {
        cluster: "prod".to_owned(),
        service: "web".to_owned(),
        made: Color::Green,
        ways: vec![way()],
        tested: TestedAt::Header,
        roles: vec![
            "arn:aws:iam::123456789012:role/starts".to_owned(),
            "runs".to_owned(),
        ],
        repository: Some("team/web".to_owned()),
        log_group: Some("/ecs/web".to_owned()),
    }
}

fn printed(role: Role, names: &AttachedNames) -> Value {
    let place = AwsPlace {
        account: Some("123456789012".parse().unwrap()),
        ..super::place(Some("eu-west-1"))
    };
    of_attached(role, &"shop".parse().unwrap(), &place, names)
}

/// The resources on which an action is allowed.
fn on<'a>(policy: &'a Value, action: &str) -> Vec<&'a str> {
    let statements = statements(policy).iter();
    let of_action = statements.filter(|it| texts(&it["Action"]).contains(&action));
    of_action.flat_map(|it| texts(&it["Resource"])).collect()
}

#[test]
fn the_deployer_changes_two_services_one_rule_and_passes_two_roles() {
    let policy = printed(Role::Deployer, &names());
    let ecs = "arn:*:ecs:eu-west-1:123456789012";
    let services = ["web", "bgecs-shop-green"].map(|it| format!("{ecs}:service/prod/{it}"));
    let updated = on(&policy, "ecs:UpdateService");
    assert_eq!(updated[..2], services);
    assert_eq!(
        updated[2..],
        [
            format!("{ecs}:task/prod/*"),
            format!("{ecs}:task-definition/bgecs-shop:*")
        ]
    );
    let rule = LISTENER.replace(":listener/", ":listener-rule/") + "/r1";
    assert_eq!(on(&policy, "elasticloadbalancing:ModifyRule"), [rule]);
    assert!(on(&policy, "elasticloadbalancing:ModifyListener").is_empty());
    assert_eq!(
        on(&policy, "iam:PassRole"),
        [
            "arn:aws:iam::123456789012:role/starts",
            "arn:*:iam::123456789012:role/runs"
        ]
    );
    assert_eq!(
        on(&policy, "ecr:PutImage"),
        ["arn:*:ecr:eu-west-1:123456789012:repository/team/web"]
    );
    let logs = "arn:*:logs:eu-west-1:123456789012:log-group:/ecs/web";
    assert_eq!(
        on(&policy, "logs:GetLogEvents"),
        [logs.to_owned(), format!("{logs}:*")]
    );
}

#[test]
fn a_place_that_no_arn_names_is_as_narrow_as_the_file_says() {
    let elb = "arn:*:elasticloadbalancing:eu-west-1:123456789012";
    let rules = LISTENER.replace(":listener/", ":listener-rule/") + "/*";
    let of_shared = NamedListener::Of("shared".to_owned());
    let by_arn = way().listener;
    for (listener, moved, action, expected) in [
        (
            &by_arn,
            MovedAt::Listener,
            "ModifyListener",
            LISTENER.to_owned(),
        ),
        (&by_arn, MovedAt::Rule(None), "ModifyRule", rules),
        (
            &of_shared,
            MovedAt::Listener,
            "ModifyListener",
            format!("{elb}:listener/app/shared/*"),
        ),
        (
            &of_shared,
            MovedAt::Rule(None),
            "ModifyRule",
            format!("{elb}:listener-rule/app/shared/*"),
        ),
    ] {
        let listener = listener.clone();
        let names = AttachedNames {
            ways: vec![PolicyWay { listener, moved }],
            ..names()
        };
        let policy = printed(Role::Deployer, &names);
        let action = format!("elasticloadbalancing:{action}");
        assert_eq!(on(&policy, &action), [expected]);
    }
}

/// Two of them at one listener, and a third at another load balancer's listener.
#[test]
fn each_way_by_which_users_come_in_is_moved_and_nothing_else() {
    let internal = LISTENER.replace("shared/b1/l1", "internal/b2/l2");
    let by_default = |arn: &str| PolicyWay {
        listener: NamedListener::Arn(ListenerArn::new(arn)),
        moved: MovedAt::Listener,
    };
    let ways = vec![way(), by_default(&internal), by_default(LISTENER)];
    let names = AttachedNames { ways, ..names() };
    let policy = printed(Role::Deployer, &names);
    let rule = LISTENER.replace(":listener/", ":listener-rule/") + "/r1";
    assert_eq!(on(&policy, "elasticloadbalancing:ModifyRule"), [rule]);
    let moved = on(&policy, "elasticloadbalancing:ModifyListener");
    assert_eq!(moved, [&internal, LISTENER]);
    let sids = statements(&policy).iter().map(|it| it["Sid"].to_string());
    let sids: Vec<String> = sids.collect();
    let once: std::collections::BTreeSet<&String> = sids.iter().collect();
    assert_eq!(once.len(), sids.len(), "{sids:?}");
    // Each listener that gets a rule for testers.
    let policy = printed(Role::Operator, &names);
    let makes = on(&policy, "elasticloadbalancing:CreateRule");
    assert_eq!(makes, [LISTENER, &internal]);
}

/// Nothing that belongs to the owner is created, removed or given the app's tag.
#[test]
fn the_operator_makes_and_removes_what_is_the_apps_alone() {
    let policy = printed(Role::Operator, &names());
    assert_eq!(on(&policy, "elasticloadbalancing:CreateRule"), [LISTENER]);
    for action in ["ecr:CreateRepository", "logs:DeleteLogGroup"] {
        assert!(on(&policy, action).is_empty(), "{action}");
    }
    for statement in statements(&policy) {
        for on in texts(&statement["Resource"]) {
            let is_own = on.contains("bgecs-shop") || statement["Condition"].is_object();
            let only_makes = statement["Sid"] == "TestRules" || on == "*";
            assert!(is_own || only_makes, "{on}");
        }
    }
    let without = AttachedNames {
        repository: None,
        log_group: None,
        roles: Vec::new(),
        ..names()
    };
    let policy = printed(Role::Operator, &without);
    let ecr = "arn:*:ecr:eu-west-1:123456789012:repository/bgecs-shop";
    assert_eq!(on(&policy, "ecr:CreateRepository"), [ecr]);
    assert_eq!(on(&policy, "ecr:DeleteRepository"), [""; 0]);
    let deployer = printed(Role::Deployer, &without);
    assert_eq!(on(&deployer, "ecr:PutImage"), [ecr]);
    assert!(on(&deployer, "iam:PassRole").is_empty());
}

#[test]
fn both_are_filled_in_and_as_short_as_iam_asks() {
    let tested = [TestedAt::Header, TestedAt::Rule, TestedAt::Listener];
    let all = tested
        .iter()
        .flat_map(|tested| ROLES.map(|role| (role, *tested)));
    for (role, tested) in all {
        let names = AttachedNames { tested, ..names() };
        let written = printed(role, &names).to_string();
        let characters = written.chars().filter(|c| !c.is_whitespace()).count();
        assert!(characters <= MOST_CHARACTERS, "{role:?}: {characters}");
        // A remaining brace is a placeholder that was not filled in.
        assert!(
            !written.contains("\"{") && !written.contains(":{s"),
            "{written}"
        );
        for open in [
            "{stack}",
            "{made}",
            "{rules}",
            "{own-listeners}",
            "{load-balancer}",
            "{account}",
            "{region}",
            "{app}",
        ] {
            assert!(!written.contains(open), "{open}");
        }
    }
}

/// The testers' place is distinguished from its neighbours by its tag.
#[test]
fn a_place_of_testers_is_moved_by_its_tag() {
    let condition = json!({ "StringEquals": { "aws:ResourceTag/bgecs:app": ["shop"] } });
    let moves = |tested, action: &str| {
        let names = AttachedNames { tested, ..names() };
        let policy = printed(Role::Deployer, &names);
        let mut found = statements(&policy).iter();
        found.find(|it| it["Sid"] == "MoveTesters").map(|it| {
            assert_eq!(
                it["Action"],
                json!([format!("elasticloadbalancing:{action}")])
            );
            assert_eq!(it["Condition"], condition);
            it["Resource"][0].as_str().unwrap().to_owned()
        })
    };
    let rules = LISTENER.replace(":listener/", ":listener-rule/") + "/*";
    let beside = LISTENER.replace("/l1", "/*");
    assert_eq!(moves(TestedAt::Header, ""), None);
    assert_eq!(moves(TestedAt::Rule, "ModifyRule"), Some(rules));
    assert_eq!(
        moves(TestedAt::Listener, "ModifyListener"),
        Some(beside.clone())
    );

    let makes = |listener: NamedListener, tested| {
        let first = PolicyWay { listener, ..way() };
        let names = AttachedNames {
            ways: vec![first],
            tested,
            ..names()
        };
        printed(Role::Operator, &names)
    };
    let policy = makes(way().listener, TestedAt::Listener);
    let balancer = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shared/b1";
    assert_eq!(
        on(&policy, "elasticloadbalancing:CreateListener"),
        [balancer]
    );
    // The users' listener gets no rule then.
    assert_eq!(on(&policy, "elasticloadbalancing:CreateRule"), [&beside]);
    let all_rules = as_rules(&beside);
    assert_eq!(on(&policy, "elasticloadbalancing:DeleteRule"), [&all_rules]);
    for statement in statements(&policy) {
        if texts(&statement["Resource"]).contains(&&*beside) {
            assert!(statement["Condition"].is_object(), "{statement:#}");
        }
    }
    let of_shared = NamedListener::Of("shared".to_owned());
    let policy = makes(of_shared, TestedAt::Listener);
    assert_eq!(
        on(&policy, "elasticloadbalancing:CreateListener"),
        ["arn:*:elasticloadbalancing:eu-west-1:123456789012:loadbalancer/app/shared/*"]
    );
    let policy = makes(way().listener, TestedAt::Rule);
    assert_eq!(on(&policy, "elasticloadbalancing:CreateRule"), [LISTENER]);
    assert_eq!(
        on(&policy, "acm:DescribeCertificate"),
        ["arn:*:acm:eu-west-1:123456789012:certificate/*"]
    );
}

/// The types in the generated template are those that the table gives as reasons.
#[test]
fn every_type_of_the_attached_template_has_its_actions() {
    let all = [
        (TestWay::Header, NOTHING),
        (
            TestWay::Host {
                name: "next.example.com".to_owned(),
                priority: 10,
                url: String::new(),
            },
            NAMED_TESTERS,
        ),
        (
            TestWay::Port {
                listener: ListenerCopy {
                    port: 8443,
                    settings: Map::new(),
                    further: vec!["certificate/b".to_owned()],
                },
                url: String::new(),
            },
            OWN_LISTENER,
        ),
    ];
    for (test, more) in all {
        let whole = Attachment {
            repository: None,
            log_group: None,
            test,
            ..attachment()
        };
        let template: Value = serde_json::from_str(&attached_template(&whole)).unwrap();
        let resources = template["Resources"].as_object().unwrap().values();
        let types: BTreeSet<&str> = resources.map(|it| it["Type"].as_str().unwrap()).collect();
        let needs = ATTACHING.iter().chain(more).flat_map(|grant| grant.needs);
        let reasons: BTreeSet<&str> = needs
            .filter_map(|need| match need.why {
                WhyNeeded::Stack(kind) => Some(kind),
                _ => None,
            })
            .collect();
        assert_eq!(reasons, types);
    }
}
