use crate::aws::Aws;
use crate::aws::error::AwsErrorKind;
use crate::aws::testing::{Reply, Wire};
use crate::model::testing::{by_rules, infrastructure, to};
use crate::model::{
    Color, EcsInfrastructure, Found, OtherWays, PerRoute, Place, Places, RuleArn, TestPlace,
};

fn forward(group: &str) -> String {
    format!("<member><Type>forward</Type><TargetGroupArn>{group}</TargetGroupArn></member>")
}

fn listener(arn: &str, port: u16, protocol: &str, actions: &str) -> String {
    format!(
        "<member><ListenerArn>{arn}</ListenerArn><Port>{port}</Port><Protocol>{protocol}</Protocol>\
         <DefaultActions>{actions}</DefaultActions></member>"
    )
}

/// A page of listeners, and the marker of the next one.
fn listeners(members: &[String], next: &str) -> Reply {
    let members = members.concat();
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{members}</Listeners>{next}"),
    )
}

fn own() -> [String; 2] {
    [
        listener("listener/prod", 80, "HTTP", &forward("tg/green")),
        listener("listener/test", 81, "HTTP", &forward("tg/blue")),
    ]
}

fn rule(arn: &str, priority: &str, conditions: &str, actions: &str) -> String {
    format!(
        "<member><RuleArn>{arn}</RuleArn><Priority>{priority}</Priority>\
         <IsDefault>{}</IsDefault><Conditions>{conditions}</Conditions><Actions>{actions}</Actions></member>",
        priority == "default"
    )
}

fn rules(members: &[String], next: &str) -> Reply {
    let members = members.concat();
    Reply::xml("DescribeRules", &format!("<Rules>{members}</Rules>{next}"))
}

fn condition(field: &str, inner: &str) -> String {
    format!("<member><Field>{field}</Field>{inner}</member>")
}

fn values(config: &str, values: &[&str]) -> String {
    let members: String = values
        .iter()
        .map(|value| format!("<member>{value}</member>"))
        .collect();
    format!("<{config}><Values>{members}</Values></{config}>")
}

fn header(name: &str, value: &str) -> String {
    condition(
        "http-header",
        &format!(
            "<HttpHeaderConfig><HttpHeaderName>{name}</HttpHeaderName><Values><member>{value}</member></Values></HttpHeaderConfig>"
        ),
    )
}

async fn read(aws: &Aws) -> (PerRoute<Found>, OtherWays) {
    let read = aws.read_load_balancer(&infrastructure(), None).await;
    read.unwrap()
}

fn shown(ways: &OtherWays) -> Vec<String> {
    let seen = ways.seen.iter();
    seen.map(|way| format!("{way} -> {} [{}]", way.found, way.arn))
        .collect()
}

#[tokio::test]
async fn what_the_template_makes_is_no_other_way() {
    let chosen = |color: &str| {
        rule(
            color,
            "1",
            &header("X-Bgecs-Color", color),
            &forward(&format!("tg/{color}")),
        )
    };
    let default = |group: &str| rule("default", "default", "", &forward(group));
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&own(), ""))
        .on("DescribeRules", rules(&[default("tg/green")], ""))
        .on(
            "DescribeRules",
            rules(&[chosen("blue"), chosen("green"), default("tg/blue")], ""),
        );
    let (forwarding, ways) = read(&wire.aws()).await;
    assert_eq!(
        (forwarding.production, forwarding.test),
        (to(Color::Green), to(Color::Blue))
    );
    assert_eq!(ways, OtherWays::default());
    wire.assert_used_up();
    let requests = wire.requests();
    assert_eq!(
        requests[0].field("LoadBalancerArn").as_deref(),
        Some("balancer/app")
    );
    assert_eq!(
        requests[1].field("ListenerArn").as_deref(),
        Some("listener/prod")
    );
    assert_eq!(
        requests[2].field("ListenerArn").as_deref(),
        Some("listener/test")
    );
}

