use super::*;
use crate::aws::testing::{Reply, Wire};

fn forward(groups: &[(&str, u32)]) -> String {
    let tuple = |(arn, weight): &(&str, u32)| {
        format!("<member><TargetGroupArn>{arn}</TargetGroupArn><Weight>{weight}</Weight></member>")
    };
    let tuples: String = groups.iter().map(tuple).collect();
    format!(
        "<member><Type>forward</Type><ForwardConfig><TargetGroups>{tuples}</TargetGroups></ForwardConfig></member>"
    )
}

fn groups(balancers: &[&[&str]]) -> Reply {
    let group = |arns: &&[&str]| {
        let arns: String = arns
            .iter()
            .map(|arn| format!("<member>{arn}</member>"))
            .collect();
        format!(
            "<member><TargetGroupArn>tg/a</TargetGroupArn><TargetGroupName>a</TargetGroupName>\
             <Protocol>HTTP</Protocol><VpcId>vpc-1</VpcId><HealthCheckPath>/up</HealthCheckPath>\
             <LoadBalancerArns>{arns}</LoadBalancerArns></member>"
        )
    };
    let groups: String = balancers.iter().map(group).collect();
    Reply::xml(
        "DescribeTargetGroups",
        &format!("<TargetGroups>{groups}</TargetGroups>"),
    )
}

fn balancers(named: &[(&str, &str, &str)]) -> Reply {
    let balancer = |(name, kind, scheme): &(&str, &str, &str)| {
        format!(
            "<member><LoadBalancerArn>lb/{name}</LoadBalancerArn><LoadBalancerName>{name}</LoadBalancerName>\
             <DNSName>{name}.elb.example</DNSName><Type>{kind}</Type><Scheme>{scheme}</Scheme></member>"
        )
    };
    let balancers: String = named.iter().map(balancer).collect();
    Reply::xml(
        "DescribeLoadBalancers",
        &format!("<LoadBalancers>{balancers}</LoadBalancers>"),
    )
}

fn listeners(members: &[(u16, &str, String)], next: &str) -> Reply {
    let member = |(port, protocol, actions): &(u16, &str, String)| {
        format!(
            "<member><ListenerArn>listener/{port}</ListenerArn><Port>{port}</Port>\
             <Protocol>{protocol}</Protocol><DefaultActions>{actions}</DefaultActions></member>"
        )
    };
    let members: String = members.iter().map(member).collect();
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{members}</Listeners>{next}"),
    )
}

fn rules(members: &[(&str, &str, String)], next: &str) -> Reply {
    let member = |(priority, conditions, actions): &(&str, &str, String)| {
        format!(
            "<member><RuleArn>rule/{priority}</RuleArn><Priority>{priority}</Priority>\
             <IsDefault>{}</IsDefault><Conditions>{conditions}</Conditions><Actions>{actions}</Actions></member>",
            *priority == "default"
        )
    };
    let members: String = members.iter().map(member).collect();
    Reply::xml("DescribeRules", &format!("<Rules>{members}</Rules>{next}"))
}

fn arns(names: &[&str]) -> Vec<TargetGroupArn> {
    names
        .iter()
        .map(|name| TargetGroupArn::new(*name))
        .collect()
}

fn shown(balancers: &[Balancer]) -> Vec<String> {
    let mut all = Vec::new();
    for balancer in balancers {
        for listener in &balancer.listeners {
            for rule in &listener.rules {
                let forwards: Vec<String> = rule
                    .forwards
                    .iter()
                    .map(|(group, weight)| format!("{group} {weight}"))
                    .collect();
                let name = &balancer.name;
                all.push(format!(
                    "{name} {listener}, {rule}: {} [{}]",
                    forwards.join(", "),
                    rule.arn
                ));
            }
        }
    }
    all
}

