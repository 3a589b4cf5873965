//! How a task of a service stands with the load balancer. Pure.

use std::collections::BTreeMap;

use super::service::{Deployment, Door, Seconds, Service, Task};
use super::tenants::Tenants;
use crate::balancer::config::{Arn, Target};
use crate::balancer::health::{Health, State};

/// The health of each target of each target group that a service names.
pub type HealthOf = BTreeMap<Arn, Vec<(Target, Health)>>;

/// All that is seen of a service at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub service: &'a Service,
    pub tasks: &'a [Task],
    pub health: &'a HealthOf,
    pub now: Seconds,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Its targets are healthy in all target groups.
    Healthy,
    /// Not yet: not running, not registered, not checked, or in a target group
    /// that no load balancer uses.
    Waiting,
    /// With the reason that the load balancer gives.
    Unhealthy { door: Door, reason: String },
}

impl Look<'_> {
    /// The tasks that ECS counts to that deployment. On AWS they are started by
    /// it; an emulator may say otherwise, then a task is of the last deployment
    /// of its task definition. Moments may be in whole seconds.
    pub fn tasks_of(&self, deployment: &Deployment) -> Vec<&Task> {
        let is_of = |task: &&Task| {
            if task.started_by.starts_with("ecs-svc/") {
                return task.started_by == deployment.id;
            }
            task.task_definition == deployment.task_definition
                && task.created >= deployment.created.floor()
        };
        self.tasks.iter().filter(is_of).collect()
    }

    /// The condition of a running task.
    pub fn condition(&self, task: &Task, tenants: &mut Tenants) -> Condition {
        let Some(ip) = task.address else {
            return Condition::Waiting;
        };
        let mut condition = Condition::Healthy;
        for door in &self.service.doors {
            let target = Target {
                ip,
                port: door.port,
            };
            let said = self.said_of(&door.group, target);
            let state = said.map(|health| health.state);
            match tenants.own_state(&task.arn, &door.group, target, state, self.now) {
                // No checks are made of an unavailable one, so none fails.
                Some(State::Healthy | State::Unavailable) => {}
                Some(State::Unhealthy) => {
                    return Condition::Unhealthy {
                        door: door.clone(),
                        reason: reason(said),
                    };
                }
                Some(State::Initial | State::Unused | State::Draining) | None => {
                    condition = Condition::Waiting;
                }
            }
        }
        condition
    }

    fn said_of(&self, group: &Arn, target: Target) -> Option<&Health> {
        let targets = self.health.get(group)?;
        let (_, health) = targets.iter().find(|(known, _)| *known == target)?;
        Some(health)
    }
}

fn reason(health: Option<&Health>) -> String {
    health
        .and_then(|health| health.description.clone())
        .unwrap_or_else(|| "Health checks failed".to_owned())
}
