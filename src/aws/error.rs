//! AWS errors as bgecs distinguishes them: by code, never by text. Keeps the operation,
//! the resource, and AWS's code, message and request id, because an `SdkError` displays
//! as just "service error".

mod advice;

use std::error::Error as StdError;

use aws_sdk_ecs::config::http::HttpResponse;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::RequestId;
use aws_smithy_runtime_api::http::StatusCode;
use time::OffsetDateTime;

use super::access::SIGN_IN;
use crate::error::{Error, Exit, causes, innermost};
use crate::hidden::Mask;
use crate::model::denial::{self, Denial};
use crate::model::{NotEcs, RULE_AGAIN};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AwsErrorKind {
    /// No credentials were found anywhere.
    NoCredentials,
    /// Credentials were found, but AWS rejects them.
    BadCredentials,
    Expired,
    Denied,
    NotFound,
    Throttled,
    /// No answer came, so nothing is known about the effect.
    Unreachable,
    /// AWS failed internally (HTTP 5xx, or a time-out of its own), possibly after the
    /// effect.
    Failing,
    /// AWS answered, but only a newer bgecs understands it.
    TooNew,
    Other,
}

#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct AwsError {
    pub kind: AwsErrorKind,
    /// The IAM action, such as `ecs:UpdateService`.
    pub action: &'static str,
    pub resource: String,
    pub code: Option<String>,
    pub message: String,
    pub request_id: Option<Box<str>>,
    /// What is known about it beyond its kind.
    pub advice: Option<Box<Advice>>,
}

/// A headline and a hint that fit better than those of the kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    pub headline: String,
    pub hint: String,
}

impl From<NotEcs> for AwsError {
    fn from(not: NotEcs) -> Self {
        Self::unusable("ecs:DescribeServices", "the app", not.to_string())
    }
}

impl AwsError {
    fn sentence(&self) -> String {
        let mut text = format!("{} on {}: ", self.action, self.resource);
        match &self.code {
            Some(code) => text += &format!("{code}: {}", self.message),
            None => text += &self.message,
        }
        if let Some(id) = &self.request_id {
            text += &format!(" (request {id})");
        }
        text
    }

    /// For a request that the SDK would not build, or an answer that lacks what its API
    /// promises.
    pub fn unusable(action: &'static str, resource: &str, message: impl Into<String>) -> Self {
        Self {
            kind: AwsErrorKind::Other,
            action,
            resource: resource.to_owned(),
            code: None,
            message: message.into(),
            request_id: None,
            advice: None,
        }
    }

    /// For data that a newer bgecs wrote.
    pub fn too_new(table: &str, format: u64, known: u64) -> Self {
        let message = format!("its items have the format {format}, and this bgecs knows {known}");
        Self {
            kind: AwsErrorKind::TooNew,
            ..Self::unusable("dynamodb:GetItem", table, message)
        }
    }

    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the effect may have happened although the call failed.
    pub fn is_ambiguous(&self) -> bool {
        matches!(self.kind, AwsErrorKind::Unreachable | AwsErrorKind::Failing)
    }

    /// Whether the same call may succeed a little later. All other errors are final: the
    /// answer would be the same again.
    pub fn is_retryable(&self) -> bool {
        self.is_ambiguous() || self.kind == AwsErrorKind::Throttled
    }

    /// Whether nothing was written because somebody else has written since it was read.
    pub fn is_overtaken(&self) -> bool {
        const CODES: [&str; 3] = [
            "PreconditionFailed",
            "InvalidIfMatchVersion",
            // Route 53 deletes exactly the record that it is given, or rejects the whole
            // batch.
            "InvalidChangeBatch",
        ];
        CODES.iter().any(|code| self.has_code(code))
    }

    /// Hides values of the request that AWS repeats.
    pub(super) fn masked(mut self, mask: &Mask) -> Self {
        self.message = mask.apply(&self.message).into_owned();
        self
    }

    /// What AWS denied: what its message names, or else the call itself.
    fn denied(&self) -> String {
        match Denial::of(&self.message) {
            Some(denial) => denial.what(&self.resource),
            None => format!("{} on {}", self.action, self.resource),
        }
    }

