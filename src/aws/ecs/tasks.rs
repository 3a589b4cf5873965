//! Tasks: those that have stopped, and those that have not yet.

use std::collections::{HashMap, HashSet};

use aws_sdk_ecs::types::{Container, ContainerDefinition, DesiredStatus, HealthStatus, Task};

use super::moment;
use crate::aws::Aws;
use crate::aws::error::{AwsError, AwsErrorKind, Named};
use crate::model::{Color, ColorServices, Revision, StoppedContainer, StoppedTask};

/// The most that DescribeTasks takes.
const MOST: usize = 100;

/// How many tasks a cluster holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TasksLeft {
    /// Nobody has told them to stop.
    pub running: usize,
    /// They were told to stop, but have not yet.
    pub stopping: usize,
}

/// Which tasks of a cluster.
#[derive(Debug, Clone, Copy)]
pub(super) enum TasksOf<'a> {
    /// All.
    Cluster,
    Service(&'a str),
    Family(&'a str),
}

impl Aws {
    /// The tasks of a colour that have stopped lately (ECS remembers them for about an
    /// hour), except those whose ids are known: a stopped task no longer changes.
    pub async fn stopped_tasks(
        &self,
        services: &ColorServices,
        color: Color,
        known: &HashSet<&str>,
    ) -> Result<Vec<StoppedTask>, AwsError> {
        let cluster = &services.cluster;
        let of = TasksOf::Service(services.name(color));
        let arns = self.list_tasks(cluster, of, DesiredStatus::Stopped);
        let mut arns = arns.await?;
        arns.retain(|arn| !known.contains(task_id(arn)));
        let mut tasks = self.describe_tasks(cluster, &arns).await?;
        tasks.retain(has_stopped);
        let mut roles = HashMap::new();
        for task in &tasks {
            let revision = task.task_definition_arn().unwrap_or_default();
            // With a single container it is clear whose end it was.
            if task.containers().len() > 1 && !roles.contains_key(revision) {
                roles.insert(revision, self.roles(revision).await);
            }
        }
        let roles_of = |task: &Task| roles.get(task.task_definition_arn()?)?.as_ref();
        Ok(tasks
            .iter()
            .map(|task| stopped(task, roles_of(task)))
            .collect())
    }

    /// What a revision says about its containers; if it cannot be read, that must not
    /// hide how a task ended.
    async fn roles(&self, revision: &str) -> Option<Roles> {
        let answer = self
            .ecs
            .describe_task_definition()
            .task_definition(revision)
            .send()
            .await
            .named("ecs:DescribeTaskDefinition", revision);
        let definition = answer
            .inspect_err(|error| tracing::debug!(%error, "the revision cannot be read"))
            .ok()?
            .task_definition?;
        let containers = definition.container_definitions().iter();
        let role = |container: &ContainerDefinition| {
            let is_essential = container.essential().unwrap_or(true);
            Some((container.name()?.to_owned(), is_essential))
        };
        Some(containers.filter_map(role).collect())
    }

    /// The app's tasks that a cluster still holds, whatever started them.
    pub async fn tasks_left(
        &self,
        services: &ColorServices,
        family: &str,
    ) -> Result<TasksLeft, AwsError> {
        let cluster = &services.cluster;
        let left = async {
            let listed = |desired| {
                // Any task keeps a cluster from being deleted.
                let of = match services.are_alone() {
                    true => TasksOf::Cluster,
                    false => TasksOf::Family(family),
                };
                self.list_tasks(cluster, of, desired)
            };
            let running = listed(DesiredStatus::Running).await?;
            let stopping = listed(DesiredStatus::Stopped).await?;
            let tasks = self.describe_tasks(cluster, &stopping).await?;
            Ok(TasksLeft {
                running: running.len(),
                stopping: tasks.iter().filter(|task| !has_stopped(task)).count(),
            })
        };
        match left.await {
            Err(AwsError {
                kind: AwsErrorKind::NotFound,
                ..
            }) => Ok(TasksLeft::default()),
            left => left,
        }
    }

    pub(super) async fn list_tasks(
        &self,
        cluster: &str,
        of: TasksOf<'_>,
        desired: DesiredStatus,
    ) -> Result<Vec<String>, AwsError> {
        let (service, family) = match of {
            TasksOf::Cluster => (None, None),
            TasksOf::Service(name) => (Some(name.to_owned()), None),
            TasksOf::Family(name) => (None, Some(name.to_owned())),
        };
        let resource = match &service {
            Some(service) => format!("{cluster}/{service}"),
            None => cluster.to_owned(),
        };
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .ecs
                .list_tasks()
                .cluster(cluster)
                .set_service_name(service.clone())
                .set_family(family.clone())
                .desired_status(desired.clone())
                .set_next_token(token)
                .send()
                .await
                .named("ecs:ListTasks", &resource)?;
            arns.extend_from_slice(page.task_arns());
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(arns);
            }
        }
    }

    pub(super) async fn describe_tasks(
        &self,
        cluster: &str,
        arns: &[String],
    ) -> Result<Vec<Task>, AwsError> {
        let mut tasks = Vec::new();
        for some in arns.chunks(MOST) {
            let answer = self
                .ecs
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(some.to_vec()))
                .send()
                .await
                .named("ecs:DescribeTasks", cluster)?;
            tasks.extend_from_slice(answer.tasks());
        }
        Ok(tasks)
    }
}

pub(super) fn has_stopped(task: &Task) -> bool {
    task.last_status() == Some("STOPPED")
}

pub(super) fn task_id(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, id)| id)
}

/// The container definitions of a revision, in order: the name, and whether the task ends
/// with it.
pub(super) type Roles = Vec<(String, bool)>;

pub(super) fn stopped(task: &Task, roles: Option<&Roles>) -> StoppedTask {
    let mut containers: Vec<StoppedContainer> = task
        .containers()
        .iter()
        .map(|container| left(container, roles))
        .collect();
    if let Some(roles) = roles {
        let place = |name: &str| roles.iter().position(|(other, _)| other == name);
        containers.sort_by_key(|container| place(&container.name).unwrap_or(usize::MAX));
    }
    StoppedTask {
        id: task.task_arn().map(task_id).unwrap_or_default().to_owned(),
        task_definition: Revision::new(task.task_definition_arn().unwrap_or_default()),
        created_at: task.created_at().and_then(moment),
        stop_code: task.stop_code().map(|code| code.as_str().to_owned()),
        reason: task.stopped_reason().unwrap_or_default().to_owned(),
        memory: task.memory().and_then(|memory| memory.parse().ok()),
        containers,
    }
}

fn left(container: &Container, roles: Option<&Roles>) -> StoppedContainer {
    let name = container.name().unwrap_or("?");
    let role = roles.and_then(|roles| roles.iter().find(|(other, _)| other == name));
    let memory = container.memory().and_then(|memory| memory.parse().ok());
    StoppedContainer {
        name: name.to_owned(),
        is_essential: role.is_none_or(|(_, is_essential)| *is_essential),
        is_unhealthy: container.health_status() == Some(&HealthStatus::Unhealthy),
        memory: memory.filter(|memory| *memory > 0),
        exit_code: container.exit_code(),
        reason: container
            .reason()
            .filter(|reason| !reason.is_empty())
            .map(str::to_owned),
    }
}
