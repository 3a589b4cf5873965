use super::*;
use crate::model::TargetGroupArn;

fn group(name: &str) -> TargetGroupArn {
    TargetGroupArn::new(format!("targetgroup/{name}"))
}

/// Behind two target groups.
fn web() -> RunningService {
    RunningService {
        name: "web".to_owned(),
        groups: vec![group("web"), group("web-2")],
        ..RunningService::default()
    }
}

fn globs(texts: &[&str]) -> Vec<ConditionPattern> {
    let globs = texts.iter();
    globs
        .map(|text| ConditionPattern::Glob((*text).to_owned()))
        .collect()
}

fn host(names: &[&str]) -> RuleCondition {
    RuleCondition::Host(globs(names))
}

fn path(paths: &[&str]) -> RuleCondition {
    RuleCondition::Path(globs(paths))
}

fn header(name: &str, value: &str) -> RuleCondition {
    RuleCondition::Header(name.to_owned(), globs(&[value]))
}

fn rule(priority: &str, conditions: &[RuleCondition], forwards: &[(&str, u32)]) -> ListenerRule {
    let forwards = forwards.iter();
    ListenerRule {
        arn: format!("rule/{priority}"),
        priority: Some(priority.to_owned()),
        conditions: conditions.to_vec(),
        guards: Vec::new(),
        forwards: forwards
            .map(|(name, weight)| (group(name), *weight))
            .collect(),
    }
}

/// The default action.
fn default(forwards: &[(&str, u32)]) -> ListenerRule {
    ListenerRule {
        priority: None,
        ..rule("default", &[], forwards)
    }
}

fn listener(port: u16, protocol: &str, rules: Vec<ListenerRule>) -> BalancerListener {
    BalancerListener {
        arn: format!("listener/{port}"),
        port,
        protocol: match protocol {
            "HTTP" => Protocol::Http,
            "HTTPS" => Protocol::Https,
            other => Protocol::Other(other.to_owned()),
        },
        rules,
    }
}

fn balancer(name: &str, listeners: Vec<BalancerListener>) -> Balancer {
    Balancer {
        arn: format!("loadbalancer/app/{name}/1"),
        name: name.to_owned(),
        dns_name: format!("{name}.elb.example"),
        is_internal: name == "inner",
        is_application: true,
        security_groups: Vec::new(),
        listeners,
    }
}

fn shown(found: Result<Entrance, Refusal>) -> String {
    match found {
        Ok(it) => {
            let share = it.share.map(|(ours, all)| format!(", {ours} of {all}"));
            let share = share.unwrap_or_default();
            format!("{} at {} ({}{share})", it.url, it.nodes, it.way)
        }
        Err(it) => format!("{}\n{}", it.message, it.hint.unwrap_or_default()),
    }
}

fn asked(listeners: Vec<BalancerListener>, wish: &Wish) -> String {
    shown(find(&web(), &[balancer("shared", listeners)], wish))
}

fn plainly(listeners: Vec<BalancerListener>) -> String {
    asked(listeners, &Wish::default())
}

const WEB: &[(&str, u32)] = &[("web", 1)];
const OTHER: &[(&str, u32)] = &[("other", 1)];

#[test]
fn one_way_says_what_to_ask() {
    for (listener, expected) in [
        (
            listener(80, "HTTP", vec![default(WEB)]),
            "http://shared.elb.example/ at shared.elb.example:80 (shared: port 80 (HTTP), default action)",
        ),
        (
            listener(8080, "HTTP", vec![default(WEB)]),
            "http://shared.elb.example:8080/ at shared.elb.example:8080 (shared: port 8080 (HTTP), default action)",
        ),
        (
            listener(
                443,
                "HTTPS",
                vec![
                    rule("10", &[host(&["shop.example.com"])], WEB),
                    default(OTHER),
                ],
            ),
            "https://shop.example.com/ at shared.elb.example:443 (shared: port 443 (HTTPS), rule 10 (host shop.example.com))",
        ),
        (
            listener(
                80,
                "HTTP",
                vec![rule("20", &[path(&["/api/*", "/v2"])], WEB), default(OTHER)],
            ),
            "http://shared.elb.example/api/ at shared.elb.example:80 (shared: port 80 (HTTP), rule 20 (path /api/* or /v2))",
        ),
        (
            listener(
                80,
                "HTTP",
                vec![rule(
                    "1",
                    &[path(&["/*.php", "/"]), host(&["a.example", "*.a.example"])],
                    WEB,
                )],
            ),
            "http://a.example/ at shared.elb.example:80 (shared: port 80 (HTTP), rule 1 (path /*.php or /, host a.example or *.a.example))",
        ),
        // Part of it, and a share of nothing besides.
        (
            listener(80, "HTTP", vec![default(&[("web", 90), ("other", 10)])]),
            "http://shared.elb.example/ at shared.elb.example:80 (shared: port 80 (HTTP), default action, 90 of 100)",
        ),
        (
            listener(
                80,
                "HTTP",
                vec![default(&[("web", 1), ("web-2", 0), ("other", 0)])],
            ),
            "http://shared.elb.example/ at shared.elb.example:80 (shared: port 80 (HTTP), default action)",
        ),
    ] {
        assert_eq!(plainly(vec![listener]), expected);
    }
}

