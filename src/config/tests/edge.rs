use super::*;
use crate::model::Color;

const SITE: &str = "app = 'site'
[router]
kind = 'route53'
record = 'WWW.Example.com.'
[colors.blue]
target = 'blue-1.eu-central-1.elb.amazonaws.com'
url = 'https://blue.example.net/'
deploy = 'terraform apply'
[colors.green]
target = 'green.example.net'
url = 'https://green.example.net'
";

fn edge(text: &str) -> Edge {
    parse(text).unwrap().edge.unwrap()
}

#[test]
fn colours_of_somebody_else_s_have_what_is_pointed_at_and_where_they_are_seen() {
    let edge = edge(SITE);
    let RouterKeys::Route53(record) = &edge.router;
    assert_eq!(record.record, "www.example.com");
    assert_eq!((record.ttl, record.zone.as_deref()), (60, None));
    assert_eq!(edge.url, "https://www.example.com");
    let blue = edge.colors.get(Color::Blue);
    assert_eq!(blue.url, "https://blue.example.net");
    assert_eq!(blue.deploy.as_deref(), Some("terraform apply"));
    assert_eq!(blue.retire, None);
    let name = "blue-1.eu-central-1.elb.amazonaws.com".to_owned();
    assert_eq!(blue.points_at, PointsAt::Name(name));
}

#[test]
fn a_target_may_be_addresses_and_a_resolver_has_a_port() {
    let text = SITE
        .replace("'green.example.net'", "['192.0.2.1', '192.0.2.2']")
        .replace("kind =", "resolvers = ['1.1.1.1', '[::1]:5353']\nkind =");
    let edge = edge(&text);
    let RouterKeys::Route53(record) = &edge.router;
    let told: Vec<String> = record.resolvers.iter().map(ToString::to_string).collect();
    assert_eq!(told, ["1.1.1.1:53", "[::1]:5353"]);
    let addresses = ["192.0.2.1", "192.0.2.2"].map(|it| it.parse().unwrap());
    let green = edge.colors.get(Color::Green);
    assert_eq!(green.points_at, PointsAt::Addresses(addresses.to_vec()));
}

#[test]
fn what_does_not_go_together_is_told_by_its_key() {
    for (from, to, key, says) in [
        (
            "kind = 'route53'",
            "kind = 'dns'",
            "router.kind",
            "no kind of router",
        ),
        ("kind = 'route53'", "", "router.kind", "it is missing"),
        (
            "record = 'WWW.Example.com.'",
            "",
            "router.record",
            "it is missing",
        ),
        (
            "'WWW.Example.com.'",
            "'https://a.b'",
            "router.record",
            "no whole name",
        ),
        (
            "url = 'https://green.example.net'",
            "",
            "colors.green.url",
            "it is missing",
        ),
        (
            "target = 'green.example.net'",
            "target = []",
            "colors.green.target",
            "it is empty",
        ),
        (
            "target = 'green.example.net'",
            "target = ['a.b', 'c.d']",
            "colors.green.target",
            "addresses alone",
        ),
        (
            "[colors.green]\ntarget = 'green.example.net'\nurl = 'https://green.example.net'",
            "",
            "colors.green.target",
            "it is missing",
        ),
        (
            "target = 'green.example.net'\nurl = 'https://green.example.net'",
            "service = 'web'",
            "colors.green.service",
            "two colours that bgecs does not run",
        ),
        (
            "target = 'green.example.net'",
            "taget = 'green.example.net'",
            "colors.green.target",
            "it is missing",
        ),
        (
            "target = 'green.example.net'",
            "target = 'BLUE-1.eu-central-1.elb.amazonaws.com.'",
            "colors.green.target",
            "it is blue's, too",
        ),
        (
            "kind = 'route53'",
            "kind = 'listener'",
            "router.kind",
            "take the section out",
        ),
        (
            "[router]\nkind = 'route53'\nrecord = 'WWW.Example.com.'",
            "",
            "router",
            "it is missing",
        ),
        (
            "[colors.blue]",
            "[tls]\n[colors.blue]",
            "tls",
            "for ECS services",
        ),
        (
            "[colors.blue]",
            "[service]\n[colors.blue]",
            "service",
            "for ECS services",
        ),
        ("kind =", "ttl = 0\nkind =", "router.ttl", "whole number"),
        (
            "kind =",
            "resolvers = ['dns.test']\nkind =",
            "router.resolvers",
            "no resolver",
        ),
        (
            "kind =",
            "zone = 'z-1'\nkind =",
            "router.zone",
            "no id of a hosted zone",
        ),
    ] {
        let text = SITE.replace(from, to);
        assert_ne!(text, SITE, "{from}");
        let told = parse(&text).unwrap_err().to_string();
        assert!(told.contains(key) && told.contains(says), "{to}: {told}");
    }
}
