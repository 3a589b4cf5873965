//! How far a deployment is, and how it has ended. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::gate::ecs::service::Seconds;

#[derive(Debug, Clone, Default)]
pub struct Progress {
    outcome: Outcome,
    /// Failed tasks since the breaker's count was last reset.
    failures: usize,
    /// Tasks that were ever counted as failed.
    counted: BTreeSet<String>,
    /// Tasks that were ever healthy.
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

/// From which deployment to which it is rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rolling {
    pub of: String,
    pub to: String,
    pub task_definition: String,
}

impl Progress {
    /// Of a deployment that begins, perhaps as a rollback.
    pub fn begun(rolling: Option<Rolling>) -> Self {
        Self {
            rolling,
            ..Self::default()
        }
    }

    /// Of one that was completed before anyone looked.
    pub fn completed_before(at: Seconds) -> Self {
        Self {
            outcome: Outcome::Completed(at),
            is_steady: true,
            ..Self::default()
        }
    }

    /// Of one that failed before anyone looked.
    pub fn failed_before(raw: &Value) -> Self {
        Self {
            outcome: Outcome::Failed(raw.clone()),
            ..Self::default()
        }
    }

    pub fn is_open(&self) -> bool {
        matches!(self.outcome, Outcome::Open)
    }

    pub fn completed(&self) -> Option<Seconds> {
        match self.outcome {
            Outcome::Completed(at) => Some(at),
            Outcome::Open | Outcome::Failed(_) => None,
        }
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

    /// Whether tasks are to take the place of those that were stopped.
    pub fn awaits_replacements(&self) -> bool {
        self.has_stopped_tasks && self.failed().is_none()
    }

    pub fn complete(&mut self, now: Seconds) {
        self.outcome = Outcome::Completed(now);
    }

    pub fn fail(&mut self, raw: &Value) {
        self.outcome = Outcome::Failed(raw.clone());
    }

    /// It has to prove itself again, as what another one is rolled back to.
    pub fn reopen(&mut self, rolling: Rolling) {
        self.outcome = Outcome::Open;
        self.rolling = Some(rolling);
    }

    pub fn note_stopped_task(&mut self) {
        self.has_stopped_tasks = true;
    }

    /// Counts a failed task once, and only while it matters; says whether it was
    /// counted.
    pub fn count_failed(&mut self, task: &str) -> bool {
        let counts = self.is_open() && self.counted.insert(task.to_owned());
        self.failures += usize::from(counts);
        counts
    }

    /// The first time that a task is healthy may reset the count.
    pub fn note_healthy(&mut self, task: &str, resets: bool) {
        if self.healthy.insert(task.to_owned()) && resets && self.is_open() {
            self.failures = 0;
        }
    }

    /// Says whether the service has become steady, its rollout being completed.
    pub fn turn_steady(&mut self, is_steady: bool) -> bool {
        let was_steady = self.is_steady;
        self.is_steady = is_steady && self.completed().is_some();
        self.is_steady && !was_steady
    }
}
