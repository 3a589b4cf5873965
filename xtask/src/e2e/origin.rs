//! An app behind a distribution of CloudFront that leads to one of two origins, while
//! users come in by two edges, one of which is late.

use std::net::Ipv4Addr;

use super::cdn::Cdn;
use super::onlookers::{Onlookers, unharmed};
use super::site::{Routing, Site};
use super::stage::Stage;
use crate::Result;
use crate::json::expect;
use crate::others::{Made, element};

const HOST: &str = "www.origin.test";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 3);

/// Nobody at any edge notices that an origin is switched, and switched back.
pub async fn an_origin_is_switched_and_nobody_notices(stage: &Stage<'_>) -> Result<String> {
    let site = Site::new(stage, "origin", FIRST)?;
    let told = told(&site).await;
    site.leave().await?;
    told
}

async fn told(site: &Site<'_>) -> Result<String> {
    site.run("green", "1").await?;
    let cdn = Cdn::before(site)?;
    let made = cdn.make(HOST, "green", "").await?;
    configure(&cdn, site, &made, "")?;
    let users = Onlookers::at(&cdn.edges, HOST)?;
    let released = release(&cdn, site, &made).await;
    let seen = users.leave().await?;
    released?;
    let visits = unharmed(&seen)?;
    bad_release(&cdn, site, &made).await?;
    Ok(format!(
        "an origin is switched and switched back at {} edges: {visits} visits, and nobody noticed; a bad one is taken back",
        seen.len()
    ))
}

fn configure(cdn: &Cdn<'_>, site: &Site<'_>, made: &Made, more: &str) -> Result<()> {
    let (id, url) = (&made.id, cdn.url(HOST)?);
    site.configure(&Routing {
        router: &format!("kind = \"cloudfront-origin\"\ndistribution = \"{id}\"\nurl = \"{url}\""),
        targets: ["blue", "green"],
        address: None,
        more,
    })
}

async fn release(cdn: &Cdn<'_>, site: &Site<'_>, made: &Made) -> Result<()> {
    let through = cdn.through();
    site.done(&["init"]).await?;
    site.done(&["deploy", "--tag", "2"]).await?;
    for (command, origin) in [("promote", "blue"), ("rollback", "green")] {
        let swap = [command, "--connect-to", &through, "--json"];
        let swapped = site.done(&swap).await?.json()?;
        expect(&swapped, &["outcome"], "committed")?;
        expect(&swapped, &["probe", "failed"], 0)?;
        leads_to(cdn, made, origin).await?;
    }
    Ok(())
}

/// Its container ends between its health check and its first user.
async fn bad_release(cdn: &Cdn<'_>, site: &Site<'_>, made: &Made) -> Result<()> {
    let ends = site.end_line("blue");
    let breaks = format!("[hooks]\nbefore_shift = \"{ends}\"");
    configure(cdn, site, made, &breaks)?;
    let promote = ["promote", "--tag", "2", "--connect-to", &cdn.through()];
    let ended = site.bgecs(&promote).await?;
    ended.expect_code(3)?.expect_stderr("HTTP 502")?;
    leads_to(cdn, made, "green").await?;
    site.done(&["destroy", "--yes"]).await?;
    leads_to(cdn, made, "green").await
}

async fn leads_to(cdn: &Cdn<'_>, made: &Made, origin: &str) -> Result<()> {
    let stored = cdn.read(made).await?;
    let led = element(element(&stored, "DefaultCacheBehavior")?, "TargetOriginId")?;
    match led == origin {
        true => Ok(()),
        false => Err(format!("the distribution leads to {led}, not to {origin}").into()),
    }
}
