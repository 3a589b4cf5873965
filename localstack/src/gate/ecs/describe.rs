//! What the emulator's answers say of services and tasks, put right in place.
//! What is not of a rollout stays as it came. Pure.

use serde_json::{Value, json};

use super::rollout::{Memory, Progress};
use super::service::{Deployment, Rollout, Seconds, Service};

/// Also the reason of the emulators that say so in other words.
const FAILED: &str = "ECS deployment circuit breaker: tasks failed to start.";

/// Corrects a `Service` object, of which `service` was read.
pub fn correct_service(raw: &mut Value, service: &Service, memory: &Memory, now: Seconds) {
    let Some(deployments) = raw["deployments"].as_array_mut() else {
        return;
    };
    let failed: Vec<_> = memory.failed_to_list(service, now).collect();
    let is_over = |deployment: &Value| {
        let id = deployment["id"].as_str().unwrap_or_default();
        let has_failed = memory.progress(id).and_then(Progress::failed).is_some();
        has_failed && !failed.iter().any(|(listed, _)| *listed == id)
    };
    deployments.retain(|deployment| !is_over(deployment));
    for (id, raw) in &failed {
        if !deployments.iter().any(|it| it["id"] == **id) {
            deployments.push(without_tasks(raw));
        }
    }
    for deployment in deployments {
        correct_deployment(deployment, memory);
    }
    memory.log().merge_into(&mut raw["events"]);
}

/// Corrects a `Task` object that the gate has told to stop for that reason.
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>
pub fn correct_task(raw: &mut Value, reason: &str) {
    if raw["desiredStatus"] == "STOPPED" {
        raw["stopCode"] = json!("ServiceSchedulerInitiated");
        raw["stoppedReason"] = json!(reason);
    }
}

fn without_tasks(raw: &Value) -> Value {
    let mut deployment = raw.clone();
    deployment["status"] = json!("ACTIVE");
    deployment["runningCount"] = json!(0);
    deployment["pendingCount"] = json!(0);
    deployment
}

fn correct_deployment(raw: &mut Value, memory: &Memory) {
    let Some(deployment) = Deployment::read(raw) else {
        return;
    };
    let progress = memory.progress(&deployment.id);
    let rollout = rollout(&deployment, progress);
    let failures = progress.map_or(0, Progress::failures);
    raw["rolloutState"] = json!(rollout.as_str());
    raw["rolloutStateReason"] = json!(reason(&deployment.id, rollout, progress));
    raw["failedTasks"] = json!(failures.max(deployment.failed_tasks));
}

/// Completed is what both say: the emulator, that it has done its part, and the
/// gate, that the targets were healthy.
fn rollout(deployment: &Deployment, progress: Option<&Progress>) -> Rollout {
    match progress {
        Some(progress) if progress.failed().is_some() => Rollout::Failed,
        Some(progress)
            if progress.is_completed() && deployment.rollout != Some(Rollout::InProgress) =>
        {
            Rollout::Completed
        }
        _ => Rollout::InProgress,
    }
}

fn reason(id: &str, rollout: Rollout, progress: Option<&Progress>) -> String {
    match (rollout, progress.and_then(Progress::rolling)) {
        (Rollout::Failed, _) => FAILED.to_owned(),
        (Rollout::Completed, _) => format!("ECS deployment {id} completed."),
        (Rollout::InProgress, Some(rolling)) => format!(
            "ECS deployment circuit breaker: rolling back to deploymentId {}.",
            rolling.to
        ),
        (Rollout::InProgress, None) => format!("ECS deployment {id} in progress."),
    }
}
