use super::*;
use crate::config::TestKey;
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
        guards: Vec::new(),
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
        security_groups: Vec::new(),
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
        further: Vec::new(),
        test: TestKey::Header,
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
    match users_way(
        (attached.first_way(), &attached.service),
        &groups,
        &shared(rules),
    ) {
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
    let of = |taken: &[u32], users: Option<u32>, own: Option<&[u32]>| {
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
        let own = own.into_iter().flatten();
        let own: Vec<RuleArn> = own.map(|it| RuleArn::new(format!("rule/{it}"))).collect();
        let three = priorities::<3>(way, &own, &[]).ok();
        (priorities::<2>(way, &own, &[]).ok(), three)
    };
    // Taken, users' own (none is the default action), and what is found of two and
    // of three.
    for (taken, users, two, three) in [
        (&[][..], None, Some([1, 2]), Some([1, 2, 3])),
        (&[1, 2, 30], None, Some([31, 32]), Some([31, 32, 33])),
        (&[5, 8, 200], Some(100), Some([9, 10]), Some([9, 10, 11])),
        (&[98, 99], Some(100), Some([96, 97]), Some([95, 96, 97])),
        (&[97, 99], Some(100), Some([96, 98]), Some([95, 96, 98])),
        (
            &[LAST_PRIORITY],
            None,
            Some([49_998, 49_999]),
            Some([49_997, 49_998, 49_999]),
        ),
        (&[], Some(3), Some([1, 2]), None),
        (&[], Some(2), None, None),
        (&[], Some(1), None, None),
        (&[1], Some(3), None, None),
    ] {
        assert_eq!(of(taken, users, None), (two, three), "{taken:?} {users:?}");
    }
    // What was made before stays where it is, also if others have come since; of
    // more rules all have to be there.
    let expected = (Some([7, 8]), Some([51, 52, 53]));
    assert_eq!(of(&[7, 8, 50], Some(100), Some(&[7, 8])), expected);
    let expected = (Some([7, 8]), Some([7, 8, 9]));
    assert_eq!(of(&[7, 8, 9, 50], Some(100), Some(&[7, 8, 9])), expected);
    // One of them is gone.
    let expected = (Some([51, 52]), Some([51, 52, 53]));
    assert_eq!(of(&[7, 50], Some(100), Some(&[7, 8])), expected);
}

#[test]
fn testers_come_by_users_name_or_at_users_port() {
    let all = shared(Vec::new());
    let listener = &all[0].listeners[1];
    let by = |url: &str, test| {
        let attached = Attached {
            url: url.to_owned(),
            test,
            ..attached(RuleKey::DefaultAction)
        };
        test_url(&attached, listener)
    };
    let host = || TestKey::Host("next.example.com".to_owned());
    for (url, test, expected) in [
        ("https://a.test", TestKey::Header, None),
        ("https://a.test", host(), Some("https://next.example.com")),
        (
            "http://a.test:8080",
            host(),
            Some("http://next.example.com:8080"),
        ),
        (
            "https://a.test",
            TestKey::Port(8443),
            Some("https://a.test:8443"),
        ),
        // By another name users may come at another port than the listener's.
        (
            "http://a.test:8080",
            TestKey::Port(8443),
            Some("https://a.test:8443"),
        ),
    ] {
        assert_eq!(by(url, test.clone()).as_deref(), expected, "{url} {test:?}");
    }
}

#[test]
fn a_port_that_is_taken_is_said_with_who_has_it() {
    let all = shared(vec![rule(None, None, &["tg/web"])]);
    let taken = |port, own| refuse_taken_port(&all[0], port, own);
    assert_eq!(taken(81, None), Ok(()));
    assert_eq!(taken(80, Some("listener/80")), Ok(()));
    let refused = taken(80, Some("listener/443")).unwrap_err();
    let message = "shared has a listener already at port 80 (HTTPS)";
    assert_eq!(refused.message, message);
}

/// Their users would find a release that is not theirs, or testers another app.
#[test]
fn a_name_that_others_come_by_is_not_testers() {
    let shop = || rule(Some(100), Some("*.shop.example.com"), &["tg/web"]);
    let refused = |others: Vec<ListenerRule>, name: &str, own: &[RuleArn]| {
        let mut rules = others;
        rules.push(shop());
        rules.sort_by_key(|rule| rule.priority.as_ref().map(|it| it.parse::<u32>().unwrap()));
        let all = shared(rules);
        let listener = &all[0].listeners[1];
        let users = listener.rules.iter().find(|it| it.arn == "rule/100");
        let way = UsersWay {
            balancer: &all[0],
            listener,
            rule: users.unwrap(),
        };
        refuse_taken_name(way, name, own).map_err(|it| it.message)
    };
    let other = |priority, host| vec![rule(Some(priority), Some(host), &["tg/admin"])];
    let next = "next.shop.example.com";
    // Among users' own names it is told ahead of them.
    assert_eq!(refused(Vec::new(), next, &[]), Ok(()));
    assert_eq!(refused(other(200, "*.example.com"), next, &[]), Ok(()));
    assert_eq!(refused(other(5, "admin.example.com"), next, &[]), Ok(()));
    for (priority, host) in [
        (200, "NEXT.shop.example.com"),
        (5, next),
        (5, "*.example.com"),
    ] {
        let message = refused(other(priority, host), next, &[]).unwrap_err();
        assert_eq!(
            message,
            format!(
                "requests for {next} are taken already by rule {priority} (host {host}) of port 443 (HTTPS)"
            )
        );
    }
    // But by what was made for it before.
    let own = [RuleArn::new("rule/5")];
    assert_eq!(refused(other(5, next), next, &own), Ok(()));
}

