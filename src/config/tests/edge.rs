use super::*;
use crate::model::{Backends, Color};

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
    let RouterKeys::Route53(record) = &edge.router else {
        panic!("it is no record")
    };
    assert_eq!(record.record, "www.example.com");
    assert_eq!((record.ttl, record.zone.as_deref()), (60, None));
    assert_eq!(edge.url, "https://www.example.com");
    let blue = edge.colors.get(Color::Blue);
    assert_eq!(blue.url.as_deref(), Some("https://blue.example.net"));
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
    let RouterKeys::Route53(record) = &edge.router else {
        panic!("it is no record")
    };
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
            "not a kind of router",
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
            "not a full DNS name",
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
            "colors.green.taget",
            "there is no such key",
        ),
        (
            "target = 'green.example.net'",
            "",
            "colors.green.target",
            "it is missing",
        ),
        (
            "[router]",
            "[ruoter]",
            "ruoter",
            "there is no such key at the top",
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
            "not a resolver",
        ),
        (
            "kind =",
            "zone = 'z-1'\nkind =",
            "router.zone",
            "not the id of a hosted zone",
        ),
    ] {
        let text = SITE.replace(from, to);
        assert_ne!(text, SITE, "{from}");
        let told = parse(&text).unwrap_err().to_string();
        assert!(told.contains(key) && told.contains(says), "{to}: {told}");
    }
}

fn pointing(router: &str, blue: &str, green: &str) -> String {
    format!(
        "app = 'site'\n[router]\n{router}\n[colors.blue]\ntarget = '{blue}'\nurl = 'https://blue.example.net/prod/'\n\
         [colors.green]\ntarget = '{green}'\nurl = 'https://green.example.net'\n"
    )
}

#[test]
fn each_kind_has_its_keys_and_knows_what_users_type() {
    let all = [
        (
            pointing(
                "kind = 'cloudfront-alias'\nalias = 'WWW.Example.com'",
                "E1A",
                "E1B",
            ),
            "alias www.example.com",
            "https://www.example.com",
        ),
        (
            pointing(
                "kind = 'cloudfront-origin'\ndistribution = 'E1A'\nurl = 'https://a.b/c'\nbehavior = '/api/*'",
                "blue origin",
                "green.example.net",
            ),
            "origin of E1A for /api/*",
            "https://a.b/c",
        ),
        (
            pointing(
                "kind = 'api-mapping'\ndomain = 'api.example.com'",
                "a1/prod",
                "b2/$default",
            ),
            "mapping of api.example.com",
            "https://api.example.com",
        ),
        (
            pointing(
                "kind = 'api-mapping'\ndomain = 'api.example.com'\npath = '/orders/'",
                "a1/prod",
                "b2/prod",
            ),
            "mapping of api.example.com/orders",
            "https://api.example.com/orders",
        ),
        (
            pointing(
                "kind = 'static-ip'\nname = 'Ip-1'\nurl = 'http://192.0.2.7'",
                "web-1",
                "web.2",
            ),
            "static address Ip-1",
            "http://192.0.2.7",
        ),
    ];
    for (text, pointer, url) in all {
        let edge = edge(&text);
        assert_eq!(edge.router.pointer().unwrap().to_string(), pointer);
        assert_eq!(edge.url, url);
        let blue = edge.colors.blue.url.as_deref();
        assert_eq!(blue, Some("https://blue.example.net/prod"));
    }
}

#[test]
fn an_instance_is_looked_at_where_lightsail_says_that_it_is() {
    let text = pointing(
        "kind = 'static-ip'\nname = 'Ip-1'\nurl = 'http://192.0.2.7'",
        "web-1",
        "web-2",
    );
    let without = text.replace("url = 'https://blue.example.net/prod/'\n", "");
    let blue = |text: &str| edge(text).colors.blue.url.unwrap();
    assert_eq!(blue(&without), "http://{address}");
    let with = text.replace("https://blue.example.net/prod/", "http://{address}:8080/");
    assert_eq!(blue(&with), "http://{address}:8080");
}

#[test]
fn colours_of_a_mapping_have_urls_or_are_both_looked_at_by_a_header() {
    let text = pointing(
        "kind = 'api-mapping'\ndomain = 'api.example.com'",
        "a1/prod",
        "b2/prod",
    );
    let blue = "url = 'https://blue.example.net/prod/'\n";
    let green = "url = 'https://green.example.net'\n";
    let neither = text.replace(blue, "").replace(green, "");
    assert_eq!(edge(&neither).backends(), Backends::ByHeader);
    assert!(matches!(edge(&text).backends(), Backends::Urls(_)));
    for (url, key) in [(blue, "colors.blue.url"), (green, "colors.green.url")] {
        let told = parse(&text.replace(url, "")).unwrap_err().to_string();
        assert!(told.contains(key) && told.contains("neither"), "{told}");
    }
}

#[test]
fn what_a_kind_cannot_point_at_is_told_with_what_it_can() {
    let origin = "kind = 'cloudfront-origin'\ndistribution = 'E1A'\nurl = 'https://a.b'";
    for (router, blue, key, says) in [
        (
            "kind = 'cloudfront-alias'\nalias = 'a.b'",
            "d1.cloudfront.net",
            "colors.blue.target",
            "id of a distribution",
        ),
        (
            "kind = 'cloudfront-alias'\nalias = '*.b.c'",
            "E1A",
            "router.alias",
            "not a full DNS name",
        ),
        (
            "kind = 'cloudfront-alias'",
            "E1A",
            "router.alias",
            "it is missing",
        ),
        (
            "kind = 'api-mapping'\ndomain = 'a.b'",
            "a1",
            "colors.blue.target",
            "an API and a stage",
        ),
        (
            "kind = 'api-mapping'\ndomain = 'a.b'\npath = 'a b'",
            "a1/b",
            "router.path",
            "not the path of a mapping",
        ),
        (
            "kind = 'static-ip'\nname = 'Ip-1'\nurl = 'http://a.b'",
            "a b",
            "colors.blue.target",
            "name of an instance",
        ),
        (
            "kind = 'static-ip'\nname = 'Ip-1'",
            "web-1",
            "router.url",
            "it is missing",
        ),
        (
            "kind = 'static-ip'\nname = 'Ip-1'\nurl = 'http://a.b'\nttl = 1",
            "web-1",
            "router.ttl",
            "no such key",
        ),
        (
            &format!("{origin}\ninvalidate = ['a']"),
            "x",
            "router.invalidate",
            "begins with a slash",
        ),
        (
            &format!("{origin}\nstaging = 'x'"),
            "x",
            "router.staging",
            "not the id of a distribution",
        ),
        (
            "kind = 'cloudfront-origin'\nurl = 'https://a.b'",
            "x",
            "router.distribution",
            "it is missing",
        ),
    ] {
        let told = parse(&pointing(router, blue, "other"))
            .unwrap_err()
            .to_string();
        assert!(
            told.contains(key) && told.contains(says),
            "{router}: {told}"
        );
    }
}
