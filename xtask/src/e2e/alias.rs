//! An app behind one of two distributions of CloudFront: the one that has the alias,
//! whatever DNS says, while users come in by two edges, one of which is late.

use std::net::Ipv4Addr;

use serde_json::json;

use super::cdn::Cdn;
use super::onlookers::{Onlookers, unharmed};
use super::site::{Routing, Site};
use super::stage::{ENGLISH, Stage};
use super::zone::{Leads, Zone};
use crate::Result;
use crate::json::{expect, text};
use crate::observer::Door;
use crate::others::{Made, element};

const HOST: &str = "www.alias.test";
const WILDCARD: &str = "*.alias.test";
const ZONE: &str = "alias.test";
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 0, 3, 5);

/// Two distributions of a site.
struct Pair<'s> {
    site: &'s Site<'s>,
    cdn: Cdn<'s>,
    zone: Zone<'s>,
    /// It has the wildcard, and leads to the colour of its name.
    blue: Made,
    /// It has the name, and leads to the colour of its name.
    green: Made,
}

/// The name is moved, and its record after it; that a record alone would move nobody is
/// seen through.
pub async fn an_alias_is_moved_and_nobody_notices(stage: &Stage<'_>) -> Result<String> {
    let site = Site::new(stage, "alias", FIRST)?;
    let told = told(&site).await;
    site.leave().await?;
    told
}

async fn told(site: &Site<'_>) -> Result<String> {
    for (color, tag) in [("blue", "2"), ("green", "1")] {
        site.run(color, tag).await?;
    }
    let pair = Pair::make(site).await?;
    let users = Onlookers::at(&pair.cdn.edges, HOST)?;
    let released = pair.release().await;
    let seen = users.leave().await?;
    released?;
    let visits = unharmed(&seen)?;
    Ok(format!(
        "an alias is moved and moved back, and its record after it, where DNS alone moves nobody: {visits} visits by {} edges, and nobody noticed",
        seen.len()
    ))
}

impl<'s> Pair<'s> {
    async fn make(site: &'s Site<'s>) -> Result<Self> {
        let cdn = Cdn::before(site)?;
        let asked = json!({ "DomainName": WILDCARD, "ValidationMethod": "DNS" });
        let service = ("acm", "CertificateManager");
        let certificate = site.api.json(service, "RequestCertificate", &asked).await?;
        let certificate = format!(
            "<ViewerCertificate><ACMCertificateArn>{}</ACMCertificateArn><SSLSupportMethod>sni-only</SSLSupportMethod></ViewerCertificate>",
            text(&certificate, &["CertificateArn"])?
        );
        let (blue, green) = tokio::try_join!(
            cdn.make(WILDCARD, "blue", &certificate),
            cdn.make(HOST, "green", &certificate)
        )?;
        let zone = Zone::make(site, ZONE).await?;
        let leads = Leads::ToDistribution(&green.domain);
        zone.lead(HOST, &leads).await?;
        Ok(Self {
            site,
            cdn,
            zone,
            blue,
            green,
        })
    }

    async fn release(&self) -> Result<()> {
        self.dns_moves_nobody().await?;
        let url = self.cdn.url(HOST)?;
        self.site.configure(&Routing {
            router: &format!("kind = \"cloudfront-alias\"\nalias = \"{HOST}\"\nurl = \"{url}\""),
            targets: [&self.blue.id, &self.green.id],
            address: None,
            more: "",
        })?;
        self.site.done(&["init"]).await?;
        self.site.done(&["deploy", "--tag", "2"]).await?;
        let through = self.cdn.through();
        for (command, to) in [("promote", &self.blue), ("rollback", &self.green)] {
            let swap = [command, "--connect-to", &through, "--json"];
            let swapped = self.site.done(&swap).await?;
            let json = swapped.json()?;
            expect(&json, &["outcome"], "committed")?;
            expect(&json, &["probe", "failed"], 0)?;
            if command == "promote" {
                swapped.expect_stderr("more specific name")?;
            }
            self.is_at(to).await?;
        }
        self.site.done(&["destroy", "--yes"]).await?;
        self.is_at(&self.green).await
    }

    /// The known trick: a wildcard on one distribution, the exact name on the other, and
    /// a record between them. It does nothing, and bgecs says so.
    async fn dns_moves_nobody(&self) -> Result<()> {
        let leads = Leads::ToDistribution(&self.blue.domain);
        self.zone.lead(HOST, &leads).await?;
        for edge in &self.cdn.edges {
            let door = Door::new(vec![format!("http://{edge}")], HOST)?;
            let (status, body) = door.get("/api").await?;
            if status != 200 || !body.contains(ENGLISH) {
                return Err(format!("DNS moved somebody: {status} {body} at {edge}").into());
            }
        }
        let url = self.cdn.url(HOST)?;
        self.site.configure(&Routing {
            router: &format!("kind = \"route53\"\nrecord = \"{HOST}\"\nurl = \"{url}\""),
            targets: [&self.blue.domain, &self.green.domain],
            address: None,
            more: "",
        })?;
        let refused = self.site.bgecs(&["init"]).await?.expect_code(2)?;
        refused.expect_stderr("serves everybody whatever DNS says")?;
        Ok(())
    }

    /// The name, and what its record says.
    async fn is_at(&self, made: &Made) -> Result<()> {
        let stored = self.cdn.read(made).await?;
        if !element(&stored, "Aliases")?.contains(&format!("<CNAME>{HOST}</CNAME>")) {
            return Err(format!("{} does not have {HOST}", made.id).into());
        }
        let recorded = self.zone.alias().await?;
        match recorded == made.domain {
            true => Ok(()),
            false => Err(format!("the record leads to {recorded}, not to {}", made.domain).into()),
        }
    }
}
