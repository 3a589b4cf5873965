//! Distributions of CloudFront in front of a site, and their edges.

use std::net::SocketAddr;
use std::time::Duration;

use localstack::gate::cdn;

use super::site::{PORT, Site, until};
use crate::Result;
use crate::others::{self, Distribution, Made, element};

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
        let wanted = Distribution {
            alias,
            origins: ["blue", "green"].map(|color| self.site.address(color)),
            port: PORT,
            leads_to,
            more,
        };
        let made = wanted.make(&self.site.api).await?;
        until("a distribution is deployed", async || {
            Ok(element(&self.read(&made).await?, "Status")? == "Deployed")
        })
        .await?;
        Ok(made)
    }

    /// As it is stored.
    pub async fn read(&self, made: &Made) -> Result<String> {
        others::distribution(&self.site.api, &made.id).await
    }
}
