//! Task definitions, services and tasks.

mod releases;

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use aws_sdk_ecs::primitives::DateTime;
use aws_sdk_ecs::types::{
    AssignPublicIp, AwsVpcConfiguration, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentRolloutState, DesiredStatus, LaunchType, LoadBalancer, NetworkConfiguration,
    PropagateTags, Service, ServiceField, SortOrder, Tag as EcsTag,
};
use aws_smithy_types::body::SdkBody;
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, Kind, Named};
use crate::engine::task_definition as tags;
use crate::hidden::Mask;
use crate::model::{
    Color, Deployment, Infrastructure, Rollout, ServiceEvent, ServiceState, StoppedTask,
    TaskDefinitionArn,
};

pub(super) use releases::Releases;

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

/// The values of the containers' variables, plain and as JSON has them: AWS
/// repeats what it finds invalid. bgecs's own are no secret.
fn environment(body: &serde_json::Value) -> Mask {
    let containers = body["containerDefinitions"].as_array();
    let variables = containers
        .into_iter()
        .flatten()
        .filter_map(|container| container["environment"].as_array())
        .flatten()
        .filter(|variable| {
            let name = variable["name"].as_str();
            !name.is_some_and(|name| name == tags::ENV_COLOR || name == tags::ENV_RELEASE)
        });
    Mask::of(variables.flat_map(|variable| {
        let value = &variable["value"];
        let plain = value.as_str().unwrap_or_default().to_owned();
        [plain, value.to_string().trim_matches('"').to_owned()]
    }))
}

impl Aws {
    /// Registers exactly this body (the JSON of `RegisterTaskDefinition`). It
    /// is sent as it is, so that every field of a user's own file arrives, also
    /// those that this SDK does not know.
    pub async fn register_task_definition(
        &self,
        family: &str,
        body: &serde_json::Value,
    ) -> Result<TaskDefinitionArn, AwsError> {
        const ACTION: &str = "ecs:RegisterTaskDefinition";
        let json = body.to_string();
        let answer = self
            .ecs
            .register_task_definition()
            .customize()
            .mutate_request(move |request| {
                request
                    .headers_mut()
                    .insert("content-length", json.len().to_string());
                *request.body_mut() = SdkBody::from(json.clone());
            })
            .send()
            .await
            .named(ACTION, family)
            .map_err(|error| error.masked(&environment(body)))?;
        answer
            .task_definition()
            .and_then(|definition| definition.task_definition_arn())
            .map(TaskDefinitionArn::new)
            .ok_or_else(|| {
                AwsError::unusable(ACTION, family, "the answer names no task definition")
            })
    }

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

    pub async fn update_service(
        &self,
        cluster: &str,
        color: Color,
        change: &ServiceChange<'_>,
    ) -> Result<(), AwsError> {
        self.ecs
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
        Ok(())
    }

