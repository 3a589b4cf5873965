use super::*;
use crate::model::{Color, ListenerArn, Protocol};

fn glob(text: &str) -> ConditionPattern {
    ConditionPattern::Glob(text.to_owned())
}

fn rule(priority: Option<u32>, host: Option<&str>, groups: &[&str]) -> ListenerRule {
    let arn = priority.map_or_else(|| "listener/443".to_owned(), |it| format!("rule/{it}"));
    ListenerRule {
        arn,
        priority: priority.map(|it| it.to_string()),
        conditions: host
            .map(|host| RuleCondition::Host(vec![glob(host)]))
            .into_iter()
            .collect(),
        forwards: groups
            .iter()
            .map(|group| (TargetGroupArn::new(*group), 1))
            .collect(),
    }
}

fn shared(rules: Vec<ListenerRule>) -> Vec<Balancer> {
    let listener = |port: u16, rules| BalancerListener {
        arn: format!("listener/{port}"),
        port,
        protocol: Protocol::Https,
        rules,
    };
    vec![Balancer {
        arn: "loadbalancer/app/shared/1".to_owned(),
        name: "shared".to_owned(),
        dns_name: "shared.example".to_owned(),
        is_internal: false,
        is_application: true,
        listeners: vec![listener(80, Vec::new()), listener(443, rules)],
    }]
}

fn attached(rule: RuleKey) -> Attached {
    Attached {
        color: Color::Blue,
        service: "web".to_owned(),
        cluster: "prod".to_owned(),
        listener: ListenerKeys::Of {
            load_balancer: "shared".to_owned(),
            port: 443,
        },
        rule,
        url: "https://shop.example.com".to_owned(),
    }
}

fn with(host: &str, path: &[&str]) -> RuleKey {
    RuleKey::With {
        host: vec![host.to_owned()],
        path: path.iter().map(ToString::to_string).collect(),
    }
}

fn found(attached: &Attached, rules: Vec<ListenerRule>) -> Result<String, String> {
    let groups = [
        TargetGroupArn::new("tg/web"),
        TargetGroupArn::new("tg/green"),
    ];
    match users_way(attached, &groups, &shared(rules)) {
        Ok(way) => Ok(way.rule.arn.clone()),
        Err(Refusal { message, hint }) => Err(format!("{message}\n{}", hint.unwrap_or_default())),
    }
}

#[test]
fn the_place_is_the_one_that_the_file_names() {
    let rules = || {
        vec![
            rule(Some(10), Some("Shop.example.com"), &["tg/web"]),
            rule(Some(20), Some("admin.example.com"), &["tg/admin"]),
            rule(None, None, &["tg/web", "tg/green"]),
        ]
    };
    let of = |key| found(&attached(key), rules());
    assert_eq!(of(with("shop.example.com", &[])).unwrap(), "rule/10");
    assert_eq!(of(RuleKey::Arn("rule/10".to_owned())).unwrap(), "rule/10");
    assert_eq!(of(RuleKey::DefaultAction).unwrap(), "listener/443");
    let by_arn = Attached {
        listener: ListenerKeys::Arn(ListenerArn::new("listener/443")),
        ..attached(RuleKey::DefaultAction)
    };
    assert_eq!(found(&by_arn, rules()).unwrap(), "listener/443");

    let told = [
        of(with("shop.example.com", &["/api/*"])).unwrap_err(),
        of(with("admin.example.com", &[])).unwrap_err(),
        found(
            &attached(RuleKey::DefaultAction),
            vec![rule(None, None, &[])],
        )
        .unwrap_err(),
        found(
            &attached(with("shop.example.com", &[])),
            vec![
                rule(Some(1), Some("shop.example.com"), &["tg/web"]),
                rule(Some(2), Some("shop.example.com"), &["tg/web"]),
            ],
        )
        .unwrap_err(),
        found(
            &Attached {
                listener: ListenerKeys::Of {
                    load_balancer: "other".to_owned(),
                    port: 443,
                },
                ..attached(RuleKey::DefaultAction)
            },
            rules(),
        )
        .unwrap_err(),
    ];
    insta::assert_snapshot!(told.join("\n\n"));
}

/// Whoever else's rules there are, they stay as they are.
#[test]
fn testers_rules_come_right_ahead_of_users() {
    let of = |taken: &[u32], users: Option<u32>, own: Option<[u32; 2]>| {
        let mut rules: Vec<ListenerRule> = taken
            .iter()
            .map(|it| rule(Some(*it), Some("a.example.com"), &["tg/a"]))
            .collect();
        rules.push(rule(users, Some("shop.example.com"), &["tg/web"]));
        let all = shared(rules);
        let listener = &all[0].listeners[1];
        let way = UsersWay {
            balancer: &all[0],
            listener,
            rule: listener.rules.last().unwrap(),
        };
        let own = own.map(|own| {
            let [blue, green] = own.map(|it| RuleArn::new(format!("rule/{it}")));
            PerColor { blue, green }
        });
        let found = priorities(way, own.as_ref()).ok();
        found.map(|it| (it.blue, it.green))
    };
    // Taken, users' own (none is the default action), and what is found.
    for (taken, users, expected) in [
        (&[][..], None, Some((1, 2))),
        (&[1, 2, 30], None, Some((31, 32))),
        (&[5, 8, 200], Some(100), Some((9, 10))),
        (&[98, 99], Some(100), Some((96, 97))),
        (&[97, 99], Some(100), Some((96, 98))),
        (&[LAST_PRIORITY], None, Some((49_998, 49_999))),
        (&[], Some(3), Some((1, 2))),
        (&[], Some(2), None),
        (&[], Some(1), None),
        (&[1], Some(3), None),
    ] {
        assert_eq!(of(taken, users, None), expected, "{taken:?} {users:?}");
    }
    // What was made before stays where it is, also if others have come since.
    assert_eq!(of(&[7, 8, 50], Some(100), Some([7, 8])), Some((7, 8)));
    // One of them is gone.
    assert_eq!(of(&[7, 50], Some(100), Some([7, 8])), Some((51, 52)));
}
