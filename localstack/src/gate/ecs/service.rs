//! What ECS says of a service and of its tasks: the JSON of its answers, typed as
//! far as a rollout is judged by it. Pure, no judgement.
//!
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>,
//! <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Task.html>.

use std::net::IpAddr;

use serde_json::Value;

use crate::balancer::config::Arn;

/// A moment as ECS's JSON has it: seconds since 1970, with or without a fraction.
pub type Seconds = f64;

/// An active service behind a load balancer, rolled out by ECS itself. No other
/// is judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub arn: String,
    pub name: String,
    pub cluster: String,
    pub desired: usize,
    /// `healthCheckGracePeriodSeconds`.
    pub grace: Seconds,
    pub breaker: Breaker,
    /// At least one.
    pub doors: Vec<Door>,
    pub deployments: Vec<Deployment>,
}

/// Where the tasks of a service are registered, one of its `loadBalancers`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    pub group: Arn,
    pub port: u16,
}

/// `deploymentCircuitBreaker`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Breaker {
    pub enabled: bool,
    pub rollback: bool,
    pub resets_on_healthy_task: bool,
    pub threshold: Threshold,
}

/// `thresholdConfiguration`; percentages are of the service's desired count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// At least 3, at most 200.
    BoundedPercent(f64),
    UnboundedPercent(f64),
    Count(f64),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deployment {
    pub id: String,
    pub is_primary: bool,
    pub task_definition: String,
    /// None where the emulator says nothing of it.
    pub rollout: Option<Rollout>,
    pub failed_tasks: usize,
    pub created: Seconds,
    /// Running and pending.
    pub tasks: usize,
    /// All of it, to be shown again once the emulator has dropped it.
    pub raw: Value,
}

/// `rolloutState`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollout {
    InProgress,
    Completed,
    Failed,
}

impl Rollout {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    pub arn: String,
    pub task_definition: String,
    pub started_by: String,
    pub created: Seconds,
    pub started: Option<Seconds>,
    /// None until its network interface is attached, and in network modes other
    /// than `awsvpc`.
    pub address: Option<IpAddr>,
    pub phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Starting,
    Running,
    Stopping,
    /// For good; `by_itself` if no one has asked for it, or it never started.
    Stopped {
        by_itself: bool,
    },
}

impl Service {
    /// None if it is not one that is judged.
    pub fn read(service: &Value) -> Option<Self> {
        let controller = service["deploymentController"]["type"].as_str();
        let doors: Vec<_> = items(&service["loadBalancers"])
            .filter_map(Door::read)
            .collect();
        if service["status"] != "ACTIVE" || controller.unwrap_or("ECS") != "ECS" || doors.is_empty()
        {
            return None;
        }
        Some(Self {
            arn: text(&service["serviceArn"])?,
            name: text(&service["serviceName"])?,
            cluster: text(&service["clusterArn"])?,
            desired: count(&service["desiredCount"]),
            grace: service["healthCheckGracePeriodSeconds"]
                .as_f64()
                .unwrap_or_default(),
            breaker: Breaker::read(&service["deploymentConfiguration"]["deploymentCircuitBreaker"]),
            doors,
            deployments: items(&service["deployments"])
                .filter_map(Deployment::read)
                .collect(),
        })
    }

    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.is_primary)
    }
}

impl Door {
    fn read(balancer: &Value) -> Option<Self> {
        Some(Self {
            group: Arn::new(balancer["targetGroupArn"].as_str()?),
            port: u16::try_from(balancer["containerPort"].as_u64()?).ok()?,
        })
    }
}

impl Breaker {
    fn read(breaker: &Value) -> Self {
        let configured = &breaker["thresholdConfiguration"];
        let value = configured["value"].as_f64();
        Self {
            enabled: breaker["enable"] == true,
            rollback: breaker["rollback"] == true,
            resets_on_healthy_task: breaker["resetOnHealthyTask"] != false,
            threshold: match (configured["type"].as_str(), value) {
                (Some("COUNT"), Some(count)) => Threshold::Count(count),
                (Some("UNBOUNDED_PERCENT"), Some(percent)) => Threshold::UnboundedPercent(percent),
                (_, percent) => Threshold::BoundedPercent(percent.unwrap_or(50.0)),
            },
        }
    }

    /// How many failed tasks fail a deployment.
    /// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>
    pub fn limit(&self, desired: usize) -> usize {
        // Casts saturate: a negative value is 0.
        let part = |percent: f64| (desired as f64 * percent / 100.0).ceil() as usize;
        match self.threshold {
            Threshold::BoundedPercent(percent) => part(percent).clamp(3, 200),
            Threshold::UnboundedPercent(percent) => part(percent).max(1),
            Threshold::Count(count) => (count as usize).max(1),
        }
    }
}

impl Deployment {
    /// None if it is not a deployment.
    pub fn read(deployment: &Value) -> Option<Self> {
        Some(Self {
            id: text(&deployment["id"])?,
            is_primary: deployment["status"] == "PRIMARY",
            task_definition: text(&deployment["taskDefinition"])?,
            rollout: match deployment["rolloutState"].as_str() {
                Some("IN_PROGRESS") => Some(Rollout::InProgress),
                Some("COMPLETED") => Some(Rollout::Completed),
                Some("FAILED") => Some(Rollout::Failed),
                _ => None,
            },
            failed_tasks: count(&deployment["failedTasks"]),
            created: deployment["createdAt"].as_f64().unwrap_or_default(),
            tasks: count(&deployment["runningCount"]) + count(&deployment["pendingCount"]),
            raw: deployment.clone(),
        })
    }
}

