//! The zones of Route 53, and what of them may matter to users: read, and never
//! written.

use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::{DelegationSet, HostedZoneConfig, ResourceRecordSet};

use super::Aws;
use super::error::{AwsError, Named};
use super::router::plain_name as plain;
use crate::model::{DnsRecord, DnsRecords, HostedZone};

/// So many pages of records are read at the most: AWS takes five calls a second.
const MOST_PAGES: usize = 100;

impl Aws {
    /// Looks through all zones, first those of these hosts.
    ///
    /// # Errors
    /// Route 53's own.
    pub async fn dns_records(&self, hosts: &[String]) -> Result<DnsRecords, AwsError> {
        let mut zones = self.hosted_zones().await?;
        let is_theirs = |zone: &HostedZone| hosts.iter().any(|host| zone.holds(host));
        zones.sort_by_key(|zone| !is_theirs(zone));
        let (mut all, mut pages) = (DnsRecords::default(), 0);
        for zone in zones {
            if pages >= MOST_PAGES {
                all.unread.push(zone.name);
                continue;
            }
            let mut page = self.page_of(&zone, None).await?;
            pages += 1;
            loop {
                let sets = page.resource_record_sets().iter();
                all.records.extend(sets.map(|set| record(&zone, set)));
                if !page.is_truncated() {
                    break;
                }
                if pages >= MOST_PAGES {
                    all.unread.push(zone.name.clone());
                    break;
                }
                page = self.page_of(&zone, Some(&page)).await?;
                pages += 1;
            }
        }
        Ok(all)
    }

    /// # Errors
    /// Route 53's own.
    pub async fn hosted_zones(&self) -> Result<Vec<HostedZone>, AwsError> {
        let pages = self.route53.list_hosted_zones().into_paginator();
        let zones: Vec<_> = pages
            .items()
            .send()
            .collect::<Result<_, _>>()
            .await
            .named("route53:ListHostedZones", "the hosted zones")?;
        let zones = zones.iter().map(|zone| HostedZone {
            id: zone.id().to_owned(),
            name: plain(zone.name()),
            is_private: zone.config().is_some_and(HostedZoneConfig::private_zone),
        });
        Ok(zones.collect())
    }

    /// Those to which the zone's domain is to be delegated, in lower case and without
    /// the last dot.
    ///
    /// # Errors
    /// Route 53's own.
    pub async fn name_servers_of(&self, zone: &str) -> Result<Vec<String>, AwsError> {
        let answer = self.route53.get_hosted_zone().id(zone).send().await;
        let answer = answer.named("route53:GetHostedZone", zone)?;
        let set = answer.delegation_set();
        let names = set.map(DelegationSet::name_servers).unwrap_or_default();
        Ok(names.iter().map(|name| plain(name)).collect())
    }

    async fn page_of(
        &self,
        zone: &HostedZone,
        after: Option<&ListResourceRecordSetsOutput>,
    ) -> Result<ListResourceRecordSetsOutput, AwsError> {
        let call = self.route53.list_resource_record_sets();
        let mut call = call.hosted_zone_id(&zone.id);
        if let Some(after) = after {
            call = call
                .set_start_record_name(after.next_record_name().map(str::to_owned))
                .set_start_record_type(after.next_record_type().cloned())
                .set_start_record_identifier(after.next_record_identifier().map(str::to_owned));
        }
        let action = "route53:ListResourceRecordSets";
        call.send().await.named(action, &zone.name)
    }
}

