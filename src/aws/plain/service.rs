//! What differs between the services: their names, hosts and protocols.

use aws_runtime::auth::SigningOptions;
use aws_types::service_config::ServiceConfigKey;

use super::{PlainClient, path};
use crate::aws::budget::PacedService;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainService {
    Acm,
    /// Version 1, for REST APIs.
    #[cfg(feature = "edges")]
    ApiGateway,
    #[cfg(feature = "edges")]
    ApiGatewayV2,
    ApplicationAutoScaling,
    #[cfg(feature = "edges")]
    CloudFront,
    CloudFormation,
    CloudWatch,
    Ec2,
    /// EventBridge.
    Events,
    Iam,
    #[cfg(feature = "edges")]
    Lightsail,
    Logs,
    Route53,
    S3,
    /// EventBridge Scheduler.
    Scheduler,
    SecretsManager,
    ServiceQuotas,
    Sns,
    Sqs,
}

/// How a service is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireProtocol {
    /// The operation is in a header
    /// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>).
    Json {
        version: &'static str,
        prefix: &'static str,
    },
    /// The operation is a field of a form, and the answer XML
    /// (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>).
    Query { version: &'static str },
    /// Operations are methods on paths, with JSON or XML documents
    /// (<https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html>).
    Rest,
}

/// The facts about a service.
struct Known {
    /// The name that profiles and variables use.
    id: &'static str,
    /// The name in its hosts, and in signatures.
    name: &'static str,
    protocol: WireProtocol,
    paced: PacedService,
}

const fn json_1_1(prefix: &'static str) -> WireProtocol {
    WireProtocol::Json {
        version: "1.1",
        prefix,
    }
}

impl PlainService {
    const fn known(self) -> Known {
        let (id, name, protocol, paced) = match self {
            Self::Acm => (
                "ACM",
                "acm",
                json_1_1("CertificateManager"),
                PacedService::Acm,
            ),
            #[cfg(feature = "edges")]
            Self::ApiGateway => (
                "API Gateway",
                "apigateway",
                WireProtocol::Rest,
                PacedService::ApiGateway,
            ),
            #[cfg(feature = "edges")]
            Self::ApiGatewayV2 => (
                "ApiGatewayV2",
                "apigateway",
                WireProtocol::Rest,
                PacedService::ApiGateway,
            ),
            Self::ApplicationAutoScaling => (
                "Application Auto Scaling",
                "application-autoscaling",
                json_1_1("AnyScaleFrontendService"),
                PacedService::ApplicationAutoScaling,
            ),
            #[cfg(feature = "edges")]
            Self::CloudFront => (
                "CloudFront",
                "cloudfront",
                WireProtocol::Rest,
                PacedService::CloudFront,
            ),
            Self::CloudFormation => (
                "CloudFormation",
                "cloudformation",
                WireProtocol::Query {
                    version: "2010-05-15",
                },
                PacedService::CloudFormation,
            ),
            Self::CloudWatch => (
                "CloudWatch",
                "monitoring",
                WireProtocol::Json {
                    version: "1.0",
                    prefix: "GraniteServiceVersion20100801",
                },
                PacedService::CloudWatch,
            ),
            Self::Ec2 => (
                "EC2",
                "ec2",
                WireProtocol::Query {
                    version: "2016-11-15",
                },
                PacedService::Ec2,
            ),
            Self::Iam => (
                "IAM",
                "iam",
                WireProtocol::Query {
                    version: "2010-05-08",
                },
                PacedService::Iam,
            ),
            Self::Events => (
                "EventBridge",
                "events",
                json_1_1("AWSEvents"),
                PacedService::Events,
            ),
            #[cfg(feature = "edges")]
            Self::Lightsail => (
                "Lightsail",
                "lightsail",
                json_1_1("Lightsail_20161128"),
                PacedService::Lightsail,
            ),
            Self::Logs => (
                "CloudWatch Logs",
                "logs",
                json_1_1("Logs_20140328"),
                PacedService::Logs,
            ),
            Self::Route53 => (
                "Route 53",
                "route53",
                WireProtocol::Rest,
                PacedService::Route53,
            ),
            Self::S3 => ("S3", "s3", WireProtocol::Rest, PacedService::S3),
            Self::Scheduler => (
                "Scheduler",
                "scheduler",
                WireProtocol::Rest,
                PacedService::Scheduler,
            ),
            Self::SecretsManager => (
                "Secrets Manager",
                "secretsmanager",
                json_1_1("secretsmanager"),
                PacedService::SecretsManager,
            ),
            Self::ServiceQuotas => (
                "Service Quotas",
                "servicequotas",
                json_1_1("ServiceQuotasV20190624"),
                PacedService::ServiceQuotas,
            ),
            Self::Sns => (
                "SNS",
                "sns",
                WireProtocol::Query {
                    version: "2010-03-31",
                },
                PacedService::Sns,
            ),
            Self::Sqs => (
                "SQS",
                "sqs",
                WireProtocol::Json {
                    version: "1.0",
                    prefix: "AmazonSQS",
                },
                PacedService::Sqs,
            ),
        };
        Known {
            id,
            name,
            protocol,
            paced,
        }
    }

