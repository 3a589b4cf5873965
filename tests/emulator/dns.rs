//! Records of Route 53 that take their health from the load balancer.

use crate::api::text;
use crate::support::Outcome;
use crate::world::{ENGLISH, FRENCH, V2, World, error};

impl World {
    /// Its id.
    pub fn hosted_zone(&self, name: &str, config: &str) -> Outcome<String> {
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <Name>{name}</Name><CallerReference>{name}-{}</CallerReference>{config}</CreateHostedZoneRequest>",
            config.len()
        );
        let made = self
            .api
            .rest("route53", "POST /2013-04-01/hostedzone", &body)?;
        let id = text(&made, "Id")?;
        Ok(id.trim_start_matches("/hostedzone/").to_owned())
    }

    /// In one batch; each is `<Change>…</Change>`.
    pub fn change_records(&self, zone: &str, changes: &str) -> Outcome {
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><ChangeBatch>\
             <Changes>{changes}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
        );
        let line = format!("POST /2013-04-01/hostedzone/{zone}/rrset/");
        self.api.rest("route53", &line, &body).map(drop)
    }

    /// `UPSERT`, or `DELETE` of exactly that.
    fn record(&self, zone: &str, action: &str, record: &str) -> Outcome {
        self.change_records(
            zone,
            &format!(
                "<Change><Action>{action}</Action><ResourceRecordSet><Name>www.shop.test</Name><Type>A</Type>{record}</ResourceRecordSet></Change>"
            ),
        )
    }
}

/// A weighted record of the region, and another region's beside it.
#[test]
fn nobody_is_sent_elsewhere_by_an_empty_group() -> Outcome {
    let world = World::with_v1_live("astray")?;
    world.done(&["deploy", V2, "--tag", "2"])?;
    let balancers = world.api.elb(&[
        ("Action", "DescribeLoadBalancers"),
        ("Names.member.1", &world.stack()),
    ])?;
    let name = text(&balancers, "DNSName")?;
    let private = "<HostedZoneConfig><PrivateZone>true</PrivateZone></HostedZoneConfig>";
    let (public, private) = (
        world.hosted_zone("shop.test", "")?,
        world.hosted_zone("shop.test", private)?,
    );
    let ours = |evaluates: bool| {
        format!(
            "<SetIdentifier>here</SetIdentifier><Weight>1</Weight><AliasTarget><HostedZoneId>Z1</HostedZoneId>\
             <DNSName>dualstack.{name}.</DNSName><EvaluateTargetHealth>{evaluates}</EvaluateTargetHealth></AliasTarget>"
        )
    };
    let other = "<SetIdentifier>there</SetIdentifier><Weight>1</Weight><TTL>60</TTL><ResourceRecords>\
        <ResourceRecord><Value>192.0.2.1</Value></ResourceRecord></ResourceRecords>";
    for zone in [&public, &private] {
        world.record(zone, "UPSERT", &ours(true))?;
        world.record(zone, "UPSERT", other)?;
    }
    for arguments in [&["retire"][..], &["retire", "--dry-run"]] {
        let refused = world.changes_nothing(6, arguments)?;
        let said = error(&refused);
        assert!(
            said.contains("www.shop.test (A, here) in the zone shop.test"),
            "{said}"
        );
        assert!(said.contains("--allow-failover"), "{said}");
    }
    world.expect_answers(ENGLISH, FRENCH)?;
    // By the other zone alone it is refused too.
    world.record(&public, "DELETE", other)?;
    let refused = world.changes_nothing(6, &["retire"])?;
    assert!(
        !error(&refused).contains("in the zone"),
        "{}",
        refused.shown()
    );
    let retired = world.done(&["retire", "--allow-failover"])?;
    assert!(
        retired.stderr.contains("www.shop.test (A, here)"),
        "{}",
        retired.shown()
    );

    // What does not evaluate it stays where it is.
    world.record(&private, "UPSERT", &ours(false))?;
    world.done(&["deploy", V2, "--tag", "3"])?;
    world.done(&["retire"])?;
    Ok(())
}
