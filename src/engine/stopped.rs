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
    /// A secret or a log group could not be had.
    Resource(String),
    /// The task's network interface could not be had.
    Network(String),
    /// AWS has no room for the task now.
    Capacity(String),
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
            Self::Network(reason) => write!(f, "the task gets no network interface: {reason}"),
            Self::Capacity(reason) => write!(f, "AWS has no capacity for the task: {reason}"),
            Self::Other(reason) => write!(f, "the task stopped: {reason}"),
        }
    }
}

impl StopCause {
    /// Whether ECS starts another task with a fair chance: the cause is one that
    /// passes by itself. Not one in the release, which the next task meets too.
    pub fn is_tried_again(&self) -> bool {
        match self {
            Self::Capacity(_) => true,
            Self::Network(reason) => !is_lasting(reason),
            Self::ImagePull(reason) | Self::Resource(reason) | Self::Other(reason) => {
                !is_lasting(reason) && passes(reason)
            }
            Self::Exited { .. }
            | Self::OutOfMemory { .. }
            | Self::HealthCheck(_)
            | Self::Permission(_) => false,
        }
    }

    pub fn hint(&self, color: crate::model::Color) -> String {
        match self {
            Self::ImagePull(_) => {
                "check whether the image is in the registry, and whether the tasks reach it".to_owned()
            }
            Self::Exited { code: Some(1..), .. } | Self::Exited { code: None, .. } => {
                format!("run the image locally with the same environment, or see `bgecs logs {color}`")
            }
            Self::Exited { .. } => format!(
                "a service's main process must not end: see `bgecs logs {color}` and [container] command"
            ),
            Self::OutOfMemory { .. } => "raise [container] memory in bgecs.toml".to_owned(),
            Self::HealthCheck(_) => {
                "check [container] health_path and port in bgecs.toml, and at what the app answers there"
                    .to_owned()
            }
            Self::Permission(_) => {
                "if a secret was added to bgecs.toml, run `bgecs init` so that the execution role may read it"
                    .to_owned()
            }
            Self::Resource(_) => "check the secrets and the log group that the task names".to_owned(),
            Self::Network(_) => {
                "check whether the subnets have addresses left, then deploy again".to_owned()
            }
            Self::Capacity(_) => "deploy again later: this passes by itself".to_owned(),
            Self::Other(_) => format!("see `bgecs logs {color}`"),
        }
    }
}

/// How AWS, Go and registries word what passes: no answer in time, a connection
/// that broke, a server's own failure, too many requests.
const PASSING: [&str; 29] = [
    "timeout",
    "timed out",
    "time-out",
    "deadline exceeded",
    "requestcanceled",
    "request canceled",
    "context canceled",
    "connection reset",
    "connection refused",
    "broken pipe",
    "unexpected eof",
    "temporary failure in name resolution",
    "toomanyrequests",
    "too many requests",
    "throttl",
    "rate exceeded",
    "requestlimitexceeded",
    "slowdown",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "serviceunavailable",
    "internalerror",
    "serverexception",
    "internalfailure",
    "try again",
    "status code: 5",
    "status code 5",
    "status: 5",
];

/// How what stays so is worded, in whatever company.
const LASTING: [&str; 9] = [
    "accessdenied",
    "not authorized",
    "unauthorized",
    "forbidden",
    "not found",
    "notfound",
    "does not exist",
    "no such image",
    "exec format error",
];

fn says(text: &str, any: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    any.iter().any(|words| text.contains(words))
}

fn is_lasting(reason: &str) -> bool {
    says(reason, &LASTING)
}

fn passes(reason: &str) -> bool {
    says(reason, &PASSING)
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
    if is_about_network(reason) {
        return Some(StopCause::Network(text()));
    }
    if said("Capacity is unavailable") {
        return Some(StopCause::Capacity(text()));
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

fn is_about_network(reason: &str) -> bool {
    says(
        reason,
        &["network interface", "insufficientfreeaddressesinsubnet"],
    )
}

fn exited(task: &StoppedTask, container: String) -> StopCause {
    StopCause::Exited {
        container,
        code: task.exit_code,
        reason: task.container_reason.clone(),
    }
}

#[cfg(test)]
mod tests;
