//! What goes through, and how.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::Request;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::client::{Client, get, request, switched};
use super::target::FakeTarget;
use super::{Action, LOOPBACK, PORT, balancer, before, config, forward, group, healthy};
use crate::balancer::Arn;
use crate::balancer::config::{Condition, Rule};

#[tokio::test]
async fn the_target_sees_the_clients_request_and_its_way() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    let seen = get(door, "/head?a=b").await.text;
    for line in [
        "GET /head?a=b\n",
        "host: shop.example.com",
        "x-forwarded-for: 127.0.0.1",
        "x-forwarded-proto: http",
        "x-forwarded-port: 80",
        "x-amzn-trace-id: Root=1-",
    ] {
        assert!(seen.contains(line), "{line} in {seen}");
    }
    assert!(!seen.contains("connection"), "{seen}");
}

#[tokio::test]
async fn targets_take_turns() {
    let (one, two) = (FakeTarget::start("1").await, FakeTarget::start("2").await);
    let (balancer, _) = before(&[&one, &two]).await;
    let door = balancer.door(0, PORT).unwrap();
    for _ in 0..6 {
        get(door, "/").await;
    }
    assert_eq!((one.requests(), two.requests()), (3, 3));
}

#[tokio::test]
async fn connections_to_targets_are_kept() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let door = balancer.door(0, PORT).unwrap();
    for _ in 0..5 {
        assert_eq!(get(door, "/").await.text, "blue");
    }
    assert_eq!((blue.requests(), blue.opened()), (5, 1));
}

#[tokio::test]
async fn a_head_request_has_the_length_and_no_body() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let answer = client.ask(request("HEAD", "/", "")).await.unwrap();
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.headers["content-length"], "4");
    assert_eq!(client.get("/").await.text, "blue");
}

#[tokio::test]
async fn bodies_keep_their_framing() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let sized = client.ask(request("POST", "/echo", "hello")).await.unwrap();
    assert_eq!(sized.text, "hello");
    assert_eq!(sized.headers["content-length"], "5");
    for method in ["POST", "GET"] {
        let mut chunked = request(method, "/echo", "");
        let one = Frame::data(Bytes::from("chunk"));
        let pieces = futures_util::stream::iter([Ok(one)]);
        *chunked.body_mut() = StreamBody::new(pieces).boxed();
        let headers = chunked.headers_mut();
        headers.insert("transfer-encoding", "chunked".parse().unwrap());
        let answer = client.ask(chunked).await.unwrap();
        assert_eq!(answer.text, "chunk", "{method}");
        assert_eq!(answer.headers["transfer-encoding"], "chunked", "{method}");
    }
}

#[tokio::test]
async fn large_bodies_go_through_as_they_come() {
    // Far more than the sockets and buffers on the way hold.
    const PIECE: usize = 1 << 16;
    const PIECES: usize = 512;
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let (sending, to_send) = tokio::sync::mpsc::channel::<Bytes>(1);
    let pieces = futures_util::stream::unfold(to_send, |mut to_send| async {
        let piece: Bytes = to_send.recv().await?;
        Some((Ok(Frame::data(piece)), to_send))
    });
    let mut upload = request("POST", "/echo", "");
    *upload.body_mut() = BodyExt::boxed(super::target::Synced::new(StreamBody::new(pieces)));
    let piece = Bytes::from(vec![7; PIECE]);
    sending.send(piece.clone()).await.unwrap();
    // The first comes back while the rest has not been sent.
    let mut answer = client.send(upload).await.unwrap().into_body();
    let first = answer.frame().await.unwrap().unwrap();
    let mut received = first.into_data().unwrap().len();
    assert!(received > 0);
    let rest = async {
        for _ in 1..PIECES {
            sending.send(piece.clone()).await.unwrap();
        }
        drop(sending);
    };
    let receive = async {
        while let Some(frame) = answer.frame().await {
            received += frame.unwrap().into_data().unwrap().len();
        }
        received
    };
    let ((), received) = tokio::join!(rest, receive);
    assert_eq!(received, PIECE * PIECES);
}

#[tokio::test]
async fn a_changed_protocol_goes_both_ways() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let mut stream = switched(balancer.door(0, PORT).unwrap()).await;
    for word in ["one", "two"] {
        stream.write_all(word.as_bytes()).await.unwrap();
        let mut echo = [0; 3];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(&echo, word.as_bytes());
    }
}

