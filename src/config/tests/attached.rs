//! An app one of whose colours ran before bgecs came.

use super::*;
use crate::model::{Color, ListenerArn};

const LISTENER: &str =
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/shared/50dc/f2f7";
const RULE: &str = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener-rule/app/shared/50dc/f2f7/9683";

/// `LISTENER` and `RULE` stand for the ARNs.
fn text(production: &str) -> String {
    format!(
        "app = 'web'\n[service]\ncluster = 'prod'\n[colors.green]\nservice = 'web_1'\n[production]\nurl = 'https://shop.example.com'\n{production}"
    )
    .replace("LISTENER", LISTENER)
    .replace("RULE", RULE)
}

fn with_url(url: &str) -> String {
    text("listener = 'LISTENER'").replace("https://shop.example.com", url)
}

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

#[test]
fn the_running_service_and_its_users_way_are_read() {
    let by_arn = ListenerKeys::Arn(ListenerArn::new(LISTENER));
    let by_port = ListenerKeys::Of {
        load_balancer: "shared".to_owned(),
        port: 443,
    };
    for (production, listener, rule) in [
        (
            "listener = 'LISTENER'",
            by_arn.clone(),
            RuleKey::DefaultAction,
        ),
        (
            "listener = 'LISTENER'\nrule = 'RULE'",
            by_arn.clone(),
            RuleKey::Arn(RULE.to_owned()),
        ),
        (
            "load_balancer = 'shared'\nport = 443\nrule = 'RULE'",
            by_port.clone(),
            RuleKey::Arn(RULE.to_owned()),
        ),
        (
            "load_balancer = 'shared'\nport = 443\nrule = { host = ['a.example', 'b.example'] }\n[test]\nheader = { X-Bgecs-Color = 'blue' }",
            by_port,
            RuleKey::With {
                host: strings(&["a.example", "b.example"]),
                path: Vec::new(),
            },
        ),
        (
            "listener = 'LISTENER'\nrule = { path = ['/api/*'], host = ['a.example'] }",
            by_arn,
            RuleKey::With {
                host: strings(&["a.example"]),
                path: strings(&["/api/*"]),
            },
        ),
    ] {
        let config = parse(&text(production)).unwrap();
        assert_eq!(config.service, Service::default());
        let expected = Attached {
            color: Color::Green,
            service: "web_1".to_owned(),
            cluster: "prod".to_owned(),
            listener,
            rule,
            url: "https://shop.example.com".to_owned(),
            further: Vec::new(),
            test: TestKey::Header,
        };
        assert_eq!(config.attached, Some(expected), "{production}");
    }
}

#[test]
fn testers_come_in_by_one_of_three_ways() {
    for (test, expected) in [
        ("", TestKey::Header),
        ("header = 'X-Bgecs-Color'", TestKey::Header),
        ("header = { x-bgecs-color = 'blue' }", TestKey::Header),
        ("header = { x-bgecs-color = 'green' }", TestKey::Header),
        ("port = 81", TestKey::Port(81)),
        (
            "host = 'Next.example.com'",
            TestKey::Host("next.example.com".to_owned()),
        ),
    ] {
        let config = parse(&text(&format!("listener = 'LISTENER'\n[test]\n{test}"))).unwrap();
        assert_eq!(config.attached.unwrap().test, expected, "{test}");
    }
}

/// What `attach` goes by; all else of the file is no matter of it.
#[test]
fn a_changed_way_is_told_from_what_was_made() {
    let written = |text: &str| parse(text).unwrap().attached.unwrap().written();
    let made = text("listener = 'LISTENER'");
    let differing = |other: &str| -> Vec<&'static str> {
        let (made, other) = (written(&made), written(other));
        assert!(made.keys().eq(other.keys()));
        let names = made.keys().copied();
        names.filter(|name| made[name] != other[name]).collect()
    };
    let with = |more: &str| differing(&format!("{made}\n{more}"));
    assert_eq!(with("[test]\nheader = 'x-bgecs-color'"), [""; 0]);
    assert_eq!(with("[probe]\nrate = 3"), [""; 0]);
    assert_eq!(with("[test]\nport = 81"), ["Test"]);
    assert_eq!(with("[test]\nhost = 'next.example.com'"), ["Test"]);
    assert_eq!(with("rule = { path = ['/api/*'] }"), ["Production"]);
    let service = made.replace("web_1", "web_2");
    assert_eq!(differing(&service), ["RunningService"]);
    let url = with_url("https://www.example.com");
    assert_eq!(differing(&url), ["Production"]);
}

