//! A service's settings apart from its revision and its count, to and from the SDK's
//! types.

use std::time::Duration;

use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, CapacityProviderStrategyItem as Provider, Deployment,
    DeploymentCircuitBreaker, DeploymentConfiguration as Sdk, LaunchType, LoadBalancer as Attached,
    NetworkConfiguration, PropagateTags as SdkPropagateTags, Service,
};

use crate::model::{
    Capacity, CapacityShare, Compute, DeploymentConfiguration, LoadBalancer, Network,
    PropagateTags, ServiceDefinition, TargetGroupArn,
};

pub(super) fn network(network: &Network) -> Option<NetworkConfiguration> {
    let public_ip = match network.public_ip {
        true => AssignPublicIp::Enabled,
        false => AssignPublicIp::Disabled,
    };
    let awsvpc = AwsVpcConfiguration::builder()
        .set_subnets(Some(network.subnets.clone()))
        .set_security_groups(Some(network.security_groups.clone()))
        .assign_public_ip(public_ip)
        .build()
        .ok()?;
    let network = NetworkConfiguration::builder().awsvpc_configuration(awsvpc);
    Some(network.build())
}

pub(super) fn load_balancers(all: &[LoadBalancer]) -> Vec<Attached> {
    let attached = |it: &LoadBalancer| {
        Attached::builder()
            .target_group_arn(it.target_group.as_str())
            .container_name(&it.container)
            .container_port(i32::from(it.port))
            .build()
    };
    all.iter().map(attached).collect()
}

pub(super) fn deployment(configuration: DeploymentConfiguration) -> Sdk {
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(configuration.breaker)
        .rollback(configuration.rollback)
        .build();
    Sdk::builder()
        .minimum_healthy_percent(configuration.minimum_healthy_percent)
        .maximum_percent(configuration.maximum_percent)
        .deployment_circuit_breaker(breaker)
        .build()
}

pub(super) fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

pub(super) fn read(service: &Service) -> ServiceDefinition {
    let attached = |it: &Attached| {
        Some(LoadBalancer {
            target_group: TargetGroupArn::new(it.target_group_arn()?),
            container: it.container_name().unwrap_or_default().to_owned(),
            port: u16::try_from(it.container_port()?).ok()?,
        })
    };
    let awsvpc = service
        .network_configuration()
        .and_then(NetworkConfiguration::awsvpc_configuration);
    let grace = service.health_check_grace_period_seconds();
    ServiceDefinition {
        load_balancers: service
            .load_balancers()
            .iter()
            .filter_map(attached)
            .collect(),
        network: awsvpc.map_or_else(Network::default, |it| Network {
            subnets: it.subnets().to_vec(),
            security_groups: it.security_groups().to_vec(),
            public_ip: it.assign_public_ip() == Some(&AssignPublicIp::Enabled),
        }),
        health_check_grace_period: Duration::from_secs(
            grace.and_then(|it| u64::try_from(it).ok()).unwrap_or(0),
        ),
        deployment: service
            .deployment_configuration()
            .map_or_else(DeploymentConfiguration::default, read_deployment),
        propagate_tags: propagated(service.propagate_tags()),
        compute: Compute {
            capacity: capacity(service),
            platform_version: platform_version(service),
            exec: service.enable_execute_command(),
        },
        names: names(service),
    }
}

pub(super) fn propagate(tags: PropagateTags) -> SdkPropagateTags {
    SdkPropagateTags::from(tags.as_str())
}

fn propagated(tags: Option<&SdkPropagateTags>) -> PropagateTags {
    let tags = tags.and_then(|tags| tags.as_str().parse().ok());
    tags.unwrap_or_default()
}

/// None if it is not set.
pub(super) fn platform_version(service: &Service) -> Option<String> {
    let version = service.platform_version();
    version.filter(|it| !it.is_empty()).map(str::to_owned)
}

pub(super) fn providers(shares: &[CapacityShare]) -> Vec<Provider> {
    let provider = |it: &CapacityShare| {
        let provider = Provider::builder().capacity_provider(&it.provider);
        // Only the name is required, and it is there.
        provider.weight(it.weight).base(it.base).build().ok()
    };
    shares.iter().filter_map(provider).collect()
}

fn capacity(service: &Service) -> Capacity {
    let share = |it: &Provider| CapacityShare {
        provider: it.capacity_provider().to_owned(),
        weight: it.weight(),
        base: it.base(),
    };
    match service.capacity_provider_strategy() {
        [] => Capacity::LaunchType(
            // Without a launch type it is EC2.
            service
                .launch_type()
                .map_or("EC2", LaunchType::as_str)
                .to_owned(),
        ),
        providers => Capacity::Providers(providers.iter().map(share).collect()),
    }
}

fn names(service: &Service) -> Vec<String> {
    let deployments = service.deployments().iter();
    let connects = deployments.filter_map(Deployment::service_connect_configuration);
    let connects = connects.filter(|it| it.enabled());
    let connects = connects.map(|it| it.namespace().unwrap_or("Service Connect").to_owned());
    let registries = service.service_registries().iter();
    let registries = registries.filter_map(|it| it.registry_arn().map(str::to_owned));
    let mut names: Vec<String> = connects.chain(registries).collect();
    names.sort();
    names.dedup();
    names
}

fn read_deployment(configuration: &Sdk) -> DeploymentConfiguration {
    let breaker = configuration.deployment_circuit_breaker();
    DeploymentConfiguration {
        minimum_healthy_percent: configuration.minimum_healthy_percent().unwrap_or(100),
        maximum_percent: configuration.maximum_percent().unwrap_or(200),
        breaker: breaker.is_some_and(DeploymentCircuitBreaker::enable),
        rollback: breaker.is_some_and(DeploymentCircuitBreaker::rollback),
    }
}
