//! When a deployed colour *serves*, and when it never will.
//!
//! Serves: the requested task definition's deployment is complete, as many
//! tasks run as are wanted, as many targets are healthy, and the health path
//! answers with 2xx, all of it three times in a row. Who cannot ask the health
//! path may go without it, and says so. ECS's circuit breaker can
//! end an update in success with the *old* revision, and an emulator or a
//! target group that fails open calls anything healthy: so each is asked.
//!
//! Reads are eventually consistent: one that tells of something older is no
//! reason to give up, nor to be content.

mod doubt;

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use crate::engine::fitness::{described, unhealthy};
use crate::engine::stopped::{self, StopCause};
use crate::model::{
    Answer, Barrier, Deployment, Revision, Rollout, ServiceState, StoppedTask, Target, Targets,
};
use doubt::Doubt;

/// Good readings in a row that make "serves".
pub const GOOD_READINGS: u32 = 3;

/// How long an app that runs may answer its health path badly at least, before
/// it is broken and not slow. Where ECS is to let it be unhealthy for longer, so
/// is this.
const HEALTH_PATIENCE: Duration = Duration::from_secs(15);

/// For how long it may be a moment's trouble of the network that the test route
/// cannot be asked from here.
const REACH_PATIENCE: Duration = Duration::from_secs(15);

/// For how long what passes by itself, such as a lack of capacity, is left to
/// ECS, which tries again.
const SETBACK_PATIENCE: Duration = Duration::from_secs(180);

/// One look at a colour that is being deployed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServingReading {
    pub service: Option<ServiceState>,
    pub targets: Targets,
    /// What the health path answered, where it was asked.
    pub health: Option<Answer>,
    /// Why it could not be asked, where it could not.
    pub barrier: Option<Barrier>,
    /// Tasks of the requested revision that have stopped since the deploy began.
    pub stopped: Vec<StoppedTask>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    Waiting(Counts),
    Serves,
    Failed(ServingFault),
}

/// What the wait shows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub desired: i32,
    pub running: i32,
    pub healthy: usize,
    pub good_answers: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServingFault {
    /// A task cannot start, or ended.
    Task { task: StoppedTask, cause: StopCause },
    /// The tasks run, and the health path goes on failing.
    Health { detail: String },
    /// All is well as far as AWS tells, and this machine cannot ask.
    Unasked(Barrier),
    /// ECS's circuit breaker took the deployment back.
    TakenBack { reason: String },
    /// Someone else deployed something else meanwhile.
    Replaced { by: Revision },
    /// The service is gone.
    Deleted,
}

impl std::fmt::Display for ServingFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Task { cause, .. } => write!(f, "{cause}"),
            Self::Health { detail } => write!(f, "the health check fails: {detail}"),
            Self::Unasked(barrier) => write!(f, "its targets are healthy, but {barrier}"),
            Self::TakenBack { reason } => write!(f, "ECS took the deployment back: {reason}"),
            Self::Replaced { by } => write!(
                f,
                "something else has deployed {} onto the same service since",
                by.short()
            ),
            Self::Deleted => f.write_str("the service was deleted meanwhile"),
        }
    }
}

/// What is waited for.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub task_definition: Revision,
    /// As many tasks as were asked for; `None` where the count was left alone.
    pub count: Option<i32>,
    /// The deployment from before, where a new one of the same revision is to
    /// take its place.
    pub replaces: Option<String>,
    /// How long ECS lets a new task be unhealthy.
    pub grace: Duration,
    /// Whether its targets' health does, as nobody here can ask it.
    pub is_blind: bool,
}

/// Judges readings as they come.
#[derive(Debug, Clone)]
pub struct Watch {
    wanted: Wanted,
    good: u32,
    has_count: bool,
    doubt: Doubt,
    /// The tasks that failed for what passes by itself, and of which kind.
    setbacks: Vec<(String, Discriminant<StopCause>)>,
    seen_as_primary: bool,
    unhealthy_since: Option<Duration>,
    barred_since: Option<Duration>,
    /// What was last wrong with a target. ECS stops its task and says only that
    /// checks failed; by then the target, which knows why, is gone.
    ailment: Option<String>,
}