    pub(super) const fn id(self) -> &'static str {
        self.known().id
    }

    pub(super) const fn signs_as(self) -> &'static str {
        self.known().name
    }

    pub(super) const fn protocol(self) -> WireProtocol {
        self.known().protocol
    }

    /// The region in its signatures: a service that a partition has only once has a
    /// region of its own.
    pub(super) fn signs_in(self, region: &str) -> &str {
        match self {
            #[cfg(feature = "edges")]
            Self::CloudFront => home(region),
            Self::Route53 => home(region),
            // In China its home differs from that of Route 53
            // (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
            Self::Iam if region.starts_with("cn-") => "cn-north-1",
            Self::Iam => home(region),
            _ => region,
        }
    }

    /// AWS's own host
    /// (<https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html>).
    fn host(self, region: &str) -> String {
        let (name, domain) = (self.known().name, domain(region));
        match self {
            Self::Route53 | Self::Iam if region.starts_with("us-gov-") => {
                format!("{name}.us-gov.{domain}")
            }
            Self::Iam if home(region) != "us-east-1" => {
                format!("{name}.{}.{domain}", self.signs_in(region))
            }
            Self::Route53 | Self::Iam => format!("{name}.{domain}"),
            #[cfg(feature = "edges")]
            Self::CloudFront if !region.starts_with("cn-") => format!("{name}.{domain}"),
            _ => format!("{name}.{}.{domain}", self.signs_in(region)),
        }
    }

    /// Only S3 signs the path exactly as it is sent
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>).
    pub(super) fn signing_options(self) -> SigningOptions {
        let is_s3 = self == Self::S3;
        let mut options = SigningOptions::default();
        options.double_uri_encode = !is_s3;
        options.normalize_uri_path = !is_s3;
        options.content_sha256_header = is_s3;
        options
    }

    pub(super) const fn paced(self) -> PacedService {
        self.known().paced
    }
}

impl PlainClient {
    /// The endpoint: from flags, profiles and variables, or else AWS's own host in its
    /// region.
    pub(super) fn endpoint(&self) -> String {
        let of_aws = || format!("https://{}", self.service.host(&self.region));
        self.said_endpoint().unwrap_or_else(of_aws)
    }

    /// The endpoint for a bucket, and the path below which its objects are
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
    pub(super) fn endpoint_of_bucket(&self, bucket: &str) -> (String, String) {
        let region = &self.region;
        let of_aws = |bucket: &str| format!("https://{bucket}{}", self.service.host(region));
        match self.said_endpoint() {
            Some(said) => (said, path([bucket])),
            // No certificate covers a bucket name with further dots.
            None if bucket.contains('.') => (of_aws(""), path([bucket])),
            None => (of_aws(&format!("{bucket}.")), String::new()),
        }
    }

    fn said_endpoint(&self) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(self.service.id())
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let special = key.ok().zip(self.config.service_config());
        let special = special.and_then(|(key, config)| config.load_config(key));
        special.or_else(|| self.config.endpoint_url().map(str::to_owned))
    }
}

/// The region in which a partition has what it has only once.
fn home(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "cn-northwest-1",
        _ if region.starts_with("eusc-") => "eusc-de-east-1",
        _ if region.starts_with("us-gov-") => "us-gov-west-1",
        _ if region.starts_with("us-iso-") => "us-iso-east-1",
        _ if region.starts_with("us-isob-") => "us-isob-east-1",
        _ => "us-east-1",
    }
}

/// The domain of AWS's hosts in that region
/// (<https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html>).
pub fn domain(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "amazonaws.com.cn",
        _ if region.starts_with("eusc-") => "amazonaws.eu",
        _ if region.starts_with("us-iso-") => "c2s.ic.gov",
        _ if region.starts_with("us-isob-") => "sc2s.sgov.gov",
        _ => "amazonaws.com",
    }
}
