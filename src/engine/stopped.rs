//! Why a task stopped, in one sentence for a person, and which of its containers
//! is to blame.
//!
//! ECS gives a stop code and texts with documented prefixes
//! (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>);
//! there is nothing finer to tell the causes apart by.

mod cause;

use crate::model::{StoppedContainer, StoppedTask};
pub use cause::{MemoryLimit, StopCause};

/// How a container's end is worded that the machine cannot run.
const OTHER_MACHINE: [&str; 3] = [
    "exec format error",
    "descriptor matching platform",
    "no match for platform",
];

/// How a runtime says that it cannot start what a container is to run.
const NOT_STARTED: [&str; 8] = [
    "oci runtime",
    "container process",
    "runc create failed",
    "executable file not found",
    "exec: \"",
    "unable to find user",
    "unable to find group",
    "in passwd file",
];

/// With which a container ends that ECS stops: SIGTERM, and after a while SIGKILL.
const STOPPED: [i32; 2] = [143, 137];

/// How AWS, Go and registries word what passes: no answer in time, a connection
/// that broke, a server's own failure, too many requests.
const PASSING: [&str; 30] = [
    "timeout",
    "timed out",
    "time-out",
    "deadline exceeded",
    "requestcanceled",
    "request canceled",
    "context canceled",
    "connection reset",
    "connection refused",
    "connection issue",
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

fn is_echo(reason: &str) -> bool {
    says(reason, &["conflict. the container name"])
}

/// The container for which the task ended. ECS stops the others after it, and
/// does not say which was first: that is read from how each was left.
pub fn to_blame(task: &StoppedTask) -> Option<&StoppedContainer> {
    let unhealthy = task
        .containers
        .iter()
        .find(|container| container.is_unhealthy);
    if is_about_own_health(&task.reason) && unhealthy.is_some() {
        return unhealthy;
    }
    let ended_by_itself = task.stop_code.as_deref() == Some("EssentialContainerExited");
    task.containers.iter().min_by_key(|container| {
        let has_no_say = ended_by_itself && !container.is_essential;
        (has_no_say, innocence(container))
    })
}

fn innocence(container: &StoppedContainer) -> u8 {
    match (container.reason.as_deref(), container.exit_code) {
        (Some(reason), _) if is_out_of_memory(reason) => 0,
        // It never ran.
        (Some(_), None) => 1,
        (_, Some(0)) => 3,
        (_, Some(code)) if STOPPED.contains(&code) => 4,
        (_, Some(_)) => 2,
        (None, None) => 5,
    }
}

fn is_out_of_memory(reason: &str) -> bool {
    reason.contains("OutOfMemory")
}

fn is_about_own_health(reason: &str) -> bool {
    says(reason, &["failed container health checks"])
}

/// Why the task stopped; `None` where that is nothing to worry about, as when
/// ECS scales in.
pub fn why(task: &StoppedTask) -> Option<StopCause> {
    let blamed = to_blame(task);
    let reason = task.reason.as_str();
    let container_reason = blamed.and_then(|container| container.reason.as_deref());
    let container_reason = container_reason.unwrap_or_default();
    let said = |prefix: &str| reason.contains(prefix) || container_reason.contains(prefix);
    let text = || {
        let reasons = [reason, container_reason];
        let telling = reasons
            .into_iter()
            .max_by_key(|text| (!text.is_empty(), !is_echo(text), text.len()));
        telling.unwrap_or_default().to_owned()
    };
    let container = || blamed.map_or_else(|| "?".to_owned(), |container| container.name.clone());
    if OTHER_MACHINE.iter().any(|words| said(words)) {
        return Some(StopCause::Platform(text()));
    }
    if says(container_reason, &NOT_STARTED) || says(reason, &NOT_STARTED) {
        return Some(StopCause::NotStarted {
            container: container(),
            reason: text(),
        });
    }
    if said("CannotPullContainer") || said("CannotPullImage") {
        return Some(StopCause::ImagePull(text()));
    }
    if said("ResourceInitializationError") && is_about_file_system(&text()) {
        return Some(StopCause::FileSystem(text()));
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
            limit: limit(task, blamed),
        });
    }
    if is_about_own_health(reason) || is_about_own_health(container_reason) {
        return Some(StopCause::ContainerHealth {
            container: container(),
            reason: text(),
        });
    }
    if said("failed ELB health checks") {
        return Some(StopCause::HealthCheck(text()));
    }
    let has_exited = blamed.is_some_and(|container| container.exit_code.is_some());
    match task.stop_code.as_deref() {
        // ECS or a person stopped a task that could have gone on.
        Some(
            "ServiceSchedulerInitiated"
            | "UserInitiated"
            | "SpotInterruption"
            | "TerminationNotice",
        ) => None,
        Some("EssentialContainerExited") => Some(exited(blamed, container())),
        _ if has_exited => Some(exited(blamed, container())),
        _ if reason.starts_with("Scaling activity") || reason.is_empty() => None,
        _ => Some(StopCause::Other(text())),
    }
}

fn limit(task: &StoppedTask, blamed: Option<&StoppedContainer>) -> Option<MemoryLimit> {
    let own = blamed.and_then(|container| container.memory);
    own.map(MemoryLimit::Own).or_else(|| {
        Some(MemoryLimit::Shared {
            memory: task.memory?,
            containers: task.containers.len(),
        })
    })
}

fn is_about_network(reason: &str) -> bool {
    says(
        reason,
        &[
            "network interface",
            "insufficientfreeaddressesinsubnet",
            "failed to configure eni",
        ],
    )
}

fn is_about_file_system(reason: &str) -> bool {
    says(
        reason,
        &["efs", "mount.nfs", "elasticfilesystem", "file system"],
    )
}

fn exited(blamed: Option<&StoppedContainer>, container: String) -> StopCause {
    StopCause::Exited {
        container,
        code: blamed.and_then(|container| container.exit_code),
        reason: blamed.and_then(|container| container.reason.clone()),
    }
}

#[cfg(test)]
mod tests;