    /// What no longer exists, if AWS's code says so. Callers that can do without it have
    /// handled that already.
    fn gone(&self) -> Option<&'static str> {
        Some(match self.code.as_deref() {
            Some("ClusterNotFoundException") => "the cluster",
            Some("ServiceNotFoundException") => "the service",
            Some("RepositoryNotFoundException") => "the repository",
            Some("TargetGroupNotFound") => "the target group",
            Some("LoadBalancerNotFound") => "the load balancer",
            Some("ListenerNotFound") => "the listener",
            Some("RuleNotFound") => "the rule",
            Some("ResourceNotFoundException") if self.action.starts_with("dynamodb:") => {
                "the journal's table"
            }
            Some("ResourceNotFoundException") if self.action.starts_with("logs:") => {
                "the log group"
            }
            None if self.kind == AwsErrorKind::NotFound => match self.action {
                "elasticloadbalancing:DescribeRules" => "the rule",
                "ecs:DescribeServices" => "the service",
                _ => "the listener",
            },
            _ => return None,
        })
    }

    fn hint(&self) -> Option<String> {
        if let Some(advice) = &self.advice {
            return Some(advice.hint.clone());
        }
        const WHOM: &str = "for these credentials";
        if matches!(self.kind, AwsErrorKind::Denied | AwsErrorKind::Other)
            && let Some(hint) = denial::hint(&self.message, &self.resource, WHOM)
        {
            return Some(hint);
        }
        Some(match self.kind {
            AwsErrorKind::NoCredentials => SIGN_IN.to_owned(),
            AwsErrorKind::Expired => "sign in again (`aws sso login`), or renew the session token".to_owned(),
            AwsErrorKind::BadCredentials => {
                "AWS does not know this key: check `aws sts get-caller-identity`, --profile and --region".to_owned()
            }
            AwsErrorKind::Denied => format!("allow {} {WHOM}", self.denied()),
            AwsErrorKind::Throttled => "AWS limits this account's calls: try again in a minute".to_owned(),
            AwsErrorKind::Unreachable => {
                "check the network, --region and --endpoint-url (or AWS_ENDPOINT_URL)".to_owned()
            }
            AwsErrorKind::Failing => "try again in a minute; https://health.aws.amazon.com lists outages".to_owned(),
            AwsErrorKind::TooNew => "update bgecs to the version that your team uses".to_owned(),
            AwsErrorKind::NotFound => {
                let way_out = match self.gone()? {
                    "the rule" => RULE_AGAIN,
                    _ => "`bgecs init` says what is gone, and the way on",
                };
                format!("something else deleted it: {way_out}")
            }
            AwsErrorKind::Other if self.has_code("ServiceNotActiveException") => {
                "the service is being deleted: wait until `bgecs status` shows none, then deploy again".to_owned()
            }
            AwsErrorKind::Other => return None,
        })
    }
}

impl From<AwsError> for Error {
    fn from(error: AwsError) -> Self {
        let message = match error.kind {
            _ if let Some(advice) = &error.advice => advice.headline.clone(),
            AwsErrorKind::NoCredentials => "no AWS credentials".to_owned(),
            AwsErrorKind::BadCredentials => "AWS refuses these credentials".to_owned(),
            AwsErrorKind::Expired => "the AWS credentials have expired".to_owned(),
            AwsErrorKind::Denied => format!("no permission for {}", error.denied()),
            AwsErrorKind::Throttled => format!("AWS throttles {}", error.action),
            AwsErrorKind::Unreachable => format!("no answer from AWS to {}", error.action),
            AwsErrorKind::Failing => format!("AWS failed at {}", error.action),
            AwsErrorKind::TooNew => {
                "the journal of this app was written by a newer bgecs".to_owned()
            }
            AwsErrorKind::NotFound if let Some(gone) = error.gone() => {
                // For an image, its repository.
                let name = match gone {
                    "the repository" => error.resource.split([':', '@']).next(),
                    _ => None,
                };
                format!("{gone} {} is gone", name.unwrap_or(&error.resource))
            }
            AwsErrorKind::NotFound | AwsErrorKind::Other => format!("{} failed", error.action),
        };
        let exit = match error.kind {
            AwsErrorKind::TooNew => Exit::Refused,
            _ => Exit::Failed,
        };
        let mut out = Self::new(exit, message).cause(error.to_string());
        out.hint = error.hint();
        out
    }
}

/// Names the action and the resource of a failed call.
pub trait Named<T> {
    fn named(self, action: &'static str, resource: impl Into<String>) -> Result<T, AwsError>;
}

impl<T, E> Named<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    fn named(self, action: &'static str, resource: impl Into<String>) -> Result<T, AwsError> {
        self.map_err(|error| from_sdk(&error, action, resource.into()))
    }
}

