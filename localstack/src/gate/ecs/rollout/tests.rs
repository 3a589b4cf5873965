mod world;

use std::collections::BTreeSet;

use serde_json::json;

use self::world::{GROUP, NEW, OLD, OPENED, OTHER_GROUP, World, roll_back, stop};
use super::*;
use crate::balancer::health::State;

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
            world.progress(NEW).completed().is_some(),
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
            world.progress(NEW).completed().is_some(),
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
    assert!(world.progress(NEW).completed().is_none());
}

#[test]
fn the_former_deployments_tasks_do_not_complete_it() {
    let mut world = World::established(1);
    world.run(Some(State::Healthy));
    world.now += 60.0;
    world.deploy(NEW, "td:2", world.now, "COMPLETED");
    world.judge();
    assert!(world.progress(NEW).completed().is_none());
    assert!(world.progress(OLD).completed().is_some());
}

#[test]
fn a_forced_deployment_has_the_tasks_that_came_after_it() {
    let mut world = World::established(1);
    let before = world.run(Some(State::Unhealthy));
    world.now += 60.0;
    world.deploy(NEW, "td:1", world.now, "COMPLETED");
    world.run(Some(State::Healthy));
    assert!(!world.judge_later().contains(&stop(&before)));
    assert!(world.progress(NEW).completed().is_some());
}

#[test]
fn tasks_that_say_which_deployment_started_them_are_believed() {
    let mut world = World::rolling(1);
    world.run(Some(State::Healthy));
    world.tasks[0].started_by = OLD.to_owned();
    world.judge();
    assert!(world.progress(NEW).completed().is_none());
    world.tasks[0].started_by = NEW.to_owned();
    world.judge();
    assert!(world.progress(NEW).completed().is_some());
}

#[test]
fn nothing_desired_is_completed_at_once() {
    let mut world = World::empty(0);
    world.deploy(NEW, "td:2", world.now, "COMPLETED");
    world.judge();
    assert!(world.progress(NEW).completed().is_some());
}

#[test]
fn the_emulator_may_hold_it_longer() {
    let mut world = World::established(1);
    world.deploy(NEW, "td:2", world.now, "IN_PROGRESS");
    world.run(Some(State::Healthy));
    world.judge();
    assert!(world.progress(NEW).completed().is_none());
    world.raw["deployments"][0]["rolloutState"] = json!("COMPLETED");
    world.judge();
    assert!(world.progress(NEW).completed().is_some());
}

#[test]
fn what_the_emulator_says_of_deployments_after_the_gate_was_opened_is_not_believed() {
    for (created, is_completed) in [(OPENED - 1.0, true), (OPENED, false)] {
        let mut world = World::empty(1);
        world.deploy(OLD, "td:1", created, "COMPLETED");
        world.judge();
        assert_eq!(
            world.progress(OLD).completed().is_some(),
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
    assert!(world.progress(NEW).completed().is_some());
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
fn a_task_at_a_former_ones_address_is_not_taken_for_it() {
    for state in [State::Unhealthy, State::Healthy] {
        let mut world = World::rolling(2);
        let former = world.run(Some(state));
        world.judge();
        world.end(&former, false);
        world.run(Some(State::Healthy));
        let next = world.run(Some(state));
        world.tasks[2].address = world.tasks[0].address;
        assert!(!world.judge_later().contains(&stop(&next)));
        assert!(world.progress(NEW).completed().is_none());
        world.say(&next, State::Initial);
        world.judge();
        world.say(&next, State::Healthy);
        world.judge();
        assert!(world.progress(NEW).completed().is_some());
    }
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
    assert!(world.progress(OLD).completed().is_none());
    assert_eq!(world.progress(OLD).rolling().unwrap().of, NEW);

    world.raw["deployments"][1]["rolloutState"] = json!("COMPLETED");
    world.run(Some(State::Healthy));
    world.judge();
    assert!(world.progress(OLD).completed().is_some());
}

#[test]
fn a_failure_before_the_gate_was_opened_reopens_nothing() {
    let mut world = World::empty(1);
    world.deploy(NEW, "td:2", 200.0, "FAILED");
    world.deploy(OLD, "td:1", 100.0, "COMPLETED");
    world.judge();
    assert!(world.progress(NEW).failed().is_some());
    assert!(world.progress(OLD).completed().is_some());
    assert_eq!(world.messages(), [""; 0]);
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
                progress.completed().is_some() || !was_completed,
                "it stays completed"
            );
            was_completed = progress.completed().is_some();
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
