//! What CloudFront refuses and an emulator may take. Pure.

use hyper::{HeaderMap, StatusCode};

use super::SERVICE;
use super::distribution::{Distribution, World};
use crate::gate::refusal;
use crate::gate::request::Answer;

#[derive(Debug, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: &'static str,
}

impl Refusal {
    const fn new(status: StatusCode, code: &'static str, message: &'static str) -> Self {
        Self {
            status,
            code,
            message,
        }
    }

    pub fn answer(&self) -> Answer {
        refusal::wrong_rest(SERVICE, (self.status, self.code), self.message)
    }

    pub const fn argument(message: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidArgument", message)
    }

    pub const fn no_distribution() -> Self {
        let message = "The specified distribution does not exist.";
        Self::new(StatusCode::NOT_FOUND, "NoSuchDistribution", message)
    }

    pub const fn no_policy() -> Self {
        let code = "NoSuchContinuousDeploymentPolicy";
        let message = "The continuous deployment policy doesn't exist.";
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    pub const fn policy_in_use() -> Self {
        let code = "ContinuousDeploymentPolicyInUse";
        let message = "You cannot delete a continuous deployment policy that is associated with \
                       a primary distribution.";
        Self::new(StatusCode::CONFLICT, code, message)
    }

    pub const fn staging_in_use() -> Self {
        let code = "StagingDistributionInUse";
        let message =
            "A continuous deployment policy for this staging distribution already exists.";
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDomainAssociation.html>
    pub const fn access_denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "AccessDenied", "Access denied.")
    }

    const fn alias_taken() -> Self {
        let message = "One or more of the CNAMEs you provided are already associated with a \
                       different resource.";
        Self::new(StatusCode::CONFLICT, "CNAMEAlreadyExists", message)
    }

    const fn not_disabled() -> Self {
        let message = "The distribution you are trying to delete has not been disabled.";
        Self::new(StatusCode::CONFLICT, "DistributionNotDisabled", message)
    }

    const fn no_version() -> Self {
        let code = "InvalidIfMatchVersion";
        let message = "The If-Match version is missing or not valid for the resource.";
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    const fn other_version() -> Self {
        let message = "The precondition in one or more of the request fields evaluated to false.";
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "PreconditionFailed",
            message,
        )
    }
}

/// Whether one of these aliases is another distribution's.
pub fn aliases(
    world: &World,
    aliases: &[String],
    is_own: impl Fn(&Distribution) -> bool,
) -> Option<Refusal> {
    let mut owners = aliases.iter().filter_map(|alias| world.of_alias(alias));
    owners
        .any(|owner| !is_own(owner))
        .then(Refusal::alias_taken)
}

/// Whether the call's `If-Match` is not these versions, with commas between.
pub fn version(headers: &HeaderMap, etags: &[&str]) -> Option<Refusal> {
    let Some(given) = headers
        .get("if-match")
        .and_then(|value| value.to_str().ok())
    else {
        return Some(Refusal::no_version());
    };
    let given = given.split(',').map(|etag| etag.trim().trim_matches('"'));
    (!given.eq(etags.iter().copied())).then(Refusal::other_version)
}

/// "Before you can delete a distribution, you must disable it", and wait until that is
/// deployed:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html>.
pub fn deletion(is_underway: bool) -> Option<Refusal> {
    is_underway.then(Refusal::not_disabled)
}
