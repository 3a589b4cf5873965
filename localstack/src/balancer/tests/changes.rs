//! Listeners that come, change and go.

use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};

use super::client::{Client, get};
use super::target::FakeTarget;
use super::{
    Arn, LOOPBACK, PORT, TargetGroup, balancer, before, config, forward, group, healthy, until,
};
use crate::balancer::{Balancer, Config, Ports, Site};

struct Colours {
    blue: FakeTarget,
    green: FakeTarget,
}

impl Colours {
    async fn start() -> Self {
        Self {
            blue: FakeTarget::start("blue").await,
            green: FakeTarget::start("green").await,
        }
    }

    fn groups(&self) -> [TargetGroup; 2] {
        [group("blue", &[&self.blue]), group("green", &[&self.green])]
    }

    fn all_to(&self, colour: &str) -> Config {
        let weight = |name| u32::from(name == colour);
        let weights = [("blue", weight("blue")), ("green", weight("green"))];
        config(forward(&weights), &self.groups())
    }
}

async fn said(balancer: &Balancer, node: usize) -> String {
    get(balancer.door(node, PORT).unwrap(), "/").await.text
}

#[tokio::test]
async fn the_next_request_on_an_open_connection_follows_a_change() {
    let colours = Colours::start().await;
    let balancer = balancer(1);
    balancer.apply(colours.all_to("blue")).await.unwrap();
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    assert_eq!(client.get("/").await.text, "blue");
    balancer.apply(colours.all_to("green")).await.unwrap();
    assert_eq!(client.get("/").await.text, "green");
    assert_eq!(balancer.door(0, PORT), Some(door));
}

#[tokio::test]
async fn a_request_in_hand_stays_where_it_is() {
    let colours = Colours::start().await;
    let balancer = balancer(1);
    balancer.apply(colours.all_to("blue")).await.unwrap();
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let held = tokio::spawn(async move { client.get("/hold").await });
    until("in hand", || colours.blue.requests() == 1).await;
    balancer.apply(colours.all_to("green")).await.unwrap();
    colours.blue.let_go();
    assert_eq!(held.await.unwrap().text, "blue");
}

#[tokio::test]
async fn a_node_with_lag_does_not_know_what_another_does() {
    let colours = Colours::start().await;
    let balancer = balancer(2);
    balancer.set_lag(1, Duration::from_secs(3600));
    balancer.apply(colours.all_to("blue")).await.unwrap();
    assert_eq!(
        said(&balancer, 1).await,
        "blue",
        "new listeners are there at once"
    );
    balancer.apply(colours.all_to("green")).await.unwrap();
    assert_eq!(said(&balancer, 0).await, "green");
    assert_eq!(said(&balancer, 1).await, "blue");
    assert_eq!(*balancer.config(), colours.all_to("green"));
    assert_eq!(balancer.doors(PORT).len(), 2);
}

#[tokio::test]
async fn a_node_hears_of_a_change_after_its_lag() {
    let colours = Colours::start().await;
    let balancer = balancer(1);
    balancer.apply(colours.all_to("blue")).await.unwrap();
    let lag = Duration::from_millis(100);
    balancer.set_lag(0, lag);
    let started = Instant::now();
    balancer.apply(colours.all_to("green")).await.unwrap();
    while said(&balancer, 0).await == "blue" {
        assert!(started.elapsed() < Duration::from_secs(10));
    }
    assert!(started.elapsed() >= lag);
}

#[tokio::test]
async fn a_node_never_goes_back_to_an_earlier_change() {
    let colours = Colours::start().await;
    let balancer = balancer(1);
    balancer.apply(colours.all_to("blue")).await.unwrap();
    let lag = Duration::from_millis(50);
    balancer.set_lag(0, lag);
    let started = Instant::now();
    balancer.apply(colours.all_to("green")).await.unwrap();
    balancer.set_lag(0, Duration::ZERO);
    let mut third = colours.all_to("blue");
    third.idle_timeout = Duration::from_secs(59);
    balancer.apply(third).await.unwrap();
    while started.elapsed() < 2 * lag {
        assert_eq!(said(&balancer, 0).await, "blue");
    }
}

#[tokio::test]
async fn a_group_that_one_node_still_uses_goes_on_there() {
    let colours = Colours::start().await;
    let [blue, green] = colours.groups();
    let balancer = balancer(1);
    let only =
        |one: &TargetGroup| config(forward(&[(one.arn.as_str(), 1)]), std::slice::from_ref(one));
    balancer.apply(only(&blue)).await.unwrap();
    balancer.set_lag(0, Duration::from_secs(3600));
    balancer.apply(only(&green)).await.unwrap();
    healthy(&balancer, "green", 1).await;
    assert!(balancer.health(&Arn::new("blue")).is_empty());
    assert_eq!(said(&balancer, 0).await, "blue");
}

#[tokio::test]
async fn a_listener_that_goes_closes_its_port_and_finishes_requests() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    let held = tokio::spawn(async move { client.get("/hold").await });
    until("in hand", || blue.requests() == 1).await;
    told.listeners.clear();
    balancer.apply(told).await.unwrap();
    assert_eq!(balancer.door(0, PORT), None);
    assert!(TcpStream::connect(door).await.is_err());
    blue.let_go();
    assert_eq!(held.await.unwrap().text, "blue");
}

#[tokio::test]
async fn a_stopped_load_balancer_has_no_port_and_no_checks() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    client.get("/").await;
    balancer.stop().await;
    assert!(TcpStream::connect(door).await.is_err());
    until("closed", || blue.open() == 0).await;
    assert!(
        client
            .send(super::client::request("GET", "/", ""))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_dropped_load_balancer_has_no_port() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    drop(balancer);
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(door).await.is_ok() {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn own_ports_are_had_or_the_error_says_why_not() {
    let blue = FakeTarget::start("blue").await;
    let taken = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let balancer = Balancer::new(Site {
        nodes: vec![LOOPBACK],
        ports: Ports::Own,
    });
    let mut told = config(forward(&[("blue", 1)]), &[group("blue", &[&blue])]);
    told.listeners[0].port = port;
    let error = balancer.apply(told.clone()).await.unwrap_err().to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    assert!(error.contains("end the program"), "{error}");
    assert_eq!(*balancer.config(), Config::default());
    assert_eq!(blue.checks(), 0);
    drop(taken);
    balancer.apply(told).await.unwrap();
    let door = balancer.door(0, port).unwrap();
    assert_eq!(door.port(), port);
    assert_eq!(get(door, "/").await.text, "blue");
}
