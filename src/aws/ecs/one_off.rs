//! Tasks that run one command, started the way a colour's service starts its own.

use aws_sdk_ecs::types::{ContainerOverride, TaskOverride};

use super::definition;
use super::definitions::reason;
use super::tasks::{has_stopped, stopped};
use crate::aws::Aws;
use crate::aws::error::{AwsError, Named};
use crate::model::{AppName, ColorServices, OneOff, OneOffState};

const RUN: &str = "ecs:RunTask";
const READ: &str = "ecs:DescribeTasks";
const STOP: &str = "ecs:StopTask";

impl Aws {
    /// Starts the task and returns its ARN; the same token returns the same task.
    ///
    /// # Errors
    /// ECS's own; a token that was used for another request is a `ConflictException`.
    pub async fn run_task(
        &self,
        app: &AppName,
        services: &ColorServices,
        it: &OneOff,
    ) -> Result<String, AwsError> {
        let (cluster, name) = (&services.cluster, services.name(it.color));
        let like = self.describe_service(cluster, name, &[]).await?;
        let like = like.ok_or_else(|| {
            AwsError::unusable("ecs:DescribeServices", name, "there is no such service")
        })?;
        let command = ContainerOverride::builder()
            .name(&it.container)
            .set_command(Some(it.command.clone()));
        let call = self
            .ecs
            .run_task()
            .cluster(cluster)
            .client_token(&it.token)
            .started_by(format!("bgecs/{app}"))
            .task_definition(it.revision.as_str())
            .set_network_configuration(like.network_configuration().cloned())
            .set_platform_version(definition::platform_version(&like))
            .overrides(
                TaskOverride::builder()
                    .container_overrides(command.build())
                    .build(),
            );
        let call = match like.capacity_provider_strategy() {
            [] => call.set_launch_type(like.launch_type().cloned()),
            providers => call.set_capacity_provider_strategy(Some(providers.to_vec())),
        };
        let answer = call.send().await.named(RUN, it.revision.short())?;
        let started = answer.tasks().first().and_then(|task| task.task_arn());
        started.map(str::to_owned).ok_or_else(|| {
            let why = answer.failures().first().map(reason);
            let why = why.unwrap_or_else(|| "the answer has no task".to_owned());
            AwsError::unusable(RUN, it.revision.short(), why)
        })
    }

    /// How a task is doing; None if ECS does not know it: not yet, or not any more.
    ///
    /// # Errors
    /// ECS's own.
    pub async fn read_one_off(
        &self,
        cluster: &str,
        task: &str,
    ) -> Result<Option<OneOffState>, AwsError> {
        let call = self.ecs.describe_tasks().cluster(cluster).tasks(task);
        let answer = call.send().await.named(READ, task)?;
        Ok(answer
            .tasks()
            .first()
            .map(|found| match has_stopped(found) {
                true => OneOffState::Stopped(stopped(found, None)),
                false => OneOffState::UnderWay(found.last_status().unwrap_or("?").to_owned()),
            }))
    }

    /// # Errors
    /// ECS's own.
    pub async fn stop_task(&self, cluster: &str, task: &str, why: &str) -> Result<(), AwsError> {
        let call = self.ecs.stop_task().cluster(cluster).task(task);
        call.reason(why).send().await.named(STOP, task).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::aws::testing::{Reply, Wire, web as services};
    use crate::model::{Color, Revision};

    const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/prod/0123abcd";

    async fn started(service: Value, answer: Value) -> (Result<String, AwsError>, Value) {
        let network = json!({ "awsvpcConfiguration": {
            "subnets": ["subnet-a"], "securityGroups": ["sg-1"], "assignPublicIp": "DISABLED",
        } });
        let mut whole = json!({
            "serviceName": "web-blue", "status": "ACTIVE", "networkConfiguration": network,
        });
        let object = whole.as_object_mut().unwrap();
        object.extend(service.as_object().unwrap().clone());
        let wire = Wire::new()
            .on(
                "DescribeServices",
                Reply::json(&json!({ "services": [whole] })),
            )
            .on("RunTask", Reply::json(&answer));
        let it = OneOff {
            color: Color::Blue,
            revision: Revision::new("arn:aws:ecs:us-east-1:123456789012:task-definition/web:7"),
            container: "app".to_owned(),
            command: vec!["migrate".to_owned(), "--all".to_owned()],
            token: "0".repeat(64),
        };
        let app = "web".parse().unwrap();
        let task = wire.aws().run_task(&app, &services(), &it).await;
        let mut sent = wire.requests().pop().unwrap().json();
        assert_eq!(sent["networkConfiguration"], network);
        assert_eq!(sent["clientToken"], it.token);
        let command = json!([{ "name": "app", "command": it.command }]);
        assert_eq!(sent["overrides"]["containerOverrides"], command);
        assert_eq!(sent["startedBy"], "bgecs/web");
        (
            task,
            json!([
                sent["launchType"].take(),
                sent["capacityProviderStrategy"].take(),
                sent["platformVersion"].take(),
            ]),
        )
    }

    #[tokio::test]
    async fn a_task_is_started_as_the_service_starts_its_own() {
        let answer = json!({ "tasks": [{ "taskArn": TASK }] });
        let fargate = json!({ "launchType": "FARGATE", "platformVersion": "1.4.0" });
        let (task, how) = started(fargate, answer.clone()).await;
        assert_eq!(task.unwrap(), TASK);
        assert_eq!(how, json!(["FARGATE", null, "1.4.0"]));
        let providers = json!([{ "capacityProvider": "FARGATE_SPOT", "weight": 2, "base": 0 }]);
        let spot = json!({ "capacityProviderStrategy": providers, "platformVersion": "" });
        let (_, how) = started(spot, answer).await;
        assert_eq!(how, json!([null, providers, null]));
    }

    #[tokio::test]
    async fn what_is_not_started_says_why() {
        let reason = "Capacity is unavailable at this time.";
        let answer = json!({ "tasks": [], "failures": [{ "reason": reason }] });
        let (task, _) = started(json!({ "launchType": "FARGATE" }), answer).await;
        let error = task.unwrap_err();
        assert_eq!(error.message, reason);
        assert_eq!(error.action, "ecs:RunTask");
    }

    #[tokio::test]
    async fn how_far_a_task_is_is_read_once_it_is_known() {
        let task = |rest: Value| {
            let mut task = json!({ "taskArn": TASK });
            let object = task.as_object_mut().unwrap();
            object.extend(rest.as_object().unwrap().clone());
            Reply::json(&json!({ "tasks": [task] }))
        };
        let missing = json!({ "tasks": [], "failures": [{ "arn": TASK, "reason": "MISSING" }] });
        let containers = json!([{ "name": "app", "exitCode": 3 }]);
        let wire = Wire::new()
            .on("DescribeTasks", Reply::json(&missing))
            .on("DescribeTasks", task(json!({ "lastStatus": "PENDING" })))
            .on(
                "DescribeTasks",
                task(json!({ "lastStatus": "STOPPED", "containers": containers })),
            );
        let aws = wire.aws();
        let read = async || aws.read_one_off("prod", TASK).await.unwrap();
        assert_eq!(read().await, None);
        let pending = OneOffState::UnderWay("PENDING".to_owned());
        assert_eq!(read().await, Some(pending));
        let Some(OneOffState::Stopped(stopped)) = read().await else {
            panic!("it has stopped");
        };
        assert_eq!(stopped.containers[0].exit_code, Some(3));
    }
}
