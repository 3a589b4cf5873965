//! Colours that bgecs does not run, behind a record of Route 53: what ran before is
//! taken over, released and given back, while users come in by three resolvers.

use std::net::{Ipv4Addr, SocketAddr};

use super::site::{PORT, Routing, Site, until};
use super::stage::Stage;
use super::zone::{Leads, Zone};
use crate::Result;
use crate::json::expect;
use crate::visitors::{NamedPlace, Visitors, Visits};

const NAME: &str = "www.edge.test";
const ZONE: &str = "edge.test";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 1);
/// Before bgecs came, and since; in seconds.
const TTL_BEFORE: u32 = 4;
const TTL: u32 = 2;

/// A site without a load balancer.
struct Edge<'s> {
    site: &'s Site<'s>,
    place: NamedPlace,
    resolvers: Vec<SocketAddr>,
}

/// Nobody who comes in by any resolver notices that a record is taken over, moved, and
/// given back.
pub async fn a_record_is_released_by_and_nobody_notices(stage: &Stage<'_>) -> Result<String> {
    let site = Site::new(stage, "edge", FIRST)?;
    let told = told(&site).await;
    site.leave().await?;
    told
}

async fn told(site: &Site<'_>) -> Result<String> {
    let edge = Edge::begin(site).await?;
    edge.begins_on_green().await?;
    edge.is_released_by_bgecs().await
}

impl<'s> Edge<'s> {
    async fn begin(site: &'s Site<'s>) -> Result<Self> {
        let gate = site.stage.gate.ok_or("there is no gate")?;
        let dns = gate.dns().ok_or("the gate serves no names")?;
        let resolvers: Vec<String> = dns.resolvers.iter().map(|it| format!("\"{it}\"")).collect();
        let router = format!(
            "kind = \"route53\"\nrecord = \"{NAME}\"\nurl = \"http://{NAME}:{PORT}\"\n\
             ttl = {TTL}\nresolvers = [{}]",
            resolvers.join(", ")
        );
        let targets = ["blue", "green"].map(|color| site.address(color).to_string());
        site.configure(&Routing {
            router: &router,
            targets: [&targets[0], &targets[1]],
            address: None,
            more: "",
        })?;
        Ok(Self {
            site,
            place: NamedPlace::at(NAME, PORT).await?,
            resolvers: dns
                .resolvers
                .iter()
                .chain([&dns.authority])
                .copied()
                .collect(),
        })
    }

    /// The company's own first release, and its own record.
    async fn begins_on_green(&self) -> Result<()> {
        self.site.run("green", "1").await?;
        let zone = Zone::make(self.site, ZONE).await?;
        let green = self.site.address("green").to_string();
        zone.lead(NAME, &Leads::To(&green, TTL_BEFORE)).await?;
        let what = "the record is served everywhere";
        until(what, async || self.all_led_to("green").await).await
    }

    async fn all_led_to(&self, color: &str) -> Result<bool> {
        let address = self.site.address(color).to_string();
        for resolver in &self.resolvers {
            if self.place.look_up(*resolver).await? != Some(address.clone()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn is_released_by_bgecs(&self) -> Result<String> {
        let users: Vec<Visitors> = self
            .resolvers
            .iter()
            .map(|resolver| Visitors::come_in(&self.place, *resolver))
            .collect();
        let released = self.release().await;
        let mut visits = 0;
        for one in users {
            let seen = one.leave().await?;
            released.as_ref().map_err(ToString::to_string)?;
            visits += seen.unharmed()?;
            met_both(&seen)?;
        }
        released?;
        Ok(format!(
            "a record is taken over, shared, moved, rolled back and given back: {visits} visits by {} resolvers, and nobody noticed",
            self.resolvers.len()
        ))
    }

    async fn release(&self) -> Result<()> {
        let site = self.site;
        let taken = site.done(&["init"]).await?;
        taken.expect_stderr("lower the TTL of the record")?;
        site.done(&["deploy", "--tag", "2"]).await?;
        let promote = ["promote", "--canary", "30%:3s", "--window", "3s", "--json"];
        let promoted = site.done(&promote).await?.json()?;
        expect(&promoted, &["outcome"], "committed")?;
        expect(&promoted, &["probe", "failed"], 0)?;
        site.done(&["rollback", "--window", "3s"]).await?;
        site.done(&["promote", "--tag", "2", "--window", "3s"])
            .await?;
        // Its own command stops the container, once nobody is led there any more.
        until("the idle colour is retired", async || {
            let ended = site.bgecs(&["retire"]).await?;
            match ended.code {
                6 if ended.stderr.contains("are still led to green") => Ok(false),
                _ => ended.expect_code(0).map(|_| true),
            }
        })
        .await?;
        site.done(&["destroy", "--yes"]).await?;
        match self.all_led_to("blue").await? {
            true => Ok(()),
            false => Err("the record was not given back with what users had".into()),
        }
    }
}

/// A resolver that never led to the new release, or had never led to the old one, would
/// prove nothing.
fn met_both(visits: &Visits) -> Result<()> {
    for release in ["1", "2"] {
        if !visits.releases.iter().any(|it| it == release) {
            return Err(format!("nobody met release {release}").into());
        }
    }
    Ok(())
}
