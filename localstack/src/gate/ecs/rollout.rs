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

mod progress;

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition::{Condition, Look};
use super::events::{self, Log};
use super::service::{Deployment, Phase, Rollout, Seconds, Service, Task};
use super::tenants::Tenants;
use crate::balancer::config::Arn;
pub use progress::Progress;
use progress::Rolling;

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

/// Where a rollback leads to.
#[derive(Debug, Clone)]
struct Completed {
    id: String,
    task_definition: String,
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
            progress.rolling().is_some_and(|it| it.of == failed)
                && progress
                    .completed()
                    .is_none_or(|at| now - at < LISTED_AFTER_ROLLBACK)
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
            // Whole seconds: it may have been created at that second's end.
            let is_earlier = deployment.created + 1.0 <= self.since;
            let progress = match deployment.rollout {
                Some(Rollout::Completed) if is_earlier => {
                    self.last_completed = Some(completed(deployment));
                    Progress::completed_before(deployment.created)
                }
                Some(Rollout::Failed) if is_earlier => Progress::failed_before(&deployment.raw),
                _ => Progress::begun(self.take_rollback(deployment)),
            };
            self.deployments.insert(deployment.id.clone(), progress);
        }
    }

    /// The rollback that was decided, if that new deployment is it. Any other new
    /// one is a client's, and there is no rollback any more.
    fn take_rollback(&mut self, deployment: &Deployment) -> Option<Rolling> {
        if !deployment.is_primary {
            return None;
        }
        let rolling = self.rolling_back.take()?;
        (rolling.task_definition == deployment.task_definition).then_some(rolling)
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
                && progress.completed().is_some()
            {
                progress.reopen(Rolling {
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
        progress.fail(&deployment.raw);
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
            if *condition == Condition::Healthy {
                progress.note_healthy(&task.arn, service.breaker.resets_on_healthy_task);
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
                progress.note_stopped_task();
            }
            self.count_failed(look, primary, task);
        }
    }

    /// Counts a task once, and only while the rollout is open.
    fn count_failed(&mut self, look: &Look<'_>, primary: &Deployment, task: &Task) {
        let Some(progress) = self.deployments.get_mut(&primary.id) else {
            return;
        };
        let breaker = look.service.breaker;
        if progress.count_failed(&task.arn)
            && breaker.enabled
            && progress.failures() >= breaker.limit(look.service.desired)
        {
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
            progress.complete(look.now);
            self.last_completed = Some(completed(primary));
            let message = events::completed(&look.service.name, &primary.id);
            self.log.say(look.now, message);
        }
        if progress.turn_steady(is_steady) {
            self.log.say(look.now, events::steady(&look.service.name));
        }
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
        let awaits_replacements = self
            .progress(&primary.id)
            .is_some_and(Progress::awaits_replacements);
        if is_short && awaits_replacements {
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
        if !service.breaker.rollback || progress.rolling().is_some() || is_rolled_back {
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
