//! What the emulator's answers say of services and tasks, put right in place.
//! What is not of a rollout stays as it came. Pure.

use serde_json::{Value, json};

use super::rollout::{Memory, Progress};
use super::service::{Deployment, Rollout, Seconds, Service};

/// An emulator's own breaker says it in other words.
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
            if progress.completed().is_some()
                && deployment.rollout != Some(Rollout::InProgress) =>
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::ecs::condition::{HealthOf, Look};

    /// As an emulator answers, with the new deployment's id first.
    fn canned(deployments: &Value) -> Value {
        json!({
            "zone": 1,
            "serviceArn": "arn:service/one",
            "serviceName": "one",
            "clusterArn": "arn:cluster/c",
            "status": "ACTIVE",
            "desiredCount": 0,
            "loadBalancers": [{"targetGroupArn": "arn:tg", "containerPort": 80}],
            "deployments": deployments,
            "events": [{"id": "1", "createdAt": 5, "message": "theirs"}],
            "another": {"z": null, "a": [1.5]},
        })
    }

    fn deployment(id: &str, status: &str, rollout: &str) -> Value {
        json!({
            "id": id,
            "status": status,
            "taskDefinition": "td:1",
            "createdAt": 10,
            "unknown": id,
            "failedTasks": 2,
            "rolloutState": rollout,
            "rolloutStateReason": "theirs",
        })
    }

    fn judged(raw: &Value, since: Seconds) -> Memory {
        let mut memory = Memory::new(since);
        memory.judge(&Look {
            service: &Service::read(raw).unwrap(),
            tasks: &[],
            health: &HealthOf::new(),
            now: 20.0,
        });
        memory
    }

    fn corrected(mut raw: Value, memory: &Memory) -> Value {
        let service = Service::read(&raw).unwrap();
        correct_service(&mut raw, &service, memory, 20.0);
        raw
    }

    #[test]
    fn only_what_is_of_the_rollout_is_changed() {
        let mut before = canned(&json!([deployment("ecs-svc/1", "PRIMARY", "COMPLETED")]));
        let memory = judged(&before, 0.0);
        let mut after = corrected(before.clone(), &memory);
        let deployment = after["deployments"][0].take();
        assert_eq!(deployment["rolloutState"], "COMPLETED");
        assert_eq!(
            deployment["rolloutStateReason"],
            "ECS deployment ecs-svc/1 completed."
        );
        assert_eq!(
            deployment["failedTasks"], 2,
            "the emulator has counted more"
        );
        assert_eq!(deployment["unknown"], "ecs-svc/1");
        assert_eq!(after["events"].as_array().unwrap().len(), 3);
        for changed in ["deployments", "events"] {
            before[changed] = json!("changed");
            after[changed] = json!("changed");
        }
        assert_eq!(after.to_string(), before.to_string(), "in its order, too");
    }

    #[test]
    fn of_a_deployment_that_was_not_judged_nothing_is_completed() {
        let raw = canned(&json!([deployment("ecs-svc/1", "PRIMARY", "COMPLETED")]));
        let after = corrected(raw, &Memory::new(0.0));
        assert_eq!(after["deployments"][0]["rolloutState"], "IN_PROGRESS");
    }

    #[test]
    fn the_emulators_own_failure_is_said_in_awss_words() {
        let raw = canned(&json!([deployment("ecs-svc/1", "PRIMARY", "FAILED")]));
        let memory = judged(&raw, 0.0);
        let after = corrected(raw, &memory);
        assert_eq!(after["deployments"][0]["rolloutState"], "FAILED");
        assert_eq!(after["deployments"][0]["rolloutStateReason"], FAILED);
    }

    #[test]
    fn a_failed_deployment_that_the_emulator_keeps_for_good_is_dropped() {
        let failed = json!([deployment("ecs-svc/1", "PRIMARY", "FAILED")]);
        let mut memory = judged(&canned(&failed), 0.0);
        let raw = canned(&json!([
            deployment("ecs-svc/2", "PRIMARY", "COMPLETED"),
            deployment("ecs-svc/1", "ACTIVE", "FAILED"),
        ]));
        memory.judge(&Look {
            service: &Service::read(&raw).unwrap(),
            tasks: &[],
            health: &HealthOf::new(),
            now: 20.0,
        });
        let after = corrected(raw, &memory);
        assert_eq!(after["deployments"].as_array().unwrap().len(), 1);
        assert_eq!(after["deployments"][0]["id"], "ecs-svc/2");
    }

    #[test]
    fn a_task_says_why_it_was_stopped_once_it_is() {
        for (desired, code) in [
            ("RUNNING", json!(null)),
            ("STOPPED", json!("ServiceSchedulerInitiated")),
        ] {
            let mut task = json!({"desiredStatus": desired});
            correct_task(&mut task, "because");
            assert_eq!(task["stopCode"], code);
        }
    }
}
