//! A client of CloudFront's API, as far as the tests need it, and of the edges behind.

use std::net::SocketAddr;
use std::time::Duration;

use localstack::gate::upstream::Upstream;
use localstack::gate::{self, cdn};

use crate::api::{Outcome, first};
use crate::distributions::aliases;
use crate::door::{Answer, Door};
use crate::subject::Subject;

/// What comes after it does not come within a test.
pub const NEVER: Duration = Duration::from_secs(3600);

/// A gate before a store, with two edges that hear of everything at once.
pub struct Edges {
    pub subject: Subject,
    api: Upstream,
}

/// A distribution as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub domain: String,
    pub etag: String,
}

/// A configuration with one origin.
#[derive(Debug, Clone)]
pub struct Config {
    pub aliases: Vec<String>,
    pub origin: String,
    pub port: u16,
    pub is_enabled: bool,
    pub is_kept: bool,
    /// Seconds that the origin has to answer.
    pub patience: u32,
    /// XML of further elements.
    pub more: String,
}

/// A refusal of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused(pub u16, pub String);

impl Config {
    /// Nothing of what the origin says is kept.
    pub fn of(aliases: &[&str], origin: SocketAddr) -> Self {
        Self {
            aliases: aliases.iter().map(|name| (*name).to_owned()).collect(),
            origin: origin.ip().to_string(),
            port: origin.port(),
            is_enabled: true,
            is_kept: false,
            patience: 30,
            more: String::new(),
        }
    }

    /// What the origin says is kept for a day.
    pub fn kept(self) -> Self {
        Self {
            is_kept: true,
            ..self
        }
    }

    pub fn and(self, more: &str) -> Self {
        let more = self.more + more;
        Self { more, ..self }
    }

    pub fn xml(&self, reference: &str) -> String {
        let Self {
            origin,
            port,
            patience,
            is_enabled,
            more,
            ..
        } = self;
        let aliases = aliases(&self.aliases);
        let policy = match self.is_kept {
            true => "658327ea-f89d-4fab-a63d-7e88639e58f6",
            false => "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        };
        format!(
            "<?xml version=\"1.0\"?><DistributionConfig \
             xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <CallerReference>{reference}</CallerReference><Enabled>{is_enabled}</Enabled>{aliases}\
             <Origins><Quantity>1</Quantity><Items><Origin><Id>one</Id>\
             <DomainName>{origin}</DomainName><CustomOriginConfig><HTTPPort>{port}</HTTPPort>\
             <HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy>\
             <OriginReadTimeout>{patience}</OriginReadTimeout></CustomOriginConfig></Origin></Items></Origins><DefaultCacheBehavior>\
             <TargetOriginId>one</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>\
             <CachePolicyId>{policy}</CachePolicyId></DefaultCacheBehavior>{more}</DistributionConfig>"
        )
    }
}

impl Edges {
    pub async fn start() -> Outcome<Self> {
        Self::start_as(cdn::Options::default()).await
    }

    /// Whatever the delays are, both edges hear of everything at once.
    pub async fn start_as(options: cdn::Options) -> Outcome<Self> {
        let subject = Subject::gate_as(&gate::Options {
            nodes: 1,
            cdn: Some(cdn::Options {
                delays: vec![Duration::ZERO; 2],
                ..options
            }),
            ..gate::Options::default()
        })
        .await?;
        let endpoint = subject.behind()?.gate.endpoint();
        let api = Upstream::new(endpoint.trim_start_matches("http://"), "test");
        Ok(Self { subject, api })
    }

    pub fn cdn(&self) -> Outcome<&cdn::Cdn> {
        Ok(self.subject.behind()?.gate.cdn().ok_or("it has no edges")?)
    }

    /// Such as `GET distribution`; gives version and XML, or the refusal.
    pub async fn try_call(
        &self,
        call: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Outcome<Result<(String, String), Refused>> {
        let (method, path) = call.split_once(' ').ok_or("it has no method")?;
        let path = format!("/2020-05-31/{path}");
        let call = (method.parse()?, path.as_str());
        let answer = self
            .api
            .rest_call("cloudfront", call, headers, body)
            .await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        if !answer.status.is_success() {
            let code = first(&text, "Code").unwrap_or(text);
            return Ok(Err(Refused(answer.status.as_u16(), code)));
        }
        let etag = answer.headers.get("etag");
        let etag = etag.map_or(Ok(""), |etag| etag.to_str())?.to_owned();
        Ok(Ok((etag, text)))
    }

    pub async fn call(
        &self,
        call: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Outcome<(String, String)> {
        let answer = self.try_call(call, headers, body).await?;
        answer.map_err(|refused| format!("{call}: {refused:?}").into())
    }

    pub async fn create(&self, config: &Config) -> Outcome<Made> {
        let reference = format!("case-{:08x}", fastrand::u32(..));
        let call = "POST distribution";
        made(self.call(call, &[], config.xml(&reference)).await?)
    }

    /// Replaces the configuration; gives what is answered.
    pub async fn update(&self, id: &str, config: &Config) -> Outcome<Result<String, Refused>> {
        let path = format!("distribution/{id}/config");
        let (etag, _) = self
            .call(&format!("GET {path}"), &[], String::new())
            .await?;
        let call = format!("PUT {path}");
        let headers = [("if-match", etag.as_str())];
        let answer = self.try_call(&call, &headers, config.xml("other")).await?;
        Ok(answer.map(|(_, xml)| xml))
    }

    /// The text of the first element of that name in what is said of something.
    pub async fn said(&self, what: &str, name: &str) -> Outcome<String> {
        let (_, xml) = self
            .call(&format!("GET {what}"), &[], String::new())
            .await?;
        Ok(first(&xml, name).ok_or("it says nothing of it")?)
    }

    /// The way to an edge.
    pub fn door(&self, edge: usize, host: &str) -> Outcome<Door> {
        let address = self.cdn()?.edges.get(edge).ok_or("there is no such edge")?;
        Ok(Door {
            address: *address,
            host: host.to_owned(),
        })
    }

    pub async fn get(&self, edge: usize, host: &str) -> Outcome<Answer> {
        self.door(edge, host)?.get("/", &[]).await
    }

    /// What both edges answer.
    pub async fn says(&self, host: &str) -> Outcome<[String; 2]> {
        let [one, other] = [self.get(0, host).await?, self.get(1, host).await?];
        Ok([one.text(), other.text()])
    }
}

pub fn made((etag, xml): (String, String)) -> Outcome<Made> {
    let said = |name| first(&xml, name).ok_or("no distribution");
    Ok(Made {
        id: said("Id")?,
        domain: said("DomainName")?,
        etag,
    })
}
