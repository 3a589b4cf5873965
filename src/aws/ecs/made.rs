//! A service that bgecs creates: what it runs on.

use aws_sdk_ecs::operation::create_service::builders::CreateServiceFluentBuilder;
use aws_sdk_ecs::types::LaunchType;

use super::definition;
use crate::model::{Capacity, Compute};

pub(super) fn compute(
    call: CreateServiceFluentBuilder,
    compute: &Compute,
) -> CreateServiceFluentBuilder {
    let call = match &compute.capacity {
        Capacity::LaunchType(kind) => call.launch_type(LaunchType::from(kind.as_str())),
        Capacity::Providers(shares) => {
            call.set_capacity_provider_strategy(Some(definition::providers(shares)))
        }
    };
    call.set_platform_version(compute.platform_version.clone())
        .set_enable_execute_command(compute.exec.then_some(true))
}