/// At somebody else's listener, where testers have a name of their own.
#[tokio::test]
async fn what_is_made_for_testers_beside_others_rules_is_no_other_way() {
    let infra = EcsInfrastructure {
        places: Places {
            production: Place::Rule(RuleArn::new("rule/prod")),
            test: TestPlace::At(Place::Rule(RuleArn::new("rule/test"))),
        },
        ..infrastructure()
    };
    let host = |name| condition("host-header", &values("HostHeaderConfig", &[name]));
    let blue = header("x-bgecs-color", "blue");
    let rule = |arn: &str, conditions: &str, color: &str| {
        rule(arn, "1", conditions, &forward(&format!("tg/{color}")))
    };
    let (next, other) = (host("next.test"), host("other.test"));
    let wire = Wire::new()
        .on(
            "DescribeListeners",
            listeners(&[listener("listener/443", 443, "HTTPS", "")], ""),
        )
        .on(
            "DescribeRules",
            rules(
                &[
                    rule("rule/blue", &(next.clone() + &blue), "blue"),
                    rule("rule/wrong", &(next.clone() + &blue), "green"),
                    rule("rule/stranger", &(other + &blue), "blue"),
                    rule("rule/bare", &blue, "blue"),
                    rule("rule/test", &next, "blue"),
                    rule("rule/prod", &host("shop.test"), "green"),
                ],
                "",
            ),
        );
    let (found, ways) = wire.aws().read_load_balancer(&infra, None).await.unwrap();
    assert_eq!(
        (found.production, found.test),
        (to(Color::Green), to(Color::Blue))
    );
    let arns: Vec<&str> = ways.seen.iter().map(|way| way.arn.as_str()).collect();
    assert_eq!(arns, ["rule/wrong", "rule/stranger", "rule/bare"]);
}

/// The same rules anywhere else, or to another colour, are ways like any other.
#[tokio::test]
async fn what_only_looks_like_the_template_s_is_one() {
    let blue = header("x-bgecs-color", "blue");
    let two = blue.clone() + &header("x-bgecs-color", "blue");
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&own(), ""))
        .on(
            "DescribeRules",
            rules(&[rule("a", "1", &blue, &forward("tg/blue"))], ""),
        )
        .on(
            "DescribeRules",
            rules(
                &[
                    rule("b", "1", &blue, &forward("tg/green")),
                    rule("c", "2", &two, &forward("tg/blue")),
                ],
                "",
            ),
        );
    let (_, ways) = read(&wire.aws()).await;
    assert_eq!(
        shown(&ways),
        [
            "port 80 (HTTP), rule 1 (header x-bgecs-color: blue) -> blue [a]",
            "port 81 (HTTP), rule 1 (header x-bgecs-color: blue) -> green [b]",
            "port 81 (HTTP), rule 2 (header x-bgecs-color: blue, header x-bgecs-color: blue) -> blue [c]",
        ]
    );
}