#[tokio::test]
async fn every_listener_and_rule_of_every_load_balancer_is_read() {
    let host = "<member><Field>host-header</Field><HostHeaderConfig><Values><member>shop.example.com</member></Values></HostHeaderConfig></member>";
    let old_path =
        "<member><Field>path-pattern</Field><Values><member>/api/*</member></Values></member>";
    let regular = "<member><Field>path-pattern</Field><PathPatternConfig><RegexValues><member>^/x</member></RegexValues></PathPatternConfig></member>";
    let header = "<member><Field>http-header</Field><HttpHeaderConfig><HttpHeaderName>X-Origin</HttpHeaderName><Values><member>hunter22</member></Values></HttpHeaderConfig></member>";
    let source = "<member><Field>source-ip</Field><SourceIpConfig><Values><member>10.0.0.0/8</member></Values></SourceIpConfig></member>";
    let redirect = "<member><Type>redirect</Type></member>".to_owned();
    let sign_in = "<member><Type>authenticate-oidc</Type></member>".to_owned();
    let simple = "<member><Type>forward</Type><TargetGroupArn>tg/b</TargetGroupArn></member>";
    let next = |mark: &str| format!("<NextMarker>{mark}</NextMarker>");
    let wire = Wire::new()
        .on(
            "DescribeTargetGroups",
            groups(&[&["lb/shared"], &[], &["lb/net", "lb/shared"]]),
        )
        .on(
            "DescribeLoadBalancers",
            balancers(&[
                ("shared", "application", "internet-facing"),
                ("net", "network", "internal"),
            ]),
        )
        .on(
            "DescribeListeners",
            listeners(&[(443, "HTTPS", forward(&[("tg/other", 1)]))], &next("L2")),
        )
        .on(
            "DescribeListeners",
            listeners(&[(6000, "TCP", forward(&[("tg/c", 1)]))], ""),
        )
        .on(
            "DescribeListeners",
            listeners(&[(80, "HTTP", redirect.clone())], ""),
        )
        // For port 80, whose default action is not a rule here; then for 443, two pages.
        .on(
            "DescribeRules",
            rules(
                &[("7", &(header.to_owned() + source), simple.to_owned())],
                "",
            ),
        )
        .on(
            "DescribeRules",
            rules(
                &[
                    ("default", "", forward(&[("tg/other", 1)])),
                    ("10", &(regular.to_owned() + old_path), redirect),
                ],
                &next("R2"),
            ),
        )
        .on(
            "DescribeRules",
            rules(
                &[("9", host, sign_in + &forward(&[("tg/a", 90), ("tg/b", 0)]))],
                "",
            ),
        );
    let aws = wire.aws();
    let groups = aws.read_groups(&arns(&["tg/a", "tg/b", "tg/c"])).await;
    let groups = groups.unwrap();
    let found = aws.read_balancers(&groups).await.unwrap();
    assert_eq!(
        groups[1],
        TargetGroupSettings {
            arn: TargetGroupArn::new("tg/a"),
            name: "a".to_owned(),
            protocol: "HTTP".to_owned(),
            health_path: Some("/up".to_owned()),
            vpc: "vpc-1".to_owned(),
            balancers: Vec::new(),
        }
    );
    wire.assert_used_up();
    assert_eq!(
        shown(&found),
        [
            "shared port 80 (HTTP), rule 7 (header X-Origin, source 10.0.0.0/8): tg/b 1 [rule/7]",
            "shared port 80 (HTTP), default action:  [listener/80]",
            "shared port 443 (HTTPS), rule 9 (host shop.example.com): tg/a 90, tg/b 0 [rule/9]",
            "shared port 443 (HTTPS), rule 10 (path matching ^/x, path /api/*):  [rule/10]",
            "shared port 443 (HTTPS), default action: tg/other 1 [rule/default]",
            "net port 6000 (TCP), default action: tg/c 1 [listener/6000]",
        ]
    );
    assert_eq!(found[0].dns_name, "shared.elb.example");
    assert_eq!([found[0].is_internal, found[1].is_internal], [false, true]);
    assert_eq!(
        [found[0].is_application, found[1].is_application],
        [true, false]
    );
    let asked = wire.requests();
    assert_eq!(
        asked[0].field("TargetGroupArns.member.3").as_deref(),
        Some("tg/c")
    );
    assert_eq!(
        asked[1].field("LoadBalancerArns.member.2").as_deref(),
        Some("lb/net")
    );
    assert_eq!(asked[1].field("LoadBalancerArns.member.3"), None);
}

/// AWS would return all.
#[tokio::test]
async fn nothing_is_asked_for_without_a_name() {
    let wire = Wire::new();
    assert_eq!(wire.aws().read_groups(&[]).await.unwrap(), []);
    assert_eq!(wire.aws().read_balancers(&[]).await.unwrap(), []);
    let wire = Wire::new().on("DescribeTargetGroups", groups(&[&[]]));
    let found = wire.aws().read_groups(&arns(&["tg/a"])).await.unwrap();
    assert_eq!(wire.aws().read_balancers(&found).await.unwrap(), []);
    assert_eq!(wire.requests().len(), 1);
}
