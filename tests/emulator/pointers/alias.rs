//! An alias between two distributions, and what DNS has to do with it.

use std::time::Duration;

use localstack::gate::cdn;
use localstack::gate::faults::Fault;
use serde_json::json;

use super::cdn::{Cdn, KEEPS_NOTHING, Made, Wanted};
use crate::edge_actions::{called, expect_granted};
use crate::permissions::table::{CLOUDFRONT_ALIAS_DEPLOYER, EDGE_DEPLOYER, EDGE_OPERATOR_TOO};
use crate::support::Outcome;
use crate::world::string;

struct Pair {
    cdn: Cdn,
    host: String,
    zone: String,
    blue: Made,
    green: Made,
}

impl Pair {
    /// The name is green's; blue has what is given.
    fn new(app: &str, last: [u8; 2], blue: &str, refuses: bool) -> Outcome<Self> {
        let options = cdn::Options {
            delays: [200, 900].map(Duration::from_millis).into(),
            refuses_domain_association: refuses,
            ..cdn::Options::default()
        };
        let cdn = Cdn::new(app, last, options)?;
        cdn.servers.put("green", "old")?;
        let host = format!("www.{app}.test");
        let zone = cdn.world.hosted_zone(&format!("{app}.test"), "")?;
        let certificate = certificate(&cdn, &format!("*.{app}.test"))?;
        let distribution = |color, alias| {
            let wanted = Wanted {
                alias,
                leads_to: color,
                cache_policy: KEEPS_NOTHING,
                more: &certificate,
            };
            cdn.create(color, &wanted)
        };
        let green = distribution("green", &host)?;
        let blue = distribution("blue", blue)?;
        let it = Self {
            host,
            zone,
            blue,
            green,
            cdn,
        };
        it.record("CREATE", &it.green)?;
        it.configure()?;
        Ok(it)
    }

    fn configure(&self) -> Outcome {
        let (app, host) = (&self.cdn.world.app, &self.host);
        let targets = [self.blue.id.as_str(), self.green.id.as_str()];
        let servers = &self.cdn.servers;
        let colors = servers.colors(targets, |color| servers.url(color));
        let text = format!(
            "app = \"{app}\"\n[router]\nkind = \"cloudfront-alias\"\nalias = \"{host}\"\nurl = \"{}\"\n\
             [probe]\nrate = 20\nwindow_seconds = 2\n{colors}",
            self.cdn.url(host)?
        );
        self.cdn.world.desk.write("bgecs.toml", &text)?;
        Ok(())
    }

    /// The name's record leads to that distribution.
    fn record(&self, action: &str, to: &Made) -> Outcome {
        let (host, domain) = (&self.host, &to.domain);
        let change = format!(
            "<Change><Action>{action}</Action><ResourceRecordSet><Name>{host}</Name><Type>A</Type><AliasTarget>\
             <HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>{domain}.</DNSName>\
             <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget></ResourceRecordSet></Change>"
        );
        self.cdn.world.change_records(&self.zone, &change)
    }

    /// The distribution that the name's record leads to, as it is stored.
    fn recorded(&self) -> Outcome<String> {
        let line = format!("GET /2013-04-01/hostedzone/{}/rrset", self.zone);
        let all = self.cdn.world.api.rest("route53", &line, "")?;
        let name = crate::api::text(&all, "DNSName")?;
        Ok(name.trim_end_matches('.').to_owned())
    }

    fn has_alias(&self, made: &Made) -> Outcome<bool> {
        let alias = format!("<CNAME>{}</CNAME>", self.host);
        Ok(self.cdn.distribution(&made.id)?.contains(&alias))
    }

    fn is_released_by(&self) -> Outcome {
        let (world, through) = (&self.cdn.world, self.cdn.through()?);
        world.done(&["init"])?;
        assert_eq!(world.status()?["live"], "green");
        world.done(&["deploy", "--tag", "2"])?;
        let promoted = world.done(&["promote", "--connect-to", &through, "--json"])?;
        let json = promoted.json()?;
        assert_eq!(json["outcome"], "committed", "{json:#}");
        assert_eq!(json["probe"]["failed"], 0, "{json:#}");
        assert!(self.has_alias(&self.blue)? && !self.has_alias(&self.green)?);
        assert_eq!(self.recorded()?, self.blue.domain, "{}", promoted.shown());
        for edge in 0..2 {
            assert_eq!(self.cdn.answer(edge, &self.host)?.1.trim(), "blue 2");
        }
        // Nothing that cannot be looked at keeps users from getting away.
        let ill = Fault::on("acm", "DescribeCertificate").first(100);
        let ill = world.gate.faults().add(ill.internal_error());
        let back = world.done(&["rollback", "--connect-to", &through])?;
        assert!(world.gate.faults().struck(ill) > 0, "{}", back.shown());
        assert!(
            back.stderr.contains("not everything can be checked"),
            "{}",
            back.shown()
        );
        world.gate.faults().remove(ill);
        assert!(self.has_alias(&self.green)?);
        assert_eq!(self.recorded()?, self.green.domain);
        Ok(())
    }
}