#[tokio::test]
async fn every_listener_and_rule_on_every_page_is_told_as_a_person_would() {
    let sign_in = "<member><Type>authenticate-oidc</Type></member>";
    let redirect = "<member><Type>redirect</Type></member>";
    let split = "<member><Type>forward</Type><ForwardConfig><TargetGroups>\
        <member><TargetGroupArn>tg/blue</TargetGroupArn><Weight>1</Weight></member>\
        <member><TargetGroupArn>tg/green</TargetGroupArn><Weight>9</Weight></member>\
        </TargetGroups></ForwardConfig></member>";
    let idle = split
        .replace("<Weight>1<", "<Weight>0<")
        .replace("tg/green", "tg/theirs");
    let next = |mark: &str| format!("<NextMarker>{mark}</NextMarker>");
    let first = [
        listener(
            "listener/443",
            443,
            "HTTPS",
            &(sign_in.to_owned() + &forward("tg/green")),
        ),
        listener("listener/8443", 8443, "HTTPS", split),
        listener("listener/9000", 9000, "HTTP", &forward("tg/theirs")),
        listener("listener/9001", 9001, "HTTP", &idle),
    ];
    let by_path = condition(
        "path-pattern",
        &values("PathPatternConfig", &["/api/*", "/v2/*"]),
    );
    let plain = condition("path-pattern", "<Values><member>/old</member></Values>");
    let by_host = condition(
        "host-header",
        &values("HostHeaderConfig", &["a.example.com"]),
    );
    let by_method = condition(
        "http-request-method",
        &values("HttpRequestMethodConfig", &["GET", "HEAD"]),
    );
    let by_source = condition("source-ip", &values("SourceIpConfig", &["10.0.0.0/8"]));
    let by_query = condition(
        "query-string",
        "<QueryStringConfig><Values><member><Key>v</Key><Value>2</Value></member><member><Value>new</Value></member></Values></QueryStringConfig>",
    );
    let regular = condition(
        "path-pattern",
        "<PathPatternConfig><RegexValues><member>^/x+$</member></RegexValues></PathPatternConfig>",
    );
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&first, &next("L2")))
        .on("DescribeListeners", listeners(&own(), ""))
        // Two pages for port 80, and one for each of the others.
        .on(
            "DescribeRules",
            rules(
                &[rule(
                    "r10",
                    "10",
                    &(by_path + &by_host),
                    &forward("tg/green"),
                )],
                &next("R2"),
            ),
        )
        .on("DescribeRules", rules(&[], ""))
        .on(
            "DescribeRules",
            rules(
                &[
                    rule("r3", "3", &(by_method + &by_source), &forward("tg/blue")),
                    rule("r4", "4", &plain, redirect),
                ],
                "",
            ),
        )
        .on("DescribeRules", rules(&[], ""))
        .on("DescribeRules", rules(&[], ""))
        .on("DescribeRules", rules(&[], ""))
        .on(
            "DescribeRules",
            rules(
                &[
                    rule("r9", "9", &by_query, &forward("tg/blue")),
                    rule("r2", "2", &(plain.clone() + &regular), &forward("tg/blue")),
                    rule("r1", "1", "", &forward("tg/theirs")),
                ],
                "",
            ),
        );
    let (_, ways) = read(&wire.aws()).await;
    wire.assert_used_up();
    let marks: Vec<_> = wire
        .requests()
        .iter()
        .filter_map(|request| request.field("Marker"))
        .collect();
    assert_eq!(marks, ["L2", "R2"]);
    assert_eq!(
        shown(&ways),
        [
            "port 80 (HTTP), rule 2 (path /old, path matching ^/x+$) -> blue [r2]",
            "port 80 (HTTP), rule 9 (query v=2 or new) -> blue [r9]",
            "port 80 (HTTP), rule 10 (path /api/* or /v2/*, host a.example.com) -> green [r10]",
            "port 443 (HTTPS) -> green [listener/443]",
            "port 443 (HTTPS), rule 3 (method GET or HEAD, source 10.0.0.0/8) -> blue [r3]",
            "port 8443 (HTTPS) -> 10% blue, 90% green [listener/8443]",
        ]
    );
}

#[tokio::test]
async fn rules_that_may_not_be_read_leave_the_rest_known() {
    let more = [listener(
        "listener/8080",
        8080,
        "HTTP",
        &forward("tg/green"),
    )];
    let denied = || Reply::xml_error(403, "AccessDenied", "no");
    let wire = Wire::new()
        .on(
            "DescribeListeners",
            listeners(&[own().as_slice(), &more].concat(), ""),
        )
        .on("DescribeRules", denied())
        .on("DescribeRules", denied())
        .on("DescribeRules", denied());
    let (forwarding, ways) = read(&wire.aws()).await;
    assert_eq!(forwarding.production, to(Color::Green));
    assert_eq!(shown(&ways), ["port 8080 (HTTP) -> green [listener/8080]"]);
    let hidden = ways.hidden.unwrap();
    assert!(
        hidden.starts_with("elasticloadbalancing:DescribeRules on listener/"),
        "{hidden}"
    );

    // After any other error it must not continue without them.
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&own(), ""))
        .on(
            "DescribeRules",
            Reply::xml_error(400, "Throttling", "Rate exceeded"),
        )
        .on("DescribeRules", rules(&[], ""));
    let read = wire.aws().read_load_balancer(&infrastructure(), None).await;
    assert!(read.unwrap_err().is_retryable());
}

#[tokio::test]
async fn what_is_known_is_not_asked_for_and_what_is_gone_leads_nowhere() {
    let wire = Wire::new().on("DescribeListeners", listeners(&own(), ""));
    let known = OtherWays {
        hidden: Some("no".to_owned()),
        ..OtherWays::default()
    };
    let aws = wire.aws();
    let (_, ways) = aws
        .read_load_balancer(&infrastructure(), Some(known.clone()))
        .await
        .unwrap();
    assert_eq!(ways, known);

    let gone = Reply::xml_error(400, "LoadBalancerNotFound", "no such");
    let aws = Wire::new().on("DescribeListeners", gone).aws();
    assert_eq!(
        aws.read_other_ways(&infrastructure()).await.unwrap(),
        OtherWays::default()
    );
    // Without one of its own listeners, the others still lead there.
    let left = [listener(
        "listener/8080",
        8080,
        "HTTP",
        &forward("tg/green"),
    )];
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&left, ""))
        .on(
            "DescribeRules",
            Reply::xml_error(400, "ListenerNotFound", "no such"),
        );
    let ways = wire.aws().read_other_ways(&infrastructure()).await.unwrap();
    assert_eq!(shown(&ways), ["port 8080 (HTTP) -> green [listener/8080]"]);
}

