use serde_json::json;

use super::*;
use crate::balancer::config::Target;
use crate::balancer::health::{Health, Reason, State};
use crate::gate::ecs::condition::HealthOf;

const GROUP: &str = "arn:tg/one";
const OTHER_GROUP: &str = "arn:tg/two";
const NEW: &str = "ecs-svc/2";
const OLD: &str = "ecs-svc/1";
/// When the gate was opened.
const OPENED: Seconds = 1000.0;

/// A world of one service, and the memory of it.
struct World {
    raw: Value,
    tasks: Vec<Task>,
    states: BTreeMap<String, State>,
    now: Seconds,
    memory: Memory,
}

impl World {
    /// A service of one deployment that is older than the gate, and completed.
    fn established(desired: usize) -> Self {
        let mut world = Self::empty(desired);
        world.deploy(OLD, "td:1", 100.0, "COMPLETED");
        world.judge();
        world
    }

    fn empty(desired: usize) -> Self {
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
    fn rolling(desired: usize) -> Self {
        let mut world = Self::established(desired);
        world.deploy(NEW, "td:2", OPENED + 10.0, "COMPLETED");
        world
    }

    fn deploy(&mut self, id: &str, task_definition: &str, created: Seconds, rollout: &str) {
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
    fn run(&mut self, state: Option<State>) -> String {
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

    fn say(&mut self, task: &str, state: State) {
        self.states.insert(task.to_owned(), state);
    }

    fn end(&mut self, task: &str, by_itself: bool) {
        let task = self.tasks.iter_mut().find(|it| it.arn == task).unwrap();
        task.phase = Phase::Stopped { by_itself };
        self.states.remove(&task.arn);
    }

    fn service(&self) -> Service {
        Service::read(&self.raw).unwrap()
    }

    fn health(&self) -> HealthOf {
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

    fn judge(&mut self) -> Vec<Act> {
        let (service, health) = (self.service(), self.health());
        self.memory.judge(&Look {
            service: &service,
            tasks: &self.tasks,
            health: &health,
            now: self.now,
        })
    }

    /// Long enough for the grace period of none, in whole seconds, to be over.
    fn judge_later(&mut self) -> Vec<Act> {
        self.now += 2.0;
        self.judge()
    }

    fn progress(&self, id: &str) -> &Progress {
        self.memory.progress(id).unwrap()
    }

    fn messages(&self) -> Vec<String> {
        let mut events = json!([]);
        self.memory.log().merge_into(&mut events);
        let message = |event: &Value| event["message"].as_str().unwrap().to_owned();
        events.as_array().unwrap().iter().map(message).collect()
    }

    fn has_said(&self, message: &str) -> usize {
        self.messages().iter().filter(|it| *it == message).count()
    }

    /// Runs unhealthy tasks one after the other, stopping each, until there are
    /// that many failures.
    fn fail_tasks(&mut self, count: usize) -> Vec<Act> {
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

fn health(state: State) -> Health {
    let is_healthy = state == State::Healthy;
    Health {
        state,
        reason: (!is_healthy).then_some(Reason::ResponseCodeMismatch),
        description: (!is_healthy)
            .then(|| "Health checks failed with these codes: [500]".to_owned()),
    }
}

fn stop(task: &str) -> Act {
    Act::Stop {
        task: task.to_owned(),
        reason: format!("Task failed ELB health checks in (target-group {GROUP})"),
    }
}

fn roll_back() -> Act {
    Act::RollBack {
        of: NEW.to_owned(),
        to: "td:1".to_owned(),
    }
}

#[test]
fn a_rollout_is_completed_by_healthy_targets_only() {
    for (state, is_completed) in [
        (None, false),
        (Some(State::Initial), false),
        (Some(State::Unused), false),
        (Some(State::Draining), false),
        (Some(State::Unhealthy), false),
        (Some(State::Healthy), true),
        (Some(State::Unavailable), true),
    ] {
        let mut world = World::rolling(2);
        world.run(Some(State::Healthy));
        world.run(state);
        assert_eq!(world.judge(), [], "within the second of its start");
        assert_eq!(
            world.progress(NEW).is_completed(),
            is_completed,
            "{state:?}"
        );
    }
}

#[test]
fn it_needs_as_many_tasks_as_desired() {
    for (running, is_completed) in [(0, false), (1, false), (2, true), (3, false)] {
        let mut world = World::rolling(2);
        for _ in 0..running {
            world.run(Some(State::Healthy));
        }
        world.judge();
        assert_eq!(
            world.progress(NEW).is_completed(),
            is_completed,
            "{running}"
        );
    }
}

#[test]
fn it_needs_every_target_group() {
    let mut world = World::rolling(1);
    world.raw["loadBalancers"] = json!([
        {"targetGroupArn": GROUP, "containerPort": 80},
        {"targetGroupArn": OTHER_GROUP, "containerPort": 80},
    ]);
    world.run(Some(State::Healthy));
    world.judge();
    assert!(!world.progress(NEW).is_completed());
}

#[test]
fn the_former_deployments_tasks_do_not_complete_it() {
    let mut world = World::established(1);
    world.run(Some(State::Healthy));
    world.now += 60.0;
    world.deploy(NEW, "td:2", world.now, "COMPLETED");
    world.judge();
    assert!(!world.progress(NEW).is_completed());
    assert!(world.progress(OLD).is_completed());
}

#[test]
fn a_forced_deployment_has_the_tasks_that_came_after_it() {
    let mut world = World::established(1);
    let before = world.run(Some(State::Unhealthy));
    world.now += 60.0;
    world.deploy(NEW, "td:1", world.now, "COMPLETED");
    world.run(Some(State::Healthy));
    assert!(!world.judge_later().contains(&stop(&before)));
    assert!(world.progress(NEW).is_completed());
}

#[test]
fn tasks_that_say_which_deployment_started_them_are_believed() {
    let mut world = World::rolling(1);
    world.run(Some(State::Healthy));
    world.tasks[0].started_by = OLD.to_owned();
    world.judge();
    assert!(!world.progress(NEW).is_completed());
    world.tasks[0].started_by = NEW.to_owned();
    world.judge();
    assert!(world.progress(NEW).is_completed());
}

#[test]
fn nothing_desired_is_completed_at_once() {
    let mut world = World::empty(0);
    world.deploy(NEW, "td:2", world.now, "COMPLETED");
    world.judge();
    assert!(world.progress(NEW).is_completed());
}

#[test]
fn the_emulator_may_hold_it_longer() {
    let mut world = World::established(1);
    world.deploy(NEW, "td:2", world.now, "IN_PROGRESS");
    world.run(Some(State::Healthy));
    world.judge();
    assert!(!world.progress(NEW).is_completed());
    world.raw["deployments"][0]["rolloutState"] = json!("COMPLETED");
    world.judge();
    assert!(world.progress(NEW).is_completed());
}

#[test]
fn what_the_emulator_says_of_deployments_after_the_gate_was_opened_is_not_believed() {
    for (created, is_completed) in [(OPENED - 1.0, true), (OPENED, false)] {
        let mut world = World::empty(1);
        world.deploy(OLD, "td:1", created, "COMPLETED");
        world.judge();
        assert_eq!(
            world.progress(OLD).is_completed(),
            is_completed,
            "{created}"
        );
    }
}

#[test]
fn once_completed_it_stays_so_and_failures_are_not_counted() {
    let mut world = World::rolling(1);
    let task = world.run(Some(State::Healthy));
    world.judge();
    world.say(&task, State::Unhealthy);
    assert_eq!(world.judge_later(), [stop(&task)]);
    assert!(world.progress(NEW).is_completed());
    assert_eq!(world.progress(NEW).failures(), 0);
    world.end(&task, false);
    assert_eq!(world.judge(), [Act::Replace]);
    world.run(Some(State::Healthy));
    assert_eq!(world.judge(), []);
    assert_eq!(
        world.has_said("(service one) has reached a steady state."),
        2
    );
    let completed = "(service one) (deployment ecs-svc/2) deployment completed.";
    assert_eq!(world.has_said(completed), 1);
}

#[test]
fn a_slow_starter_survives_its_grace_period() {
    let mut world = World::rolling(1);
    world.raw["healthCheckGracePeriodSeconds"] = json!(30);
    let task = world.run(Some(State::Unhealthy));
    // Its start is known in whole seconds, so it gets up to one more.
    world.now = world.now.floor() + 30.9;
    assert_eq!(world.judge(), []);
    world.now += 0.2;
    assert_eq!(world.judge(), [stop(&task)]);
    assert_eq!(world.progress(NEW).failures(), 1);
}

#[test]
fn an_unhealthy_task_is_stopped_once_told_of_and_replaced() {
    let mut world = World::rolling(1);
    let task = world.run(Some(State::Unhealthy));
    assert_eq!(world.judge_later(), [stop(&task)]);
    assert_eq!(world.judge(), [stop(&task)], "until it is seen stopping");
    assert_eq!(world.progress(NEW).failures(), 1);
    world.end(&task, false);
    assert_eq!(world.judge(), [Act::Replace]);
    world.run(None);
    assert_eq!(world.judge(), []);
    assert_eq!(
        world.messages(),
        [
            "(service one) has stopped 1 running tasks: (task 1).",
            "(service one) (port 80) is unhealthy in (target-group arn:tg/one) due to \
             (reason Health checks failed with these codes: [500])",
        ]
    );
}

#[test]
fn tasks_that_end_by_themselves_are_counted() {
    let mut world = World::rolling(1);
    for by_itself in [true, false] {
        let task = world.run(None);
        world.judge();
        world.end(&task, by_itself);
        world.judge();
        world.judge();
    }
    assert_eq!(world.progress(NEW).failures(), 1);
}

#[test]
fn the_breaker_trips_at_its_threshold_and_rolls_back() {
    let mut world = World::rolling(1);
    let acts = world.fail_tasks(2);
    assert!(world.progress(NEW).failed().is_none(), "{acts:?}");
    let acts = world.fail_tasks(1);
    assert!(world.progress(NEW).failed().is_some());
    assert_eq!(acts.last(), Some(&roll_back()));
    assert_eq!(world.judge(), [roll_back()], "until it is seen done");

    world.deploy("ecs-svc/3", "td:1", world.now, "COMPLETED");
    assert_eq!(world.judge(), []);
    let rolling = world.progress("ecs-svc/3").rolling().unwrap();
    assert_eq!((rolling.of.as_str(), rolling.to.as_str()), (NEW, OLD));
    for message in [
        "(service one) (deployment ecs-svc/2) deployment failed: tasks failed to start.",
        "(service one) rolling back to deployment ecs-svc/1.",
    ] {
        assert_eq!(world.has_said(message), 1, "{message}");
    }
}

#[test]
fn an_old_look_does_not_roll_back_twice() {
    let mut world = World::rolling(1);
    world.fail_tasks(3);
    let before = world.raw.clone();
    world.deploy("ecs-svc/3", "td:1", world.now, "COMPLETED");
    world.judge();
    world.raw = before;
    assert_eq!(world.judge(), []);
}

#[test]
fn a_rollback_that_fails_is_not_rolled_back() {
    let mut world = World::rolling(1);
    world.fail_tasks(3);
    world.deploy("ecs-svc/3", "td:1", world.now, "COMPLETED");
    world.judge();
    let acts = world.fail_tasks(3);
    assert!(world.progress("ecs-svc/3").failed().is_some());
    assert!(!acts.iter().any(|act| matches!(act, Act::RollBack { .. })));
}

#[test]
fn a_deployment_of_the_clients_own_is_no_rollback() {
    let mut world = World::rolling(1);
    world.fail_tasks(3);
    world.deploy("ecs-svc/3", "td:3", world.now, "COMPLETED");
    world.judge();
    world.deploy("ecs-svc/4", "td:1", world.now, "COMPLETED");
    world.judge();
    assert_eq!(world.progress("ecs-svc/3").rolling(), None);
    assert_eq!(world.progress("ecs-svc/4").rolling(), None);
}

#[test]
fn without_a_way_back_nothing_more_is_done() {
    let first = || {
        let mut world = World::empty(1);
        world.deploy(NEW, "td:2", world.now, "COMPLETED");
        world
    };
    let unasked = || {
        let mut world = World::rolling(1);
        world.raw["deploymentConfiguration"]["deploymentCircuitBreaker"]["rollback"] = json!(false);
        world
    };
    for mut world in [first(), unasked()] {
        world.fail_tasks(3);
        world.run(Some(State::Unhealthy));
        assert_eq!(world.judge_later(), []);
        assert!(!world.memory.is_open(&world.service()));
    }
}

#[test]
fn without_a_breaker_tasks_are_stopped_for_ever() {
    let mut world = World::rolling(1);
    world.raw["deploymentConfiguration"] = json!(null);
    world.fail_tasks(9);
    assert_eq!(world.progress(NEW).failures(), 9);
    assert!(world.progress(NEW).failed().is_none());
}

#[test]
fn the_threshold_is_half_of_the_desired_tasks_within_bounds() {
    for (desired, limit) in [
        (0, 3),
        (1, 3),
        (6, 3),
        (7, 4),
        (25, 13),
        (400, 200),
        (900, 200),
    ] {
        let service = World::rolling(desired).service();
        assert_eq!(service.breaker.limit(desired), limit, "{desired}");
    }
    let mut world = World::rolling(10);
    for (kind, value, limit) in [
        ("COUNT", 2, 2),
        ("UNBOUNDED_PERCENT", 10, 1),
        ("BOUNDED_PERCENT", 100, 10),
    ] {
        world.raw["deploymentConfiguration"]["deploymentCircuitBreaker"]["thresholdConfiguration"] =
            json!({"type": kind, "value": value});
        assert_eq!(world.service().breaker.limit(10), limit, "{kind}");
    }
}

#[test]
fn a_healthy_task_resets_the_count_unless_that_is_turned_off() {
    for (resets, failures) in [(true, 0), (false, 2)] {
        let mut world = World::rolling(2);
        world.raw["deploymentConfiguration"]["deploymentCircuitBreaker"]["resetOnHealthyTask"] =
            json!(resets);
        world.fail_tasks(2);
        world.run(Some(State::Healthy));
        world.judge();
        assert_eq!(world.progress(NEW).failures(), failures);
    }
}

#[test]
fn the_emulators_own_breaker_is_believed_and_its_rollback_judged_anew() {
    let mut world = World::rolling(1);
    world.judge();
    world.raw["deployments"][0]["rolloutState"] = json!("FAILED");
    world.raw["deployments"][0]["status"] = json!("ACTIVE");
    world.raw["deployments"][1]["rolloutState"] = json!("IN_PROGRESS");
    world.raw["deployments"][1]["status"] = json!("PRIMARY");
    assert_eq!(world.judge(), []);
    assert!(world.progress(NEW).failed().is_some());
    assert!(!world.progress(OLD).is_completed());
    assert_eq!(world.progress(OLD).rolling().unwrap().of, NEW);

    world.raw["deployments"][1]["rolloutState"] = json!("COMPLETED");
    world.run(Some(State::Healthy));
    world.judge();
    assert!(world.progress(OLD).is_completed());
}

#[test]
fn a_failed_deployment_is_listed_until_some_time_after_its_rollback() {
    let mut world = World::rolling(1);
    let listed = |world: &World, later: Seconds| {
        let service = world.service();
        let list = world.memory.failed_to_list(&service, world.now + later);
        list.count()
    };
    world.fail_tasks(3);
    assert_eq!(listed(&world, 9999.0), 1);
    world.deploy("ecs-svc/3", "td:1", world.now, "COMPLETED");
    world.judge();
    assert_eq!(listed(&world, 9999.0), 1);
    world.run(Some(State::Healthy));
    world.judge();
    assert_eq!(listed(&world, 119.0), 1);
    assert_eq!(listed(&world, 121.0), 0);
    world.raw["deployments"][1]["runningCount"] = json!(1);
    assert_eq!(listed(&world, 121.0), 1, "it still has tasks");
    world.raw["deployments"][1]["runningCount"] = json!(0);
    world.deploy("ecs-svc/4", "td:4", world.now, "COMPLETED");
    world.judge();
    assert_eq!(listed(&world, 0.0), 0);
}

/// Whatever happens to a service, in any order.
#[test]
fn what_always_holds() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..300 {
        let mut world = World::rolling(random.usize(1..4));
        let mut was_completed = false;
        let mut stops = BTreeSet::new();
        for _ in 0..60 {
            let live: Vec<_> = world.tasks.iter().filter(|it| it.is_live()).collect();
            let one = (!live.is_empty()).then(|| live[random.usize(..live.len())].arn.clone());
            let state = [State::Initial, State::Healthy, State::Unhealthy][random.usize(..3)];
            match (random.u8(..4), one) {
                (0, Some(task)) => world.say(&task, state),
                (1, Some(task)) => world.end(&task, random.bool()),
                _ => drop(world.run(Some(state))),
            }
            world.now += random.f64();
            let acts = world.judge();
            let progress = world.progress(NEW);
            assert!(
                progress.is_completed() || !was_completed,
                "it stays completed"
            );
            was_completed = progress.is_completed();
            let is_over = progress.failures() >= 3;
            assert_eq!(progress.failed().is_some(), is_over && !was_completed);
            let is_rolled_back = acts.contains(&roll_back());
            assert_eq!(is_rolled_back, progress.failed().is_some());
            for act in acts {
                if let Act::Stop { task, .. } = act
                    && stops.insert(task.clone())
                {
                    assert_eq!(
                        world.states[&task],
                        State::Unhealthy,
                        "only such are stopped"
                    );
                }
            }
        }
    }
}
