use super::super::DEFAULT_POLICY;
use super::*;

const ARN: &str = "arn:aws:acm:eu-west-1:123456789012:certificate/";

fn with(production: &str, tls: &str) -> Result<Config, ConfigError> {
    parse(&format!(
        "app = 'hello'\n[production]\n{production}\n[tls]\n{tls}\n"
    ))
}

#[test]
fn one_certificate_is_enough_and_several_are_served_by_their_names() {
    let url = "url = 'https://Shop.example.com:443/'";
    let config = with(url, &format!("certificate = '{ARN}a'")).unwrap();
    assert_eq!(
        config.production.url.as_deref(),
        Some("https://shop.example.com")
    );
    assert_eq!(config.production.host(), Some("shop.example.com"));
    let tls = config.tls.unwrap();
    assert_eq!(tls.policy, DEFAULT_POLICY);
    assert_eq!(tls.certificates[0].as_str(), format!("{ARN}a"));

    let policy = "ELBSecurityPolicy-TLS13-1-3-2021-06";
    let keys = format!("certificate = ['{ARN}a', '{ARN}b']\npolicy = '{policy}'");
    let tls = with(url, &keys).unwrap().tls.unwrap();
    assert_eq!((tls.certificates.len(), tls.policy.as_str()), (2, policy));
    assert_eq!(parse("app = 'hello'\n[tls]\n").unwrap().tls, None);
}

#[test]
fn what_is_wrong_with_either_is_said_in_a_sentence() {
    let url = "url = 'https://shop.example.com'";
    let one = format!("certificate = '{ARN}a'");
    let six: Vec<String> = (0..6).map(|n| format!("'{ARN}{n}'")).collect();
    for (production, tls, why) in [
        ("", one.as_str(), "`production.url`: it is missing"),
        (url, "", "name its ARN as `certificate` in [tls]"),
        (
            "url = 'http://shop.example.com'",
            &one,
            "it is https:// and a name",
        ),
        ("url = 'https://shop.example.com:8443'", &one, "on port 443"),
        ("url = 'https://192.0.2.1'", &one, "and a name"),
        ("url = 'https://[::1]'", &one, "and a name"),
        ("url = 'https://localhost'", &one, "and a name"),
        (
            "url = 'https://shop.example.com/api'",
            &one,
            "`path` in [probe]",
        ),
        (
            "url = 'shop.example.com'",
            &one,
            "not a URL that users type",
        ),
        (
            url,
            "policy = 'ELBSecurityPolicy-2016-08'",
            "no `certificate` beside it",
        ),
        (
            url,
            &format!("{one}\npolicy = 'TLS13'"),
            "not a security policy",
        ),
        (url, "certificate = []", "leave [tls] out"),
        (url, "certificate = 443", "it takes a list of texts"),
        (url, &format!("certificate = ['{ARN}a', '{ARN}a']"), "twice"),
        (
            url,
            &format!("certificate = [{}]", six.join(", ")),
            "room for 5",
        ),
        (
            url,
            "certificate = 'arn:aws:iam::123456789012:server-certificate/shop'",
            "import it into ACM",
        ),
        (
            url,
            "certificate = 'shop.example.com'",
            "not an ACM certificate",
        ),
    ] {
        let said = with(production, tls).unwrap_err().to_string();
        assert!(said.contains(why), "{production} {tls}: {said}");
    }
}
