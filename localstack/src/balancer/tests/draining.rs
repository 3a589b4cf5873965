//! Targets that are deregistered.

use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use tokio::io::AsyncReadExt;

use super::client::{Client, get, request, switched};
use super::target::FakeTarget;
use super::{PORT, State, before, healthy, set, states, until};

#[tokio::test]
async fn a_request_in_hand_is_finished_and_new_ones_go_elsewhere() {
    let (old, new) = (
        FakeTarget::start("old").await,
        FakeTarget::start("new").await,
    );
    let (balancer, mut told) = before(&[&old]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    let held = tokio::spawn(async move { client.get("/hold").await });
    until("in hand", || old.requests() == 1).await;
    told.target_groups[0].targets = set(&[new.target()]);
    balancer.apply(told).await.unwrap();
    for _ in 0..4 {
        assert_eq!(get(door, "/").await.text, "new");
    }
    assert!(states(&balancer, "blue").contains(&State::Draining));
    assert_eq!(old.open(), 1);
    old.let_go();
    let answer = held.await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, "old"));
    // Its connection ends with its last request, its state only with the delay.
    until("closed", || old.open() == 0).await;
    assert!(states(&balancer, "blue").contains(&State::Draining));
}

#[tokio::test]
async fn a_target_without_requests_loses_its_connections_and_is_draining_for_the_delay() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    get(balancer.door(0, PORT).unwrap(), "/").await;
    assert_eq!(blue.open(), 1);
    let delay = Duration::from_millis(150);
    told.target_groups[0].deregistration_delay = delay;
    told.target_groups[0].targets.clear();
    let started = Instant::now();
    balancer.apply(told).await.unwrap();
    let made = blue.checks();
    assert_eq!(states(&balancer, "blue"), [State::Draining]);
    until("closed", || blue.open() == 0).await;
    until("forgotten", || states(&balancer, "blue").is_empty()).await;
    assert!(started.elapsed() >= delay);
    // At most one was on its way.
    assert!(blue.checks() <= made + 1);
}

#[tokio::test]
async fn requests_that_outlast_the_delay_are_cut() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let (mut unanswered, mut half) = (Client::to(door).await, Client::to(door).await);
    let unanswered = tokio::spawn(async move { unanswered.get("/hold").await });
    let mut body = half
        .send(request("GET", "/drip", ""))
        .await
        .unwrap()
        .into_body();
    let first = body.frame().await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap(), "first");
    until("in hand", || blue.requests() == 2).await;
    told.target_groups[0].deregistration_delay = Duration::from_millis(60);
    told.target_groups[0].targets.clear();
    balancer.apply(told).await.unwrap();
    assert_eq!(unanswered.await.unwrap().status, 502);
    // A body that is cut must not look complete.
    assert!(body.frame().await.unwrap().is_err());
    until("closed", || blue.open() == 0).await;
}

#[tokio::test]
async fn a_draining_target_that_is_registered_again_begins_anew() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, told) = before(&[&blue]).await;
    blue.set_health(500);
    let mut without = told.clone();
    without.target_groups[0].targets.clear();
    balancer.apply(without).await.unwrap();
    assert_eq!(states(&balancer, "blue"), [State::Draining]);
    balancer.apply(told).await.unwrap();
    assert_eq!(states(&balancer, "blue"), [State::Initial]);
    until("unhealthy", || {
        states(&balancer, "blue") == [State::Unhealthy]
    })
    .await;
    blue.set_health(200);
    healthy(&balancer, "blue", 1).await;
    let door = balancer.door(0, PORT).unwrap();
    assert_eq!(get(door, "/").await.text, "blue");
}

#[tokio::test]
async fn a_changed_protocol_lasts_until_the_delay_is_over() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    let mut stream = switched(balancer.door(0, PORT).unwrap()).await;
    let delay = Duration::from_millis(100);
    told.target_groups[0].deregistration_delay = delay;
    told.target_groups[0].targets.clear();
    let started = Instant::now();
    balancer.apply(told).await.unwrap();
    let mut end = Vec::new();
    stream.read_to_end(&mut end).await.unwrap();
    assert!(started.elapsed() >= delay);
    assert!(
        started.elapsed() < Duration::from_secs(30),
        "not by idleness"
    );
    assert!(end.is_empty());
}

#[tokio::test]
async fn the_end_of_an_earlier_delay_is_not_that_of_a_later_one() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    for delay in [Duration::from_millis(60), Duration::from_secs(300)] {
        told.target_groups[0].deregistration_delay = delay;
        told.target_groups[0].targets = set(&[blue.target()]);
        balancer.apply(told.clone()).await.unwrap();
        told.target_groups[0].targets.clear();
        balancer.apply(told.clone()).await.unwrap();
    }
    let started = Instant::now();
    while started.elapsed() < Duration::from_millis(120) {
        assert_eq!(states(&balancer, "blue"), [State::Draining]);
        tokio::task::yield_now().await;
    }
}
