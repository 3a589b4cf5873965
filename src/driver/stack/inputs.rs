//! The template's parameters, from the configuration and from what the task definition
//! needs.

use std::collections::BTreeSet;
use std::iter;

use crate::aws::StackInputs;
use crate::config::{Config, DEFAULT_POLICY};
use crate::engine::plan::{
    ENDPOINTS, FORWARD, FURTHER, GIVEN_CLUSTER, GIVEN_EXECUTION_ROLE, GIVEN_LOG_GROUP,
    GIVEN_REPOSITORY, GIVEN_TASK_ROLE, LIVE_COLOR, NAT, NETWORK_CIDR, PLAIN_PORT, REDIRECT,
    TASK_GROUPS, VPC_ID, ZONES,
};
use crate::engine::task_definition::Needs;
use crate::error::{Error, Result};
use crate::model::{Given, GivenFound, GivenNetwork, Ipv4Cidr};

/// How many bytes a parameter of CloudFormation may have
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html>).
const LONGEST_PARAMETER: usize = 4096;

/// # Errors
/// More ARNs of a kind than fit into a parameter (exit 2).
pub(super) fn refuse_too_long(inputs: &StackInputs) -> Result<()> {
    match inputs
        .iter()
        .find(|(_, value)| value.len() > LONGEST_PARAMETER)
    {
        None => Ok(()),
        Some((name, value)) => Err(Error::usage(format!(
            "the parameter {name} of the stack would have {} bytes, and CloudFormation allows {LONGEST_PARAMETER}",
            value.len()
        ))
        .hint("keep several values in one secret, as its JSON keys; or give the task definition an `executionRoleArn` of your own")),
    }
}

pub fn inputs(config: &Config, needs: &Needs, found: &GivenFound, live: &str) -> StackInputs {
    // Including given resources, which the stack does not make.
    let joined = |arns: &BTreeSet<String>, given: Option<&String>| {
        let arns: BTreeSet<&String> = arns.iter().chain(given).collect();
        let arns: Vec<&str> = arns.into_iter().map(String::as_str).collect();
        arns.join(",")
    };
    let repository = found.repository.as_ref().map(|it| &it.arn);
    // For an existing VPC its whole range: tasks may move to other subnets.
    let ranges = found.vpc.iter().flat_map(|vpc| &vpc.ranges).copied();
    let network = ranges.reduce(Ipv4Cidr::with).unwrap_or(config.network.cidr);
    let delay = config.load_balancer.deregistration_delay.as_secs();
    let mutability = match config.registry.immutable_tags {
        true => "IMMUTABLE",
        false => "MUTABLE",
    };
    // Whatever the strategy says: a service that has had one never loses it.
    let providers = match config.service.said.compute.capacity.is_some() {
        true => "fargate",
        false => "none",
    };
    let mut inputs = StackInputs::from([
        ("App", config.app.to_string()),
        (LIVE_COLOR, live.to_owned()),
        ("HealthPath", config.container.health_path.clone()),
        ("TestCidr", config.network.test_cidr.to_string()),
        (NETWORK_CIDR, network.to_string()),
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
        (NAT, config.network.nat.as_str().to_owned()),
        (ZONES, config.network.zones.to_string()),
        ("LogRetentionDays", config.logs.retention_days.to_string()),
        ("DeregistrationDelaySeconds", delay.to_string()),
        ("ImageTagMutability", mutability.to_owned()),
        ("SecretArns", joined(&needs.secrets, None)),
        ("ParameterArns", joined(&needs.parameters, None)),
        ("EnvironmentFileArns", joined(&needs.files, None)),
        ("EnvironmentBucketArns", joined(&needs.buckets, None)),
        (
            "OtherLogGroupArns",
            joined(&needs.log_groups, found.log_group.as_ref()),
        ),
        (
            "OtherRepositoryArns",
            joined(&needs.repositories, repository),
        ),
        ("CapacityProviders", providers.to_owned()),
        (
            "Exec",
            config
                .service
                .said
                .compute
                .exec
                .unwrap_or(false)
                .to_string(),
        ),
    ]);
    inputs.extend(inputs_of_tls(config));
    inputs.extend(inputs_of_given(&config.given, found));
    inputs
}

/// Empty for what the stack makes itself.
fn inputs_of_given(given: &Given, found: &GivenFound) -> StackInputs {
    let network = given.network.as_ref();
    let ids = |of: fn(&GivenNetwork) -> &[String]| {
        network.map_or_else(String::new, |it| of(it).join(","))
    };
    let said = |name: &Option<String>| name.clone().unwrap_or_default();
    let public_ip = match network.is_some_and(|it| it.public_ip) {
        true => "ENABLED",
        false => "DISABLED",
    };
    let uri = found.repository.as_ref().map(|it| it.uri.clone());
    StackInputs::from([
        (
            VPC_ID,
            network.map_or_else(String::new, |it| it.vpc.clone()),
        ),
        ("TaskSubnetIds", ids(|it| &it.subnets)),
        ("PublicIp", public_ip.to_owned()),
        (TASK_GROUPS, ids(|it| &it.security_groups)),
        ("LoadBalancerSubnetIds", ids(GivenNetwork::balancer_subnets)),
        (
            "LoadBalancerSecurityGroupIds",
            ids(|it| &it.balancer_groups),
        ),
        (GIVEN_CLUSTER, said(&given.cluster)),
        (GIVEN_EXECUTION_ROLE, said(&given.roles.execution)),
        (GIVEN_TASK_ROLE, said(&given.roles.task)),
        (GIVEN_LOG_GROUP, said(&given.log_group)),
        (GIVEN_REPOSITORY, said(&given.repository)),
        ("GivenRepositoryUri", uri.unwrap_or_default()),
    ])
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