/// A load balancer that others share, with production at a rule of its one listener.
fn shared(rules_there: &[String]) -> Wire {
    let fixed = "<member><Type>fixed-response</Type><FixedResponseConfig><StatusCode>404</StatusCode>\
        </FixedResponseConfig></member>";
    let only = [listener("listener/443", 443, "HTTPS", fixed)];
    Wire::new()
        .on("DescribeListeners", listeners(&only, ""))
        .on("DescribeRules", rules(rules_there, ""))
}

fn by_name(color: &str, priority: &str) -> String {
    rule(
        &format!("rule/{color}"),
        priority,
        &header("x-bgecs-color", color),
        &forward(&format!("tg/{color}")),
    )
}

fn production(priority: &str) -> String {
    let host = condition(
        "host-header",
        &values("HostHeaderConfig", &["shop.example.com"]),
    );
    rule("rule/prod", priority, &host, &forward("tg/green"))
}

#[tokio::test]
async fn on_a_shared_load_balancer_only_what_leads_to_the_app_is_a_way() {
    let path = |path: &str| condition("path-pattern", &values("PathPatternConfig", &[path]));
    let theirs = rule("rule/theirs", "5", &path("/other"), &forward("tg/theirs"));
    let api = rule("rule/api", "6", &path("/api/*"), &forward("tg/green"));
    let own = [
        by_name("blue", "1"),
        by_name("green", "2"),
        production("10"),
    ];
    let wire = shared(&[own.as_slice(), &[theirs, api]].concat());
    let aws = wire.aws();
    let (found, ways) = aws.read_load_balancer(&by_rules(), None).await.unwrap();
    // The rules were read only once for both.
    wire.assert_used_up();
    assert_eq!(wire.requests().len(), 2);
    assert_eq!(
        (found.production, found.test),
        (to(Color::Green), Found::ByRequest)
    );
    assert_eq!(
        shown(&ways),
        ["port 443 (HTTPS), rule 6 (path /api/*) -> green [rule/api]"]
    );
    assert_eq!(ways.amiss, None);
}

#[tokio::test]
async fn what_is_wrong_with_the_rules_for_a_colour_is_said() {
    let to_green = rule(
        "rule/blue",
        "1",
        &header("x-bgecs-color", "blue"),
        &forward("tg/green"),
    );
    let of_another = rule(
        "rule/blue",
        "1",
        &header("x-color", "blue"),
        &forward("tg/blue"),
    );
    // Whatever else it requires.
    let narrower = rule(
        "rule/blue",
        "1",
        &(header("X-Bgecs-Color", "blue") + &condition("path-pattern", "")),
        &forward("tg/blue"),
    );
    for (blue, told) in [
        (vec![], Some("is gone")),
        (vec![to_green], Some("forwards to green")),
        (vec![of_another], Some("takes other requests")),
        (
            vec![by_name("blue", "11")],
            Some("comes after production's"),
        ),
        (vec![narrower], None),
        (vec![by_name("blue", "9")], None),
    ] {
        let rest = [by_name("green", "2"), production("10")];
        let wire = shared(&[blue.as_slice(), &rest].concat());
        let read = wire.aws().read_load_balancer(&by_rules(), None).await;
        let (found, ways) = read.unwrap();
        assert_eq!(found.test, Found::ByRequest);
        assert_eq!(shown(&ways), [""; 0]);
        let told = told.map(|what| format!("the rule for x-bgecs-color: blue {what}"));
        assert_eq!(ways.amiss, told);
    }
}

/// The rules that could not be read include production's.
#[tokio::test]
async fn rules_that_may_not_be_read_hide_production_where_it_is_one() {
    let wire = Wire::new()
        .on("DescribeListeners", listeners(&own(), ""))
        .on("DescribeRules", Reply::xml_error(403, "AccessDenied", "no"));
    let read = wire.aws().read_load_balancer(&by_rules(), None).await;
    assert_eq!(read.unwrap_err().kind, AwsErrorKind::Denied);
}
