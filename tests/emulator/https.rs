//! A listener with TLS, which a person has put beside those that bgecs made.

use serde_json::json;

use crate::api::text;
use crate::support::Outcome;
use crate::world::{World, string};

#[test]
fn a_probe_asks_for_the_public_name_and_accepts_whom_it_is_told_to() -> Outcome {
    let world = World::with_v1_live("https")?;
    let asked = json!({ "DomainName": "shop.test", "ValidationMethod": "DNS" });
    let target = "CertificateManager.RequestCertificate";
    let certificate = world.api.json("acm", target, &asked)?;
    let named = [
        ("Action", "DescribeLoadBalancers"),
        ("Names.member.1", "bgecs-https"),
    ];
    let balancer = world.api.elb(&named)?;
    world.api.elb(&[
        ("Action", "CreateListener"),
        ("LoadBalancerArn", text(&balancer, "LoadBalancerArn")?),
        ("Protocol", "HTTPS"),
        ("Port", "443"),
        ("SslPolicy", "ELBSecurityPolicy-TLS13-1-2-2021-06"),
        (
            "Certificates.member.1.CertificateArn",
            &string(&certificate, "/CertificateArn")?,
        ),
        ("DefaultActions.member.1.Type", "forward"),
        (
            "DefaultActions.member.1.TargetGroupArn",
            &world.target_group("green")?,
        ),
    ])?;
    let elb = world.gate.load_balancing().ok_or("it balances no load")?;
    world.desk.write("ca.pem", &elb.authority()?)?;
    let through = world.api.address.clone();
    let line = |name: &str| {
        let url = format!("https://{name}/api");
        let words = format!("probe --url {url} --duration 1s --connect-to {through} --json");
        words.split(' ').map(str::to_owned).collect::<Vec<_>>()
    };
    for (name, trusts, code, said) in [
        ("shop.test", true, 0, "\"failed\": 0,"),
        (
            "shop.test",
            false,
            1,
            "the certificate's issuer is not known here",
        ),
        (
            "other.test",
            true,
            1,
            "the certificate is for shop.test, not for other.test",
        ),
    ] {
        let mut words = line(name);
        if trusts {
            words.extend(["--ca-file", "ca.pem"].map(str::to_owned));
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ended = world.ends(code, &words)?;
        assert!(ended.stdout.contains(said), "{name}: {}", ended.stdout);
    }
    Ok(())
}
