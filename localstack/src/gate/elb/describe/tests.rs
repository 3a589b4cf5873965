use super::*;
use crate::balancer::config::{Action, Forward};

#[test]
fn application_load_balancers_are_read_page_by_page() {
    let page = load_balancers(
        "<DescribeLoadBalancersResponse xmlns='http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/'>\
         <DescribeLoadBalancersResult><LoadBalancers>\
         <member><LoadBalancerArn>a</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName>\
         <DNSName>Web-1.elb</DNSName><Type>application</Type></member>\
         <member><LoadBalancerArn>n</LoadBalancerArn><DNSName>n</DNSName><Type>network</Type></member>\
         </LoadBalancers><NextMarker>2</NextMarker></DescribeLoadBalancersResult>\
         </DescribeLoadBalancersResponse>",
    )
    .unwrap();
    assert_eq!(page.next.as_deref(), Some("2"));
    assert_eq!(
        page.items,
        [LoadBalancer {
            arn: Arn::new("a"),
            name: "web".into(),
            dns: "Web-1.elb".into()
        }]
    );
}

#[test]
fn a_listener_has_its_port_and_actions() {
    let page = listeners(
        "<R><Listeners><member><ListenerArn>l</ListenerArn><Port>81</Port><DefaultActions><member>\
         <Type>forward</Type><TargetGroupArn>blue</TargetGroupArn></member></DefaultActions></member>\
         </Listeners><NextMarker/></R>",
    )
    .unwrap();
    assert_eq!(page.next, None);
    assert_eq!(page.items[0].port, 81);
    assert_eq!(
        page.items[0].default_actions,
        [Action::Forward(Forward::to(Arn::new("blue")))]
    );
}

#[test]
fn rules_are_read_without_the_listeners_default() {
    let rules = rules(
        "<R><Rules>\
         <member><RuleArn>d</RuleArn><Priority>default</Priority><Actions/></member>\
         <member><RuleArn>r</RuleArn><Priority>7</Priority><Conditions>\
         <member><Field>path-pattern</Field><PathPatternConfig><Values><member>/a*</member></Values></PathPatternConfig></member>\
         <member><Field>host-header</Field><Values><member>x.y</member></Values></member>\
         <member><Field>http-request-method</Field><Values><member>GET</member></Values></member>\
         <member><Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-B</HttpHeaderName><Values><member>1</member></Values></HttpHeaderConfig></member>\
         <member><Field>query-string</Field><QueryStringConfig><Values><member><Value>v</Value></member><member><Key>k</Key><Value>w</Value></member></Values></QueryStringConfig></member>\
         <member><Field>source-ip</Field></member>\
         </Conditions></member></Rules></R>",
    )
    .unwrap()
    .items;
    assert_eq!(rules.len(), 1);
    assert_eq!(rules[0].priority, 7);
    assert_eq!(
        rules[0].conditions,
        [
            Condition::PathPattern(vec!["/a*".into()]),
            Condition::HostHeader(vec!["x.y".into()]),
            Condition::HttpRequestMethod(vec!["GET".into()]),
            Condition::HttpHeader {
                name: "X-B".into(),
                values: vec!["1".into()]
            },
            Condition::QueryString(vec![(None, "v".into()), (Some("k".into()), "w".into())]),
            Condition::Unknown("source-ip".into()),
        ]
    );
}

#[test]
fn what_a_target_group_does_not_say_has_the_default() {
    let bare =
        "<R><TargetGroups><member><TargetGroupArn>g</TargetGroupArn></member></TargetGroups></R>";
    let group = &target_groups(bare).unwrap().items[0];
    let check = &group.health_check;
    assert_eq!(
        (group.port, check.port, check.path.as_str()),
        (80, None, "/")
    );
    assert_eq!(check.interval, Duration::from_secs(30));
    assert_eq!(check.timeout, Duration::from_secs(5));
    assert_eq!((check.healthy_threshold, check.unhealthy_threshold), (5, 2));
    assert!(check.enabled && check.matcher.admits(200) && !check.matcher.admits(201));
}

#[test]
fn what_a_target_group_says_holds() {
    let group = &target_groups(
        "<R><TargetGroups><member><TargetGroupArn>g</TargetGroupArn><Port>8080</Port>\
         <HealthCheckEnabled>false</HealthCheckEnabled><HealthCheckPort>9000</HealthCheckPort>\
         <HealthCheckPath>/up</HealthCheckPath><HealthCheckIntervalSeconds>10</HealthCheckIntervalSeconds>\
         <HealthCheckTimeoutSeconds>2</HealthCheckTimeoutSeconds><HealthyThresholdCount>3</HealthyThresholdCount>\
         <UnhealthyThresholdCount>4</UnhealthyThresholdCount><Matcher><HttpCode>204</HttpCode></Matcher>\
         </member></TargetGroups></R>",
    )
    .unwrap()
    .items[0];
    let check = &group.health_check;
    assert_eq!(
        (group.port, check.port, check.path.as_str()),
        (8080, Some(9000), "/up")
    );
    assert_eq!(check.interval, Duration::from_secs(10));
    assert_eq!(check.timeout, Duration::from_secs(2));
    assert_eq!((check.healthy_threshold, check.unhealthy_threshold), (3, 4));
    assert!(!check.enabled && check.matcher.admits(204) && !check.matcher.admits(200));
}

#[test]
fn targets_without_an_address_are_only_noted() {
    let registered = registered(
        "<R><TargetHealthDescriptions>\
         <member><Target><Id>10.0.0.1</Id><Port>80</Port></Target></member>\
         <member><Target><Id>10.0.0.2</Id></Target><TargetHealth><State>healthy</State></TargetHealth></member>\
         <member><Target><Id>i-0123</Id></Target></member>\
         </TargetHealthDescriptions></R>",
        8080,
    )
    .unwrap();
    assert!(registered.others);
    let target = |ip: &str, port| Target {
        ip: ip.parse().unwrap(),
        port,
    };
    assert_eq!(
        registered.targets,
        BTreeSet::from([target("10.0.0.1", 80), target("10.0.0.2", 8080)])
    );
}

#[test]
fn attributes_and_descriptions_are_read() {
    let some = "<R><Attributes><member><Key>a</Key><Value>1</Value></member>\
                <member><Key>b</Key><Value/></member></Attributes></R>";
    let read = attributes(some).unwrap();
    assert_eq!((read["a"].as_str(), read["b"].as_str()), ("1", ""));
    let rules = "<R><Rules><member><RuleArn>r</RuleArn></member></Rules></R>";
    assert_eq!(described(rules).unwrap(), [Arn::new("r")]);
    assert!(listeners("not XML").is_err());
}
