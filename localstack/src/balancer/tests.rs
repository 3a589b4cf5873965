//! The load balancer whole, between real clients and real targets on this
//! machine.

mod changes;
mod checks;
mod client;
mod draining;
mod failures;
mod forwarding;
mod http2;
mod target;

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use tokio::net::TcpSocket;

use super::config::{
    Action, Arn, Config, Forward, HealthCheck, Listener, Matcher, Rule, Target, TargetGroup,
    WeightedGroup,
};
use super::health::State;
use super::{Balancer, Ports, Site};
use target::FakeTarget;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PORT: u16 = 80;

/// Waits until something holds; it is wrong if it does not within seconds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn balancer(nodes: usize) -> Balancer {
    Balancer::new(Site {
        nodes: vec![LOOPBACK; nodes],
        ports: Ports::Free,
    })
}

fn group(name: &str, targets: &[&FakeTarget]) -> TargetGroup {
    TargetGroup {
        arn: Arn::new(name),
        health_check: HealthCheck {
            enabled: true,
            path: "/health".to_owned(),
            port: None,
            interval: Duration::from_millis(15),
            timeout: Duration::from_secs(5),
            healthy_threshold: 2,
            unhealthy_threshold: 2,
            matcher: Matcher::parse("200").unwrap(),
        },
        deregistration_delay: Duration::from_secs(300),
        stickiness: None,
        targets: targets.iter().map(|target| target.target()).collect(),
    }
}

fn forward(weights: &[(&str, u32)]) -> Forward {
    Forward {
        groups: weights
            .iter()
            .map(|(name, weight)| WeightedGroup {
                arn: Arn::new(*name),
                weight: *weight,
            })
            .collect(),
        stickiness: None,
    }
}

/// One listener that forwards so.
fn config(forward: Forward, groups: &[TargetGroup]) -> Config {
    Config {
        listeners: vec![Listener {
            arn: Arn::new("listener"),
            port: PORT,
            tls: None,
            rules: Vec::<Rule>::new(),
            default_actions: vec![Action::Forward(forward)],
        }],
        target_groups: groups.to_vec(),
        ..Config::default()
    }
}

/// A load balancer of one node before one group, whose targets are healthy.
async fn before(targets: &[&FakeTarget]) -> (Balancer, Config) {
    let config = config(forward(&[("blue", 1)]), &[group("blue", targets)]);
    let balancer = balancer(1);
    balancer.apply(config.clone()).await.unwrap();
    healthy(&balancer, "blue", targets.len()).await;
    (balancer, config)
}

async fn healthy(balancer: &Balancer, group: &str, count: usize) {
    until("all healthy", || {
        states(balancer, group) == vec![State::Healthy; count]
    })
    .await;
}

fn states(balancer: &Balancer, group: &str) -> Vec<State> {
    let all = balancer.health(&Arn::new(group));
    all.into_iter().map(|(_, health)| health.state).collect()
}

/// An address where nothing listens, and nothing else can while the socket is
/// held.
fn nowhere() -> (Target, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((LOOPBACK, 0).into()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (Target { ip: LOOPBACK, port }, socket)
}

fn set(targets: &[Target]) -> BTreeSet<Target> {
    targets.iter().copied().collect()
}