#[test]
fn a_redirect_and_a_weight_of_zero_lead_nowhere() {
    let listeners = vec![
        listener(80, "HTTP", vec![default(&[])]),
        listener(81, "HTTP", vec![default(&[("web", 0), ("other", 1)])]),
    ];
    assert_eq!(
        plainly(listeners.clone()),
        "no listener or rule of shared leads to the service web\n--url URL says what users ask"
    );
    let shop = rule("10", &[host(&["shop.example.com"])], WEB);
    let https = listener(443, "HTTPS", vec![shop, default(OTHER)]);
    let all = [listeners, vec![https]].concat();
    assert!(plainly(all).starts_with("https://shop.example.com/ at "));
}

/// Of one name any place will do, and several names are a person's to choose.
#[test]
fn several_names_are_told_and_none_is_guessed() {
    let api = rule("5", &[path(&["/api/*"])], WEB);
    let one_name = listener(80, "HTTP", vec![api, default(WEB)]);
    assert!(plainly(vec![one_name]).starts_with("http://shared.elb.example/ at "));

    let shop = host(&["shop.example.com", "example.com"]);
    let two = vec![
        listener(443, "HTTPS", vec![rule("10", &[shop], WEB), default(OTHER)]),
        listener(8080, "HTTP", vec![default(&[("web-2", 1)])]),
    ];
    insta::assert_snapshot!(plainly(two.clone()), @"
    3 ways lead to the service web, and users may take any of them
    say which one to ask:
    --url https://shop.example.com/  (shared: port 443 (HTTPS), rule 10 (host shop.example.com or example.com))
    --url https://example.com/  (shared: port 443 (HTTPS), rule 10 (host shop.example.com or example.com))
    --url http://shared.elb.example:8080/  (shared: port 8080 (HTTP), default action)
    ");

    // One that ECS itself moves users by is users'.
    for arn in ["rule/default", "listener/8080"] {
        let moved = RunningService {
            production: vec![arn.to_owned()],
            ..web()
        };
        let mut two = two.clone();
        two[0].rules.pop();
        let found = find(&moved, &[balancer("shared", two)], &Wish::default());
        assert!(
            shown(found).starts_with("http://shared.elb.example:8080/ at "),
            "{arn}"
        );
    }
}

#[test]
fn a_public_load_balancer_comes_before_an_internal_one_of_the_same_name() {
    let of = |name: &str, listener: BalancerListener| balancer(name, vec![listener]);
    let shop = || {
        listener(
            443,
            "HTTPS",
            vec![rule("10", &[host(&["shop.example"])], WEB)],
        )
    };
    let both = [of("inner", shop()), of("shared", shop())];
    let found = shown(find(&web(), &both, &Wish::default()));
    assert!(
        found.starts_with("https://shop.example/ at shared.elb.example:443"),
        "{found}"
    );

    let own = || listener(80, "HTTP", vec![default(WEB)]);
    let both = [of("inner", own()), of("shared", own())];
    let found = shown(find(&web(), &both, &Wish::default()));
    insta::assert_snapshot!(found, @"
    2 ways lead to the service web, and users may take any of them
    say which one to ask:
    --url http://shared.elb.example/  (shared: port 80 (HTTP), default action)
    --url http://inner.elb.example/  (inner: port 80 (HTTP), default action)
    ");
}

#[test]
fn what_does_not_say_the_name_or_the_path_wants_a_url() {
    for (listener, url) in [
        (listener(443, "HTTPS", vec![default(WEB)]), "https://NAME/"),
        (
            listener(
                443,
                "HTTPS",
                vec![rule("1", &[host(&["*.example.com"])], WEB)],
            ),
            "https://NAME/",
        ),
        (
            listener(80, "HTTP", vec![rule("1", &[path(&["/img/?.png"])], WEB)]),
            "http://shared.elb.example/PATH",
        ),
        (
            listener(
                80,
                "HTTP",
                vec![rule(
                    "1",
                    &[RuleCondition::Path(vec![ConditionPattern::Regex(
                        "^/x".to_owned(),
                    )])],
                    WEB,
                )],
            ),
            "http://shared.elb.example/PATH",
        ),
        // Another service has the first page.
        (
            listener(
                80,
                "HTTP",
                vec![rule("1", &[path(&["/"])], OTHER), default(WEB)],
            ),
            "http://shared.elb.example/PATH",
        ),
        // A Network Load Balancer does not care what is spoken.
        (
            listener(80, "TCP", vec![default(WEB)]),
            "http://shared.elb.example/",
        ),
        (listener(443, "TLS", vec![default(WEB)]), "https://NAME/"),
    ] {
        let said = plainly(vec![listener.clone()]);
        let rule = listener.rules.last().unwrap();
        let way = format!("shared: {listener}, {rule}");
        let expected = format!(
            "{way} leads to the service web, and does not say what users ask\nsay it with --url, such as --url {url}"
        );
        assert_eq!(said, expected);
    }
}

#[test]
fn a_path_that_was_given_chooses_among_the_ways() {
    let at = |path: &str| Wish {
        path: Some(path.to_owned()),
        ..Wish::default()
    };
    let listeners = vec![
        listener(
            80,
            "HTTP",
            vec![rule("1", &[path(&["/api/*"])], WEB), default(OTHER)],
        ),
        listener(
            8080,
            "HTTP",
            vec![rule("1", &[path(&["/api/admin"])], OTHER), default(WEB)],
        ),
    ];
    let found = |path| asked(listeners.clone(), &at(path));
    assert!(found("/health").starts_with("http://shared.elb.example:8080/health at "));
    assert!(found("/api/admin?x=/y").starts_with("http://shared.elb.example/api/admin?x=/y at "));
    assert!(found("/api/a").starts_with("2 ways lead"));
    let only = vec![listeners[0].clone()];
    assert_eq!(
        asked(only, &at("/health")),
        "nothing of shared leads /health to the service web\n--url URL says what users ask"
    );
}

/// As a CDN sends it, or a test by header.
#[test]
fn what_wants_a_header_comes_after_what_wants_nothing() {
    let secret = rule("5", &[header("X-Origin", "hunter22")], WEB);
    let sealed = listener(80, "HTTP", vec![secret.clone(), default(OTHER)]);
    let said = plainly(vec![sealed.clone()]);
    insta::assert_snapshot!(said, @"
    a request to the service web wants more than a URL
    http://shared.elb.example/ (shared: port 80 (HTTP), rule 5 (header X-Origin)) wants header X-Origin
    --header 'Name: value' gives a header, --url URL says what users ask
    ");
    for (value, leads) in [("Hunter22", true), ("no", false)] {
        let wish = Wish {
            headers: vec![("x-origin".to_owned(), value.to_owned())],
            path: None,
        };
        let found = asked(vec![sealed.clone()], &wish);
        assert_eq!(
            found.starts_with("http://shared.elb.example/ at "),
            leads,
            "{found}"
        );
    }
    let posts = rule("6", &[RuleCondition::Other("method POST".to_owned())], WEB);
    let open = listener(8080, "HTTP", vec![secret, posts, default(WEB)]);
    assert!(plainly(vec![open]).starts_with("http://shared.elb.example:8080/ at "));
}

#[test]
fn without_a_load_balancer_a_url_is_wanted() {
    let service = |groups: &[&str], classic: &[&str]| RunningService {
        groups: groups.iter().map(|name| group(name)).collect(),
        classic: classic.iter().map(ToString::to_string).collect(),
        ..web()
    };
    for (service, message) in [
        (
            service(&[], &[]),
            "the service web is behind no load balancer",
        ),
        (
            service(&[], &["old"]),
            "the service web is behind the Classic Load Balancer old, which does not say how users ask",
        ),
        (
            service(&["web"], &[]),
            "no load balancer uses a target group of the service web",
        ),
    ] {
        let expected = format!("{message}\n--url URL says what users ask");
        assert_eq!(shown(find(&service, &[], &Wish::default())), expected);
    }
}

#[test]
fn a_url_is_asked_at_the_nodes_where_they_lead_it_there() {
    let shop = rule("10", &[host(&["*.example.com"]), path(&["/shop/*"])], WEB);
    let listeners = vec![
        listener(80, "HTTP", vec![default(&[])]),
        listener(443, "HTTPS", vec![shop, default(OTHER)]),
        listener(8443, "TCP", vec![default(WEB)]),
    ];
    let all = [balancer("shared", listeners)];
    for (is_secured, host, port, path, expected) in [
        (
            true,
            "a.example.com",
            443,
            "/shop/1",
            Some("https://a.example.com/shop/1"),
        ),
        (true, "a.example.com", 443, "/", None),
        (true, "a.example.org", 443, "/shop/1", None),
        (false, "a.example.com", 443, "/shop/1", None),
        (false, "a.example.com", 80, "/shop/1", None),
        (
            true,
            "b.example.com",
            8443,
            "/",
            Some("https://b.example.com:8443/"),
        ),
        (true, "b.example.com", 9443, "/", None),
    ] {
        let url = GivenUrl {
            is_secured,
            host: host.to_owned(),
            port,
            path: path.to_owned(),
        };
        let found = of_url(&web(), &all, &url, &Wish::default());
        assert_eq!(found.as_ref().map(|it| &*it.url), expected, "{url:?}");
        if let Some(found) = found {
            assert_eq!(found.nodes, format!("shared.elb.example:{port}"));
        }
    }
}
