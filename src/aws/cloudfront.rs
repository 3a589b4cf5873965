//! Distributions of CloudFront: read, and written with one thing changed.
//!
//! `UpdateDistribution` takes the whole configuration and replaces it: "when you update
//! a distribution, there are more required fields than when you create" one
//! (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html>).
//! So what was read is what is sent back, as text: what this SDK does not know of it
//! would be dropped by its types. `If-Match` has the write fail where somebody else made
//! one since.

mod edit;

use aws_sdk_cloudfront::error::BuildError;
use aws_sdk_cloudfront::types::{DistributionConfig, InvalidationBatch, Origin, Paths};
use aws_smithy_types::body::SdkBody;

use super::Aws;
use super::answer_bytes::AnswerBytes;
use super::error::{AwsError, Named};
use crate::model::CacheTimes;
pub(super) use edit::Change;

pub(super) const READ: &str = "cloudfront:GetDistribution";
pub(super) const UPDATE: &str = "cloudfront:UpdateDistribution";
const INVALIDATE: &str = "cloudfront:CreateInvalidation";
const READ_CACHE_POLICY: &str = "cloudfront:GetCachePolicy";

/// What `Status` says once every edge has a configuration.
const DEPLOYED: &str = "Deployed";

/// A distribution as it was read.
#[derive(Debug, Clone)]
pub(super) struct CloudfrontDistribution {
    pub id: String,
    /// What a write names, so that it fails where somebody else made one since.
    pub etag: String,
    /// Its own name, such as `d111111abcdef8.cloudfront.net`.
    pub domain: String,
    /// Whether every edge has this configuration.
    pub is_deployed: bool,
    pub config: DistributionConfig,
    /// The same as it came.
    xml: String,
}

/// What a path of a distribution is answered by.
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
    pub fn aliases(&self) -> &[String] {
        self.config.aliases().map_or(&[], |it| it.items())
    }

    pub fn has(&self, alias: &str) -> bool {
        self.aliases()
            .iter()
            .any(|it| it.eq_ignore_ascii_case(alias))
    }

    /// Of its aliases one such as `*.example.com` that is for that name, too.
    pub fn wildcard_of(&self, name: &str) -> Option<&str> {
        let parent = name.split_once('.').map(|(_, parent)| parent)?;
        let covers = |alias: &&String| alias.strip_prefix("*.") == Some(parent);
        self.aliases().iter().find(covers).map(String::as_str)
    }

    /// The id of the origin of that name, or of that domain where it is the only one.
    pub fn origin(&self, target: &str) -> Option<&str> {
        let all = self.config.origins().map_or(&[][..], |it| it.items());
        let by_id = all.iter().find(|origin| origin.id() == target);
        let mut of_domain = all.iter().filter(|origin| origin.domain_name() == target);
        let by_domain = of_domain.next().filter(|_| of_domain.next().is_none());
        by_id.or(by_domain).map(Origin::id)
    }

    /// The ids of its origins.
    pub fn origins(&self) -> Vec<&str> {
        let all = self.config.origins().map_or(&[][..], |it| it.items());
        all.iter().map(Origin::id).collect()
    }

    /// The origin that a behaviour leads to; none where there is no such behaviour.
    pub fn leads_to(&self, behavior: Behavior<'_>) -> Option<&str> {
        Some(self.answering(behavior)?.origin)
    }

    #[expect(
        deprecated,
        reason = "new distributions name a policy, and those that are there may have their own times"
    )]
    fn answering(&self, behavior: Behavior<'_>) -> Option<BehaviorSettings<'_>> {
        Some(match behavior {
            Behavior::Default => {
                let it = self.config.default_cache_behavior()?;
                BehaviorSettings {
                    origin: it.target_origin_id(),
                    cache_policy: it.cache_policy_id(),
                    own_times: CacheTimes::new(it.default_ttl(), it.max_ttl()),
                }
            }
            Behavior::At(pattern) => {
                let mut all = self.config.cache_behaviors()?.items().iter();
                let it = all.find(|it| it.path_pattern() == pattern)?;
                BehaviorSettings {
                    origin: it.target_origin_id(),
                    cache_policy: it.cache_policy_id(),
                    own_times: CacheTimes::new(it.default_ttl(), it.max_ttl()),
                }
            }
        })
    }
}

