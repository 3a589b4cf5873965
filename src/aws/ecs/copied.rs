//! A service made like another: whatever is not given is copied.
//!
//! Not copied is what only one service can have: its names in service discovery and
//! Service Connect, by which others would reach the idle colour.

use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::types::Service;

/// AWS reserves tags with this prefix.
const AWS_OWN: &str = "aws:";

pub(super) fn settings(
    call: CreateServiceFluentBuilder,
    original: &Service,
) -> CreateServiceFluentBuilder {
    let providers = original.capacity_provider_strategy();
    // A service has one of the two.
    let call = match providers.is_empty() {
        true => call.set_launch_type(original.launch_type().cloned()),
        false => call.set_capacity_provider_strategy(Some(providers.to_vec())),
    };
    let set = call.get_tags().clone().unwrap_or_default();
    let is_set = |key: Option<&str>| set.iter().any(|tag| tag.key() == key);
    let tags = original.tags().iter().filter(|tag| {
        let is_aws_own = tag.key().is_some_and(|key| key.starts_with(AWS_OWN));
        !is_aws_own && !is_set(tag.key())
    });
    tags.fold(call, |call, tag| call.tags(tag.clone()))
        .set_platform_version(original.platform_version().map(str::to_owned))
        .set_deployment_configuration(original.deployment_configuration().cloned())
        .set_propagate_tags(original.propagate_tags().cloned())
        .set_availability_zone_rebalancing(original.availability_zone_rebalancing().cloned())
        .enable_execute_command(original.enable_execute_command())
        .enable_ecs_managed_tags(original.enable_ecs_managed_tags())
}
