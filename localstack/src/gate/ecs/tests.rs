mod emulator;

use std::time::Instant;

use serde_json::json;
use tokio::task::JoinHandle;

use self::emulator::{CLUSTER, Emulator, GROUP, text};
use super::*;
use crate::balancer::health::State;
use crate::emulator::unsigned;
use crate::gate::tests::Stand;

const PATIENCE: Duration = Duration::from_secs(10);

/// The gate's ECS before an emulator, watched.
struct Bench {
    ecs: Ecs,
    emulator: Emulator,
    #[expect(dead_code, reason = "it answers until it is dropped")]
    stand: Stand,
    watch: JoinHandle<()>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.watch.abort();
    }
}

impl Bench {
    /// Before an emulator that replaces stopped tasks by itself.
    async fn start() -> Self {
        Self::before(true).await
    }

    async fn before(replaces: bool) -> Self {
        let (emulator, stand) = Emulator::start(replaces).await;
        let authority = stand.endpoint.trim_start_matches("http://");
        let balancer = emulator.clone();
        let ecs = Ecs::new(
            Upstream::new(authority, "test"),
            Arc::new(move |group| balancer.health(group)),
        );
        let watch = tokio::spawn(ecs.clone().watch());
        Self {
            ecs,
            emulator,
            stand,
            watch,
        }
    }

    async fn raw(&self, operation: &str, input: Value) -> Answer {
        let (head, ()) = hyper::Request::post("/")
            .header(
                "x-amz-target",
                format!("AmazonEC2ContainerServiceV20141113.{operation}"),
            )
            .header("authorization", unsigned("test", "us-east-1", "ecs"))
            .body(())
            .unwrap()
            .into_parts();
        let request = Request::read(head, input.to_string().into()).unwrap();
        self.ecs.answer(&request).await.unwrap()
    }

    async fn call(&self, operation: &str, input: Value) -> Value {
        let answer = self.raw(operation, input).await;
        assert!(answer.status.is_success(), "{operation}: {answer:?}");
        serde_json::from_slice(&answer.body).unwrap()
    }

    async fn create(&self, desired: usize) -> Value {
        self.create_with(json!({"desiredCount": desired})).await
    }

    /// A service of the task definition `td:1`, with a breaker that rolls back.
    async fn create_with(&self, more: Value) -> Value {
        let mut input = json!({
            "cluster": "c",
            "serviceName": "one",
            "taskDefinition": "td:1",
            "desiredCount": 1,
            "loadBalancers": [{"targetGroupArn": GROUP, "containerPort": 80}],
            "deploymentConfiguration": {
                "deploymentCircuitBreaker": {"enable": true, "rollback": true},
            },
        });
        for (key, value) in more.as_object().unwrap() {
            input[key] = value.clone();
        }
        self.call("CreateService", input).await["service"].take()
    }

    async fn deploy(&self, task_definition: &str) -> Value {
        let input = json!({"cluster": "c", "service": "one", "taskDefinition": task_definition});
        self.call("UpdateService", input).await["service"].take()
    }

    async fn service(&self) -> Value {
        let input = json!({"cluster": "c", "services": ["one"]});
        self.call("DescribeServices", input).await["services"][0].take()
    }

