//! The zones of Route 53, and what in them may affect users; only read.

use super::Aws;
use super::error::{AwsError, Named};
use super::plain::{XmlRequest, encoded, operation_of, path};
use super::router::plain_name as plain;
use super::xml::Element;
use crate::model::{DnsRecord, DnsRecords, HostedZone};

const VERSION: &str = "2013-04-01";
const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

const LIST: &str = "route53:ListResourceRecordSets";

/// At most this many pages of records are read: AWS allows five calls a second.
const MOST_PAGES: usize = 100;

impl Aws {
    /// Searches all zones, those of these hosts first.
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
            let mut next = RecordPlace::default();
            loop {
                let page = self.records_from(&zone.id, &zone.name, &next).await?;
                pages += 1;
                let sets = page.sets().into_iter();
                all.records.extend(sets.map(|set| record(&zone, set)));
                let Some(place) = page.next() else {
                    break;
                };
                if pages >= MOST_PAGES {
                    all.unread.push(zone.name.clone());
                    break;
                }
                next = place;
            }
        }
        Ok(all)
    }

    /// # Errors
    /// Route 53's own.
    pub async fn hosted_zones(&self) -> Result<Vec<HostedZone>, AwsError> {
        let (mut all, mut from) = (Vec::new(), None::<String>);
        loop {
            let after = from.map(|from| format!("?marker={}", encoded(&from)));
            let at = place(&["hostedzone"]) + &after.unwrap_or_default();
            let action = "route53:ListHostedZones";
            let page = self.of_route53(action, &at, "the hosted zones").await?;
            let zones = page.all("HostedZones/HostedZone").into_iter();
            all.extend(zones.map(|zone| HostedZone {
                id: zone.text("Id").unwrap_or_default().to_owned(),
                name: plain(zone.text("Name").unwrap_or_default()),
                is_private: zone.is("Config/PrivateZone"),
            }));
            from = page.text("NextMarker").map(str::to_owned);
            if !page.is("IsTruncated") || from.is_none() {
                return Ok(all);
            }
        }
    }

    /// The name servers to which the zone's domain should be delegated, in lower case and
    /// without the final dot.
    ///
    /// # Errors
    /// Route 53's own.
    pub async fn name_servers_of(&self, zone: &str) -> Result<Vec<String>, AwsError> {
        let at = place(&["hostedzone", bare(zone)]);
        let answer = self.of_route53("route53:GetHostedZone", &at, zone).await?;
        let names = answer.texts("DelegationSet/NameServers/NameServer");
        Ok(names.into_iter().map(plain).collect())
    }

    /// A page of a zone's record sets, starting there.
    pub(super) async fn records_from(
        &self,
        zone: &str,
        what: &str,
        from: &RecordPlace,
    ) -> Result<RecordPage, AwsError> {
        let at = place(&["hostedzone", bare(zone), "rrset"]) + &from.query();
        self.of_route53(LIST, &at, what).await.map(RecordPage)
    }

    /// Reads that path.
    pub(super) async fn of_route53(
        &self,
        action: &'static str,
        at: &str,
        name: &str,
    ) -> Result<Element, AwsError> {
        self.ask_route53(action, XmlRequest::get(at), name).await
    }

    /// Sends a document to Route 53.
    pub(super) async fn tell_route53(
        &self,
        action: &'static str,
        at: &str,
        name: &str,
        input: &Element,
    ) -> Result<Element, AwsError> {
        let asked = XmlRequest {
            method: "POST",
            path: at,
            document: Some(input.document(NAMESPACE)),
            if_match: None,
        };
        self.ask_route53(action, asked, name).await
    }

    async fn ask_route53(
        &self,
        action: &'static str,
        asked: XmlRequest<'_>,
        name: &str,
    ) -> Result<Element, AwsError> {
        let answer = self.route53.xml(operation_of(action), asked).await;
        let it = answer.named(action, name)?.element();
        it.map_err(|what| AwsError::unusable(action, name, what))
    }
}

/// A path of this version of the API.
pub(super) fn place(parts: &[&str]) -> String {
    path([&[VERSION], parts].concat())
}

/// An id without a prefix that AWS may add, such as `/hostedzone/`.
pub(super) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Where a page of record sets starts.
#[derive(Debug, Clone, Default)]
pub(super) struct RecordPlace {
    pub name: Option<String>,
    pub kind: Option<String>,
    pub identifier: Option<String>,
}

impl RecordPlace {
    fn query(&self) -> String {
        let fields = [
            ("name", &self.name),
            ("type", &self.kind),
            ("identifier", &self.identifier),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref()?;
            Some(format!("{name}={}", encoded(value)))
        });
        match given.collect::<Vec<_>>().join("&") {
            none if none.is_empty() => none,
            query => format!("?{query}"),
        }
    }
}

#[derive(Debug)]
pub(super) struct RecordPage(Element);

impl RecordPage {
    pub fn sets(&self) -> Vec<&Element> {
        self.0.all("ResourceRecordSets/ResourceRecordSet")
    }

    /// Where the next page starts, if there is one.
    pub fn next(&self) -> Option<RecordPlace> {
        let text = |name: &str| self.0.text(name).map(str::to_owned);
        self.0.is("IsTruncated").then(|| RecordPlace {
            name: text("NextRecordName"),
            kind: text("NextRecordType"),
            identifier: text("NextRecordIdentifier"),
        })
    }
}

fn record(zone: &HostedZone, set: &Element) -> DnsRecord {
    let alias = set.at("AliasTarget");
    let alias = alias.filter(|alias| alias.is("EvaluateTargetHealth"));
    let text = |name: &str| set.text(name).unwrap_or_default();
    DnsRecord {
        zone: zone.clone(),
        name: plain(text("Name")),
        kind: text("Type").to_owned(),
        set: set.text("SetIdentifier").map(str::to_owned),
        healthy_with: alias.and_then(|alias| alias.text("DNSName")).map(plain),
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
        // Zones that contain the users' name come first.
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