#[tokio::test]
async fn weight_zero_gets_nothing_and_a_group_without_targets_is_503() {
    let blue = FakeTarget::start("blue").await;
    let groups = [group("blue", &[&blue]), group("green", &[])];
    let balancer = balancer(1);
    balancer
        .apply(config(forward(&[("blue", 1), ("green", 0)]), &groups))
        .await
        .unwrap();
    let door = balancer.door(0, PORT).unwrap();
    for _ in 0..20 {
        assert_eq!(get(door, "/").await.status, 200);
    }
    balancer
        .apply(config(forward(&[("blue", 0), ("green", 1)]), &groups))
        .await
        .unwrap();
    let answer = get(door, "/").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.headers["server"], "awselb/2.0");
    assert!(answer.text.contains("503 Service Temporarily Unavailable"));
}

#[tokio::test]
async fn a_client_with_cookies_stays_with_its_group_and_target() {
    let (blue, one, two) = (
        FakeTarget::start("blue").await,
        FakeTarget::start("1").await,
        FakeTarget::start("2").await,
    );
    let mut green = group("green", &[&one, &two]);
    green.stickiness = Some(Duration::from_secs(60));
    let mut both = forward(&[("blue", 1), ("green", 1)]);
    both.stickiness = Some(Duration::from_secs(30));
    let balancer = balancer(1);
    balancer
        .apply(config(both, &[group("blue", &[&blue]), green]))
        .await
        .unwrap();
    healthy(&balancer, "green", 2).await;
    let mut client = Client::to(balancer.door(0, PORT).unwrap()).await;
    let first = loop {
        let answer = client.get("/").await;
        if answer.text != "blue" {
            break answer;
        }
    };
    let lines: Vec<&str> = first
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|line| line.to_str().unwrap())
        .collect();
    assert!(lines[0].starts_with("AWSALBTG=") && lines[0].contains("Max-Age=30"));
    assert!(lines[1].starts_with("AWSALB=") && lines[1].contains("Max-Age=60"));
    let kept: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split(';').next())
        .collect();
    for _ in 0..20 {
        let mut again = request("GET", "/", "");
        let cookies = kept.join("; ").parse().unwrap();
        again.headers_mut().insert("cookie", cookies);
        assert_eq!(client.ask(again).await.unwrap().text, first.text);
    }
}

#[tokio::test]
async fn rules_come_before_the_default() {
    let blue = FakeTarget::start("blue").await;
    let mut told = config(forward(&[("blue", 1)]), &[group("blue", &[&blue])]);
    told.listeners[0].rules.push(Rule {
        arn: Arn::new("rule"),
        priority: 1,
        conditions: vec![Condition::PathPattern(vec!["/own/*".to_owned()])],
        actions: vec![Action::FixedResponse {
            status: 404,
            content_type: Some("text/plain".to_owned()),
            body: Some("none here".to_owned()),
        }],
    });
    let balancer = balancer(1);
    balancer.apply(told).await.unwrap();
    let door = balancer.door(0, PORT).unwrap();
    assert_eq!(get(door, "/").await.text, "blue");
    let own = get(door, "/own/x").await;
    assert_eq!((own.status, own.text.as_str()), (404, "none here"));
}

#[tokio::test]
async fn requests_that_come_another_way_are_served_alike() {
    let blue = FakeTarget::start("blue").await;
    let (balancer, _) = before(&[&blue]).await;
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let elsewhere = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, client) = listener.accept().await.unwrap();
            let balancer = balancer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let balancer = balancer.clone();
                // There is no listener at the port of that path.
                let port = if request.uri().path() == "/81" {
                    81
                } else {
                    PORT
                };
                async move { Ok::<_, Infallible>(balancer.serve(0, port, client.ip(), request).await) }
            });
            tokio::spawn(
                http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .with_upgrades(),
            );
        }
    });
    let seen = get(elsewhere, "/head").await.text;
    assert!(seen.contains("x-forwarded-port: 80"), "{seen}");
    assert_eq!(get(elsewhere, "/81").await.status, 502);
    let mut stream = switched(elsewhere).await;
    stream.write_all(b"one").await.unwrap();
    let mut echo = [0; 3];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"one");
}