    /// The tasks of a colour that have stopped lately (ECS remembers them for
    /// about an hour), but for those whose ids are known: a stopped task does
    /// not change any more.
    pub async fn stopped_tasks(
        &self,
        cluster: &str,
        color: Color,
        known: &HashSet<&str>,
    ) -> Result<Vec<StoppedTask>, AwsError> {
        let resource = format!("{cluster}/{color}");
        let listed = self
            .ecs
            .list_tasks()
            .cluster(cluster)
            .service_name(color.as_str())
            .desired_status(DesiredStatus::Stopped)
            .send()
            .await
            .named("ecs:ListTasks", &resource)?;
        // DescribeTasks takes a hundred, which is a page of ListTasks; more says
        // nothing new of why they stop.
        let is_new = |arn: &&String| !known.contains(task_id(arn));
        let arns = listed.task_arns().iter().filter(is_new);
        let arns: Vec<String> = arns.take(100).cloned().collect();
        if arns.is_empty() {
            return Ok(Vec::new());
        }
        let answer = self
            .ecs
            .describe_tasks()
            .cluster(cluster)
            .set_tasks(Some(arns))
            .send()
            .await
            .named("ecs:DescribeTasks", resource)?;
        Ok(answer
            .tasks()
            .iter()
            .filter(|task| task.last_status() == Some("STOPPED"))
            .map(stopped)
            .collect())
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
            Err(error) if error.kind != Kind::NotFound => Err(error),
            _ => Ok(()),
        }
    }

    /// How many tasks a cluster still holds, whatever started them.
    pub async fn task_count(&self, cluster: &str) -> Result<usize, AwsError> {
        let listed = self
            .ecs
            .list_tasks()
            .cluster(cluster)
            .send()
            .await
            .named("ecs:ListTasks", cluster);
        match listed {
            Ok(listed) => Ok(listed.task_arns().len()),
            Err(error) if error.kind == Kind::NotFound => Ok(0),
            Err(error) => Err(error),
        }
    }

    /// The newest active revisions of a family, newest first.
    pub async fn newest_revisions(
        &self,
        family: &str,
        most: i32,
    ) -> Result<Vec<TaskDefinitionArn>, AwsError> {
        let page = self
            .ecs
            .list_task_definitions()
            .family_prefix(family)
            .sort(SortOrder::Desc)
            .max_results(most)
            .send()
            .await
            .named("ecs:ListTaskDefinitions", family)?;
        let arns = page.task_definition_arns().iter();
        let ours = arns.filter(|arn| is_of_family(arn, family));
        Ok(ours.map(TaskDefinitionArn::new).collect())
    }

    /// Every active revision of a family, oldest first.
    pub async fn task_definitions(&self, family: &str) -> Result<Vec<TaskDefinitionArn>, AwsError> {
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .ecs
                .list_task_definitions()
                .family_prefix(family)
                .set_next_token(token)
                .send()
                .await
                .named("ecs:ListTaskDefinitions", family)?;
            arns.extend(
                page.task_definition_arns()
                    .iter()
                    .filter(|arn| is_of_family(arn, family))
                    .map(TaskDefinitionArn::new),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    pub async fn deregister_task_definition(
        &self,
        arn: &TaskDefinitionArn,
    ) -> Result<(), AwsError> {
        self.ecs
            .deregister_task_definition()
            .task_definition(arn.as_str())
            .send()
            .await
            .named("ecs:DeregisterTaskDefinition", arn.as_str())?;
        Ok(())
    }

    /// Deletes deregistered revisions, ten at a time as the API takes them.
    pub async fn delete_task_definitions(
        &self,
        arns: &[TaskDefinitionArn],
    ) -> Result<(), AwsError> {
        for ten in arns.chunks(10) {
            self.ecs
                .delete_task_definitions()
                .set_task_definitions(Some(ten.iter().map(ToString::to_string).collect()))
                .send()
                .await
                .named("ecs:DeleteTaskDefinitions", "the deregistered revisions")?;
        }
        Ok(())
    }
}

/// The prefix of one app's family can be another app's whole name.
fn is_of_family(arn: &str, family: &str) -> bool {
    let named = TaskDefinitionArn::new(arn);
    let name = named.short().rsplit_once(':').map(|(name, _)| name);
    name == Some(family)
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

fn task_id(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, id)| id)
}

fn stopped(task: &aws_sdk_ecs::types::Task) -> StoppedTask {
    // The container that failed: one with a non-zero exit code, else one that
    // never got an exit code but has a reason.
    let containers = task.containers();
    let failed = containers
        .iter()
        .find(|container| container.exit_code().is_some_and(|code| code != 0))
        .or_else(|| {
            containers
                .iter()
                .find(|container| container.reason().is_some())
        })
        .or_else(|| containers.first());
    StoppedTask {
        id: task.task_arn().map(task_id).unwrap_or_default().to_owned(),
        task_definition: TaskDefinitionArn::new(task.task_definition_arn().unwrap_or_default()),
        created_at: task.created_at().and_then(moment),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        reason: task.stopped_reason().unwrap_or_default().to_owned(),
        container: failed
            .and_then(|container| container.name())
            .map(str::to_owned),
        exit_code: failed.and_then(aws_sdk_ecs::types::Container::exit_code),
        container_reason: failed
            .and_then(|container| container.reason())
            .map(str::to_owned),
    }
}

fn moment(at: &DateTime) -> Option<OffsetDateTime> {
    SystemTime::try_from(*at).ok().map(OffsetDateTime::from)
}

#[cfg(test)]
mod tests;
