//! Reading the emulator: all that it says of distributions.

use std::collections::{BTreeMap, BTreeSet};

use hyper::header::ETAG;
use hyper::{Method, StatusCode};
use roxmltree::Document;

use super::cache::Ttls;
use super::deploy::Deployment;
use super::distribution::{self, Distribution, Named, World};
use super::{SERVICE, VERSION};
use crate::gate::elb::xml::{find, text};
use crate::gate::upstream::{Failed, Upstream};

/// Managed policies, which have the same ids everywhere:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>.
const CACHING_DISABLED: &str = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad";
const CACHING_OPTIMIZED: &str = "658327ea-f89d-4fab-a63d-7e88639e58f6";
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html>
const ALL_VIEWER: &str = "216adef6-5c7f-47e4-b989-5492eafa07d3";

/// All distributions as they are now, with what policies say.
///
/// # Errors
/// If the emulator cannot be read.
pub async fn look(
    upstream: &Upstream,
    deployments: BTreeMap<String, Deployment>,
) -> Result<World, Failed> {
    let list = upstream
        .rest(SERVICE, &format!("/{VERSION}/distribution"))
        .await?;
    let mut read = Vec::new();
    for id in distribution::ids(&list) {
        read.extend(get(upstream, &format!("distribution/{id}")).await?);
    }
    let of_kind = |element: &str| -> BTreeSet<String> {
        let all = read.iter();
        all.flat_map(|(xml, _)| distribution::policies(xml, element))
            .collect()
    };
    let named = Named {
        ttls: ttls(upstream, of_kind("CachePolicyId")).await?,
        forwarding_host: forwarding_host(upstream, of_kind("OriginRequestPolicyId")).await?,
        deployments,
    };
    let all = read.iter();
    let all = all.filter_map(|(xml, etag)| Distribution::read(xml, etag, &named));
    Ok(World(all.collect()))
}

async fn ttls(
    upstream: &Upstream,
    policies: BTreeSet<String>,
) -> Result<BTreeMap<String, Ttls>, Failed> {
    let mut all = BTreeMap::new();
    for id in policies {
        let ttls = match id.as_str() {
            CACHING_DISABLED => Some(Ttls::NONE),
            CACHING_OPTIMIZED => Some(Ttls {
                min: std::time::Duration::from_secs(1),
                ..Ttls::default()
            }),
            _ => {
                let said = get(upstream, &format!("cache-policy/{id}")).await?;
                said.and_then(|(xml, _)| {
                    let document = Document::parse(&xml).ok()?;
                    Some(Ttls::read(find(&document, "CachePolicyConfig")?))
                })
            }
        };
        all.extend(ttls.map(|ttls| (id, ttls)));
    }
    Ok(all)
}

async fn forwarding_host(
    upstream: &Upstream,
    policies: BTreeSet<String>,
) -> Result<BTreeSet<String>, Failed> {
    let mut all = BTreeSet::new();
    for id in policies {
        let forwards = match id.as_str() {
            ALL_VIEWER => true,
            _ => get(upstream, &format!("origin-request-policy/{id}"))
                .await?
                .is_some_and(|(xml, _)| names_host(&xml)),
        };
        if forwards {
            all.insert(id);
        }
    }
    Ok(all)
}

/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginRequestPolicyHeadersConfig.html>
fn names_host(policy: &str) -> bool {
    let Ok(document) = Document::parse(policy) else {
        return false;
    };
    let Some(headers) = find(&document, "HeadersConfig") else {
        return false;
    };
    let names = distribution::texts(headers, "Headers", "Name");
    let is_named = names.iter().any(|name| name.eq_ignore_ascii_case("host"));
    match text(headers, "HeaderBehavior") {
        Some("allViewer" | "allViewerAndWhitelistCloudFront") => true,
        Some("whitelist") => is_named,
        Some("allExcept") => !is_named,
        _ => false,
    }
}

/// What is said of a thing, and its version; none if it is gone.
pub async fn get(upstream: &Upstream, what: &str) -> Result<Option<(String, String)>, Failed> {
    let path = format!("/{VERSION}/{what}");
    let call = (Method::GET, path.as_str());
    let answer = upstream
        .rest_call(SERVICE, call, &[], String::new())
        .await?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let etag = answer.headers.get(ETAG);
    let etag = etag.and_then(|etag| etag.to_str().ok()).unwrap_or_default();
    match answer.status {
        status if status.is_success() => Ok(Some((body, etag.to_owned()))),
        StatusCode::NOT_FOUND => Ok(None),
        status => Err(Failed::Refused {
            what: path,
            status: status.as_u16(),
            body,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_request_policy_forwards_the_host_or_not() {
        for (behaviour, name, forwards) in [
            ("none", "Host", false),
            ("allViewer", "", true),
            ("whitelist", "Host", true),
            ("whitelist", "Accept", false),
            ("allExcept", "host", false),
            ("allExcept", "Accept", true),
        ] {
            let policy = format!(
                "<P><HeadersConfig><HeaderBehavior>{behaviour}</HeaderBehavior>\
                 <Headers><Items><Name>{name}</Name></Items></Headers></HeadersConfig></P>"
            );
            assert_eq!(names_host(&policy), forwards, "{behaviour} {name}");
        }
        assert!(!names_host(""));
    }
}