impl Watch {
    pub fn new(wanted: Wanted) -> Self {
        Self {
            has_count: wanted.count.is_none(),
            wanted,
            good: 0,
            doubt: Doubt::default(),
            setbacks: Vec::new(),
            seen_as_primary: false,
            unhealthy_since: None,
            barred_since: None,
            ailment: None,
        }
    }

    /// Whether everything but the health path is as it should be, so that
    /// asking it tells something.
    pub fn is_ready_to_answer(&self, service: Option<&ServiceState>, targets: &Targets) -> bool {
        service.is_some_and(|service| self.has_rolled_out(service) && has_enough(service, targets))
    }

    pub fn judge(&mut self, at: Duration, reading: &ServingReading) -> Judgement {
        self.ailment = ailment(&reading.targets).or(self.ailment.take());
        if let Some((task, cause)) = self.dead_end(at, &reading.stopped) {
            return Judgement::Failed(ServingFault::Task { task, cause });
        }
        if let Some(lost) = self.lost(reading) {
            self.good = 0;
            let counts = self.counts(reading);
            return match self.doubt.is_over(at, &lost) {
                true => Judgement::Failed(lost),
                false => Judgement::Waiting(counts),
            };
        }
        self.doubt = Doubt::default();
        let Some(service) = &reading.service else {
            return Judgement::Waiting(Counts::default());
        };
        if let Some(detail) = self.stays_unhealthy(at, service, reading) {
            return Judgement::Failed(ServingFault::Health { detail });
        }
        if let Some(barrier) = self.stays_unasked(at, reading) {
            return Judgement::Failed(ServingFault::Unasked(barrier));
        }
        self.has_count |= self.has_count_of(service);
        let answers_well =
            self.wanted.is_blind || reading.health.as_ref().is_some_and(Answer::is_ok);
        if self.is_ready_to_answer(Some(service), &reading.targets) && answers_well {
            self.good += 1;
        } else {
            self.good = 0;
        }
        match self.good >= GOOD_READINGS {
            true => Judgement::Serves,
            false => Judgement::Waiting(self.counts(reading)),
        }
    }

    fn counts(&self, reading: &ServingReading) -> Counts {
        let Some(service) = &reading.service else {
            return Counts::default();
        };
        Counts {
            desired: service.desired,
            running: self.ours(service).map_or(0, |ours| ours.running),
            healthy: reading.targets.healthy(),
            good_answers: self.good,
        }
    }

    /// A task that shows that no other will fare better. What passes by itself
    /// shows that only where it is met again after ECS had time to get over it.
    fn dead_end(
        &mut self,
        at: Duration,
        stopped: &[StoppedTask],
    ) -> Option<(StoppedTask, StopCause)> {
        let caused = |task| stopped::why(task).map(|cause| (task, cause));
        let mut causes: Vec<(&StoppedTask, StopCause)> =
            stopped.iter().filter_map(caused).collect();
        causes.sort_by_key(|(task, cause)| (cause.is_echo(), task.created_at));
        for (task, cause) in causes {
            let kind = discriminant(&cause);
            let is_known = self.setbacks.iter().any(|(id, _)| *id == task.id);
            if !cause.is_tried_again() {
                return Some((task.clone(), self.in_the_targets_words(cause)));
            }
            if is_known {
                continue;
            }
            let is_met_again = self.setbacks.iter().any(|(_, known)| *known == kind);
            self.setbacks.push((task.id.clone(), kind));
            if is_met_again && at >= SETBACK_PATIENCE {
                return Some((task.clone(), cause));
            }
        }
        None
    }