    /// The service once it is so.
    async fn service_when(&self, what: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let service = self.service().await;
            if is_so(&service) {
                return service;
            }
            assert!(Instant::now() < deadline, "never {what}: {service:#}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn service_in(&self, rollout: &str) -> Value {
        self.service_when(rollout, |it| {
            it["deployments"][0]["rolloutState"] == rollout
        })
        .await
    }

    /// Waits until the watch, without any client, has made that many calls.
    async fn await_calls(&self, operation: &str, count: usize) {
        let (deadline, so_far) = (Instant::now() + PATIENCE, self.emulator.count(operation));
        while self.emulator.count(operation) < so_far + count {
            assert!(Instant::now() < deadline, "no {operation}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn has_said(service: &Value, message: &str) -> bool {
    let events = service["events"].as_array().unwrap();
    events.iter().any(|event| event["message"] == message)
}

#[tokio::test]
async fn a_rollout_is_completed_once_its_targets_are_healthy() {
    let bench = Bench::start().await;
    // More than the emulator lists on two pages.
    let created = bench.create(5).await;
    let id = text(&created["deployments"][0]["id"]).to_owned();
    for service in [created, bench.service().await] {
        let deployment = &service["deployments"][0];
        assert_eq!(deployment["rolloutState"], "IN_PROGRESS");
        let reason = format!("ECS deployment {id} in progress.");
        assert_eq!(deployment["rolloutStateReason"], reason);
        assert_eq!(service["somethingNew"], json!({"kept": [1, null]}));
    }
    bench.emulator.say("td:1", State::Healthy);
    let service = bench.service().await;
    let deployment = &service["deployments"][0];
    assert_eq!(
        deployment["rolloutState"], "COMPLETED",
        "with the next call"
    );
    let reason = format!("ECS deployment {id} completed.");
    assert_eq!(deployment["rolloutStateReason"], reason);
    assert!(has_said(
        &service,
        "(service one) has reached a steady state."
    ));
    assert_eq!(bench.emulator.count("StopTask"), 0);
}

#[tokio::test]
async fn the_watch_completes_a_rollout_without_any_client() {
    let bench = Bench::start().await;
    bench.create(1).await;
    bench.emulator.say("td:1", State::Healthy);
    // Two for a look: with the fourth, a whole one is over.
    bench.await_calls("ListTasks", 4).await;
    bench.emulator.say("td:1", State::Initial);
    let service = bench.service().await;
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
}

#[tokio::test]
async fn unhealthy_tasks_fail_a_deployment_and_it_is_rolled_back() {
    for replaces in [true, false] {
        let bench = Bench::before(replaces).await;
        bench.create(1).await;
        bench.emulator.say("td:1", State::Healthy);
        let first = bench.service_in("COMPLETED").await["deployments"][0].take();

        bench.emulator.say("td:1", State::Initial);
        bench.emulator.say("td:2", State::Unhealthy);
        let second = bench.deploy("td:2").await["deployments"][0].take();
        assert_eq!(second["rolloutState"], "IN_PROGRESS");
        let rolled_back = |service: &Value| service["taskDefinition"] == "td:1";
        let service = bench.service_when("rolled back", rolled_back).await;
        assert_being_rolled_back(&service, text(&first["id"]), text(&second["id"]));

        bench.emulator.say("td:1", State::Healthy);
        let service = bench.service_in("COMPLETED").await;
        assert_eq!(service["deployments"].as_array().unwrap().len(), 2);
        assert_eq!(bench.emulator.count("StopTask"), 3, "one for each task");
    }
}

fn assert_being_rolled_back(service: &Value, first: &str, second: &str) {
    let [rollback, failed] = service["deployments"].as_array().unwrap().as_slice() else {
        panic!("the failed one is listed as well: {service:#}");
    };
    assert_eq!(rollback["status"], "PRIMARY");
    assert_eq!(rollback["rolloutState"], "IN_PROGRESS");
    let reason = format!("ECS deployment circuit breaker: rolling back to deploymentId {first}.");
    assert_eq!(rollback["rolloutStateReason"], reason);
    assert_eq!(failed["id"], second);
    assert_eq!(failed["status"], "ACTIVE");
    assert_eq!(failed["rolloutState"], "FAILED");
    let reason = "ECS deployment circuit breaker: tasks failed to start.";
    assert_eq!(failed["rolloutStateReason"], reason);
    assert_eq!(failed["failedTasks"], 3);
    assert_eq!(failed["runningCount"], 0);
    for message in [
        format!("(service one) (deployment {second}) deployment failed: tasks failed to start."),
        format!("(service one) rolling back to deployment {first}."),
    ] {
        assert!(has_said(service, &message), "{message}");
    }
}

#[tokio::test]
async fn a_stopped_task_says_why() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Unhealthy);
    bench.create(1).await;
    bench
        .service_when("one stopped", |_| bench.emulator.count("StopTask") > 0)
        .await;
    let stopped = bench.emulator.world().tasks[0]["taskArn"].clone();
    let input = json!({"cluster": "c", "tasks": [stopped]});
    let task = bench.call("DescribeTasks", input).await["tasks"][0].take();
    assert_eq!(task["stopCode"], "ServiceSchedulerInitiated");
    let reason = format!("Task failed ELB health checks in (target-group {GROUP})");
    assert_eq!(task["stoppedReason"], reason);

    let calls = bench.emulator.world().calls.clone();
    let stop = calls.iter().find(|(name, _)| name == "StopTask").unwrap();
    assert_eq!(stop.1["reason"], reason);
    assert_eq!(stop.1["cluster"], CLUSTER);
}

#[tokio::test]
async fn a_first_deployment_fails_for_good_and_is_left_alone() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Unhealthy);
    bench.create(2).await;
    let service = bench.service_in("FAILED").await;
    assert_eq!(service["deployments"][0]["failedTasks"], 3);
    bench.await_calls("DescribeServices", 3).await;
    assert_eq!(bench.emulator.count("StopTask"), 3);
    let calls = &bench.emulator.world().calls;
    let deploys = |(name, input): &(String, Value)| {
        name == "UpdateService" && input.get("taskDefinition").is_some()
    };
    assert!(!calls.iter().any(deploys), "there is no way back");
}

#[tokio::test]
async fn a_slow_starter_survives_its_grace_period() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Unhealthy);
    bench
        .create_with(json!({"healthCheckGracePeriodSeconds": 3600}))
        .await;
    bench.await_calls("ListTasks", 6).await;
    assert_eq!(bench.emulator.count("StopTask"), 0);
    bench.emulator.say("td:1", State::Healthy);
    let service = bench.service().await;
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service["deployments"][0]["failedTasks"], 0);
}

#[tokio::test]
async fn an_unhealthy_task_of_a_completed_deployment_is_replaced() {
    let bench = Bench::before(false).await;
    bench.create(1).await;
    bench.emulator.say("td:1", State::Healthy);
    bench.service_in("COMPLETED").await;
    bench.emulator.say("td:1", State::Unhealthy);
    bench.await_calls("UpdateService", 1).await;
    bench.emulator.say("td:1", State::Healthy);
    let service = bench.service().await;
    assert_eq!(service["deployments"][0]["rolloutState"], "COMPLETED");
    assert_eq!(service["deployments"][0]["failedTasks"], 0);
    assert!(bench.emulator.world().tasks.len() >= 2);
}

