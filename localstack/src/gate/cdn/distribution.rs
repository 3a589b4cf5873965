//! Distributions as the emulator's XML has them. Pure.
//!
//! <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html>

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use roxmltree::{Document, Node};

use super::cache::Ttls;
use super::deploy::Deployment;
use crate::gate::elb::xml::{at, find, text};

/// "The default timeout is 30 seconds":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesOrigin.html#DownloadDistValuesOriginResponseTimeout>.
const PATIENCE: Duration = Duration::from_secs(30);

/// All distributions, as of one moment.
#[derive(Debug, Default, PartialEq)]
pub struct World(pub Vec<Distribution>);

#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    pub id: String,
    /// Another with every change.
    pub etag: String,
    /// `dXXXX.cloudfront.net`
    pub domain: String,
    pub aliases: Vec<String>,
    pub caller_reference: String,
    pub is_enabled: bool,
    pub is_staging: bool,
    pub root_object: Option<String>,
    pub origins: Vec<Origin>,
    /// In their order; the default one, which is of every path, comes last.
    pub behaviours: Vec<Behaviour>,
    /// The id of its continuous deployment policy.
    pub policy: Option<String>,
    /// What that policy says, if it is enabled.
    pub deployment: Option<Deployment>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub id: String,
    pub domain: String,
    /// Ahead of every path that it is asked for.
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub http_port: u16,
    pub https_port: u16,
    /// `http-only`, `https-only` or `match-viewer`
    pub protocol: String,
    /// For how long it may take to answer.
    pub patience: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behaviour {
    pub pattern: String,
    /// The id of its origin.
    pub origin: String,
    /// `allow-all`, `https-only` or `redirect-to-https`
    pub viewers: String,
    pub methods: Vec<String>,
    pub ttls: Ttls,
    /// Whether the origin is sent the viewer's Host header.
    pub forwards_host: bool,
}

/// What the policies say that behaviours name, by their ids.
#[derive(Debug, Default)]
pub struct Named {
    /// Those of cache policies.
    pub ttls: BTreeMap<String, Ttls>,
    /// Origin request policies that forward the Host header.
    pub forwarding_host: BTreeSet<String>,
    /// Continuous deployment policies that are enabled.
    pub deployments: BTreeMap<String, Deployment>,
}

impl World {
    pub fn of_id(&self, id: &str) -> Option<&Distribution> {
        self.0.iter().find(|one| one.id == id)
    }

    pub fn of_domain(&self, domain: &str) -> Option<&Distribution> {
        self.0
            .iter()
            .find(|one| one.domain.eq_ignore_ascii_case(domain))
    }

    /// The one that has that very alias.
    pub fn of_alias(&self, alias: &str) -> Option<&Distribution> {
        let has = |one: &&Distribution| one.aliases.iter().any(|it| it.eq_ignore_ascii_case(alias));
        self.0.iter().find(has)
    }
}

/// The ids of a list of distributions.
pub fn ids(xml: &str) -> Vec<String> {
    let Ok(document) = Document::parse(xml) else {
        return Vec::new();
    };
    let all = document.descendants();
    all.filter(|node| node.tag_name().name() == "DistributionSummary")
        .filter_map(|node| text(node, "Id").map(str::to_owned))
        .collect()
}

/// The ids of the policies that behaviours name with an element of that name.
pub fn policies(xml: &str, element: &str) -> BTreeSet<String> {
    let Ok(document) = Document::parse(xml) else {
        return BTreeSet::new();
    };
    let all = document.descendants();
    all.filter(|node| node.tag_name().name() == element)
        .filter_map(|node| node.text().map(|id| id.trim().to_owned()))
        .filter(|id| !id.is_empty())
        .collect()
}

