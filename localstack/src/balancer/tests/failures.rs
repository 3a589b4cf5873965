//! What goes wrong, and what the client is told.

use std::time::Duration;

use http_body_util::{BodyExt, StreamBody};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::{Client, get, request};
use super::target::FakeTarget;
use super::{
    LOOPBACK, PORT, Target, balancer, before, config, forward, group, nowhere, set, until,
};
use crate::balancer::{Balancer, Config};

/// Long enough, also on a busy machine, for what is not meant to take longer.
const IDLE: Duration = Duration::from_secs(1);

/// Before targets that are not looked after.
async fn unchecked(target: Target) -> Balancer {
    let balancer = balancer(1);
    balancer.apply(to(target)).await.unwrap();
    balancer
}

pub fn to(target: Target) -> Config {
    let mut blue = group("blue", &[]);
    blue.health_check.enabled = false;
    blue.targets = set(&[target]);
    config(forward(&[("blue", 1)]), &[blue])
}

/// A target that reads a request and answers each with that text, and hangs up.
pub async fn saying(text: &'static str) -> Target {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
        }
    });
    Target { ip: LOOPBACK, port }
}

#[tokio::test]
async fn a_target_that_cannot_be_reached_or_understood_is_502() {
    let (nobody, _held) = nowhere();
    for target in [
        nobody,
        saying("").await,
        saying("nonsense\r\n\r\n").await,
        saying("HTTP/1.1 200 OK\r\nContent-Le").await,
    ] {
        let balancer = unchecked(target).await;
        let answer = get(balancer.door(0, PORT).unwrap(), "/").await;
        assert_eq!(answer.status, 502);
        assert!(answer.text.contains("502 Bad Gateway"));
        assert_eq!(answer.headers["server"], "awselb/2.0");
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_target_has_closed_is_no_failure() {
    // Hangs up after each answer without a word of it.
    let target = saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await;
    let balancer = unchecked(target).await;
    let door = balancer.door(0, PORT).unwrap();
    for _ in 0..20 {
        assert_eq!(get(door, "/").await.text, "ok");
    }
}

#[tokio::test]
async fn a_request_that_may_have_arrived_is_not_repeated() {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let balancer = unchecked(Target { ip: LOOPBACK, port }).await;
    let target = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut head = [0; 4096];
        assert!(stream.read(&mut head).await.unwrap() > 0);
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        stream.write_all(answer).await.unwrap();
        // The second, on the same connection, is read and not answered.
        assert!(stream.read(&mut head).await.unwrap() > 0);
        listener
    });
    let door = balancer.door(0, PORT).unwrap();
    assert_eq!(get(door, "/").await.text, "ok");
    assert_eq!(get(door, "/").await.status, 502);
    let listener = target.await.unwrap().into_std().unwrap();
    let again = listener.accept().map_err(|error| error.kind());
    assert_eq!(again.unwrap_err(), std::io::ErrorKind::WouldBlock);
}

#[tokio::test]
async fn a_body_that_breaks_off_does_not_look_complete() {
    let target = saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n").await;
    let balancer = unchecked(target).await;
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    assert!(client.ask(request("GET", "/", "")).await.is_err());
}

#[tokio::test]
async fn a_target_that_does_not_answer_in_time_is_504() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    told.idle_timeout = IDLE;
    balancer.apply(told).await.unwrap();
    let door = balancer.door(0, PORT).unwrap();
    let answer = get(door, "/hold").await;
    assert_eq!(answer.status, 504);
    assert!(answer.text.contains("504 Gateway Time-out"));
    until("given up", || blue.abandoned() == 1).await;
    let broken = Client::to(door)
        .await
        .ask(request("GET", "/drip", ""))
        .await;
    assert!(broken.is_err(), "a body without an end: {broken:?}");
}

#[tokio::test]
async fn a_client_that_does_not_finish_its_request_is_408() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    told.idle_timeout = IDLE;
    balancer.apply(told).await.unwrap();
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let mut endless = request("POST", "/collect", "");
    *endless.body_mut() = StreamBody::new(futures_util::stream::pending()).boxed();
    assert_eq!(client.ask(endless).await.unwrap().status, 408);
}

#[tokio::test]
async fn a_request_whose_client_is_gone_is_given_up() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut unanswered = TcpStream::connect(door).await.unwrap();
    unanswered
        .write_all(b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    until("in hand", || blue.requests() == 1).await;
    drop(unanswered);
    until("given up", || blue.abandoned() == 1 && blue.open() == 0).await;
    let mut half = Client::to(door).await;
    let mut body = half
        .send(request("GET", "/drip", ""))
        .await
        .unwrap()
        .into_body();
    body.frame().await.unwrap().unwrap();
    assert_eq!(blue.open(), 1);
    drop((body, half));
    until("given up", || blue.open() == 0).await;
}

#[tokio::test]
async fn what_is_not_served_is_refused() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let mut client = Client::to(door).await;
    let traced = client.ask(request("TRACE", "/", "")).await.unwrap();
    assert_eq!(traced.status, 405);
    let mut nameless = request("GET", "/", "");
    nameless.headers_mut().remove("host");
    assert_eq!(client.ask(nameless).await.unwrap().status, 400);
    assert_eq!(blue.requests(), 0);
}

#[tokio::test]
async fn an_idle_connection_of_a_client_is_closed() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, mut told) = before(&[&blue]).await;
    told.idle_timeout = IDLE;
    balancer.apply(told).await.unwrap();
    let mut stream = TcpStream::connect(balancer.door(0, PORT).unwrap())
        .await
        .unwrap();
    stream
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    let mut all = String::new();
    // hyper's own default would be longer.
    let end = stream.read_to_string(&mut all);
    let read = tokio::time::timeout(Duration::from_secs(10), end).await;
    read.expect("closed in time").unwrap();
    assert!(all.ends_with("blue"), "{all}");
}