#[tokio::test]
async fn what_is_behind_no_load_balancer_passes_unchanged() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Unhealthy);
    let created = bench.create_with(json!({"loadBalancers": []})).await;
    assert_eq!(created["deployments"][0]["rolloutState"], "COMPLETED");
    let answer = bench
        .raw(
            "DescribeServices",
            json!({"cluster": "c", "services": ["one"]}),
        )
        .await;
    let theirs = bench.emulator.world().services.values().next().cloned();
    let unchanged = json!({"services": [theirs], "failures": []}).to_string();
    assert_eq!(answer.body, unchanged);
    assert_eq!(bench.emulator.count("ListTasks"), 0);
}

#[tokio::test]
async fn other_calls_and_refusals_pass_unchanged() {
    let bench = Bench::start().await;
    let answer = bench.raw("ListClusters", json!({})).await;
    let unchanged = json!({"clusterArns": [CLUSTER], "unknown": 1.50}).to_string();
    assert_eq!(answer.body, unchanged);
    let answer = bench.raw("CreateCluster", json!({})).await;
    assert_eq!(answer.status, 400);
    assert_eq!(answer.body, r#"{"__type":"ServerException"}"#);
}

#[tokio::test]
async fn what_the_emulator_refuses_is_done_at_a_later_look() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Unhealthy);
    bench.emulator.world().refusals = Some(("StopTask".to_owned(), usize::MAX));
    bench.create(1).await;
    bench.await_calls("StopTask", 2).await;
    let trouble = bench.ecs.trouble().unwrap();
    assert!(trouble.contains("answered 400 to StopTask"), "{trouble}");
    bench.emulator.world().refusals = None;
    bench.service_in("FAILED").await;
    bench
        .service_when("without trouble", |_| bench.ecs.trouble().is_none())
        .await;
}

#[tokio::test]
async fn an_answer_is_given_even_if_tasks_cannot_be_looked_at() {
    let bench = Bench::start().await;
    bench.emulator.say("td:1", State::Healthy);
    bench.emulator.world().refusals = Some(("ListTasks".to_owned(), usize::MAX));
    bench.create(1).await;
    let service = bench.service().await;
    assert_eq!(service["deployments"][0]["rolloutState"], "IN_PROGRESS");
    bench.emulator.world().refusals = None;
    bench.service_in("COMPLETED").await;
}

#[tokio::test]
async fn a_deleted_service_is_not_watched_any_more() {
    let bench = Bench::start().await;
    bench.create(1).await;
    let input = json!({"cluster": "c", "service": "one", "force": true});
    let deleted = bench.call("DeleteService", input).await;
    assert_eq!(deleted["service"]["status"], "INACTIVE");
    assert!(bench.ecs.books().services.is_empty());
}

#[tokio::test]
async fn a_service_that_is_gone_behind_the_gate_is_forgotten() {
    let bench = Bench::start().await;
    bench.create(1).await;
    bench.emulator.world().services.clear();
    let deadline = Instant::now() + PATIENCE;
    while !bench.ecs.books().services.is_empty() {
        assert!(Instant::now() < deadline, "it is still known");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_token_starts_one_task() {
    let bench = Bench::start().await;
    let asked = |cluster: &str, command: &str, token: Option<&str>| {
        json!({
            "cluster": cluster, "taskDefinition": "td:1", "clientToken": token,
            "overrides": {"containerOverrides": [{"name": "app", "command": [command]}]},
        })
    };
    let task = async |input| bench.call("RunTask", input).await["tasks"][0]["taskArn"].take();
    let (first, again) = tokio::join!(
        task(asked("c", "migrate", Some("a"))),
        task(asked("c", "migrate", Some("a"))),
    );
    assert_eq!(first, again);
    assert_ne!(first, task(asked("c", "migrate", Some("b"))).await);
    assert_ne!(first, task(asked("d", "migrate", Some("a"))).await);
    let without = asked("c", "migrate", None);
    assert_ne!(task(without.clone()).await, task(without).await);
    assert_eq!(bench.emulator.count("RunTask"), 5);
    let other = bench.raw("RunTask", asked("c", "check", Some("a"))).await;
    let said: Value = serde_json::from_slice(&other.body).unwrap();
    assert_eq!(
        (other.status.as_u16(), text(&said["__type"])),
        (400, "ConflictException")
    );
}

/// One that failed has started nothing.
#[tokio::test]
async fn a_token_of_a_refused_task_is_free() {
    let bench = Bench::start().await;
    bench.emulator.world().refusals = Some(("RunTask".to_owned(), 1));
    let asked = json!({"cluster": "c", "taskDefinition": "td:1", "clientToken": "a"});
    let refused = bench.raw("RunTask", asked.clone()).await;
    assert!(!refused.status.is_success());
    bench.call("RunTask", asked).await;
}
