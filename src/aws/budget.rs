//! How much of AWS's rates bgecs allows itself, so that a release throttles neither
//! itself nor the pipelines that share its account.
//!
//! Each service's client has its own buckets, below the rates that AWS publishes. They
//! sit beneath the SDK's retry: every attempt takes its tokens, also a repeated one.
//! Other processes are not known here; if AWS throttles anyway, the retry deals with it.
//! Operations are known only by name.
//!
//! Waiting counts as part of an attempt, which ends after 15 s. Nothing queues for that
//! long: bgecs has at most a handful of calls under way, and when it reads many apps,
//! only as many as the rates allow.

mod bucket;
mod connector;
mod polls;
mod queue;
mod rules;
#[cfg(test)]
mod tests;

use aws_config::SdkConfig;

use connector::PacedClient;
#[cfg(test)]
pub use connector::outside_the_body;

/// A service whose calls bgecs paces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacedService {
    Acm,
    #[cfg(feature = "edges")]
    ApiGateway,
    ApplicationAutoScaling,
    CloudFormation,
    #[cfg(feature = "edges")]
    CloudFront,
    CloudWatch,
    DynamoDb,
    Ec2,
    Ecr,
    Ecs,
    Elb,
    Events,
    Iam,
    #[cfg(feature = "edges")]
    Lightsail,
    Logs,
    Route53,
    S3,
    Scheduler,
    SecretsManager,
    ServiceQuotas,
    Sns,
    Sqs,
}

/// What the calls are for, which decides how much of the rates they may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One app, with other pipelines in the account: four fifths.
    Release,
    /// One look at all apps: all but a twentieth, because it takes as long as the rates
    /// make it.
    Fleet,
}

/// The configuration for that service's client, which is held to its budget. Clones of
/// the client share the budget; two clients do not.
pub fn paced(config: &SdkConfig, service: PacedService, pace: Pace) -> SdkConfig {
    // Without an HTTP client nothing can be sent at all.
    let Some(inner) = config.http_client() else {
        return config.clone();
    };
    let paced = PacedClient::new(inner, service, pace);
    config.to_builder().http_client(paced).build()
}
