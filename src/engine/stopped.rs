//! Why a task stopped, in one sentence for a person.
//!
//! ECS gives a stop code and texts with documented prefixes
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>);
//! there is nothing finer to tell the causes apart by.

use crate::model::StoppedTask;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopCause {
    /// The image cannot be pulled.
    ImagePull(String),
    /// A container ended by itself.
    Exited {
        container: String,
        code: Option<i32>,
        reason: Option<String>,
    },
    OutOfMemory {
        container: String,
    },
    /// The load balancer's or the container's own health check failed.
    HealthCheck(String),
    /// A role may not do what the task needs: secrets, logs, the image.
    Permission(String),
    /// A secret, a log group or a network interface could not be had.
    Resource(String),
    Other(String),
}

impl std::fmt::Display for StopCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ImagePull(reason) => write!(f, "the image cannot be pulled: {reason}"),
            Self::Exited {
                container,
                code,
                reason,
            } => {
                write!(f, "container `{container}` exited")?;
                if let Some(code) = code {
                    write!(f, " with code {code}")?;
                }
                match reason {
                    Some(reason) => write!(f, ": {reason}"),
                    None => Ok(()),
                }
            }
            Self::OutOfMemory { container } => {
                write!(f, "container `{container}` was killed: out of memory")
            }
            Self::HealthCheck(reason) => write!(f, "the health check fails: {reason}"),
            Self::Permission(reason) => write!(f, "no permission: {reason}"),
            Self::Resource(reason) => write!(f, "the task cannot be set up: {reason}"),
            Self::Other(reason) => write!(f, "the task stopped: {reason}"),
        }
    }
}

impl StopCause {
    pub fn hint(&self, color: crate::model::Color) -> String {
        match self {
            Self::ImagePull(_) => {
                "look whether the image is in the registry, and whether the tasks reach it".to_owned()
            }
            Self::Exited { code: Some(1..), .. } | Self::Exited { code: None, .. } => {
                format!("run the image locally with the same environment, or see `bgecs logs {color}`")
            }
            Self::Exited { .. } => format!(
                "a service's main process must not end: see `bgecs logs {color}` and [container] command"
            ),
            Self::OutOfMemory { .. } => "raise [container] memory in bgecs.toml".to_owned(),
            Self::HealthCheck(_) => {
                "look at [container] health_path and port in bgecs.toml, and at what the app answers there"
                    .to_owned()
            }
            Self::Permission(_) => {
                "if a secret was added to bgecs.toml, run `bgecs init` so that the execution role may read it"
                    .to_owned()
            }
            Self::Resource(_) => "look at the secrets and the log group that the task names".to_owned(),
            Self::Other(_) => format!("see `bgecs logs {color}`"),
        }
    }
}

/// Why the task stopped; `None` where that is nothing to worry about, as when
/// ECS scales in.
pub fn why(task: &StoppedTask) -> Option<StopCause> {
    let reason = task.reason.as_str();
    let container_reason = task.container_reason.as_deref().unwrap_or_default();
    let said = |prefix: &str| reason.contains(prefix) || container_reason.contains(prefix);
    let text = || {
        let longest = if container_reason.len() > reason.len() {
            container_reason
        } else {
            reason
        };
        longest.to_owned()
    };
    let container = || task.container.clone().unwrap_or_else(|| "?".to_owned());
    if said("CannotPullContainer") || said("CannotPullImage") {
        return Some(StopCause::ImagePull(text()));
    }
    if said("AccessDenied") || said("not authorized") || said("unable to assume the role") {
        return Some(StopCause::Permission(text()));
    }
    if said("ResourceInitializationError") {
        return Some(StopCause::Resource(text()));
    }
    if said("OutOfMemory") {
        return Some(StopCause::OutOfMemory {
            container: container(),
        });
    }
    if said("failed ELB health checks") || said("failed container health checks") {
        return Some(StopCause::HealthCheck(text()));
    }
    match task.stop_code.as_deref() {
        // ECS or a person stopped a task that could have gone on.
        Some(
            "ServiceSchedulerInitiated"
            | "UserInitiated"
            | "SpotInterruption"
            | "TerminationNotice",
        ) => None,
        Some("EssentialContainerExited") => Some(exited(task, container())),
        _ if task.exit_code.is_some() => Some(exited(task, container())),
        _ if reason.starts_with("Scaling activity") || reason.is_empty() => None,
        _ => Some(StopCause::Other(text())),
    }
}

fn exited(task: &StoppedTask, container: String) -> StopCause {
    StopCause::Exited {
        container,
        code: task.exit_code,
        reason: task.container_reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskDefinitionArn;

    fn task(
        code: Option<&str>,
        reason: &str,
        exit_code: Option<i32>,
        container_reason: &str,
    ) -> StoppedTask {
        StoppedTask {
            id: "t".to_owned(),
            task_definition: TaskDefinitionArn::new("td:1"),
            created_at: None,
            stop_code: code.map(str::to_owned),
            reason: reason.to_owned(),
            container: Some("app".to_owned()),
            exit_code,
            container_reason: Some(container_reason.to_owned()).filter(|text| !text.is_empty()),
        }
    }

    fn sentence(task: &StoppedTask) -> Option<String> {
        why(task).map(|cause| cause.to_string())
    }

    #[test]
    fn each_cause_has_its_own_sentence() {
        let cases = [
            (
                task(
                    Some("TaskFailedToStart"),
                    "CannotPullContainerError: pull image manifest has been retried 5 time(s)",
                    None,
                    "",
                ),
                "the image cannot be pulled: CannotPullContainerError: pull image manifest has been retried 5 time(s)",
            ),
            (
                task(
                    Some("EssentialContainerExited"),
                    "Essential container in task exited",
                    Some(3),
                    "",
                ),
                "container `app` exited with code 3",
            ),
            (
                task(
                    Some("EssentialContainerExited"),
                    "Essential container in task exited",
                    Some(137),
                    "OutOfMemoryError: Container killed due to memory usage",
                ),
                "container `app` was killed: out of memory",
            ),
            (
                task(
                    Some("ServiceSchedulerInitiated"),
                    "Task failed ELB health checks in (target-group arn:aws:x)",
                    None,
                    "",
                ),
                "the health check fails: Task failed ELB health checks in (target-group arn:aws:x)",
            ),
            (
                task(
                    Some("TaskFailedToStart"),
                    "ResourceInitializationError: unable to pull secrets: AccessDeniedException: no",
                    None,
                    "",
                ),
                "no permission: ResourceInitializationError: unable to pull secrets: AccessDeniedException: no",
            ),
            (
                task(
                    Some("TaskFailedToStart"),
                    "ResourceInitializationError: failed to validate logger args",
                    None,
                    "",
                ),
                "the task cannot be set up: ResourceInitializationError: failed to validate logger args",
            ),
        ];
        for (task, expected) in cases {
            assert_eq!(sentence(&task).as_deref(), Some(expected));
        }
    }

    #[test]
    fn scaling_in_is_no_failure() {
        let scaled = task(
            Some("ServiceSchedulerInitiated"),
            "Scaling activity initiated by (deployment ecs-svc/1)",
            Some(0),
            "",
        );
        assert_eq!(why(&scaled), None);
        assert_eq!(
            why(&task(
                Some("UserInitiated"),
                "Task stopped by user",
                None,
                ""
            )),
            None
        );
    }
}
