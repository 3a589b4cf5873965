//! Distributions of CloudFront in front of two servers, as somebody made them.

use std::net::Ipv4Addr;

use localstack::Options;
use localstack::gate;

use crate::api::text;
use crate::servers::Servers;
use crate::support::Outcome;
use crate::world::World;

/// Of AWS's own cache policies.
pub const KEEPS_NOTHING: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
pub const KEEPS_A_DAY: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";

pub struct Cdn {
    pub world: World,
    pub servers: Servers,
}

/// A distribution as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub domain: String,
}

/// How one is to be.
pub struct Wanted<'a> {
    pub alias: &'a str,
    /// The origin that it leads to: `blue` or `green`; it has both.
    pub leads_to: &'a str,
    pub cache_policy: &'a str,
    /// XML of further elements.
    pub more: &'a str,
}

impl Cdn {
    /// With one edge for each of these, which hears of a change after so long; the
    /// servers are at two addresses that no other test has.
    pub fn new(app: &str, last: [u8; 2], options: gate::cdn::Options) -> Outcome<Self> {
        let [blue, green] = last.map(|last| Ipv4Addr::new(127, 0, 2, last));
        let servers = Servers::at(blue, green)?;
        let options = gate::Options {
            cdn: Some(options),
            dns: Some(gate::dns::Options::default()),
            ..gate::Options::default()
        };
        let world = World::behind(app, Options::default(), &options)?;
        Ok(Self { world, servers })
    }

    pub fn edges(&self) -> Outcome<&gate::cdn::Cdn> {
        Ok(self.world.gate.cdn().ok_or("the gate has no edges")?)
    }

    /// Where the edges are, as `--connect-to` takes it.
    pub fn through(&self) -> Outcome<String> {
        let all = self.edges()?.edges.iter().map(ToString::to_string);
        Ok(all.collect::<Vec<_>>().join(","))
    }

    /// What users type.
    pub fn url(&self, host: &str) -> Outcome<String> {
        let first = self.edges()?.edges.first().ok_or("no edge")?;
        Ok(format!("http://{host}:{}", first.port()))
    }

    fn origins(&self) -> String {
        let origin = |color: &str| {
            format!(
                "<Origin><Id>{color}</Id><DomainName>{}</DomainName><CustomOriginConfig><HTTPPort>{}</HTTPPort>\
                 <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>",
                self.servers.address(color),
                self.servers.port
            )
        };
        format!(
            "<Origins><Quantity>2</Quantity><Items>{}{}</Items></Origins>",
            origin("blue"),
            origin("green")
        )
    }

    pub fn create(&self, reference: &str, wanted: &Wanted<'_>) -> Outcome<Made> {
        let Wanted {
            alias,
            leads_to,
            cache_policy,
            more,
        } = wanted;
        let aliases = match alias.is_empty() {
            true => "<Aliases><Quantity>0</Quantity></Aliases>".to_owned(),
            false => format!(
                "<Aliases><Quantity>1</Quantity><Items><CNAME>{alias}</CNAME></Items></Aliases>"
            ),
        };
        let body = format!(
            "<DistributionConfig xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <CallerReference>{reference}</CallerReference>{aliases}{}<DefaultCacheBehavior>\
             <TargetOriginId>{leads_to}</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
             <CachePolicyId>{cache_policy}</CachePolicyId></DefaultCacheBehavior><Comment>somebody's</Comment>\
             <Enabled>true</Enabled>{more}</DistributionConfig>",
            self.origins()
        );
        let made = self.call("POST /2020-05-31/distribution", &body)?;
        let made = Made {
            id: text(&made, "Id")?.to_owned(),
            domain: text(&made, "DomainName")?.to_owned(),
        };
        self.deployed(&made.id)?;
        Ok(made)
    }

    pub fn call(&self, line: &str, body: &str) -> Outcome<String> {
        self.world.api.rest("cloudfront", line, body)
    }

    pub fn distribution(&self, id: &str) -> Outcome<String> {
        self.call(&format!("GET /2020-05-31/distribution/{id}"), "")
    }

    /// Once every edge has it.
    pub fn deployed(&self, id: &str) -> Outcome {
        self.world.until("it is deployed", || {
            Ok(text(&self.distribution(id)?, "Status")? == "Deployed")
        })
    }

    /// The origin that its default behaviour leads to, as it is stored.
    pub fn leads_to(&self, id: &str) -> Outcome<String> {
        let it = self.distribution(id)?;
        let behavior = it.split("<DefaultCacheBehavior>").nth(1);
        Ok(text(behavior.ok_or("no behaviour")?, "TargetOriginId")?.to_owned())
    }

    /// What an edge answers for that host.
    pub fn answer(&self, edge: usize, host: &str) -> Outcome<(u16, String)> {
        let edges = &self.edges()?.edges;
        let edge = edges.get(edge).ok_or("no such edge")?.to_string();
        crate::api::exchange(&edge, host, "GET /", "", "")
    }
}
