//! Task definitions, services and tasks.

mod definitions;
mod releases;
mod tasks;

use std::time::{Duration, SystemTime};

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentRolloutState, LaunchType, LoadBalancer, NetworkConfiguration, PropagateTags, Service,
    ServiceField, Tag as EcsTag,
};
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, Kind, Named};
use crate::engine::task_definition as tags;
use crate::model::{
    Color, Deployment, Infrastructure, Rollout, ServiceEvent, ServiceState, TaskDefinitionArn,
};

pub use definitions::{Kept, Revisions};
pub(super) use releases::Releases;
pub use tasks::TasksLeft;

/// What a colour's first service needs to know.
#[derive(Debug, Clone)]
pub struct NewService<'a> {
    pub app: &'a str,
    pub infrastructure: &'a Infrastructure,
    pub color: Color,
    pub task_definition: &'a TaskDefinitionArn,
    pub desired: i32,
    pub container: &'a str,
    pub port: u16,
    /// Whole seconds.
    pub health_check_grace_period: Duration,
    /// The same for every try: ECS makes one service of them.
    pub token: &'a str,
}

/// What an update of a service changes; the default is nothing. `desired: None`
/// leaves the count as it is: a deploy must never reset it.
#[derive(Debug, Clone, Default)]
pub struct ServiceChange<'a> {
    pub task_definition: Option<&'a TaskDefinitionArn>,
    pub desired: Option<i32>,
    pub restart: bool,
    /// Whole seconds. A change of it alone starts no deployment.
    pub health_check_grace_period: Option<Duration>,
}

impl Aws {
    /// Both colours' services in one call. A service that was deleted counts as
    /// none.
    pub async fn read_services(
        &self,
        cluster: &str,
    ) -> Result<Vec<(Color, ServiceState)>, AwsError> {
        let answer = self
            .ecs
            .describe_services()
            .cluster(cluster)
            .services(Color::Blue.as_str())
            .services(Color::Green.as_str())
            .include(ServiceField::Tags)
            .send()
            .await
            .named("ecs:DescribeServices", cluster)?;
        Ok(answer
            .services()
            .iter()
            .filter(|service| service.status() != Some("INACTIVE"))
            .filter_map(|service| Some((service.service_name()?.parse().ok()?, state(service))))
            .collect())
    }

    pub async fn read_service(
        &self,
        cluster: &str,
        color: Color,
    ) -> Result<Option<ServiceState>, AwsError> {
        let answer = self
            .ecs
            .describe_services()
            .cluster(cluster)
            .services(color.as_str())
            .send()
            .await
            .named("ecs:DescribeServices", format!("{cluster}/{color}"))?;
        Ok(answer
            .services()
            .iter()
            .find(|service| service.status() != Some("INACTIVE"))
            .map(state))
    }

    pub async fn create_service(&self, new: &NewService<'_>) -> Result<(), AwsError> {
        let infra = new.infrastructure;
        let resource = format!("{}/{}", infra.cluster, new.color);
        let network = AwsVpcConfiguration::builder()
            .set_subnets(Some(infra.subnets.clone()))
            .security_groups(&infra.task_security_group)
            .assign_public_ip(AssignPublicIp::Enabled)
            .build()
            .map_err(|error| {
                AwsError::unusable("ecs:CreateService", &resource, error.to_string())
            })?;
        let target = LoadBalancer::builder()
            .target_group_arn(infra.target_group(new.color).as_str())
            .container_name(new.container)
            .container_port(i32::from(new.port))
            .build();
        self.ecs
            .create_service()
            .client_token(new.token)
            .cluster(&infra.cluster)
            .service_name(new.color.as_str())
            .task_definition(new.task_definition.as_str())
            .desired_count(new.desired)
            .launch_type(LaunchType::Fargate)
            .network_configuration(
                NetworkConfiguration::builder()
                    .awsvpc_configuration(network)
                    .build(),
            )
            .load_balancers(target)
            .health_check_grace_period_seconds(seconds(new.health_check_grace_period))
            .deployment_configuration(rolling())
            .propagate_tags(PropagateTags::TaskDefinition)
            .tags(tag(tags::TAG_APP, new.app))
            .tags(tag(tags::TAG_COLOR, new.color.as_str()))
            .send()
            .await
            .named("ecs:CreateService", resource)?;
        Ok(())
    }

