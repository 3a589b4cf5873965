//! A session in a running task, which AWS's own plugin takes over.

use aws_sdk_ecs::types::{Container, DesiredStatus, ManagedAgentName, Task};
use serde_json::json;

use super::tasks::{TasksOf, task_id};
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::hidden::Hidden;
use crate::model::{Color, ColorServices};

const EXECUTE: &str = "ecs:ExecuteCommand";

/// A container in which a command can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecPlace {
    /// The task's id.
    pub task: String,
    pub container: String,
    /// The container's id in its runtime.
    runtime_id: String,
    /// Whether the task was started with ECS Exec enabled.
    pub is_switched_on: bool,
    /// The state of the agent in it, such as `RUNNING`; None if there is none.
    pub agent: Option<String>,
}

/// What is passed to the plugin.
#[derive(Debug)]
pub struct ExecSession {
    /// The JSON that ECS answers, which contains the token.
    pub answer: Hidden,
    /// `ecs:CLUSTER_TASK_RUNTIME`
    pub target: String,
}

impl Aws {
    /// The newest running task of a colour; None if no running task has such a container.
    ///
    /// # Errors
    /// ECS's own.
    pub async fn find_exec_place(
        &self,
        services: &ColorServices,
        color: Color,
        container: &str,
    ) -> Result<Option<ExecPlace>, AwsError> {
        let (cluster, service) = (&services.cluster, services.name(color));
        let running = self.list_tasks(cluster, TasksOf::Service(service), DesiredStatus::Running);
        let tasks = self.describe_tasks(cluster, &running.await?).await?;
        let mut places: Vec<_> = tasks
            .iter()
            .filter(|task| task.last_status() == Some("RUNNING"))
            .filter_map(|task| Some((task.started_at().copied(), place(task, container)?)))
            .collect();
        places.sort_by_key(|(started, place)| (*started, place.task.clone()));
        Ok(places.pop().map(|(_, place)| place))
    }

    /// # Errors
    /// ECS's own.
    pub async fn open_exec_session(
        &self,
        cluster: &str,
        place: &ExecPlace,
        command: &str,
    ) -> Result<ExecSession, AwsError> {
        let ExecPlace {
            task,
            container,
            runtime_id,
            ..
        } = place;
        let call = self.ecs.execute_command().cluster(cluster).task(task);
        let call = call.container(container).command(command).interactive(true);
        let answer = call.send().await.named(EXECUTE, task)?;
        let session = answer
            .session()
            .ok_or_else(|| AwsError::unusable(EXECUTE, task, "the answer has no session"))?;
        let answer = json!({
            "sessionId": session.session_id(),
            "streamUrl": session.stream_url(),
            "tokenValue": session.token_value(),
        });
        Ok(ExecSession {
            answer: Hidden::new(answer.to_string()),
            target: format!("ecs:{cluster}_{task}_{runtime_id}"),
        })
    }
}

fn place(task: &Task, name: &str) -> Option<ExecPlace> {
    let mut containers = task.containers().iter();
    let container = containers.find(|it| it.name() == Some(name))?;
    Some(ExecPlace {
        task: task_id(task.task_arn()?).to_owned(),
        container: name.to_owned(),
        runtime_id: container.runtime_id()?.to_owned(),
        is_switched_on: task.enable_execute_command(),
        agent: agent(container),
    })
}

fn agent(container: &Container) -> Option<String> {
    let mut agents = container.managed_agents().iter();
    let its = agents.find(|it| it.name() == Some(&ManagedAgentName::ExecuteCommandAgent))?;
    its.last_status().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::testing::{Reply, Wire, web as services};

    fn task(id: &str, started: u32, rest: &Value) -> Value {
        let mut task = json!({
            "taskArn": format!("arn:aws:ecs:us-east-1:1:task/prod/{id}"),
            "lastStatus": "RUNNING", "startedAt": started, "enableExecuteCommand": true,
            "containers": [
                { "name": "envoy", "runtimeId": "e" },
                { "name": "app", "runtimeId": format!("{id}-1"), "managedAgents": [
                    { "name": "ExecuteCommandAgent", "lastStatus": "RUNNING" },
                ] },
            ],
        });
        let object = task.as_object_mut().unwrap();
        object.extend(rest.as_object().unwrap().clone());
        task
    }

    async fn found(tasks: &[Value]) -> Option<ExecPlace> {
        let arns: Vec<&Value> = tasks.iter().map(|task| &task["taskArn"]).collect();
        let wire = Wire::new()
            .on("ListTasks", Reply::json(&json!({ "taskArns": arns })))
            .on("DescribeTasks", Reply::json(&json!({ "tasks": tasks })));
        let aws = wire.aws();
        let place = aws.find_exec_place(&services(), Color::Blue, "app").await;
        place.unwrap()
    }

    #[tokio::test]
    async fn a_session_is_in_the_newest_task_that_runs() {
        let off = json!({ "enableExecuteCommand": false });
        let place = found(&[
            task("old", 1, &json!({})),
            task("new", 3, &off),
            task("pending", 4, &json!({ "lastStatus": "PENDING" })),
        ])
        .await
        .unwrap();
        assert_eq!((place.task.as_str(), place.is_switched_on), ("new", false));
        assert_eq!(place.agent.as_deref(), Some("RUNNING"));
        let bare = json!({ "containers": [] });
        assert_eq!(found(&[task("bare", 1, &bare)]).await, None);
    }

    #[tokio::test]
    async fn the_token_is_the_plugins_alone() {
        let place = found(&[task("0123", 1, &json!({}))]).await.unwrap();
        let session = json!({ "sessionId": "s", "streamUrl": "wss://x", "tokenValue": "secret" });
        let answer = Reply::json(&json!({ "session": session }));
        let wire = Wire::new().on("ExecuteCommand", answer);
        let opened = wire.aws().open_exec_session("prod", &place, "ls -l").await;
        let opened = opened.unwrap();
        assert_eq!(opened.target, "ecs:prod_0123_0123-1");
        let answer: Value = serde_json::from_str(opened.answer.reveal()).unwrap();
        assert_eq!(answer, session);
        assert!(!format!("{opened:?}").contains("secret"));
        let sent = wire.requests().pop().unwrap().json();
        let expected = json!({
            "cluster": "prod", "task": "0123", "container": "app",
            "command": "ls -l", "interactive": true,
        });
        assert_eq!(sent, expected);
    }
}
