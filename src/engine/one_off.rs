//! Reads a one-off task: where its log lines are, and how it ended.

use serde_json::Value;

use super::stopped;
use crate::model::StoppedTask;

/// Where a container of a task writes its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOffLog {
    pub group: String,
    pub stream: String,
    /// None is that of the task.
    pub region: Option<String>,
}

/// Where its lines are, according to its task definition; None if not in CloudWatch Logs
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html>).
pub fn log(definition: &Value, container: &str, task: &str) -> Option<OneOffLog> {
    let mut all = definition["containerDefinitions"].as_array()?.iter();
    let log = &all.find(|it| it["name"] == container)?["logConfiguration"];
    let option = |name: &str| log["options"][name].as_str().map(str::to_owned);
    let prefix = option("awslogs-stream-prefix")?;
    (log["logDriver"] == "awslogs").then_some(())?;
    Some(OneOffLog {
        group: option("awslogs-group")?,
        stream: format!("{prefix}/{container}/{}", id_of(task)),
        region: option("awslogs-region"),
    })
}

/// The last part of a task's ARN.
pub fn id_of(task: &str) -> &str {
    task.rsplit('/').next().unwrap_or(task)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OneOffEnd {
    /// The command's own, as a shell gives it.
    Exited(u8),
    /// It has no code: why, in words.
    WithoutCode(String),
}

/// How the command ended that the task was started for.
pub fn end(task: &StoppedTask, container: &str) -> OneOffEnd {
    let mut all = task.containers.iter();
    let its = all.find(|it| it.name == container);
    match its.and_then(|it| it.exit_code) {
        Some(code) => OneOffEnd::Exited(u8::try_from(code).unwrap_or(1)),
        None => OneOffEnd::WithoutCode(match stopped::why(task) {
            Some(cause) => cause.to_string(),
            None if task.reason.is_empty() => "it was stopped".to_owned(),
            None => format!("it was stopped: {}", task.reason),
        }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::{Revision, StoppedContainer};

    const TASK: &str = "arn:aws:ecs:us-east-1:123456789012:task/prod/0123abcd";

    fn definition(log: &Value) -> Value {
        json!({ "containerDefinitions": [
            { "name": "envoy", "logConfiguration": { "logDriver": "awsfirelens" } },
            { "name": "app", "logConfiguration": log },
        ] })
    }

    #[test]
    fn lines_are_where_the_revision_says() {
        let options = json!({
            "awslogs-group": "/shop/web", "awslogs-region": "eu-west-1",
            "awslogs-stream-prefix": "web",
        });
        let its = definition(&json!({ "logDriver": "awslogs", "options": options }));
        let expected = OneOffLog {
            group: "/shop/web".to_owned(),
            stream: "web/app/0123abcd".to_owned(),
            region: Some("eu-west-1".to_owned()),
        };
        assert_eq!(log(&its, "app", TASK), Some(expected));
        assert_eq!(log(&its, "envoy", TASK), None);
        assert_eq!(log(&its, "gone", TASK), None);
        let elsewhere = definition(&json!({ "logDriver": "splunk", "options": options }));
        assert_eq!(log(&elsewhere, "app", TASK), None);
    }

    fn stopped_task(stop_code: &str, reason: &str, exit_code: Option<i32>) -> StoppedTask {
        let container = |name: &str, exit_code| StoppedContainer {
            name: name.to_owned(),
            is_essential: true,
            exit_code,
            ..StoppedContainer::default()
        };
        StoppedTask {
            id: "0123abcd".to_owned(),
            task_definition: Revision::new("task-definition/web:1"),
            created_at: None,
            stop_code: Some(stop_code.to_owned()),
            reason: reason.to_owned(),
            memory: None,
            containers: vec![container("envoy", Some(0)), container("app", exit_code)],
        }
    }

    #[test]
    fn a_command_ends_with_its_own_code_or_with_the_reason_that_it_has_none() {
        let exited = |code| end(&stopped_task("EssentialContainerExited", "", code), "app");
        assert_eq!(exited(Some(0)), OneOffEnd::Exited(0));
        assert_eq!(exited(Some(137)), OneOffEnd::Exited(137));
        assert_eq!(exited(Some(-1)), OneOffEnd::Exited(1));
        let pull = "CannotPullContainerError: not found";
        let OneOffEnd::WithoutCode(why) =
            end(&stopped_task("TaskFailedToStart", pull, None), "app")
        else {
            panic!("it never ran");
        };
        assert!(why.contains("the image cannot be pulled"), "{why}");
        let by_hand = stopped_task("UserInitiated", "enough", None);
        let why = OneOffEnd::WithoutCode("it was stopped: enough".to_owned());
        assert_eq!(end(&by_hand, "app"), why);
    }
}