impl Task {
    /// None if it is not a task.
    pub fn read(task: &Value) -> Option<Self> {
        Some(Self {
            arn: text(&task["taskArn"])?,
            task_definition: text(&task["taskDefinitionArn"])?,
            started_by: text(&task["startedBy"]).unwrap_or_default(),
            created: task["createdAt"].as_f64().unwrap_or_default(),
            started: task["startedAt"].as_f64(),
            address: address(task),
            phase: phase(task),
        })
    }

    /// The last part of its ARN, as events have it.
    pub fn id(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    pub fn is_live(&self) -> bool {
        matches!(self.phase, Phase::Starting | Phase::Running)
    }

    /// When its grace period begins. A moment in whole seconds has lost its
    /// fraction, and a task must not lose that much of its grace period: it is
    /// taken for the end of that second.
    pub fn began(&self) -> Seconds {
        let at = self.started.unwrap_or(self.created);
        if at.fract() == 0.0 { at + 1.0 } else { at }
    }
}

fn phase(task: &Value) -> Phase {
    match task["lastStatus"].as_str() {
        Some("STOPPED" | "DELETED") => Phase::Stopped {
            by_itself: matches!(
                task["stopCode"].as_str(),
                Some("EssentialContainerExited" | "TaskFailedToStart")
            ),
        },
        Some("DEACTIVATING" | "STOPPING" | "DEPROVISIONING") => Phase::Stopping,
        _ if task["desiredStatus"] == "STOPPED" => Phase::Stopping,
        Some("RUNNING") => Phase::Running,
        _ => Phase::Starting,
    }
}

fn address(task: &Value) -> Option<IpAddr> {
    items(&task["attachments"])
        .flat_map(|attachment| items(&attachment["details"]))
        .find(|detail| detail["name"] == "privateIPv4Address")
        .and_then(|detail| detail["value"].as_str())
        .or_else(|| {
            items(&task["containers"])
                .flat_map(|container| items(&container["networkInterfaces"]))
                .find_map(|interface| interface["privateIpv4Address"].as_str())
        })?
        .parse()
        .ok()
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn count(value: &Value) -> usize {
    value
        .as_u64()
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(more: &[(&str, Value)]) -> Value {
        let mut service = json!({
            "status": "ACTIVE",
            "serviceArn": "arn:service/one",
            "serviceName": "one",
            "clusterArn": "arn:cluster/c",
            "loadBalancers": [{"targetGroupArn": "arn:tg", "containerPort": 80}],
        });
        for (key, value) in more {
            service[key] = value.clone();
        }
        service
    }

    #[test]
    fn only_active_services_of_ecs_behind_a_load_balancer_are_read() {
        assert!(Service::read(&service(&[])).is_some());
        for (key, value) in [
            ("status", json!("INACTIVE")),
            ("status", json!("DRAINING")),
            ("loadBalancers", json!([])),
            ("loadBalancers", json!([{"loadBalancerName": "classic"}])),
            ("deploymentController", json!({"type": "CODE_DEPLOY"})),
        ] {
            assert_eq!(Service::read(&service(&[(key, value)])), None, "{key}");
        }
        let explicit = service(&[("deploymentController", json!({"type": "ECS"}))]);
        assert!(Service::read(&explicit).is_some());
    }

    #[test]
    fn a_task_is_in_one_of_four_phases() {
        let by_itself = |by_itself| Phase::Stopped { by_itself };
        for (last, desired, code, expected) in [
            ("PROVISIONING", "RUNNING", "", Phase::Starting),
            ("ACTIVATING", "RUNNING", "", Phase::Starting),
            ("RUNNING", "RUNNING", "", Phase::Running),
            ("RUNNING", "STOPPED", "", Phase::Stopping),
            ("DEACTIVATING", "STOPPED", "", Phase::Stopping),
            ("STOPPED", "STOPPED", "UserInitiated", by_itself(false)),
            (
                "STOPPED",
                "STOPPED",
                "EssentialContainerExited",
                by_itself(true),
            ),
            ("STOPPED", "STOPPED", "TaskFailedToStart", by_itself(true)),
        ] {
            let task = json!({"lastStatus": last, "desiredStatus": desired, "stopCode": code});
            assert_eq!(phase(&task), expected, "{last} {desired} {code}");
        }
    }

    #[test]
    fn its_address_is_that_of_its_attachment_or_of_a_container() {
        let attached = json!({"attachments": [{"details": [
            {"name": "subnetId", "value": "subnet-1"},
            {"name": "privateIPv4Address", "value": "10.0.0.7"},
        ]}]});
        let interface = json!({"attachments": [], "containers": [
            {"networkInterfaces": []},
            {"networkInterfaces": [{"privateIpv4Address": "10.0.0.7"}]},
        ]});
        for task in [attached, interface] {
            assert_eq!(address(&task), Some([10, 0, 0, 7].into()));
        }
        assert_eq!(address(&json!({"attachments": []})), None);
    }

    #[test]
    fn it_begins_when_it_was_started_at_the_latest() {
        let began = |task: Value| {
            let mut whole = json!({"taskArn": "a", "taskDefinitionArn": "td"});
            for (key, value) in task.as_object().unwrap() {
                whole[key] = value.clone();
            }
            Task::read(&whole).unwrap().began()
        };
        assert_eq!(began(json!({"createdAt": 10.5})), 10.5);
        assert_eq!(began(json!({"createdAt": 10.5, "startedAt": 12.25})), 12.25);
        assert_eq!(began(json!({"createdAt": 10, "startedAt": 12})), 13.0);
    }
}
