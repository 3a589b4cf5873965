//! What the template is told: its parameters, from the configuration and from what
//! the task definition needs.

use std::collections::BTreeSet;
use std::iter;

use crate::aws::StackInputs;
use crate::config::{Config, DEFAULT_POLICY};
use crate::engine::plan::{
    ENDPOINTS, FORWARD, FURTHER, LIVE_COLOR, NETWORK_CIDR, PLAIN_PORT, REDIRECT,
};
use crate::engine::task_definition::Needs;
use crate::error::{Error, Result};

/// A parameter of CloudFormation's has room for so many bytes
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
const LONGEST_PARAMETER: usize = 4096;

/// # Errors
/// More ARNs of a kind than the stack can be told of (exit 2).
pub(super) fn refuse_too_long(inputs: &StackInputs) -> Result<()> {
    match inputs
        .iter()
        .find(|(_, value)| value.len() > LONGEST_PARAMETER)
    {
        None => Ok(()),
        Some((name, value)) => Err(Error::usage(format!(
            "{name} of the stack would have {} bytes, and CloudFormation takes {LONGEST_PARAMETER}",
            value.len()
        ))
        .hint("keep several values in one secret, as its JSON keys; or give the task definition an `executionRoleArn` of your own")),
    }
}

/// The template's parameters, from the configuration and what the task
/// definition needs.
pub fn inputs(config: &Config, needs: &Needs, live: &str) -> StackInputs {
    let joined = |arns: &BTreeSet<String>| {
        let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
        arns.join(",")
    };
    let delay = config.load_balancer.deregistration_delay.as_secs();
    let mutability = match config.registry.immutable_tags {
        true => "IMMUTABLE",
        false => "MUTABLE",
    };
    // Whatever it says: a service that has had a strategy never loses it.
    let providers = match config.service.compute.capacity.is_some() {
        true => "fargate",
        false => "none",
    };
    let mut inputs = StackInputs::from([
        ("App", config.app.to_string()),
        (LIVE_COLOR, live.to_owned()),
        ("HealthPath", config.container.health_path.clone()),
        ("TestCidr", config.network.test_cidr.to_string()),
        (NETWORK_CIDR, config.network.cidr.to_string()),
        (
            "SubnetCidrs",
            config
                .network
                .cidr
                .subnets()
                .map(|it| it.to_string())
                .join(","),
        ),
        (ENDPOINTS, config.network.endpoints.to_string()),
        ("LogRetentionDays", config.logs.retention_days.to_string()),
        ("DeregistrationDelaySeconds", delay.to_string()),
        ("ImageTagMutability", mutability.to_owned()),
        ("SecretArns", joined(&needs.secrets)),
        ("ParameterArns", joined(&needs.parameters)),
        ("EnvironmentFileArns", joined(&needs.files)),
        ("EnvironmentBucketArns", joined(&needs.buckets)),
        ("OtherLogGroupArns", joined(&needs.log_groups)),
        ("OtherRepositoryArns", joined(&needs.repositories)),
        ("CapacityProviders", providers.to_owned()),
        (
            "Exec",
            config.service.compute.exec.unwrap_or(false).to_string(),
        ),
    ]);
    inputs.extend(inputs_of_tls(config));
    inputs
}

fn inputs_of_tls(config: &Config) -> StackInputs {
    let tls = config.tls.as_ref();
    let arns = tls.map(|tls| tls.certificates.as_slice());
    let arns = arns.unwrap_or_default().iter().map(ToString::to_string);
    let arns = arns.chain(iter::repeat_with(String::new));
    let names = iter::once("CertificateArn").chain(FURTHER);
    let mut inputs: StackInputs = names.zip(arns).collect();
    let url = config.production.url.clone().filter(|_| tls.is_some());
    let policy = tls.map_or(DEFAULT_POLICY, |tls| &tls.policy);
    let plain_port = tls.map_or(FORWARD, |_| REDIRECT);
    inputs.extend([
        ("PublicUrl", url.unwrap_or_default()),
        ("TlsPolicy", policy.to_owned()),
        (PLAIN_PORT, plain_port.to_owned()),
    ]);
    inputs
}