#[test]
fn a_url_is_what_users_type_up_to_the_path() {
    for (given, expected) in [
        ("https://Shop.example.com/", "https://shop.example.com"),
        ("https://shop.example.com:443", "https://shop.example.com"),
        (
            "http://shop.example.com:8080",
            "http://shop.example.com:8080",
        ),
    ] {
        let config = parse(&with_url(given)).unwrap();
        assert_eq!(config.production.url.as_deref(), Some(expected));
    }
    for wrong in [
        "shop.example.com",
        "ftp://shop.example.com",
        "https://",
        "https://me:hunter22@shop.example.com",
        "https://shop.example.com/health",
        "https://shop.example.com/?a",
    ] {
        let error = parse(&with_url(wrong)).unwrap_err();
        assert!(error.to_string().contains("`production.url`"), "{error}");
    }
}

#[test]
fn what_is_missing_beside_the_running_service_is_said() {
    let missing = |text: &str| {
        let error = parse(&format!("app = 'web'\n{text}"))
            .unwrap_err()
            .to_string();
        let (_, said) = error.split_once(": ").unwrap();
        said.lines().next().unwrap().to_owned()
    };
    let colors = "[colors.blue]\nservice = 'web'\n";
    let cluster = format!("[service]\ncluster = 'prod'\n{colors}[production]\n");
    insta::assert_snapshot!(
        [
            missing("[colors.blue]"),
            missing(colors),
            missing(&cluster),
            missing(&format!("{cluster}listener = '{LISTENER}'")),
        ]
        .join("\n"),
        @"
    `colors.blue.service`: it is missing: it names the service that runs already
    `service.cluster`: it is missing: it names the cluster of the service web
    `production.listener`: it is missing: it is the ARN of the listener that users come in by; `load_balancer` and `port` will do too
    `production.url`: it is missing: it is what users type, such as https://shop.example.com
    "
    );
}

#[test]
fn an_environment_may_have_another_running_service() {
    let production = "listener = 'LISTENER'\n[env.staging]\nservice.cluster = 'staging'\ncolors.green.service = 'web_2'";
    let path = Path::new("/srv/hello/bgecs.toml");
    let config = Config::parse_in(&text(production), path, Some("staging")).unwrap();
    let attached = config.attached.unwrap();
    assert_eq!(
        (&*attached.cluster, &*attached.service),
        ("staging", "web_2")
    );
}

#[test]
fn users_may_come_in_by_several_ways() {
    let several = text("listener = 'LISTENER'\nrule = 'RULE'")
        .replace("[production]", "[[production]]")
        + "\n[[production]]\nload_balancer = 'internal'\nport = 80\nurl = 'http://shop.internal'\npath = '/up'\n"
        + "[[production]]\nload_balancer = 'internal'\nport = 80\nrule = { path = ['/api/*'] }\nurl = 'http://shop.internal'\n";
    let attached = parse(&several).unwrap().attached.unwrap();
    let ways: Vec<String> = attached.ways().map(|way| way.to_string()).collect();
    assert_eq!(
        ways,
        [
            format!("https://shop.example.com {LISTENER} {RULE}"),
            "http://shop.internal internal port 80 default action asked /up".to_owned(),
            "http://shop.internal internal port 80 host  path /api/*".to_owned(),
        ]
    );
    // What `status` holds against what `attach` was told.
    let one = parse(&text("listener = 'LISTENER'\nrule = 'RULE'")).unwrap();
    assert_ne!(one.attached.unwrap().written(), attached.written());
}