    /// Gives how many tasks the service wants from now on, as AWS has it.
    pub async fn update_service(
        &self,
        cluster: &str,
        color: Color,
        change: &ServiceChange<'_>,
    ) -> Result<Option<i32>, AwsError> {
        let answer = self
            .ecs
            .update_service()
            .cluster(cluster)
            .service(color.as_str())
            .set_task_definition(change.task_definition.map(|arn| arn.as_str().to_owned()))
            .set_desired_count(change.desired)
            .force_new_deployment(change.restart)
            .set_health_check_grace_period_seconds(change.health_check_grace_period.map(seconds))
            .send()
            .await
            .named("ecs:UpdateService", format!("{cluster}/{color}"))?;
        Ok(answer.service().map(Service::desired_count))
    }

    /// Stops a service's tasks and deletes it; one that is not there is fine.
    pub async fn delete_service(&self, cluster: &str, color: Color) -> Result<(), AwsError> {
        let deleted = self
            .ecs
            .delete_service()
            .cluster(cluster)
            .service(color.as_str())
            .force(true)
            .send()
            .await
            .named("ecs:DeleteService", format!("{cluster}/{color}"));
        match deleted {
            // It is on its way out, or gone: an earlier call was heard.
            Err(error) if error.has_code("ServiceNotActiveException") => Ok(()),
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// A rolling update that never has less than the desired count, and that ECS
/// takes back by itself when tasks keep failing: the idle colour may be the
/// only way back.
fn rolling() -> DeploymentConfiguration {
    let breaker = DeploymentCircuitBreaker::builder()
        .enable(true)
        .rollback(true)
        .build();
    DeploymentConfiguration::builder()
        .minimum_healthy_percent(100)
        .maximum_percent(200)
        .deployment_circuit_breaker(breaker)
        .build()
}

fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}

fn tag(key: &str, value: &str) -> EcsTag {
    EcsTag::builder().key(key).value(value).build()
}

fn state(service: &Service) -> ServiceState {
    ServiceState {
        is_draining: service.status() == Some("DRAINING"),
        task_definition: TaskDefinitionArn::new(service.task_definition().unwrap_or_default()),
        desired: service.desired_count(),
        running: service.running_count(),
        pending: service.pending_count(),
        deployments: service.deployments().iter().map(deployment).collect(),
        events: service
            .events()
            .iter()
            .map(|event| ServiceEvent {
                id: event.id().unwrap_or_default().to_owned(),
                at: event.created_at().and_then(moment),
                message: event.message().unwrap_or_default().to_owned(),
            })
            .collect(),
    }
}

fn deployment(deployment: &aws_sdk_ecs::types::Deployment) -> Deployment {
    Deployment {
        id: deployment.id().unwrap_or_default().to_owned(),
        is_primary: deployment.status() == Some("PRIMARY"),
        task_definition: TaskDefinitionArn::new(deployment.task_definition().unwrap_or_default()),
        rollout: match deployment.rollout_state() {
            Some(DeploymentRolloutState::Completed) => Some(Rollout::Completed),
            Some(DeploymentRolloutState::Failed) => Some(Rollout::Failed),
            Some(DeploymentRolloutState::InProgress) => Some(Rollout::InProgress),
            _ => None,
        },
        rollout_reason: deployment.rollout_state_reason().map(str::to_owned),
        desired: deployment.desired_count(),
        running: deployment.running_count(),
        pending: deployment.pending_count(),
        failed_tasks: deployment.failed_tasks(),
        created_at: deployment.created_at().and_then(moment),
    }
}

fn moment(at: &DateTime) -> Option<OffsetDateTime> {
    SystemTime::try_from(*at).ok().map(OffsetDateTime::from)
}

#[cfg(test)]
mod tests;
