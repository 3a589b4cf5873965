//! When a deployment is completed, when a task has failed, when a deployment has:
//! ECS's service scheduler, as far as it depends on the load balancer. Pure: what
//! is to be done is said in [`Act`]s.
//!
//! - A rollout completes when the service is steady: as many tasks as desired,
//!   all running and healthy in every target group.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Deployment.html>
//! - A task whose target is unhealthy after the grace period is stopped and
//!   replaced.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-load-balancing.html>,
//!   `healthCheckGracePeriodSeconds` in
//!   <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_CreateService.html>
//! - Failed tasks are counted until the rollout is completed; the circuit breaker
//!   fails the deployment at a number of them.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>
//!
//! Looks may arrive out of order: nothing that is known is unlearnt by an old one.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::condition::{Condition, Look};
use super::events::{self, Log};
use super::service::{Deployment, Phase, Rollout, Seconds, Service, Task};
use super::tenants::Tenants;
use crate::balancer::config::Arn;

/// How long a failed deployment is listed after its rollback is completed: on AWS
/// its tasks drain for that long, more or less.
const LISTED_AFTER_ROLLBACK: Seconds = 120.0;

/// What is to be done at the emulator. The same may be said at each look until it
/// is seen done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    Stop {
        task: String,
        reason: String,
    },
    /// The emulator is to start tasks for those that were stopped.
    Replace,
    /// From that deployment to that task definition.
    RollBack {
        of: String,
        to: String,
    },
}

impl Act {
    /// Whether it must not be done again once the emulator has accepted it.
    pub fn is_done_once(&self) -> bool {
        match self {
            Self::Stop { .. } | Self::RollBack { .. } => true,
            Self::Replace => false,
        }
    }
}

/// What is known of a service from looking at it.
#[derive(Debug, Clone)]
pub struct Memory {
    /// What an emulator says of earlier deployments is believed.
    since: Seconds,
    deployments: BTreeMap<String, Progress>,
    last_completed: Option<Completed>,
    /// A rollback that was decided, of the deployment `of`.
    rolling_back: Option<Rolling>,
    /// Tasks to be stopped, and why.
    stops: BTreeMap<String, String>,
    tenants: Tenants,
    log: Log,
}

/// How far a deployment is.
#[derive(Debug, Clone, Default)]
pub struct Progress {
    outcome: Outcome,
    /// Failed tasks since the breaker's count was last reset.
    failures: usize,
    counted: BTreeSet<String>,
    healthy: BTreeSet<String>,
    has_stopped_tasks: bool,
    is_steady: bool,
    rolling: Option<Rolling>,
}

#[derive(Debug, Clone, Default)]
enum Outcome {
    #[default]
    Open,
    Completed(Seconds),
    /// As it was listed then.
    Failed(Value),
}

#[derive(Debug, Clone)]
struct Completed {
    id: String,
    task_definition: String,
}

/// From which deployment to which it is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    pub of: String,
    pub to: String,
    task_definition: String,
}

impl Progress {
    pub fn is_completed(&self) -> bool {
        matches!(self.outcome, Outcome::Completed(_))
    }

    /// The deployment as it was listed when it failed.
    pub fn failed(&self) -> Option<&Value> {
        match &self.outcome {
            Outcome::Failed(raw) => Some(raw),
            Outcome::Open | Outcome::Completed(_) => None,
        }
    }

    pub fn failures(&self) -> usize {
        self.failures
    }

    /// What it rolls back, if it is a rollback.
    pub fn rolling(&self) -> Option<&Rolling> {
        self.rolling.as_ref()
    }

    fn is_open(&self) -> bool {
        matches!(self.outcome, Outcome::Open)
    }
}

impl Memory {
    /// Of a service that is met at a gate which has been open since then.
    pub fn new(since: Seconds) -> Self {
        Self {
            since,
            deployments: BTreeMap::new(),
            last_completed: None,
            rolling_back: None,
            stops: BTreeMap::new(),
            tenants: Tenants::default(),
            log: Log::default(),
        }
    }

    pub fn progress(&self, deployment: &str) -> Option<&Progress> {
        self.deployments.get(deployment)
    }

    pub fn log(&self) -> &Log {
        &self.log
    }

    /// Why the gate has told that task to stop, if it has.
    pub fn stop_reason(&self, task: &str) -> Option<&str> {
        self.stops.get(task).map(String::as_str)
    }

    /// The tasks that were told to stop, and why.
    pub fn into_stops(self) -> BTreeMap<String, String> {
        self.stops
    }

    /// Whether the rollout may still get on, or fail.
    pub fn is_open(&self, service: &Service) -> bool {
        let Some(primary) = service.primary() else {
            return false;
        };
        self.progress(&primary.id).is_none_or(|progress| {
            progress.is_open()
                || primary.rollout == Some(Rollout::InProgress)
                || self.way_back(service, primary).is_some()
        })
    }

