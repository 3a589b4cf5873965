//! Task definitions, services and tasks.

mod copied;
mod definition;
mod definitions;
mod entrance;
mod exec;
mod made;
mod one_off;
mod registered;
mod releases;
mod running;
mod tasks;

use std::time::SystemTime;

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{DeploymentRolloutState, Service, ServiceField, Tag as EcsTag};
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};
use crate::model::marks as tags;
use crate::model::{
    Color, ColorServices, DefinitionChange, Deployment, Revision, Rollout, ServiceDefinition,
    ServiceEvent, ServiceState,
};

pub use definitions::{Kept, Revisions};
pub use exec::{ExecPlace, ExecSession};
pub(super) use releases::ReleaseCache;
pub(super) use running::moved_by_ecs;
pub use tasks::TasksLeft;

/// What is needed to create a colour's first service.
#[derive(Debug, Clone)]
pub struct NewService<'a> {
    pub app: &'a str,
    pub services: &'a ColorServices,
    pub color: Color,
    pub task_definition: &'a Revision,
    pub desired: i32,
    pub definition: &'a ServiceDefinition,
    /// The colour whose service it copies in everything else.
    pub copy_of: Option<Color>,
    /// The same for every attempt: ECS makes one service of them.
    pub token: &'a str,
}

/// What an update of a service changes; by default nothing. `desired: None` keeps the
/// count: a deploy must never reset it.
#[derive(Debug, Clone, Default)]
pub struct ServiceChange<'a> {
    pub task_definition: Option<&'a Revision>,
    pub desired: Option<i32>,
    pub restart: bool,
    pub definition: DefinitionChange,
}

impl Aws {
    /// Both colours' services in one call. A deleted service counts as none.
    pub async fn read_services(
        &self,
        services: &ColorServices,
    ) -> Result<Vec<(Color, ServiceState)>, AwsError> {
        let [blue, green] = Color::BOTH.map(|color| services.name(color));
        let answer = self
            .ecs
            .describe_services()
            .cluster(&services.cluster)
            .services(blue)
            .services(green)
            .include(ServiceField::Tags)
            .send()
            .await
            .named("ecs:DescribeServices", &services.cluster)?;
        Ok(answer
            .services()
            .iter()
            .filter(|service| service.status() != Some("INACTIVE"))
            .filter_map(|service| {
                Some((services.color_of(service.service_name()?)?, state(service)))
            })
            .collect())
    }

    pub async fn read_service(
        &self,
        services: &ColorServices,
        color: Color,
    ) -> Result<Option<ServiceState>, AwsError> {
        let (cluster, name) = (&services.cluster, services.name(color));
        let found = self.describe_service(cluster, name, &[]).await?;
        Ok(found.as_ref().map(state))
    }

    /// None if the service does not exist any more.
    pub(super) async fn describe_service(
        &self,
        cluster: &str,
        name: &str,
        with: &[ServiceField],
    ) -> Result<Option<Service>, AwsError> {
        let call = self.ecs.describe_services().cluster(cluster).services(name);
        let answer = call
            .set_include((!with.is_empty()).then(|| with.to_vec()))
            .send()
            .await
            .named("ecs:DescribeServices", format!("{cluster}/{name}"))?;
        let mut services = answer.services.unwrap_or_default().into_iter();
        Ok(services.find(|service| service.status() != Some("INACTIVE")))
    }

    pub async fn create_service(&self, new: &NewService<'_>) -> Result<(), AwsError> {
        let definition = new.definition;
        let call = self
            .ecs
            .create_service()
            .client_token(new.token)
            .cluster(&new.services.cluster)
            .service_name(new.services.name(new.color))
            .task_definition(new.task_definition.as_str())
            .desired_count(new.desired)
            .set_network_configuration(definition::network(&definition.network))
            .set_load_balancers(Some(definition::load_balancers(&definition.load_balancers)))
            .health_check_grace_period_seconds(definition::seconds(
                definition.health_check_grace_period,
            ))
            .tags(tag(tags::TAG_APP, new.app))
            .tags(tag(tags::TAG_COLOR, new.color.as_str()));
        let call = match self.read_original(new).await? {
            Some(original) => copied::settings(call, &original),
            None => made::compute(call, &definition.compute)
                .deployment_configuration(definition::deployment(definition.deployment))
                .propagate_tags(definition::propagate(definition.propagate_tags)),
        };
        call.send()
            .await
            .named("ecs:CreateService", new.services.path(new.color))?;
        Ok(())
    }

    /// The service to copy, with its tags.
    async fn read_original(&self, new: &NewService<'_>) -> Result<Option<Service>, AwsError> {
        let Some(color) = new.copy_of else {
            return Ok(None);
        };
        let (cluster, name) = (&new.services.cluster, new.services.name(color));
        let with = [ServiceField::Tags];
        match self.describe_service(cluster, name, &with).await? {
            Some(original) => Ok(Some(original)),
            None => Err(AwsError::unusable(
                "ecs:DescribeServices",
                &new.services.path(color),
                "it is gone, and the new service was to be its copy",
            )),
        }
    }

    /// Returns how many tasks the service wants from now on, according to AWS.
    pub async fn update_service(
        &self,
        services: &ColorServices,
        color: Color,
        change: &ServiceChange<'_>,
    ) -> Result<Option<i32>, AwsError> {
        let definition = &change.definition;
        let compute = &definition.compute;
        let capacity = compute.capacity.as_ref();
        let answer = self
            .ecs
            .update_service()
            .cluster(&services.cluster)
            .service(services.name(color))
            .set_task_definition(change.task_definition.map(|arn| arn.as_str().to_owned()))
            .set_desired_count(change.desired)
            // When the capacity changes, ECS requires a forced deployment.
            .force_new_deployment(change.restart || capacity.is_some())
            .set_capacity_provider_strategy(capacity.map(|it| definition::providers(&it.shares())))
            .set_platform_version(compute.platform_version.clone())
            .set_enable_execute_command(compute.exec)
            .set_network_configuration(definition.network.as_ref().and_then(definition::network))
            .set_load_balancers(
                definition
                    .load_balancers
                    .as_deref()
                    .map(definition::load_balancers),
            )
            .set_health_check_grace_period_seconds(
                definition
                    .health_check_grace_period
                    .map(definition::seconds),
            )
            .set_deployment_configuration(definition.deployment.map(definition::deployment))
            .set_propagate_tags(definition.propagate_tags.map(definition::propagate))
            .send()
            .await
            .named("ecs:UpdateService", services.path(color))?;
        Ok(answer.service().map(Service::desired_count))
    }

    /// Stops a service's tasks and deletes it; a missing service is fine.
    pub async fn delete_service(
        &self,
        services: &ColorServices,
        color: Color,
    ) -> Result<(), AwsError> {
        let deleted = self
            .ecs
            .delete_service()
            .cluster(&services.cluster)
            .service(services.name(color))
            .force(true)
            .send()
            .await
            .named("ecs:DeleteService", services.path(color));
        match deleted {
            // It is being deleted or gone: an earlier call succeeded.
            Err(error) if error.has_code("ServiceNotActiveException") => Ok(()),
            Err(error) if error.kind != AwsErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn tag(key: &str, value: &str) -> EcsTag {
    EcsTag::builder().key(key).value(value).build()
}

pub(super) fn state(service: &Service) -> ServiceState {
    ServiceState {
        is_draining: service.status() == Some("DRAINING"),
        definition: definition::read(service),
        task_definition: Revision::new(service.task_definition().unwrap_or_default()),
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
        task_definition: Revision::new(deployment.task_definition().unwrap_or_default()),
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
