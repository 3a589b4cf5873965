//! The words of the domain: colours, tags, digests, and what was observed.
//!
//! Values only. Nothing here does I/O, knows AWS, or prints; everything else
//! may depend on this module, and it depends on nothing.

mod alarm;
mod attachment;
mod build_cache;
mod build_secret;
#[cfg(feature = "edges")]
mod cache_times;
mod caller;
mod capacity;
mod certificate;
mod check;
pub mod denial;
mod deployed;
mod dns_record;
mod ecs_infrastructure;
mod edge;
mod entrance;
mod finding;
mod given;
mod hook;
mod hook_task;
mod image;
mod infrastructure;
mod ipv4_cidr;
mod job;
pub mod journal;
mod latency;
pub mod marks;
mod names;
mod notice;
mod observed;
mod one_off;
mod patience;
mod place;
mod progress;
mod public_key;
mod quota;
mod reach;
mod reference;
mod running;
mod sample;
mod scaling;
mod service_definition;
mod set;
mod ssh_agent;
mod strategy;
#[cfg(test)]
pub mod testing;
mod traffic;
mod upload;
mod vpc;
mod worker;

pub use alarm::{Alarm, AlarmState, AlarmsWithoutData};
pub use attachment::{
    AttachedWay, Attachment, CopiedGroup, ListenerCopy, NamedRepository, TestWay, UsersRule,
};
pub use build_cache::{CacheFrom, CacheTo};
pub use build_secret::{Secret, SecretSource};
#[cfg(feature = "edges")]
pub use cache_times::CacheTimes;
pub use caller::Caller;
pub use capacity::{Capacity, CapacityShare, Compute, ComputeKeys};
pub use certificate::{CertificateArn, IssuedCertificate};
pub use check::Check;
pub use deployed::Deployed;
pub use dns_record::{DnsRecord, DnsRecords, HostedZone};
pub use ecs_infrastructure::{
    ColorServices, EcsInfrastructure, FurtherWay, ServiceSettings, TaskRoles,
};
pub use edge::{
    ADDRESS, Alias, Backends, EdgeInfrastructure, EdgeRouter, Leads, Pointer, RecordAnswer,
    RecordSet, RecordType, RoutedPointer, RoutedRecord, RoutingMode, RoutingRule, TestRule,
    is_distribution_id, without_dualstack,
};
pub use entrance::{
    Balancer, BalancerListener, ConditionPattern, ListenerRule, Protocol, RuleCondition,
    RunningService, TargetGroupSettings,
};
pub use finding::{Finding, Grade};
pub use given::{Given, GivenCluster, GivenFound, GivenNetwork, GivenRepository, GivenRole};
pub use hook::{Hook, HookAction};
pub use hook_task::{HookTask, HookTaskRecord};
pub use image::{Contents, LABEL_COMMIT, LABEL_CONTEXT, Origin, Platform, RunsOn};
pub use infrastructure::{Infrastructure, NotEcs};
pub use ipv4_cidr::Ipv4Cidr;
pub use job::{JobMove, JobPlace, JobTarget};
pub use latency::{LatencyLimit, Quantile};
pub use names::{AccountId, AppName, AwsPlace, is_plain_name, is_region};
pub use notice::{NoticeOf, ReleaseNews, ReleaseNotice, TopicArn};
pub use observed::{
    ColorState, Deployment, HostedRelease, Observed, Release, Reserved, Rollout, ServiceEvent,
    ServiceState, StoppedContainer, StoppedTask, Target, TargetState, Targets,
};
pub use one_off::{OneOff, OneOffState};
pub use patience::Patience;
pub use place::{Place, Places, RULE_AGAIN, TestPlace};
pub use progress::{Progress, StackEvent, StepState};
pub use public_key::PublicKey;
pub use quota::{QuotaName, QuotaUse};
pub use reach::{Barrier, Knock, Unreached};
pub use reference::{Exactly, NoReference, Reference};
pub use running::{RunningSettings, UserMover};
pub use sample::{Answer, Connection, Expected, Lost, Sample, Share, Statuses, Unexpected};
pub use scaling::{Autoscaling, ScalableTarget, Scaling, ScalingPolicy, Suspended};
pub use service_definition::{
    DefinitionChange, DeploymentConfiguration, LoadBalancer, Network, PropagateTags,
    ServiceDefinition, ServiceKeys,
};
pub use set::{ModulePlace, RegionOrder, SetGate, SetMark, SetName};
pub use ssh_agent::SshAgent;
pub use strategy::{Condition, Stage, Steps, Strategy};
pub use traffic::{
    COLOR_HEADER, Endpoint, Foreign, Found, Move, OtherWays, PerRoute, Route, Split, Urgency,
    WayIn, greatest_divisor,
};
pub use upload::{Arrived, Upload, UploadEnd, UploadOutcome, UploadRecord, decoded_key};
pub use vpc::{Opening, RouteTable, SecurityGroup, Subnet, Vpc, VpcEndpoint, WayOut};
pub use worker::{UploadWorker, WorkerReads, WorkerTask};

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One of the two services behind the load balancer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Color {
    Blue,
    Green,
}

