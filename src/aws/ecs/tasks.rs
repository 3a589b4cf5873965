//! Tasks: those that have stopped, and those that are still to.

use std::collections::HashSet;

use aws_sdk_ecs::types::{Container, DesiredStatus, Task};

use super::moment;
use crate::aws::Aws;
use crate::aws::error::{AwsError, Kind, Named};
use crate::model::{Color, StoppedTask, TaskDefinitionArn};

/// What DescribeTasks takes.
const MOST: usize = 100;

/// How many tasks a cluster holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TasksLeft {
    /// Nobody has told them to stop.
    pub running: usize,
    /// They are told to stop, and have not.
    pub stopping: usize,
}

impl Aws {
    /// The tasks of a colour that have stopped lately (ECS remembers them for
    /// about an hour), but for those whose ids are known: a stopped task does
    /// not change any more.
    pub async fn stopped_tasks(
        &self,
        cluster: &str,
        color: Color,
        known: &HashSet<&str>,
    ) -> Result<Vec<StoppedTask>, AwsError> {
        let arns = self.list_tasks(cluster, Some(color), DesiredStatus::Stopped);
        let mut arns = arns.await?;
        arns.retain(|arn| !known.contains(task_id(arn)));
        let tasks = self.describe_tasks(cluster, &arns).await?;
        Ok(tasks
            .iter()
            .filter(|task| has_stopped(task))
            .map(stopped)
            .collect())
    }

    /// The tasks that a cluster still holds, whatever started them.
    pub async fn tasks_left(&self, cluster: &str) -> Result<TasksLeft, AwsError> {
        let left = async {
            let listed = |desired| self.list_tasks(cluster, None, desired);
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
                kind: Kind::NotFound,
                ..
            }) => Ok(TasksLeft::default()),
            left => left,
        }
    }

    async fn list_tasks(
        &self,
        cluster: &str,
        color: Option<Color>,
        desired: DesiredStatus,
    ) -> Result<Vec<String>, AwsError> {
        let resource = match color {
            Some(color) => format!("{cluster}/{color}"),
            None => cluster.to_owned(),
        };
        let mut arns = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .ecs
                .list_tasks()
                .cluster(cluster)
                .set_service_name(color.map(|color| color.as_str().to_owned()))
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

    async fn describe_tasks(&self, cluster: &str, arns: &[String]) -> Result<Vec<Task>, AwsError> {
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

fn has_stopped(task: &Task) -> bool {
    task.last_status() == Some("STOPPED")
}

fn task_id(arn: &str) -> &str {
    arn.rsplit_once('/').map_or(arn, |(_, id)| id)
}

fn stopped(task: &Task) -> StoppedTask {
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
        exit_code: failed.and_then(Container::exit_code),
        container_reason: failed
            .and_then(|container| container.reason())
            .map(str::to_owned),
    }
}
