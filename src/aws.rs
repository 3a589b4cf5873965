//! The calls that bgecs makes to AWS, each named by its intent.
//!
//! Knows the terms of `model` but nothing of plans, phases or printing: it says what is,
//! and does one thing at a time.

mod access;
mod alarms;
mod answer_bytes;
mod autoscaling;
mod budget;
mod certificates;
#[cfg(feature = "edges")]
mod cloudfront;
mod download;
mod ecr;
mod ecs;
mod elb;
mod error;
mod fleet;
mod given;
mod jobs;
mod journal;
mod logs;
mod objects;
mod observe;
mod plain;
pub mod policy;
mod queue;
mod quotas;
mod route53;
mod router;
#[cfg(feature = "edges")]
mod routing_rules;
mod secrets;
mod simulation;
mod stack;
#[cfg(test)]
pub mod testing;
mod topic;
mod xml;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;

use budget::{Pace, PacedService};
use plain::{PlainClient, PlainService};

pub use access::Access;
pub use ecr::{Key, Manifest, RegistryLogin, Stored, TagMobility};
pub use ecs::{ExecPlace, ExecSession, Kept, NewService, Revisions, ServiceChange, TasksLeft};
pub use error::{AwsError, AwsErrorKind};
pub use fleet::{AppStack, CREW, RouteActions, unless_throttled};
pub use journal::{HeadChange, LeaseChange, OperationChange, Unwritten, has_no_journal};
pub use logs::{LogLine, LogQuery};
pub use objects::NotFetched;
pub use queue::{DeadLetters, Message};
pub use router::{RecordForm, Router};
pub use stack::{
    BUCKET_OF_TEMPLATE, ChangeSet, StackChange, StackInputs, StackSnapshot, StackStatus, TEMPLATE,
    WorkerStack, attached_template, edge_template, worker_template,
};

use download::Downloads;
use journal::Clock;

use crate::error::Result;
use crate::model::Caller;

/// How often a call is sent in all, if its errors may pass.
const ATTEMPTS: u32 = 5;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt may take.
const ATTEMPT: Duration = Duration::from_secs(15);
/// The same for calls that users may be waiting for.
const IMPATIENT_ATTEMPTS: u32 = 2;
const IMPATIENT_ATTEMPT: Duration = Duration::from_secs(4);

/// The clients for one account and region.
#[derive(Debug, Clone)]
pub struct Aws {
    acm: PlainClient,
    #[cfg(feature = "edges")]
    apigateway: PlainClient,
    #[cfg(feature = "edges")]
    apigatewayv2: PlainClient,
    autoscaling: PlainClient,
    cloudformation: PlainClient,
    #[cfg(feature = "edges")]
    cloudfront: PlainClient,
    cloudwatch: PlainClient,
    dynamodb: aws_sdk_dynamodb::Client,
    ec2: PlainClient,
    ecr: aws_sdk_ecr::Client,
    ecs: aws_sdk_ecs::Client,
    elb: aws_sdk_elasticloadbalancingv2::Client,
    events: PlainClient,
    iam: PlainClient,
    #[cfg(feature = "edges")]
    lightsail: PlainClient,
    logs: PlainClient,
    quotas: PlainClient,
    route53: PlainClient,
    s3: PlainClient,
    scheduler: PlainClient,
    secrets: PlainClient,
    sns: PlainClient,
    sqs: PlainClient,
    releases: ecs::ReleaseCache,
    last_read: router::LastRead,
    last_records: router::LastRecords,
    #[cfg(feature = "edges")]
    last_distributions: router::LastDistributions,
    /// The time according to the AWS that holds the journal.
    clock: Clock,
    downloads: Downloads,
    identity: access::CallerIdentity,
    region: String,
    endpoint: Option<String>,
}

impl Aws {
    /// Resolves region, credentials and endpoint as every AWS tool does.
    ///
    /// # Errors
    /// As [`access::load`].
    pub async fn connect(access: &Access) -> Result<Self> {
        Self::connect_at(access, Pace::Release).await
    }

