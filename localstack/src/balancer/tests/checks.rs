//! Health, as checks find it.

use std::time::Duration;

use tokio::net::TcpListener;

use super::client::{Client, get};
use super::target::FakeTarget;
use super::{
    Arn, LOOPBACK, PORT, State, Target, balancer, before, config, forward, group, healthy, nowhere,
    set, states, until,
};
use crate::balancer::Balancer;
use crate::balancer::health::Reason;

fn reason(balancer: &Balancer, group: &str) -> Option<&'static str> {
    let all = balancer.health(&Arn::new(group));
    all[0].1.reason.map(Reason::as_str)
}

#[tokio::test]
async fn a_target_becomes_unhealthy_and_healthy_again() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    blue.set_health(500);
    until("unhealthy", || {
        states(&balancer, "blue") == [State::Unhealthy]
    })
    .await;
    let (_, health) = balancer.health(&Arn::new("blue")).remove(0);
    assert_eq!(
        health.description.as_deref(),
        Some("Health checks failed with these codes: [500]")
    );
    blue.set_health(200);
    healthy(&balancer, "blue", 1).await;
}

#[tokio::test]
async fn only_healthy_targets_get_requests() {
    let (one, two) = (FakeTarget::start("1").await, FakeTarget::start("2").await);
    let (balancer, _) = before(&[&one, &two]).await;
    two.set_health(503);
    until("one unhealthy", || {
        states(&balancer, "blue").contains(&State::Unhealthy)
    })
    .await;
    let door = balancer.door(0, PORT).unwrap();
    for _ in 0..10 {
        assert_eq!(get(door, "/").await.text, "1");
    }
}

#[tokio::test]
async fn all_targets_get_requests_when_none_is_healthy() {
    let (one, two) = (FakeTarget::start("1").await, FakeTarget::start("2").await);
    one.set_health(500);
    two.set_health(500);
    let balancer = balancer(1);
    let told = config(forward(&[("blue", 1)]), &[group("blue", &[&one, &two])]);
    balancer.apply(told).await.unwrap();
    let door = balancer.door(0, PORT).unwrap();
    assert_eq!(get(door, "/").await.status, 200, "while all are initial");
    until("all unhealthy", || {
        states(&balancer, "blue") == [State::Unhealthy; 2]
    })
    .await;
    for _ in 0..4 {
        assert_eq!(get(door, "/").await.status, 200);
    }
    assert!(one.requests() >= 2 && two.requests() >= 2);
}

#[tokio::test]
async fn a_target_that_refuses_and_one_that_is_silent_fail_differently() {
    let silent = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let mut refusing = group("refusing", &[]);
    let (nobody, _held) = nowhere();
    refusing.targets = set(&[nobody]);
    let mut waiting = group("waiting", &[]);
    waiting.targets = set(&[Target {
        ip: LOOPBACK,
        port: silent.local_addr().unwrap().port(),
    }]);
    waiting.health_check.timeout = Duration::from_millis(20);
    let balancer = balancer(1);
    let both = forward(&[("refusing", 1), ("waiting", 1)]);
    balancer
        .apply(config(both, &[refusing, waiting]))
        .await
        .unwrap();
    for (group, expected) in [
        ("refusing", "Target.FailedHealthChecks"),
        ("waiting", "Target.Timeout"),
    ] {
        until(group, || states(&balancer, group) == [State::Unhealthy]).await;
        assert_eq!(reason(&balancer, group), Some(expected));
    }
}

#[tokio::test]
async fn a_check_can_be_of_another_port_and_say_who_makes_it() {
    let (blue, sidecar) = (
        FakeTarget::start("blue").await,
        FakeTarget::start("sidecar").await,
    );
    blue.set_health(500);
    let mut told = group("blue", &[&blue]);
    told.health_check.port = Some(sidecar.target().port);
    let balancer = balancer(1);
    balancer
        .apply(config(forward(&[("blue", 1)]), &[told]))
        .await
        .unwrap();
    healthy(&balancer, "blue", 1).await;
    let seen = sidecar.latest_check();
    assert!(seen.contains("user-agent: ELB-HealthChecker/2.0"), "{seen}");
    let host = format!("host: 127.0.0.1:{}", sidecar.target().port);
    assert!(seen.contains(&host), "{seen}");
}

#[tokio::test]
async fn checks_that_are_switched_off_are_not_made() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    told.target_groups[0].health_check.enabled = false;
    balancer.apply(told).await.unwrap();
    assert_eq!(states(&balancer, "blue"), [State::Unavailable]);
    assert_eq!(
        reason(&balancer, "blue"),
        Some("Target.HealthCheckDisabled")
    );
    let door = balancer.door(0, PORT).unwrap();
    assert_eq!(get(door, "/").await.text, "blue");
}

#[tokio::test]
async fn new_settings_of_checks_leave_health_and_connections() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    client.get("/").await;
    let check = &mut told.target_groups[0].health_check;
    check.interval = Duration::from_millis(10);
    check.unhealthy_threshold = 5;
    balancer.apply(told).await.unwrap();
    assert_eq!(states(&balancer, "blue"), [State::Healthy]);
    let made = blue.checks();
    until("checks go on", || blue.checks() > made + 2).await;
    client.get("/").await;
    assert_eq!(blue.opened(), 1);
}

#[tokio::test]
async fn a_group_that_nobody_names_is_not_checked() {
    let blue = FakeTarget::start("blue").await;
    let green = FakeTarget::start("green").await;
    let (balancer, told) = before(&[&blue]).await;
    let moved = config(forward(&[("green", 1)]), &[group("green", &[&green])]);
    balancer.apply(moved).await.unwrap();
    assert!(balancer.health(&Arn::new("blue")).is_empty());
    balancer.apply(told).await.unwrap();
    assert_eq!(states(&balancer, "blue"), [State::Initial]);
    healthy(&balancer, "blue", 1).await;
}