    /// Failed deployments that are still to be listed, as they were.
    pub fn failed_to_list<'a>(
        &'a self,
        service: &'a Service,
        now: Seconds,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        self.deployments
            .iter()
            .filter_map(|(id, progress)| Some((id.as_str(), progress.failed()?)))
            .filter(move |(id, _)| self.is_listed(id, service, now))
    }

    fn is_listed(&self, failed: &str, service: &Service, now: Seconds) -> bool {
        let has_tasks = |deployment: &Deployment| deployment.id == failed && deployment.tasks > 0;
        let Some(primary) = service.primary() else {
            return true;
        };
        let successor = self.progress(&primary.id);
        let is_its_rollback = |progress: &Progress| {
            progress.rolling.as_ref().is_some_and(|it| it.of == failed)
                && match progress.outcome {
                    Outcome::Completed(at) => now - at < LISTED_AFTER_ROLLBACK,
                    Outcome::Open | Outcome::Failed(_) => true,
                }
        };
        primary.id == failed
            || service.deployments.iter().any(has_tasks)
            || successor.is_some_and(is_its_rollback)
    }

    /// Learns from a look, and says what is to be done.
    pub fn judge(&mut self, look: &Look<'_>) -> Vec<Act> {
        self.meet_deployments(look);
        self.believe_failures(look);
        let Some(primary) = look.service.primary() else {
            return Vec::new();
        };
        let tasks = look.tasks_of(primary);
        let conditions: Vec<_> = tasks
            .iter()
            .filter(|task| task.phase == Phase::Running)
            .map(|task| (*task, look.condition(task, &mut self.tenants)))
            .collect();
        self.count_healthy(look.service, primary, &conditions);
        self.count_ended(look, primary, &tasks);
        self.stop_unhealthy(look, primary, &conditions);
        self.settle(look, primary, &tasks, &conditions);
        self.acts(look, primary, &tasks)
    }

    fn meet_deployments(&mut self, look: &Look<'_>) {
        let mut new: Vec<_> = look
            .service
            .deployments
            .iter()
            .filter(|deployment| !self.deployments.contains_key(&deployment.id))
            .collect();
        new.sort_by(|one, other| one.created.total_cmp(&other.created));
        for deployment in new {
            let mut progress = Progress::default();
            // Whole seconds: it may have been created at that second's end.
            let is_earlier = deployment.created + 1.0 <= self.since;
            if is_earlier && deployment.rollout == Some(Rollout::Completed) {
                progress.outcome = Outcome::Completed(deployment.created);
                progress.is_steady = true;
                self.last_completed = Some(completed(deployment));
            }
            if deployment.is_primary {
                progress.rolling = self
                    .rolling_back
                    .take()
                    .filter(|it| it.task_definition == deployment.task_definition);
            }
            self.deployments.insert(deployment.id.clone(), progress);
        }
    }

    /// An emulator's own breaker may trip on tasks that end by themselves; and it
    /// may then go back to an earlier deployment, under that one's id.
    fn believe_failures(&mut self, look: &Look<'_>) {
        for deployment in &look.service.deployments {
            if deployment.rollout != Some(Rollout::Failed) || !self.is_open_one(&deployment.id) {
                continue;
            }
            self.fail(look, deployment);
            let Some(primary) = look.service.primary().filter(|it| it.id != deployment.id) else {
                continue;
            };
            if let Some(progress) = self.deployments.get_mut(&primary.id)
                && progress.is_completed()
            {
                progress.outcome = Outcome::Open;
                progress.rolling = Some(Rolling {
                    of: deployment.id.clone(),
                    to: primary.id.clone(),
                    task_definition: primary.task_definition.clone(),
                });
                let message = events::rolling_back(&look.service.name, &primary.id);
                self.log.say_once(look.now, &deployment.id, message);
            }
        }
    }

    fn is_open_one(&self, deployment: &str) -> bool {
        self.progress(deployment).is_some_and(Progress::is_open)
    }

    fn fail(&mut self, look: &Look<'_>, deployment: &Deployment) {
        let Some(progress) = self.deployments.get_mut(&deployment.id) else {
            return;
        };
        progress.outcome = Outcome::Failed(deployment.raw.clone());
        let message = events::failed(&look.service.name, &deployment.id);
        self.log.say_once(look.now, &deployment.id, message);
    }

    fn count_healthy(
        &mut self,
        service: &Service,
        primary: &Deployment,
        conditions: &[(&Task, Condition)],
    ) {
        let Some(progress) = self.deployments.get_mut(&primary.id) else {
            return;
        };
        for (task, condition) in conditions {
            if *condition == Condition::Healthy
                && progress.healthy.insert(task.arn.clone())
                && progress.is_open()
                && service.breaker.resets_on_healthy_task
            {
                progress.failures = 0;
            }
        }
    }

    fn count_ended(&mut self, look: &Look<'_>, primary: &Deployment, tasks: &[&Task]) {
        for task in tasks {
            if task.phase == (Phase::Stopped { by_itself: true }) {
                self.count_failed(look, primary, task);
            }
        }
    }

    fn stop_unhealthy(
        &mut self,
        look: &Look<'_>,
        primary: &Deployment,
        conditions: &[(&Task, Condition)],
    ) {
        for (task, condition) in conditions {
            let Condition::Unhealthy { door, reason } = condition else {
                continue;
            };
            let has_failed = self
                .progress(&primary.id)
                .is_none_or(|it| it.failed().is_some());
            let is_in_grace = look.now - task.began() < look.service.grace;
            if has_failed || is_in_grace || self.stops.contains_key(&task.arn) {
                continue;
            }
            let service = &look.service.name;
            let unhealthy = events::unhealthy(service, door, reason);
            self.log.say_once(look.now, &primary.id, unhealthy);
            self.log.say(look.now, events::stopped(service, task.id()));
            self.stops
                .insert(task.arn.clone(), stopped_reason(&door.group));
            if let Some(progress) = self.deployments.get_mut(&primary.id) {
                progress.has_stopped_tasks = true;
            }
            self.count_failed(look, primary, task);
        }
    }

    /// Counts a task once, and only while the rollout is open.
    fn count_failed(&mut self, look: &Look<'_>, primary: &Deployment, task: &Task) {
        let Some(progress) = self.deployments.get_mut(&primary.id) else {
            return;
        };
        if !progress.is_open() || !progress.counted.insert(task.arn.clone()) {
            return;
        }
        progress.failures += 1;
        let breaker = look.service.breaker;
        if breaker.enabled && progress.failures >= breaker.limit(look.service.desired) {
            self.fail(look, primary);
        }
    }

    /// Completes the rollout, or says that the service is steady again.
    fn settle(
        &mut self,
        look: &Look<'_>,
        primary: &Deployment,
        tasks: &[&Task],
        conditions: &[(&Task, Condition)],
    ) {
        let is_steady = is_steady(look.service, tasks, conditions);
        let is_held = primary.rollout == Some(Rollout::InProgress);
        let Some(progress) = self.deployments.get_mut(&primary.id) else {
            return;
        };
        if progress.is_open() && is_steady && !is_held {
            progress.outcome = Outcome::Completed(look.now);
            self.last_completed = Some(completed(primary));
            let message = events::completed(&look.service.name, &primary.id);
            self.log.say(look.now, message);
        }
        if progress.is_completed() && is_steady && !progress.is_steady {
            self.log.say(look.now, events::steady(&look.service.name));
        }
        progress.is_steady = progress.is_completed() && is_steady;
    }

    fn acts(&mut self, look: &Look<'_>, primary: &Deployment, tasks: &[&Task]) -> Vec<Act> {
        let live = || tasks.iter().filter(|task| task.is_live());
        let mut acts: Vec<_> = live()
            .filter_map(|task| {
                Some(Act::Stop {
                    task: task.arn.clone(),
                    reason: self.stops.get(&task.arn)?.clone(),
                })
            })
            .collect();
        let is_short = live().count() < look.service.desired;
        if is_short
            && self
                .progress(&primary.id)
                .is_some_and(|it| it.has_stopped_tasks && it.failed().is_none())
        {
            acts.push(Act::Replace);
        }
        if let Some(way) = self.way_back(look.service, primary) {
            acts.push(Act::RollBack {
                of: way.of.clone(),
                to: way.task_definition.clone(),
            });
            let message = events::rolling_back(&look.service.name, &way.to);
            self.log.say_once(look.now, &primary.id, message);
            self.rolling_back = Some(way);
        }
        acts
    }

    /// Where the primary deployment is to be rolled back to: nowhere unless it
    /// has failed, is no rollback itself, and was not rolled back already.
    fn way_back(&self, service: &Service, primary: &Deployment) -> Option<Rolling> {
        let progress = self.progress(&primary.id)?;
        progress.failed()?;
        let is_rolled_back = self
            .deployments
            .values()
            .filter_map(Progress::rolling)
            .any(|rolling| rolling.of == primary.id);
        if !service.breaker.rollback || progress.rolling.is_some() || is_rolled_back {
            return None;
        }
        let last = self.last_completed.as_ref()?;
        Some(Rolling {
            of: primary.id.clone(),
            to: last.id.clone(),
            task_definition: last.task_definition.clone(),
        })
    }
}

fn is_steady(service: &Service, tasks: &[&Task], conditions: &[(&Task, Condition)]) -> bool {
    let are_healthy = || {
        conditions
            .iter()
            .all(|(_, condition)| *condition == Condition::Healthy)
    };
    let live = tasks.iter().filter(|task| task.is_live()).count();
    service.desired == 0
        || (live == service.desired && conditions.len() == service.desired && are_healthy())
}

fn completed(deployment: &Deployment) -> Completed {
    Completed {
        id: deployment.id.clone(),
        task_definition: deployment.task_definition.clone(),
    }
}

/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html>
fn stopped_reason(group: &Arn) -> String {
    format!("Task failed ELB health checks in (target-group {group})")
}

#[cfg(test)]
mod tests;
