//! Holds rollouts as Amazon ECS does: an emulator completes a deployment once its
//! containers run, ECS only once their targets are healthy.
//!
//! Every call of ECS passes through here. Of the services that appear in the
//! answers, those behind a load balancer are watched: unhealthy tasks are stopped
//! at the emulator and replaced, deployments fail and are rolled back, and what
//! the emulator says of all this is corrected (`rollout` has the rules).
//! Services without a load balancer, and everything else, pass unchanged.
//!
//! Only AWS's API is spoken to the emulator. So the gate cannot keep it from two
//! things that ECS would not do: from stopping the former deployment's tasks when
//! it takes the new one for completed, and from replacing the tasks of a failed
//! deployment (the gate stops none of them any more).

mod act;
mod books;
mod condition;
mod describe;
mod events;
mod look;
mod rollout;
mod service;
mod tenants;
mod tokens;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::time::MissedTickBehavior;

use super::request::{Answer, Request};
use super::upstream::{Failed, Upstream};
use crate::balancer::config::{Arn, Target};
use crate::balancer::health::Health;
use books::Books;
use service::{Seconds, Service};
use tokens::Tokens;

/// Asks the load balancer for the health of a target group's targets.
pub type Healths = Arc<dyn Fn(&Arn) -> Vec<(Target, Health)> + Send + Sync>;

/// How often it is asked whether a service is to be looked at.
const TICK: Duration = Duration::from_millis(300);

/// ECS as it is at the gate. Clones are the same one.
#[derive(Clone)]
pub struct Ecs(Arc<Inner>);

impl fmt::Debug for Ecs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ecs").finish_non_exhaustive()
    }
}

struct Inner {
    upstream: Upstream,
    healths: Healths,
    books: Mutex<Books>,
    tokens: Tokens,
}

impl Ecs {
    pub fn new(upstream: Upstream, healths: Healths) -> Self {
        Self(Arc::new(Inner {
            upstream,
            healths,
            books: Mutex::new(Books::new(now())),
            tokens: Tokens::default(),
        }))
    }

    /// Answers a call of ECS: as the emulator does, with what it says of rollouts
    /// and of stopped tasks corrected. A service whose rollout is open is looked
    /// at for the answer, so that it is no staler than the call.
    ///
    /// # Errors
    /// If the emulator gives no answer.
    pub async fn answer(&self, request: &Request) -> Result<Answer, Failed> {
        if request.operation.name == "RunTask" {
            return self.0.tokens.run(&self.0.upstream, request).await;
        }
        let answer = self.0.upstream.forward(request).await?;
        if !answer.status.is_success() {
            return Ok(answer);
        }
        let key = match request.operation.name.as_str() {
            "DescribeServices" => "services",
            "CreateService" | "UpdateService" | "DeleteService" => "service",
            "DescribeTasks" => "tasks",
            "StopTask" => "task",
            _ => return Ok(answer),
        };
        let Ok(mut body) = serde_json::from_slice::<Value>(&answer.body) else {
            return Ok(answer);
        };
        if request.operation.name == "CreateService" {
            self.books().forget(body["service"]["serviceArn"].as_str());
        }
        let mut is_corrected = false;
        for entry in entries(&mut body[key]) {
            is_corrected |= match key {
                "tasks" | "task" => self.correct_task(entry),
                _ => self.correct_service(entry).await,
            };
        }
        Ok(if is_corrected {
            answer.with_body(body.to_string())
        } else {
            answer
        })
    }

    /// Judges the known services for as long as it is polled: those with an open
    /// rollout or an unhealthy target several times a second, others every two.
    pub async fn watch(self) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look_at_due().await;
        }
    }

    /// What went wrong with calls of the gate's own when they were last made;
    /// None if nothing did. They are made again at the next look.
    pub fn trouble(&self) -> Option<String> {
        self.books().trouble()
    }

    /// Says whether anything may have changed.
    async fn correct_service(&self, raw: &mut Value) -> bool {
        let Some(service) = Service::read(raw) else {
            self.books().forget(raw["serviceArn"].as_str());
            return false;
        };
        let is_open = self.books().meet(&service).memory.is_open(&service);
        if is_open {
            self.look_at(&service).await;
        }
        let mut books = self.books();
        let known = books.meet(&service);
        describe::correct_service(raw, &service, &known.memory, now());
        true
    }

    fn correct_task(&self, raw: &mut Value) -> bool {
        let books = self.books();
        let reason = raw["taskArn"]
            .as_str()
            .and_then(|task| books.stop_reason(task));
        if let Some(reason) = reason {
            describe::correct_task(raw, reason);
        }
        reason.is_some()
    }

    /// A call of the gate's own, whose failure is kept until the next such call
    /// succeeds.
    async fn ask(&self, operation: &'static str, input: &Value) -> Result<Value, Failed> {
        let answer = self.0.upstream.ecs(operation, input).await;
        let failure = answer.as_ref().err().map(Failed::to_string);
        self.books().note(operation, failure);
        answer
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        // What a panicking holder has left is whole: no change takes two steps.
        self.0.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The objects of a list, or the one that is there.
fn entries(value: &mut Value) -> &mut [Value] {
    match value {
        Value::Array(all) => all,
        Value::Object(_) => std::slice::from_mut(value),
        _ => &mut [],
    }
}

fn now() -> Seconds {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |passed| passed.as_secs_f64())
}

#[cfg(test)]
mod tests;