#[test]
fn a_name_that_no_certificate_covers_is_said() {
    let all = shared(Vec::new());
    let certificate = |names: &[&str]| IssuedCertificate {
        arn: "arn:aws:acm:eu-west-1:123456789012:certificate/a"
            .parse()
            .unwrap(),
        status: "ISSUED".to_owned(),
        names: names.iter().map(ToString::to_string).collect(),
        not_after: None,
        records: Vec::new(),
    };
    let said = |names: &[&str], unread: &[&str]| {
        let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
        let all_certificates = [certificate(&["other.test"]), certificate(names)];
        let listener = &all[0].listeners[1];
        refuse_uncovered("next.example.com", listener, &all_certificates, &unread)
    };
    assert_eq!(said(&["*.example.com"], &[]), Ok(None));
    assert_eq!(said(&["next.example.com"], &["a: no"]), Ok(None));
    let unknown = said(&["shop.example.com"], &["server-certificate/b: of IAM"]);
    let unknown = unknown.unwrap().unwrap();
    assert!(unknown.contains("server-certificate/b"), "{unknown}");
    let refused = said(&["shop.example.com"], &[]).unwrap_err();
    assert_eq!(
        refused.message,
        "no certificate of port 443 (HTTPS) covers next.example.com: \
         arn:aws:acm:eu-west-1:123456789012:certificate/a is for other.test; \
         arn:aws:acm:eu-west-1:123456789012:certificate/a is for shop.example.com"
    );
}

#[test]
fn each_way_leads_to_one_of_the_services_groups_and_each_group_has_one() {
    let groups = |names: &[&str]| -> Vec<TargetGroupArn> {
        names
            .iter()
            .map(|name| TargetGroupArn::new(*name))
            .collect()
    };
    let pairs = [groups(&["web", "bgecs-web-green"]), groups(&["internal"])];
    let of = |groups: &[&str]| {
        let rules = vec![rule(Some(10), None, groups)];
        let balancers = shared(rules);
        let (balancer, listener) = (&balancers[0], &balancers[0].listeners[1]);
        let rule = &listener.rules[0];
        let way = UsersWay {
            balancer,
            listener,
            rule,
        };
        pair_of(way, &pairs).map_err(|refusal| refusal.message)
    };
    assert_eq!(of(&["web"]), Ok(0));
    // While users are let over.
    assert_eq!(of(&["web", "bgecs-web-green"]), Ok(0));
    assert_eq!(of(&["internal"]), Ok(1));
    let both = of(&["web", "internal"]).unwrap_err();
    assert!(
        both.contains("forwards to several of the service's target groups"),
        "{both}"
    );

    let settings = |name: &str| TargetGroupSettings {
        arn: TargetGroupArn::new(name),
        name: name.to_owned(),
        protocol: "HTTP".to_owned(),
        health_path: None,
        vpc: "vpc-1".to_owned(),
        balancers: Vec::new(),
    };
    let (web, internal) = (settings("web"), settings("internal"));
    let refused = |led_to: &[usize]| {
        let refused = refuse_left_out(&[&web, &internal], led_to, "web");
        refused.err().map(|refusal| refusal.message)
    };
    assert_eq!(refused(&[0, 1, 0]), None);
    insta::assert_snapshot!(refused(&[0, 0]).unwrap(), @"no [[production]] leads to internal, one of the 2 target groups of the service web: its users would stay on what runs now");
}

/// Whoever names a colour in a header would not be asked to sign in.
#[test]
fn nobody_is_led_past_a_sign_in() {
    let refused = |guards: &[&str]| {
        let mut rule = rule(Some(10), None, &["web"]);
        rule.guards = guards.iter().map(ToString::to_string).collect();
        let balancers = shared(vec![rule]);
        let (balancer, listener) = (&balancers[0], &balancers[0].listeners[1]);
        let rule = &listener.rules[0];
        refuse_way_around(UsersWay {
            balancer,
            listener,
            rule,
        })
        .err()
        .map(|refusal| refusal.message)
    };
    assert_eq!(refused(&[]), None);
    insta::assert_snapshot!(refused(&["authenticate-oidc"]).unwrap(), @"shared: port 443 (HTTPS), rule 10 (every request) makes users pass authenticate-oidc first, and a rule for testers before it would let anybody bypass that");
    assert!(refused(&["jwt-validation"]).is_some());
}