impl Color {
    pub const BOTH: [Self; 2] = [Self::Blue, Self::Green];

    pub fn other(self) -> Self {
        match self {
            Self::Blue => Self::Green,
            Self::Green => Self::Blue,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Blue => "blue",
            Self::Green => "green",
        }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Color {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::BOTH
            .into_iter()
            .find(|color| color.as_str() == text)
            .ok_or_else(|| format!("unknown colour `{text}`: it is blue or green"))
    }
}

/// One value for each colour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PerColor<T> {
    pub blue: T,
    pub green: T,
}

impl<T> PerColor<T> {
    pub fn get(&self, color: Color) -> &T {
        match color {
            Color::Blue => &self.blue,
            Color::Green => &self.green,
        }
    }

    pub fn get_mut(&mut self, color: Color) -> &mut T {
        match color {
            Color::Blue => &mut self.blue,
            Color::Green => &mut self.green,
        }
    }
}

/// The release tag: an image tag that ECR accepts.
///
/// Rule: a letter, digit or underscore, then up to 127 of those, `.` and `-`
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageIdentifier.html>
/// and the OCI distribution specification).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Tag(String);

impl TryFrom<String> for Tag {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Tag {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Tag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut chars = text.chars();
        let starts_well = chars
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
        let goes_on_well = chars.all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
        if starts_well && goes_on_well && text.len() <= 128 {
            Ok(Self(text.to_owned()))
        } else {
            Err(
                "ECR takes 1 to 128 letters, digits, `_`, `.` and `-`, and the first is not `.` or `-`"
                    .to_owned(),
            )
        }
    }
}

/// The digest that names an image for good: `sha256:` and 64 hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Digest(String);

impl TryFrom<String> for Digest {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Digest {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sha256:` and the first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..19).unwrap_or(&self.0)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for Digest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        if hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not an image digest (sha256:<64 hex digits>)"
            ))
        }
    }
}

/// What `runtimePlatform.cpuArchitecture` must say for an image to start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum CpuArchitecture {
    #[serde(rename = "X86_64")]
    X86_64,
    #[serde(rename = "ARM64")]
    Arm64,
}

impl CpuArchitecture {
    pub fn from_ecs(architecture: &str) -> Option<Self> {
        [Self::X86_64, Self::Arm64]
            .into_iter()
            .find(|known| known.as_ecs() == architecture)
    }

    pub fn as_ecs(self) -> &'static str {
        match self {
            Self::X86_64 => "X86_64",
            Self::Arm64 => "ARM64",
        }
    }
}

macro_rules! arn {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn new(arn: impl Into<String>) -> Self {
                Self(arn.into())
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

arn!(
    /// The ARN of a load balancer's listener.
    ListenerArn
);
arn!(
    /// The ARN of a rule of a listener.
    RuleArn
);
arn!(
    /// The ARN of a target group.
    TargetGroupArn
);
arn!(
    /// What a colour runs, by a name that nothing else ever has: the ARN of one
    /// revision of a task definition; where bgecs does not run the colour, the id of
    /// the deploy that put it there.
    Revision
);

impl Revision {
    /// `family:revision`, for people.
    pub fn short(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}