    fn ours<'a>(&self, service: &'a ServiceState) -> Option<&'a Deployment> {
        service
            .primary()
            .filter(|deployment| deployment.task_definition == self.wanted.task_definition)
            .filter(|deployment| Some(&deployment.id) != self.wanted.replaces.as_ref())
    }

    /// Whether the requested revision is complete, with every task running.
    pub fn has_rolled_out(&self, service: &ServiceState) -> bool {
        let has_count = self.has_count || self.has_count_of(service);
        self.ours(service).is_some_and(|deployment| {
            has_count
                && deployment.rollout == Some(Rollout::Completed)
                && deployment.running == service.desired
        })
    }

    /// Others, such as autoscaling, may have asked for more already.
    fn has_count_of(&self, service: &ServiceState) -> bool {
        self.wanted
            .count
            .is_some_and(|count| service.desired >= count)
    }

    fn in_the_targets_words(&self, cause: StopCause) -> StopCause {
        match (cause, &self.ailment) {
            (StopCause::HealthCheck(reason), Some(ailment)) => {
                StopCause::HealthCheck(format!("{ailment} ({reason})"))
            }
            (cause, _) => cause,
        }
    }

    /// How the requested revision is no longer what ECS works towards, by this
    /// reading.
    fn lost(&mut self, reading: &ServingReading) -> Option<ServingFault> {
        let Some(service) = &reading.service else {
            // A new service can be late to be seen.
            return self.seen_as_primary.then_some(ServingFault::Deleted);
        };
        let failed = service.deployments.iter().find(|deployment| {
            deployment.task_definition == self.wanted.task_definition
                && Some(&deployment.id) != self.wanted.replaces.as_ref()
                && deployment.rollout == Some(Rollout::Failed)
        });
        // A failed deployment stays in the list for long; one that is not the
        // primary can be an earlier try of the same revision.
        if let Some(failed) = failed.filter(|failed| failed.is_primary || self.seen_as_primary) {
            let reason = failed.rollout_reason.clone();
            return Some(ServingFault::TakenBack {
                reason: reason.unwrap_or_else(|| "its tasks kept failing".to_owned()),
            });
        }
        let primary = service.primary()?;
        if primary.task_definition == self.wanted.task_definition {
            self.seen_as_primary |= self.ours(service).is_some();
            return None;
        }
        self.seen_as_primary.then(|| ServingFault::Replaced {
            by: primary.task_definition.clone(),
        })
    }

    /// Slow becomes broken: all tasks run, and the app itself goes on giving a
    /// bad answer.
    fn stays_unhealthy(
        &mut self,
        at: Duration,
        service: &ServiceState,
        reading: &ServingReading,
    ) -> Option<String> {
        let all_run = self
            .ours(service)
            .is_some_and(|deployment| deployment.running == service.desired);
        let complaint = complaint(reading).filter(|_| all_run);
        let Some(complaint) = complaint else {
            self.unhealthy_since = None;
            return None;
        };
        let since = *self.unhealthy_since.get_or_insert(at);
        (at >= since + HEALTH_PATIENCE.max(self.wanted.grace)).then_some(complaint)
    }

    /// What says nothing of the release ends the wait for its answers all the same.
    fn stays_unasked(&mut self, at: Duration, reading: &ServingReading) -> Option<Barrier> {
        let Some(barrier) = &reading.barrier else {
            self.barred_since = None;
            return None;
        };
        let since = *self.barred_since.get_or_insert(at);
        (at >= since + REACH_PATIENCE).then(|| barrier.clone())
    }
}

/// As many healthy targets as tasks, and no others: while targets of the old
/// revision are still registered, a good answer may be theirs.
fn has_enough(service: &ServiceState, targets: &Targets) -> bool {
    let wanted = usize::try_from(service.desired).unwrap_or(0);
    wanted > 0 && targets.healthy() == wanted && targets.registered() == wanted
}

/// A bad answer that comes from the app, not from a load balancer that has
/// nobody to ask (502, 503, 504).
fn complaint(reading: &ServingReading) -> Option<String> {
    if let Some(answer) = &reading.health
        && answer
            .status()
            .is_some_and(|status| !(502..=504).contains(&status))
        && let Some(bad) = bad(answer)
    {
        return Some(bad);
    }
    let is_mismatch =
        |target: &&Target| target.reason.as_deref() == Some("Target.ResponseCodeMismatch");
    unhealthy(&reading.targets).find(is_mismatch).map(described)
}

fn bad(answer: &Answer) -> Option<String> {
    match answer {
        answer if answer.is_ok() => None,
        Answer::Http { status, .. } => Some(format!("the health path answers HTTP {status}")),
        Answer::Nothing { error, .. } => Some(format!("the health path does not answer: {error}")),
    }
}

/// What keeps a colour from serving, as far as anything says so.
pub fn trouble(reading: &ServingReading) -> Option<String> {
    let answer = reading.health.as_ref();
    answer.and_then(bad).or_else(|| ailment(&reading.targets))
}

fn ailment(targets: &Targets) -> Option<String> {
    unhealthy(targets).next().map(described)
}

#[cfg(test)]
mod tests;
