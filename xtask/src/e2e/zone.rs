//! A zone of Route 53, as a site's people keep it.

use super::site::{Site, element};
use crate::Result;

const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";
/// Of every distribution of CloudFront.
const CLOUDFRONT: &str = "Z2FDTNDATAQYW2";

pub struct Zone<'s> {
    site: &'s Site<'s>,
    id: String,
}

/// An address, or an alias.
pub enum Leads<'t> {
    To(&'t str, u32),
    ToDistribution(&'t str),
}

impl<'s> Zone<'s> {
    pub async fn make(site: &'s Site<'s>, name: &str) -> Result<Self> {
        let body = format!(
            "<CreateHostedZoneRequest xmlns=\"{NAMESPACE}\"><Name>{name}</Name>\
             <CallerReference>{name}</CallerReference></CreateHostedZoneRequest>"
        );
        let made = site.rest("route53", "POST /2013-04-01/hostedzone", &body);
        let made = made.await?;
        let id = element(&made, "Id")?.trim_start_matches("/hostedzone/");
        Ok(Self {
            site,
            id: id.to_owned(),
        })
    }

    /// The record is there, and leads there, from now on.
    pub async fn lead(&self, name: &str, to: &Leads<'_>) -> Result<()> {
        let leads = match to {
            Leads::To(address, ttl) => format!(
                "<TTL>{ttl}</TTL><ResourceRecords><ResourceRecord><Value>{address}</Value></ResourceRecord></ResourceRecords>"
            ),
            Leads::ToDistribution(domain) => format!(
                "<AliasTarget><HostedZoneId>{CLOUDFRONT}</HostedZoneId><DNSName>{domain}.</DNSName>\
                 <EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>"
            ),
        };
        let body = format!(
            "<ChangeResourceRecordSetsRequest xmlns=\"{NAMESPACE}\"><ChangeBatch><Changes><Change><Action>UPSERT</Action>\
             <ResourceRecordSet><Name>{name}</Name><Type>A</Type>{leads}</ResourceRecordSet></Change></Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>"
        );
        let line = format!("POST /2013-04-01/hostedzone/{}/rrset/", self.id);
        self.site.rest("route53", &line, &body).await.map(drop)
    }

    /// The distribution that the only alias in it leads to.
    pub async fn alias(&self) -> Result<String> {
        let line = format!("GET /2013-04-01/hostedzone/{}/rrset", self.id);
        let all = self.site.rest("route53", &line, "").await?;
        let name = element(&all, "DNSName")?;
        Ok(name.trim_end_matches('.').to_owned())
    }
}