fn record(zone: &HostedZone, set: &ResourceRecordSet) -> DnsRecord {
    let alias = set.alias_target();
    let alias = alias.filter(|alias| alias.evaluate_target_health());
    DnsRecord {
        zone: zone.clone(),
        name: plain(set.name()),
        kind: set.r#type().as_str().to_owned(),
        set: set.set_identifier().map(str::to_owned),
        healthy_with: alias.map(|alias| plain(alias.dns_name())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Reply, Wire};

    const ZONES: &str = "https://route53.amazonaws.com/2013-04-01/hostedzone";

    fn xml(kind: &str, inner: &str) -> Reply {
        Reply::Http {
            status: 200,
            body: format!(
                "<{kind}Response xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">{inner}</{kind}Response>"
            ),
        }
    }

    fn zones(names: &[&str]) -> Reply {
        let all: String = names
            .iter()
            .map(|name| {
                let is_private = name.ends_with(".internal");
                format!(
                    "<HostedZone><Id>/hostedzone/{name}</Id><Name>{name}.</Name><CallerReference>1</CallerReference>\
                     <Config><PrivateZone>{is_private}</PrivateZone></Config></HostedZone>"
                )
            })
            .collect();
        xml(
            "ListHostedZones",
            &format!(
                "<HostedZones>{all}</HostedZones><Marker></Marker><IsTruncated>false</IsTruncated><MaxItems>100</MaxItems>"
            ),
        )
    }

    fn alias(name: &str, more: &str, evaluated: bool) -> String {
        format!(
            "<ResourceRecordSet><Name>{name}.</Name><Type>A</Type>{more}<AliasTarget><HostedZoneId>Z</HostedZoneId>\
             <DNSName>dualstack.Shared-1.eu-west-1.elb.amazonaws.com.</DNSName>\
             <EvaluateTargetHealth>{evaluated}</EvaluateTargetHealth></AliasTarget></ResourceRecordSet>"
        )
    }

    fn records(sets: &str, next: &str) -> Reply {
        let is_truncated = !next.is_empty();
        xml(
            "ListResourceRecordSets",
            &format!(
                "<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>{is_truncated}</IsTruncated>{next}<MaxItems>300</MaxItems>"
            ),
        )
    }

    fn of(zone: &str) -> String {
        format!("{ZONES}/{zone}/rrset")
    }

    #[tokio::test]
    async fn all_zones_are_looked_through_page_by_page() {
        let plain = "<ResourceRecordSet><Name>a.test.</Name><Type>TXT</Type><TTL>60</TTL><ResourceRecords>\
            <ResourceRecord><Value>\"x\"</Value></ResourceRecord></ResourceRecords></ResourceRecordSet>";
        let set = "<SetIdentifier>one</SetIdentifier><Weight>1</Weight>";
        let next = "<NextRecordName>b.test.</NextRecordName><NextRecordType>A</NextRecordType><NextRecordIdentifier>one</NextRecordIdentifier>";
        let second = format!("{}?name=b.test.&type=A&identifier=one", of("a.test"));
        let wire = Wire::new()
            .on(ZONES, zones(&["b.internal", "a.test"]))
            .on(
                &of("a.test"),
                records(
                    &(plain.to_owned() + &alias("\\052.a.test", "", false)),
                    next,
                ),
            )
            .on(&second, records(&alias("b.test", set, true), ""))
            .on(&of("b.internal"), records("", ""));
        let hosts = ["shop.a.test".to_owned()];
        let found = wire.aws().dns_records(&hosts).await.unwrap();
        let balancer = "dualstack.shared-1.eu-west-1.elb.amazonaws.com";
        let told: Vec<_> = found
            .records
            .iter()
            .map(|it| {
                (
                    it.name.as_str(),
                    it.kind.as_str(),
                    it.set.as_deref(),
                    it.healthy_with.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("a.test", "TXT", None, None),
                ("*.a.test", "A", None, None),
                ("b.test", "A", Some("one"), Some(balancer)),
            ]
        );
        assert_eq!(found.unread, [""; 0]);
        wire.assert_used_up();
        // Those that users' name is in come first.
        let asked: Vec<String> = wire.requests().into_iter().map(|it| it.operation).collect();
        assert_eq!(
            asked,
            [ZONES.to_owned(), of("a.test"), second, of("b.internal")]
        );
    }

    #[tokio::test]
    async fn zones_beyond_measure_are_told_and_not_read() {
        let names: Vec<String> = (0..=MOST_PAGES).map(|n| format!("z{n}.test")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let wire = Wire::new().on(ZONES, zones(&names));
        let wire = names[..MOST_PAGES]
            .iter()
            .fold(wire, |wire, name| wire.on(&of(name), records("", "")));
        tokio::time::pause();
        let found = wire.aws().dns_records(&[]).await.unwrap();
        assert_eq!(found.unread, [names[MOST_PAGES]]);
    }
}
