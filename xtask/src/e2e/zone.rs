//! A zone of Route 53, as a site's people keep it.

use super::site::Site;
use crate::Result;
use crate::others::{self, element};

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
        let id = others::make_zone(&site.api, name).await?;
        Ok(Self { site, id })
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
        let change = format!(
            "<Change><Action>UPSERT</Action><ResourceRecordSet><Name>{name}</Name><Type>A</Type>{leads}</ResourceRecordSet></Change>"
        );
        others::change_records(&self.site.api, &self.id, &change).await
    }

    /// The distribution that the only alias in it leads to.
    pub async fn alias(&self) -> Result<String> {
        let all = others::records(&self.site.api, &self.id).await?;
        let name = element(&all, "DNSName")?;
        Ok(name.trim_end_matches('.').to_owned())
    }
}