    /// The same, to read all apps of the account and region.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn connect_to_all(access: &Access) -> Result<Self> {
        Self::connect_at(access, Pace::Fleet).await
    }

    async fn connect_at(access: &Access, pace: Pace) -> Result<Self> {
        let loaded = access::load(access).await?;
        let downloads = Downloads::through(move |url| (loaded.downloads)(url));
        Ok(Self::from_config(
            &loaded.config,
            loaded.region,
            downloads,
            pace,
        ))
    }

    fn from_config(config: &SdkConfig, region: String, downloads: Downloads, pace: Pace) -> Self {
        let paced = |service| budget::paced(config, service, pace);
        let plain = |service| PlainClient::new(config, service, &region, pace);
        let clock = Clock::default();
        let journal = aws_sdk_dynamodb::config::Builder::from(&paced(PacedService::DynamoDb))
            .interceptor(clock.clone());
        Self {
            acm: plain(PlainService::Acm),
            #[cfg(feature = "edges")]
            apigateway: plain(PlainService::ApiGateway),
            #[cfg(feature = "edges")]
            apigatewayv2: plain(PlainService::ApiGatewayV2),
            autoscaling: plain(PlainService::ApplicationAutoScaling),
            // Every command reads the stack first, so the clock is right when the lease
            // is taken.
            cloudformation: plain(PlainService::CloudFormation).setting(clock.clone()),
            #[cfg(feature = "edges")]
            cloudfront: plain(PlainService::CloudFront),
            cloudwatch: plain(PlainService::CloudWatch),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(journal.build()),
            clock,
            downloads,
            ec2: plain(PlainService::Ec2),
            ecr: aws_sdk_ecr::Client::new(&paced(PacedService::Ecr)),
            ecs: aws_sdk_ecs::Client::new(&paced(PacedService::Ecs)),
            elb: aws_sdk_elasticloadbalancingv2::Client::new(&paced(PacedService::Elb)),
            events: plain(PlainService::Events),
            iam: plain(PlainService::Iam),
            #[cfg(feature = "edges")]
            lightsail: plain(PlainService::Lightsail),
            logs: plain(PlainService::Logs),
            quotas: plain(PlainService::ServiceQuotas),
            route53: plain(PlainService::Route53),
            s3: plain(PlainService::S3),
            scheduler: plain(PlainService::Scheduler),
            sns: plain(PlainService::Sns),
            sqs: plain(PlainService::Sqs),
            secrets: plain(PlainService::SecretsManager),
            releases: ecs::ReleaseCache::default(),
            last_read: router::LastRead::default(),
            last_records: router::LastRecords::default(),
            #[cfg(feature = "edges")]
            last_distributions: router::LastDistributions::default(),
            identity: access::CallerIdentity::new(config, &region),
            region,
            endpoint: config.endpoint_url().map(str::to_owned),
        }
    }

    /// By how much AWS's time is ahead of this machine's, once CloudFormation has told it.
    pub fn clock_ahead(&self) -> time::Duration {
        self.clock.now() - time::OffsetDateTime::now_utc()
    }

    /// The same clients, for calls that users may be waiting for: each gives up soon, and
    /// the caller decides whether to try again.
    #[must_use]
    pub fn impatient(&self) -> Self {
        let timeouts = timeouts(IMPATIENT_ATTEMPT);
        let retries = RetryConfig::standard().with_max_attempts(IMPATIENT_ATTEMPTS);
        // Each client has types of its own with the same methods.
        macro_rules! impatient {
            ($service:ident, $client:ident) => {
                $client::Client::from_conf(
                    self.$service
                        .config()
                        .to_builder()
                        .timeout_config(timeouts.clone())
                        .retry_config(retries.clone())
                        .build(),
                )
            };
        }
        Self {
            #[cfg(feature = "edges")]
            apigateway: self.apigateway.with(&timeouts, &retries),
            #[cfg(feature = "edges")]
            apigatewayv2: self.apigatewayv2.with(&timeouts, &retries),
            #[cfg(feature = "edges")]
            cloudfront: self.cloudfront.with(&timeouts, &retries),
            cloudwatch: self.cloudwatch.with(&timeouts, &retries),
            dynamodb: impatient!(dynamodb, aws_sdk_dynamodb),
            elb: impatient!(elb, aws_sdk_elasticloadbalancingv2),
            #[cfg(feature = "edges")]
            lightsail: self.lightsail.with(&timeouts, &retries),
            route53: self.route53.with(&timeouts, &retries),
            ..self.clone()
        }
    }

    /// Whose account this is; asked only once.
    ///
    /// # Errors
    /// STS's own.
    pub async fn caller(&self) -> Result<Caller, AwsError> {
        self.identity.caller().await
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// The domain of AWS's hosts in that region.
    pub fn domain(&self) -> &'static str {
        plain::domain(&self.region)
    }

    /// The `host:port` of a local AWS, if the endpoint names a loopback address.
    pub fn local_endpoint(&self) -> Option<String> {
        loopback_authority(self.endpoint.as_deref()?)
    }

    /// The registry of a local AWS. Docker accepts plain HTTP only from `localhost`.
    pub fn local_registry(&self) -> Option<String> {
        let endpoint = self.local_endpoint()?;
        let port = endpoint.rsplit_once(':').map_or("80", |(_, port)| port);
        Some(format!("localhost:{port}"))
    }
}

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(attempt)
        .build()
}

fn loopback_authority(endpoint: &str) -> Option<String> {
    let rest = endpoint.strip_prefix("http://")?;
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority
        .rsplit_once(':')
        .map_or(authority, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback());
    is_loopback.then(|| authority.to_owned())
}

#[cfg(test)]
mod tests {
    use super::loopback_authority;

    #[test]
    fn only_a_loopback_endpoint_is_a_local_aws() {
        let local = |endpoint| loopback_authority(endpoint);
        assert_eq!(
            local("http://127.0.0.1:4566").as_deref(),
            Some("127.0.0.1:4566")
        );
        assert_eq!(
            local("http://localhost:4566/").as_deref(),
            Some("localhost:4566")
        );
        assert_eq!(local("http://[::1]:4566").as_deref(), Some("[::1]:4566"));
        assert_eq!(local("https://ecs.eu-west-1.amazonaws.com"), None);
        assert_eq!(local("http://10.0.0.7:4566"), None);
    }
}
