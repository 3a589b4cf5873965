//! Changes of distributions that emulators do not know, made of those that they do.

use hyper::header::IF_MATCH;
use hyper::{HeaderMap, Method, StatusCode};

use super::answer::{aliases, field, query};
use super::distribution::World;
use super::refuse::Refusal;
use super::{CloudFront, SERVICE, VERSION, edit, look};
use crate::gate::refusal::{escaped, request_id};
use crate::gate::request::{Answer, Request};
use crate::gate::upstream::Failed;

impl CloudFront {
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CopyDistribution.html>
    pub(super) async fn copy(&self, id: &str, request: &Request) -> Result<Answer, Failed> {
        let Some((config, _)) = self.config(id).await? else {
            return Ok(Refusal::no_distribution().answer());
        };
        let reference = field(&request.body, "CallerReference").unwrap_or_default();
        let enabled = field(&request.body, "Enabled");
        let is_staging = request.head.headers.get("staging");
        let is_staging = is_staging.is_some_and(|it| it.as_bytes().eq_ignore_ascii_case(b"true"));
        let copied = edit::with(
            &config,
            &[
                ("CallerReference", &escaped(&reference)),
                ("Enabled", enabled.as_deref().unwrap_or("true")),
                ("Staging", if is_staging { "true" } else { "false" }),
                ("Aliases", &edit::aliases(&[])),
                ("ContinuousDeploymentPolicyId", ""),
            ],
        );
        let path = format!("/{VERSION}/distribution");
        let call = (Method::POST, path.as_str());
        self.0.upstream.rest_call(SERVICE, call, &[], copied).await
    }

    /// "The primary distribution retains its Aliases and ContinuousDeploymentPolicyId
    /// value, but otherwise its configuration is overwritten to match the staging
    /// distribution. This action will disable the continuous deployment policy":
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistributionWithStagingConfig.html>.
    pub(super) async fn promote(&self, id: &str, request: &Request) -> Result<Answer, Failed> {
        let staging = query(request, "StagingDistributionId").unwrap_or_default();
        let (Some((primary, etag)), Some((staging, _))) =
            (self.config(id).await?, self.config(&staging).await?)
        else {
            return Ok(Refusal::no_distribution().answer());
        };
        let retained = ["CallerReference", "Aliases", "ContinuousDeploymentPolicyId"];
        let retained = retained.map(|name| (name, edit::inside(&primary, name)));
        let config = edit::with(&staging, &[&retained[..], &[("Staging", "false")]].concat());
        let answer = self.update(id, &etag, config).await?;
        if answer.status.is_success() {
            let policy = edit::inside(&primary, "ContinuousDeploymentPolicyId");
            self.policies().disable(policy, request_id());
        }
        Ok(answer)
    }

    /// "You can move an alias that's already used for a standard distribution to a
    /// different standard distribution. This prevents the downtime that could occur if
    /// you first remove the alias from one standard distribution and then separately
    /// add the alias to another":
    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AssociateAlias.html>.
    pub(super) async fn associate(
        &self,
        id: &str,
        request: &Request,
        world: &World,
    ) -> Result<Answer, Failed> {
        let Some(alias) = query(request, "Alias") else {
            return Ok(Refusal::argument("The alias is missing.").answer());
        };
        let owner = world.of_alias(&alias).map(|owner| owner.id.clone());
        if owner.as_deref() == Some(id) {
            return Ok(empty());
        }
        let is_it = |name: &String| name.eq_ignore_ascii_case(&alias);
        if let Some(owner) = &owner {
            let left = self.with_aliases(owner, |all| all.retain(|name| !is_it(name)));
            let answer = left.await?;
            if !answer.status.is_success() {
                return Ok(answer);
            }
        }
        let added = self.with_aliases(id, |all| all.push(alias.clone())).await?;
        match (added.status.is_success(), owner) {
            (true, _) => Ok(empty()),
            (false, Some(owner)) => {
                self.with_aliases(&owner, |all| all.push(alias.clone()))
                    .await?;
                Ok(added)
            }
            (false, None) => Ok(added),
        }
    }

    async fn with_aliases(
        &self,
        id: &str,
        change: impl FnOnce(&mut Vec<String>),
    ) -> Result<Answer, Failed> {
        let Some((config, etag)) = self.config(id).await? else {
            return Ok(Refusal::no_distribution().answer());
        };
        let mut all = aliases(config.as_bytes());
        change(&mut all);
        let config = edit::with(&config, &[("Aliases", &edit::aliases(&all))]);
        self.update(id, &etag, config).await
    }

    /// A distribution's configuration, and its version.
    async fn config(&self, id: &str) -> Result<Option<(String, String)>, Failed> {
        look::get(&self.0.upstream, &format!("distribution/{id}/config")).await
    }

    async fn update(&self, id: &str, etag: &str, config: String) -> Result<Answer, Failed> {
        let path = format!("/{VERSION}/distribution/{id}/config");
        let call = (Method::PUT, path.as_str());
        let headers = [(IF_MATCH.as_str(), etag)];
        let upstream = &self.0.upstream;
        upstream.rest_call(SERVICE, call, &headers, config).await
    }
}

fn empty() -> Answer {
    Answer {
        status: StatusCode::OK,
        headers: HeaderMap::new(),
        body: bytes::Bytes::new(),
    }
}
