//! What bgecs allows itself of AWS's rates, so that a release does not throttle
//! itself, nor the pipelines that share its account.
//!
//! Each service's client gets buckets of its own, below the rates that AWS
//! publishes. They lie under the SDK's retry: every attempt takes its tokens, a
//! repeated one too. Other processes are not known here; what AWS throttles all
//! the same is the retry's. Knows of operations only their names.
//!
//! Waiting counts as part of an attempt, which ends after 15 s. Nothing queues
//! for that long: bgecs has a handful of calls under way at most, and where it looks
//! at many apps so many that the rates see to it.

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

/// What the calls are for, which is how much of the rates they may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// One app, beside the pipelines of others: four fifths.
    Release,
    /// A look at all apps, once: all but a twentieth, for it lasts as long as the rates
    /// make it.
    Fleet,
}

/// The configuration for that service's client, which is held to its budget.
/// Clones of the client share it; two clients do not.
pub fn paced(config: &SdkConfig, service: PacedService, pace: Pace) -> SdkConfig {
    // Without an HTTP client, nothing can be sent at all.
    let Some(inner) = config.http_client() else {
        return config.clone();
    };
    let paced = PacedClient::new(inner, service, pace);
    config.to_builder().http_client(paced).build()
}