fn from_sdk<E>(
    error: &SdkError<E, HttpResponse>,
    action: &'static str,
    resource: String,
) -> AwsError
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let code = error.meta().code().map(str::to_owned);
    let refused = |status: StatusCode| {
        let kind = match code.as_deref().map_or(AwsErrorKind::Other, kind_of_code) {
            AwsErrorKind::Other if advice::is_revision_gone(action, code.as_deref()) => {
                AwsErrorKind::NotFound
            }
            AwsErrorKind::Other if status.is_server_error() => AwsErrorKind::Failing,
            kind => kind,
        };
        let message = match (kind, error.meta().message()) {
            (_, None) => format!("HTTP {status}"),
            (AwsErrorKind::BadCredentials, Some(message)) => without_request(message).to_owned(),
            (_, Some(message)) => message.to_owned(),
        };
        (kind, message)
    };
    // A body that cannot be read may be one or the other, depending on the API.
    let status = match error {
        SdkError::ServiceError(service) => Some(service.raw().status()),
        SdkError::ResponseError(response) => Some(response.raw().status()),
        _ => None,
    };
    let (kind, message) = match error {
        _ if let Some(status) = status.filter(|status| !status.is_success()) => refused(status),
        _ if is_about_credentials(error) => (AwsErrorKind::NoCredentials, innermost(error)),
        SdkError::TimeoutError(_) => (AwsErrorKind::Unreachable, "timed out".to_owned()),
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) | SdkError::ServiceError(_) => {
            (AwsErrorKind::Unreachable, innermost(error))
        }
        _ => (AwsErrorKind::Other, innermost(error)),
    };
    let clock = code.as_deref().and_then(|code| {
        let now = OffsetDateTime::now_utc();
        advice::of_clock(code, error.raw_response(), &message, now)
    });
    let lost = advice::of_lost_part(action, &resource, code.as_deref(), &message);
    AwsError {
        kind,
        action,
        resource,
        code,
        message,
        request_id: error.meta().request_id().map(Into::into),
        advice: clock
            .or(lost)
            .or_else(|| advice::by_cause(error))
            .map(Box::new),
    }
}

/// If the signature of a request is wrong, AWS sends back what should have been signed,
/// including the session token, or its `Authorization` header. This cuts that off.
fn without_request(message: &str) -> &str {
    const REPEATS: [&str; 4] = [
        "\n",
        "The Canonical String",
        "Authorization header:",
        "Authorization=",
    ];
    let starts = REPEATS.iter().filter_map(|start| message.find(start));
    let end = starts.min().unwrap_or(message.len());
    message.get(..end).unwrap_or_default().trim_end()
}

/// The codes that AWS services share
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>), and those
/// of the services that bgecs calls.
fn kind_of_code(code: &str) -> AwsErrorKind {
    match code {
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "NotAuthorized" => {
            AwsErrorKind::Denied
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => AwsErrorKind::Expired,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "RequestInTheFuture"
        | "RequestTimeTooSkewed"
        | "MissingAuthenticationToken" => AwsErrorKind::BadCredentials,
        // The codes on which the SDK slows down and retries, except one: with these
        // services `LimitExceededException` is a quota, and waiting does not help.
        "BandwidthLimitExceeded"
        | "EC2ThrottledException"
        | "PriorRequestNotComplete"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "TransactionInProgressException" => AwsErrorKind::Throttled,
        "RequestTimeout" | "RequestTimeoutException" => AwsErrorKind::Failing,
        "ClusterNotFoundException"
        | "ServiceNotFoundException"
        | "RepositoryNotFoundException"
        | "ImageNotFoundException"
        | "ResourceNotFoundException"
        | "ListenerNotFound"
        | "RuleNotFound"
        | "TargetGroupNotFound"
        | "LoadBalancerNotFound"
        | "ObjectNotFoundException" => AwsErrorKind::NotFound,
        _ => AwsErrorKind::Other,
    }
}

fn is_about_credentials(error: &(dyn StdError + 'static)) -> bool {
    causes(error).any(|cause| {
        cause
            .downcast_ref::<aws_credential_types::provider::error::CredentialsError>()
            .is_some()
    })
}

#[cfg(test)]
mod tests;
