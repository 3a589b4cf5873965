//! Distributions of CloudFront in front of a site, and their edges.

use std::net::SocketAddr;
use std::time::Duration;

use localstack::gate::cdn;

use super::site::{PORT, Site, element, until};
use crate::Result;

/// Of AWS's own cache policies: "CachingDisabled".
const KEEPS_NOTHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";

/// One edge hears of a change late.
pub fn options() -> cdn::Options {
    cdn::Options {
        delays: [200, 1200].map(Duration::from_millis).into(),
        ..cdn::Options::default()
    }
}

pub struct Cdn<'s> {
    site: &'s Site<'s>,
    pub edges: Vec<SocketAddr>,
}

/// A distribution, as it was made.
pub struct Made {
    pub id: String,
    pub domain: String,
}

impl<'s> Cdn<'s> {
    pub fn before(site: &'s Site<'s>) -> Result<Self> {
        let gate = site.stage.gate.ok_or("there is no gate")?;
        let cdn = gate.cdn().ok_or("the gate has no edges")?;
        Ok(Self {
            site,
            edges: cdn.edges.clone(),
        })
    }

    /// Where the probe finds the edges.
    pub fn through(&self) -> String {
        let all: Vec<String> = self.edges.iter().map(ToString::to_string).collect();
        all.join(",")
    }

    /// What users type.
    pub fn url(&self, host: &str) -> Result<String> {
        let first = self.edges.first().ok_or("there is no edge")?;
        Ok(format!("http://{host}:{}", first.port()))
    }

    /// Makes one of that name, whose origins are the site's colours; `more` is XML of
    /// further elements. Waits until every edge has it.
    pub async fn make(&self, alias: &str, leads_to: &str, more: &str) -> Result<Made> {
        let origins: String = ["blue", "green"].map(|color| self.origin(color)).concat();
        let body = format!(
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <CallerReference>{alias}</CallerReference><Aliases><Quantity>1</Quantity><Items><CNAME>{alias}</CNAME></Items></Aliases>\
             <Origins><Quantity>2</Quantity><Items>{origins}</Items></Origins><DefaultCacheBehavior>\
             <TargetOriginId>{leads_to}</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
             <CachePolicyId>{KEEPS_NOTHING}</CachePolicyId></DefaultCacheBehavior><Comment>the site's</Comment>\
             <Enabled>true</Enabled>{more}</DistributionConfig>"
        );
        let line = "POST /2020-05-31/distribution";
        let made = self.site.rest("cloudfront", line, &body).await?;
        let made = Made {
            id: element(&made, "Id")?.to_owned(),
            domain: element(&made, "DomainName")?.to_owned(),
        };
        until("a distribution is deployed", async || {
            Ok(element(&self.read(&made).await?, "Status")? == "Deployed")
        })
        .await?;
        Ok(made)
    }

    fn origin(&self, color: &str) -> String {
        format!(
            "<Origin><Id>{color}</Id><DomainName>{}</DomainName><CustomOriginConfig><HTTPPort>{PORT}</HTTPPort>\
             <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>",
            self.site.address(color)
        )
    }

    /// As it is stored.
    pub async fn read(&self, made: &Made) -> Result<String> {
        let line = format!("GET /2020-05-31/distribution/{}", made.id);
        self.site.rest("cloudfront", &line, "").await
    }
}
