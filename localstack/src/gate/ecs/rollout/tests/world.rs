//! A service in the hands of an emulator, and the gate's memory of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::balancer::config::{Arn, Target};
use crate::balancer::health::{Health, Reason, State};
use crate::gate::ecs::condition::{HealthOf, Look};
use crate::gate::ecs::rollout::{Act, Memory, Progress};
use crate::gate::ecs::service::{Phase, Seconds, Service, Task};

pub const GROUP: &str = "arn:tg/one";
pub const OTHER_GROUP: &str = "arn:tg/two";
pub const NEW: &str = "ecs-svc/2";
pub const OLD: &str = "ecs-svc/1";
/// When the gate was opened.
pub const OPENED: Seconds = 1000.0;

/// A world of one service, and the memory of it.
pub struct World {
    pub raw: Value,
    pub tasks: Vec<Task>,
    pub states: BTreeMap<String, State>,
    pub now: Seconds,
    pub memory: Memory,
}

impl World {
    /// A service of one deployment that is older than the gate, and completed.
    pub fn established(desired: usize) -> Self {
        let mut world = Self::empty(desired);
        world.deploy(OLD, "td:1", 100.0, "COMPLETED");
        world.judge();
        world
    }

    pub fn empty(desired: usize) -> Self {
        Self {
            raw: json!({
                "status": "ACTIVE",
                "serviceArn": "arn:service/one",
                "serviceName": "one",
                "clusterArn": "arn:cluster/c",
                "desiredCount": desired,
                "loadBalancers": [{"targetGroupArn": GROUP, "containerPort": 80}],
                "deploymentConfiguration": {
                    "deploymentCircuitBreaker": {"enable": true, "rollback": true},
                },
                "deployments": [],
            }),
            tasks: Vec::new(),
            states: BTreeMap::new(),
            now: OPENED + 10.0,
            memory: Memory::new(OPENED),
        }
    }

    /// With a new deployment as well, that the emulator takes for completed.
    pub fn rolling(desired: usize) -> Self {
        let mut world = Self::established(desired);
        world.deploy(NEW, "td:2", OPENED + 10.0, "COMPLETED");
        world
    }

    pub fn deploy(&mut self, id: &str, task_definition: &str, created: Seconds, rollout: &str) {
        let deployments = self.raw["deployments"].as_array_mut().unwrap();
        for deployment in deployments.iter_mut() {
            deployment["status"] = json!("ACTIVE");
        }
        deployments.insert(
            0,
            json!({
                "id": id,
                "status": "PRIMARY",
                "taskDefinition": task_definition,
                "rolloutState": rollout,
                "createdAt": created,
            }),
        );
    }

    /// A running task of the primary deployment with an address of its own.
    pub fn run(&mut self, state: Option<State>) -> String {
        let primary = self.service().primary().unwrap().clone();
        let number = self.tasks.len() + 1;
        let task = json!({
            "taskArn": format!("arn:task/c/{number}"),
            "taskDefinitionArn": primary.task_definition,
            "startedBy": "one",
            "createdAt": self.now.floor(),
            "startedAt": self.now.floor(),
            "lastStatus": "RUNNING",
            "desiredStatus": "RUNNING",
            "attachments": [{"details": [
                {"name": "privateIPv4Address", "value": format!("10.0.0.{number}")},
            ]}],
        });
        let task = Task::read(&task).unwrap();
        let arn = task.arn.clone();
        self.tasks.push(task);
        if let Some(state) = state {
            self.states.insert(arn.clone(), state);
        }
        arn
    }

    pub fn say(&mut self, task: &str, state: State) {
        self.states.insert(task.to_owned(), state);
    }

    pub fn end(&mut self, task: &str, by_itself: bool) {
        let task = self.tasks.iter_mut().find(|it| it.arn == task).unwrap();
        task.phase = Phase::Stopped { by_itself };
        self.states.remove(&task.arn);
    }

    pub fn service(&self) -> Service {
        Service::read(&self.raw).unwrap()
    }

    pub fn health(&self) -> HealthOf {
        let target = |task: &Task| {
            Some((
                Target {
                    ip: task.address?,
                    port: 80,
                },
                health(*self.states.get(&task.arn)?),
            ))
        };
        let targets: Vec<_> = self.tasks.iter().filter_map(target).collect();
        [(Arn::new(GROUP), targets)].into()
    }

    pub fn judge(&mut self) -> Vec<Act> {
        let (service, health) = (self.service(), self.health());
        self.memory.judge(&Look {
            service: &service,
            tasks: &self.tasks,
            health: &health,
            now: self.now,
        })
    }

    /// Long enough for the grace period of none, in whole seconds, to be over.
    pub fn judge_later(&mut self) -> Vec<Act> {
        self.now += 2.0;
        self.judge()
    }

    pub fn progress(&self, id: &str) -> &Progress {
        self.memory.progress(id).unwrap()
    }

    pub fn messages(&self) -> Vec<String> {
        let mut events = json!([]);
        self.memory.log().merge_into(&mut events);
        let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
        events.as_array().unwrap().iter().map(message).collect()
    }

    pub fn has_said(&self, message: &str) -> usize {
        self.messages().iter().filter(|it| *it == message).count()
    }

    /// Runs unhealthy tasks one after the other, stopping each, until there are
    /// that many failures.
    pub fn fail_tasks(&mut self, count: usize) -> Vec<Act> {
        let mut acts = Vec::new();
        for _ in 0..count {
            let task = self.run(Some(State::Unhealthy));
            acts = self.judge_later();
            assert!(acts.contains(&stop(&task)), "{acts:?}");
            self.end(&task, false);
        }
        acts
    }
}

pub fn health(state: State) -> Health {
    let is_healthy = state == State::Healthy;
    Health {
        state,
        reason: (!is_healthy).then_some(Reason::ResponseCodeMismatch),
        description: (!is_healthy)
            .then(|| "Health checks failed with these codes: [500]".to_owned()),
    }
}

pub fn stop(task: &str) -> Act {
    Act::Stop {
        task: task.to_owned(),
        reason: format!("Task failed ELB health checks in (target-group {GROUP})"),
    }
}

pub fn roll_back() -> Act {
    Act::RollBack {
        of: NEW.to_owned(),
        to: "td:1".to_owned(),
    }
}