/// What a distribution has of it.
fn certificate(cdn: &Cdn, name: &str) -> Outcome<String> {
    let asked = json!({ "DomainName": name, "ValidationMethod": "DNS" });
    let target = "CertificateManager.RequestCertificate";
    let made = cdn.world.api.json("acm", target, &asked)?;
    let arn = string(&made, "/CertificateArn")?;
    Ok(format!(
        "<ViewerCertificate><ACMCertificateArn>{arn}</ACMCertificateArn><SSLSupportMethod>sni-only</SSLSupportMethod></ViewerCertificate>"
    ))
}

#[test]
fn an_alias_is_moved_and_its_record_after_it() -> Outcome {
    let it = Pair::new("aliases", [21, 22], "", false)?;
    let world = &it.cdn.world;
    let mark = world.gate.calls().mark();
    it.is_released_by()?;
    let grants = [EDGE_DEPLOYER, EDGE_OPERATOR_TOO, CLOUDFRONT_ALIAS_DEPLOYER];
    expect_granted(&called(world, mark), &grants);
    Ok(())
}

/// AWS's texts disagree on when that is so.
#[test]
fn where_one_call_is_refused_the_older_one_moves_it() -> Outcome {
    let it = Pair::new("older", [23, 24], "", true)?;
    it.is_released_by()
}

/// The known trick: a wildcard on one distribution, the exact name on the other, and DNS
/// between them. At the edges it moves nobody; bgecs says so, and moves the alias.
#[test]
fn with_a_wildcard_on_one_dns_moves_nobody_and_the_alias_does() -> Outcome {
    let it = Pair::new("wild-cdn", [25, 26], "*.wild-cdn.test", false)?;
    let (world, through) = (&it.cdn.world, it.cdn.through()?);
    it.cdn.servers.put("blue", "2")?;
    it.record("UPSERT", &it.blue)?;
    for edge in 0..2 {
        // Whichever way DNS led them.
        assert_eq!(it.cdn.answer(edge, &it.host)?.1.trim(), "green old");
    }
    let text = std::fs::read_to_string(world.desk.path().join("bgecs.toml"))?;
    let by_dns = text
        .replace(
            "kind = \"cloudfront-alias\"\nalias",
            "kind = \"route53\"\nrecord",
        )
        .replace(&it.blue.id, &it.blue.domain)
        .replace(&it.green.id, &it.green.domain);
    world.desk.write("bgecs.toml", &by_dns)?;
    let refused = world.ends(2, &["init"])?.stderr;
    assert!(
        refused.contains("serves everybody whatever DNS says"),
        "{refused}"
    );
    it.configure()?;
    world.done(&["init"])?;
    assert_eq!(world.status()?["live"], "green");
    world.done(&["deploy", "--tag", "3"])?;
    let promoted = world.done(&["promote", "--connect-to", &through])?;
    assert!(
        promoted.stderr.contains("more specific name"),
        "{}",
        promoted.shown()
    );
    // Its record leads there already.
    assert!(!promoted.stderr.contains("warning"), "{}", promoted.shown());
    assert_eq!(it.cdn.answer(0, &it.host)?.1.trim(), "blue 3");
    Ok(())
}

/// Found ahead of any change.
#[test]
fn what_keeps_an_alias_from_being_moved_is_found_ahead() -> Outcome {
    let it = Pair::new("kept", [27, 28], "", false)?;
    let through = it.cdn.through()?;
    let other = certificate(&it.cdn, "other.test")?;
    let wanted = Wanted {
        alias: "",
        leads_to: "blue",
        cache_policy: KEEPS_NOTHING,
        more: &other,
    };
    let bad = it.cdn.create("bad", &wanted)?;
    let it = Pair { blue: bad, ..it };
    it.configure()?;
    let world = &it.cdn.world;
    world.done(&["init"])?;
    world.done(&["deploy", "--tag", "2"])?;
    let refused = world.ends(6, &["promote", "--connect-to", &through])?;
    assert!(
        refused
            .stderr
            .contains("does not have the name www.kept.test"),
        "{}",
        refused.shown()
    );
    assert!(it.has_alias(&it.green)?);
    Ok(())
}
