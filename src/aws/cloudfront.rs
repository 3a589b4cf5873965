//! Distributions of CloudFront: read, and written back with one thing changed.
//!
//! `UpdateDistribution` takes the whole configuration and replaces it: "when you update a
//! distribution, there are more required fields than when you create" one
//! (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html>).
//! So what was read is sent back, as text. `If-Match` makes the write fail if somebody
//! else has written since.

mod edit;

use super::Aws;
use super::error::{AwsError, Named};
use super::plain::{PlainAnswer, XmlRequest, operation_of, path};
use super::xml::Element;
use crate::model::CacheTimes;
pub(super) use edit::Change;

pub(super) const READ: &str = "cloudfront:GetDistribution";
pub(super) const UPDATE: &str = "cloudfront:UpdateDistribution";
const INVALIDATE: &str = "cloudfront:CreateInvalidation";
const READ_CACHE_POLICY: &str = "cloudfront:GetCachePolicy";

const VERSION: &str = "2020-05-31";
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";

/// The value of `Status` once every edge has a configuration.
const DEPLOYED: &str = "Deployed";

/// A distribution as it was read.
#[derive(Debug, Clone)]
pub(super) struct CloudfrontDistribution {
    pub id: String,
    /// Named by a write, so that it fails if somebody else has written since.
    pub etag: String,
    /// Its own name, such as `d111111abcdef8.cloudfront.net`.
    pub domain: String,
    /// Whether every edge has this configuration.
    pub is_deployed: bool,
    pub config: Element,
    /// The same as it was received.
    xml: String,
}

/// What answers a path of a distribution.
#[derive(Debug, Clone, Copy)]
pub(super) enum Behavior<'a> {
    Default,
    /// By its pattern.
    At(&'a str),
}

impl<'a> Behavior<'a> {
    pub fn of(pattern: Option<&'a str>) -> Self {
        pattern.map_or(Self::Default, Self::At)
    }
}

impl CloudfrontDistribution {
    pub fn aliases(&self) -> Vec<&str> {
        self.config.texts("Aliases/Items/CNAME")
    }

    pub fn has(&self, alias: &str) -> bool {
        self.aliases()
            .iter()
            .any(|it| it.eq_ignore_ascii_case(alias))
    }

    /// One of its aliases such as `*.example.com` that also covers that name.
    pub fn wildcard_of(&self, name: &str) -> Option<&str> {
        let parent = name.split_once('.').map(|(_, parent)| parent)?;
        let covers = |alias: &&str| alias.strip_prefix("*.") == Some(parent);
        self.aliases().into_iter().find(covers)
    }

    /// The id of the origin of that name, or with that domain if it is the only one.
    pub fn origin(&self, target: &str) -> Option<&str> {
        let all = self.config.all("Origins/Items/Origin");
        let is = |it: &&&Element, field: &str| it.text(field) == Some(target);
        let by_id = all.iter().find(|it| is(it, "Id"));
        let mut of_domain = all.iter().filter(|it| is(it, "DomainName"));
        let by_domain = of_domain.next().filter(|_| of_domain.next().is_none());
        by_id.or(by_domain)?.text("Id")
    }

    /// The ids of its origins.
    pub fn origins(&self) -> Vec<&str> {
        self.config.texts("Origins/Items/Origin/Id")
    }

    /// The origin that a behaviour leads to; None if there is no such behaviour.
    pub fn leads_to(&self, behavior: Behavior<'_>) -> Option<&str> {
        self.answering(behavior)?.text("TargetOriginId")
    }

    fn answering(&self, behavior: Behavior<'_>) -> Option<&Element> {
        match behavior {
            Behavior::Default => self.config.at("DefaultCacheBehavior"),
            Behavior::At(pattern) => {
                let all = self.config.all("CacheBehaviors/Items/CacheBehavior");
                let mut all = all.into_iter();
                all.find(|it| it.text("PathPattern") == Some(pattern))
            }
        }
    }
}

/// From a behaviour, or from the policy that it names.
fn times_in(it: &Element) -> CacheTimes {
    CacheTimes::new(it.number("DefaultTTL"), it.number("MaxTTL"))
}