/// What a behaviour says.
struct BehaviorSettings<'a> {
    origin: &'a str,
    /// By its id.
    cache_policy: Option<&'a str>,
    /// For how long edges keep what the origin answers, where it has no policy.
    own_times: CacheTimes,
}

impl Aws {
    pub(super) async fn distribution(&self, id: &str) -> Result<CloudfrontDistribution, AwsError> {
        let bytes = AnswerBytes::default();
        let call = self.cloudfront.get_distribution().id(id).customize();
        let answer = call.interceptor(bytes.clone()).send().await;
        let answer = answer.named(READ, id)?;
        let unusable = |what: &str| AwsError::unusable(READ, id, what);
        let it = answer.distribution();
        let it = it.ok_or_else(|| unusable("the answer is no distribution"))?;
        let config = it.distribution_config();
        Ok(CloudfrontDistribution {
            id: id.to_owned(),
            etag: answer.e_tag().unwrap_or_default().to_owned(),
            domain: it.domain_name().to_owned(),
            is_deployed: it.status() == DEPLOYED,
            config: config
                .ok_or_else(|| unusable("the answer has no configuration"))?
                .clone(),
            xml: String::from_utf8_lossy(&bytes.taken()).into_owned(),
        })
    }

    /// Sends a distribution back with that changed, and nothing else. One that is so
    /// already is left alone.
    ///
    /// # Errors
    /// CloudFront's own, among them that somebody else wrote meanwhile: it changes
    /// nothing then.
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
        let call = self.cloudfront.update_distribution();
        call.id(&it.id)
            .if_match(&it.etag)
            .distribution_config(it.config.clone())
            .customize()
            .mutate_request(move |request| {
                let length = config.len().to_string();
                request.headers_mut().insert("content-length", length);
                *request.body_mut() = SdkBody::from(config.clone());
            })
            .send()
            .await
            .named(UPDATE, &it.id)
            .map(drop)
    }

    /// For how long edges may answer with what an origin said before.
    pub(super) async fn cache_times(
        &self,
        it: &CloudfrontDistribution,
        behavior: Behavior<'_>,
    ) -> Result<CacheTimes, AwsError> {
        let Some(answering) = it.answering(behavior) else {
            return Ok(CacheTimes::default());
        };
        let Some(policy) = answering.cache_policy else {
            return Ok(answering.own_times);
        };
        let call = self.cloudfront.get_cache_policy().id(policy);
        let answer = call.send().await.named(READ_CACHE_POLICY, policy)?;
        let config = answer
            .cache_policy()
            .and_then(|it| it.cache_policy_config());
        Ok(config.map_or_else(CacheTimes::default, |it| {
            CacheTimes::new(it.default_ttl(), it.max_ttl())
        }))
    }

    /// Has edges forget what they keep below these paths. The same request twice, by its
    /// reference, is one
    /// (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html>).
    pub(super) async fn invalidate(
        &self,
        id: &str,
        paths: &[String],
        reference: &str,
    ) -> Result<(), AwsError> {
        let built = batch(paths, reference);
        let batch = built.map_err(|error| AwsError::unusable(INVALIDATE, id, error.to_string()))?;
        let call = self.cloudfront.create_invalidation();
        let call = call.distribution_id(id).invalidation_batch(batch);
        call.send().await.named(INVALIDATE, id).map(drop)
    }
}

fn batch(paths: &[String], reference: &str) -> Result<InvalidationBatch, BuildError> {
    let quantity = i32::try_from(paths.len()).unwrap_or(i32::MAX);
    let paths = Paths::builder().set_items(Some(paths.to_vec()));
    let batch = InvalidationBatch::builder().caller_reference(reference);
    batch.paths(paths.quantity(quantity).build()?).build()
}
