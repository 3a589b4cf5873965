//! The rates that AWS publishes, per account and region, and chosen values where it
//! publishes none.

use super::bucket::{Limit, LimitUse, TokenBucket};
use super::{Pace, PacedService};

/// A limit, and the operations that share it. A call takes a token from every rule that
/// covers it.
#[derive(Debug)]
pub struct Rule {
    pub covers: fn(&str) -> bool,
    pub published: Limit,
}

const fn rule(covers: fn(&str) -> bool, burst: u32, per_second: u32) -> Rule {
    Rule {
        covers,
        published: Limit { burst, per_second },
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/request-throttling.html>
const ECS: &[Rule] = &[
    rule(writes_services, 50, 5),
    rule(reads_services, 100, 20),
    rule(writes_definitions, 20, 1),
    rule(reads_definitions, 50, 20),
    // Chosen.
    rule(is_other_of_ecs, 20, 5),
];

/// The narrow rule comes first: a call that waits for it does not keep others from the
/// wide one.
const ELB: &[Rule] = &[rule(changes, 20, 3), rule(any, 40, 10)];

const ECR: &[Rule] = &[
    rule(gets_a_token, 200, 20),
    // Chosen, as for PutImage, which the Docker Engine calls.
    rule(|name| !gets_a_token(name), 10, 10),
];

/// The limit of DescribeCertificate, the only call that is made:
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html#api-rate-limits>
const ACM: &[Rule] = &[rule(any, 10, 10)];

/// Half of what all callers of an account may do together:
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html>
#[cfg(feature = "edges")]
const API_GATEWAY: &[Rule] = &[rule(any, 20, 5)];

/// Chosen: AWS publishes no figure. As low as the lowest of these.
const APPLICATION_AUTO_SCALING: &[Rule] = &[rule(any, 5, 5)];

/// Chosen: a stack is read every few seconds.
const CLOUD_FORMATION: &[Rule] = &[rule(any, 20, 5)];

/// Chosen: AWS publishes no figure.
#[cfg(feature = "edges")]
const CLOUD_FRONT: &[Rule] = &[rule(any, 10, 3)];

/// The limit of DescribeAlarms, the only call that is made:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>
const CLOUD_WATCH: &[Rule] = &[rule(any, 9, 9)];

/// The limit of describing calls in the smallest regions; given resources are read once
/// per command:
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
const EC2: &[Rule] = &[rule(any, 50, 10)];

/// Chosen: AWS publishes no figure, and a command reads two roles.
const IAM: &[Rule] = &[rule(any, 5, 5)];

/// Of GetServiceQuota:
/// <https://docs.aws.amazon.com/servicequotas/latest/userguide/reference.html>
const SERVICE_QUOTAS: &[Rule] = &[rule(any, 5, 5)];

/// Chosen: AWS publishes none for PutTargets, and a release makes a handful of calls.
const EVENTS: &[Rule] = &[rule(any, 5, 5)];

/// Chosen: AWS allows tens of each call a second, and a release makes a handful:
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/scheduler-quotas.html>
const SCHEDULER: &[Rule] = &[rule(any, 10, 10)];

/// Chosen: AWS publishes no figure.
#[cfg(feature = "edges")]
const LIGHTSAIL: &[Rule] = &[rule(any, 5, 5)];

/// Chosen: a log is followed once a second.
const LOGS: &[Rule] = &[rule(any, 10, 5)];

/// The limit for all calls together, per account:
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html#limits-api-requests>
const ROUTE_53: &[Rule] = &[rule(any, 5, 5)];

/// Chosen: AWS limits a table's throughput, not the rate of calls, so this only keeps a
/// bug in bgecs from using it up.
const DYNAMO_DB: &[Rule] = &[rule(any, 40, 10)];

/// Chosen: the same for the tables of a thousand apps, each of which is read two or three
/// times.
const DYNAMO_DB_OF_MANY: &[Rule] = &[rule(any, 100, 100)];

/// Chosen: a command reads one value. AWS's limit is far higher:
/// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html>
const SECRETS_MANAGER: &[Rule] = &[rule(any, 10, 10)];

/// Chosen: a release reads or writes one object. AWS's limit is thousands a second:
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>
const S3: &[Rule] = &[rule(any, 10, 10)];

/// Chosen: a release sends a handful of notices. A FIFO topic takes 300 a second:
/// <https://docs.aws.amazon.com/general/latest/gr/sns.html>
const SNS: &[Rule] = &[rule(any, 10, 10)];

/// Chosen: a queue is asked for one message at a time. A FIFO queue takes 300 calls of
/// each kind a second:
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-messages.html>
const SQS: &[Rule] = &[rule(any, 20, 20)];

impl Pace {
    pub fn bucket(self, published: Limit) -> TokenBucket {
        TokenBucket::below(published, self.used(published))
    }

    /// AWS says that buckets are refilled once a second. A look at many apps uses all
    /// there is, so it must not count on tokens any sooner.
    pub fn used(self, published: Limit) -> LimitUse {
        let Limit { burst, per_second } = published;
        match self {
            Self::Release => LimitUse {
                burst: burst * 4 / 5,
                rate: (4, 5),
            },
            Self::Fleet => LimitUse {
                burst: burst.saturating_sub(per_second),
                rate: (19, 20),
            },
        }
    }
}

impl PacedService {
    pub const fn rules(self, pace: Pace) -> &'static [Rule] {
        match self {
            Self::Acm => ACM,
            #[cfg(feature = "edges")]
            Self::ApiGateway => API_GATEWAY,
            Self::ApplicationAutoScaling => APPLICATION_AUTO_SCALING,
            Self::CloudFormation => CLOUD_FORMATION,
            #[cfg(feature = "edges")]
            Self::CloudFront => CLOUD_FRONT,
            Self::CloudWatch => CLOUD_WATCH,
            Self::DynamoDb => match pace {
                Pace::Release => DYNAMO_DB,
                Pace::Fleet => DYNAMO_DB_OF_MANY,
            },
            Self::Ec2 => EC2,
            Self::Ecr => ECR,
            Self::Ecs => ECS,
            Self::Elb => ELB,
            Self::Events => EVENTS,
            Self::Iam => IAM,
            #[cfg(feature = "edges")]
            Self::Lightsail => LIGHTSAIL,
            Self::Logs => LOGS,
            Self::Route53 => ROUTE_53,
            Self::S3 => S3,
            Self::Scheduler => SCHEDULER,
            Self::SecretsManager => SECRETS_MANAGER,
            Self::ServiceQuotas => SERVICE_QUOTAS,
            Self::Sns => SNS,
            Self::Sqs => SQS,
        }
    }
}

fn writes_services(operation: &str) -> bool {
    matches!(
        operation,
        "CreateService" | "UpdateService" | "DeleteService"
    )
}

fn reads_services(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeServices" | "ListServices" | "DescribeTasks" | "ListTasks"
    )
}

fn writes_definitions(operation: &str) -> bool {
    matches!(
        operation,
        "RegisterTaskDefinition" | "DeregisterTaskDefinition"
    )
}

fn reads_definitions(operation: &str) -> bool {
    matches!(
        operation,
        "DescribeTaskDefinition" | "ListTaskDefinitions" | "ListTaskDefinitionFamilies"
    )
}

fn is_other_of_ecs(operation: &str) -> bool {
    let named = [
        writes_services,
        reads_services,
        writes_definitions,
        reads_definitions,
    ];
    !named.iter().any(|is_of| is_of(operation))
}

fn changes(operation: &str) -> bool {
    !operation.starts_with("Describe")
}

fn gets_a_token(operation: &str) -> bool {
    operation == "GetAuthorizationToken"
}

fn any(_operation: &str) -> bool {
    true
}