impl Aws {
    pub(super) async fn distribution(&self, id: &str) -> Result<CloudfrontDistribution, AwsError> {
        let (answer, it) = self.of_cloudfront(READ, &["distribution", id], id).await?;
        let unusable = |what: &str| AwsError::unusable(READ, id, what);
        let config = it.at("DistributionConfig");
        Ok(CloudfrontDistribution {
            id: id.to_owned(),
            etag: answer.etag(),
            domain: it.text("DomainName").unwrap_or_default().to_owned(),
            is_deployed: it.text("Status") == Some(DEPLOYED),
            config: config
                .ok_or_else(|| unusable("the answer has no configuration"))?
                .clone(),
            xml: answer.text().map_err(|what| unusable(&what))?.to_owned(),
        })
    }

    /// Reads that resource.
    pub(super) async fn of_cloudfront(
        &self,
        action: &'static str,
        at: &[&str],
        name: &str,
    ) -> Result<(PlainAnswer, Element), AwsError> {
        let at = place(at);
        let call = self
            .cloudfront
            .xml(operation_of(action), XmlRequest::get(&at));
        let answer = call.await.named(action, name)?;
        let it = answer.element();
        let it = it.map_err(|what| AwsError::unusable(action, name, what))?;
        Ok((answer, it))
    }

    /// Sends that to CloudFront as a document.
    pub(super) async fn tell_cloudfront(
        &self,
        action: &'static str,
        (method, at): (&'static str, &str),
        (name, if_match): (&str, Option<&str>),
        input: &Element,
    ) -> Result<PlainAnswer, AwsError> {
        let asked = XmlRequest {
            method,
            path: at,
            document: Some(input.document(NAMESPACE)),
            if_match,
        };
        let call = self.cloudfront.xml(operation_of(action), asked);
        call.await.named(action, name)
    }

    /// Sends a distribution back with that change and no other. If nothing would change,
    /// nothing is sent.
    ///
    /// # Errors
    /// CloudFront's own, among them that somebody else has written meanwhile; then
    /// nothing is changed.
    pub(super) async fn change_distribution(
        &self,
        it: &CloudfrontDistribution,
        change: Change<'_>,
    ) -> Result<(), AwsError> {
        let config = edit::changed(&it.xml, change);
        let config = config.map_err(|why| AwsError::unusable(UPDATE, &it.id, why))?;
        let Some(config) = config else {
            return Ok(());
        };
        let asked = XmlRequest {
            method: "PUT",
            path: &place(&["distribution", &it.id, "config"]),
            document: Some(config),
            if_match: Some(&it.etag),
        };
        let call = self.cloudfront.xml(operation_of(UPDATE), asked);
        call.await.named(UPDATE, &it.id).map(drop)
    }

    /// How long edges may keep answering with what an origin said before.
    pub(super) async fn cache_times(
        &self,
        it: &CloudfrontDistribution,
        behavior: Behavior<'_>,
    ) -> Result<CacheTimes, AwsError> {
        let Some(answering) = it.answering(behavior) else {
            return Ok(CacheTimes::default());
        };
        let Some(policy) = answering.text("CachePolicyId") else {
            return Ok(times_in(answering));
        };
        let at = ["cache-policy", policy];
        let (_, it) = self.of_cloudfront(READ_CACHE_POLICY, &at, policy).await?;
        let config = it.at("CachePolicyConfig");
        Ok(config.map_or_else(CacheTimes::default, times_in))
    }

    /// Makes edges forget what they keep below these paths. Repeating the request with
    /// the same reference has no further effect
    /// (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>).
    pub(super) async fn invalidate(
        &self,
        id: &str,
        paths: &[String],
        reference: &str,
    ) -> Result<(), AwsError> {
        let each = paths.iter().map(|it| Element::leaf("Path", it));
        let batch = Element::branch(
            "InvalidationBatch",
            [
                Element::branch(
                    "Paths",
                    [
                        Element::leaf("Quantity", paths.len()),
                        Element::branch("Items", each),
                    ],
                ),
                Element::leaf("CallerReference", reference),
            ],
        );
        let at = ("POST", &*place(&["distribution", id, "invalidation"]));
        self.tell_cloudfront(INVALIDATE, at, (id, None), &batch)
            .await
            .map(drop)
    }
}

/// A path of this version of the API.
pub(super) fn place(parts: &[&str]) -> String {
    path([&[VERSION], parts].concat())
}