impl Distribution {
    /// Of what is answered to `GetDistribution`.
    pub fn read(xml: &str, etag: &str, named: &Named) -> Option<Self> {
        let document = Document::parse(xml).ok()?;
        let node = find(&document, "Distribution")?;
        let config = at(node, "DistributionConfig")?;
        let more = items(config, "CacheBehaviors", "CacheBehavior");
        let default = at(config, "DefaultCacheBehavior");
        let behaviours = more.into_iter().chain(default);
        let policy = text(config, "ContinuousDeploymentPolicyId").map(str::to_owned);
        Some(Self {
            id: text(node, "Id")?.to_owned(),
            etag: etag.to_owned(),
            domain: text(node, "DomainName")?.to_owned(),
            aliases: aliases(config),
            caller_reference: text(config, "CallerReference")
                .unwrap_or_default()
                .to_owned(),
            is_enabled: text(config, "Enabled") == Some("true"),
            is_staging: text(config, "Staging") == Some("true"),
            root_object: text(config, "DefaultRootObject").map(str::to_owned),
            origins: items(config, "Origins", "Origin")
                .into_iter()
                .filter_map(origin)
                .collect(),
            behaviours: behaviours
                .filter_map(|node| behaviour(node, named))
                .collect(),
            deployment: policy
                .as_ref()
                .and_then(|id| named.deployments.get(id).cloned()),
            policy,
        })
    }
}

/// Those of a configuration.
pub fn aliases(config: Node<'_, '_>) -> Vec<String> {
    texts(config, "Aliases", "CNAME")
}

fn origin(node: Node<'_, '_>) -> Option<Origin> {
    let port = |name, default| {
        let port = text(node, name).and_then(|port| port.parse().ok());
        port.unwrap_or(default)
    };
    let header = |header| {
        let name = text(header, "HeaderName")?.to_owned();
        Some((name, text(header, "HeaderValue")?.to_owned()))
    };
    let headers = items(node, "CustomHeaders", "OriginCustomHeader");
    Some(Origin {
        id: text(node, "Id")?.to_owned(),
        domain: text(node, "DomainName")?.to_owned(),
        path: text(node, "OriginPath").unwrap_or_default().to_owned(),
        headers: headers.into_iter().filter_map(header).collect(),
        http_port: port("CustomOriginConfig.HTTPPort", 80),
        https_port: port("CustomOriginConfig.HTTPSPort", 443),
        protocol: text(node, "CustomOriginConfig.OriginProtocolPolicy")
            .unwrap_or("http-only")
            .to_owned(),
        patience: text(node, "CustomOriginConfig.OriginReadTimeout")
            .and_then(|seconds| seconds.parse().ok())
            .map_or(PATIENCE, Duration::from_secs),
    })
}

fn behaviour(node: Node<'_, '_>, named: &Named) -> Option<Behaviour> {
    let ttls = match text(node, "CachePolicyId") {
        Some(id) => named.ttls.get(id).copied().unwrap_or_default(),
        None => Ttls::read(node),
    };
    let request_policy = text(node, "OriginRequestPolicyId");
    let headers = at(node, "ForwardedValues").map(|values| texts(values, "Headers", "Name"));
    let is_host = |name: &String| name == "*" || name.eq_ignore_ascii_case("host");
    Some(Behaviour {
        pattern: pattern(text(node, "PathPattern").unwrap_or("*")),
        origin: text(node, "TargetOriginId")?.to_owned(),
        viewers: text(node, "ViewerProtocolPolicy")
            .unwrap_or("allow-all")
            .to_owned(),
        methods: match texts(node, "AllowedMethods", "Method") {
            none if none.is_empty() => ["GET", "HEAD"].map(str::to_owned).to_vec(),
            some => some,
        },
        ttls,
        forwards_host: request_policy.is_some_and(|id| named.forwarding_host.contains(id))
            || headers.is_some_and(|names| names.iter().any(is_host)),
    })
}

/// "You can specify a path pattern with or without a slash (/) at the beginning; the
/// behaviour is the same":
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html#DownloadDistValuesPathPattern>.
pub fn pattern(given: &str) -> String {
    match given.starts_with(['/', '*']) {
        true => given.to_owned(),
        false => format!("/{given}"),
    }
}

/// The items of a list: `<LIST><Quantity/><Items><ITEM/></Items></LIST>`.
pub fn items<'a, 'i>(node: Node<'a, 'i>, list: &str, item: &str) -> Vec<Node<'a, 'i>> {
    let items = at(node, list).and_then(|list| at(list, "Items"));
    let all = items.into_iter().flat_map(|items| items.children());
    all.filter(|child| child.tag_name().name() == item)
        .collect()
}

/// The texts of the items of a list.
pub fn texts(node: Node<'_, '_>, list: &str, item: &str) -> Vec<String> {
    items(node, list, item)
        .iter()
        .filter_map(Node::text)
        .map(|text| text.trim().to_owned())
        .collect()
}
