//! That what is sent arrives, both ways.

use std::convert::Infallible;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::api::Outcome;
use crate::door::{Body, Door};
use crate::subject::Subject;
use crate::target::{CLIENTS_HELLO, SERVERS_HELLO, Target};

super::cases![
    a_large_body_comes_back_whole,
    a_chunked_body_comes_back_whole,
    a_websocket_is_passed_on,
];

const CHUNK: usize = 64 * 1024;
const CHUNKS: usize = 64;

async fn behind(subject: &Subject, target: &Target) -> Outcome<Door> {
    let group = subject.group(&[target.address]).await?;
    let (load_balancer, _) = subject.forwarding_to(&group).await?;
    subject.until(&group, "healthy").await?;
    subject.door(&load_balancer, 80).await
}

fn noise() -> Vec<u8> {
    std::iter::repeat_with(|| fastrand::u8(..))
        .take(CHUNK * CHUNKS)
        .collect()
}

async fn comes_back(subject: &Subject, sent: &[u8], body: Body) -> Outcome {
    let target = Target::start("blue").await?;
    let door = behind(subject, &target).await?;
    let mut connection = door.connect().await?;
    let answer = connection.send("POST", "/echo", &[], body).await?;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body.len(), sent.len());
    assert!(answer.body == sent, "it is not what was sent");
    Ok(())
}

async fn a_large_body_comes_back_whole(subject: &Subject) -> Outcome {
    let sent = noise();
    let body = Full::new(Bytes::from(sent.clone())).boxed();
    comes_back(subject, &sent, body).await
}

async fn a_chunked_body_comes_back_whole(subject: &Subject) -> Outcome {
    let sent = noise();
    let chunks: Vec<Result<Frame<Bytes>, Infallible>> = sent
        .chunks(CHUNK)
        .map(|chunk| Ok(Frame::data(Bytes::copy_from_slice(chunk))))
        .collect();
    let body = StreamBody::new(stream::iter(chunks)).boxed();
    comes_back(subject, &sent, body).await
}

async fn a_websocket_is_passed_on(subject: &Subject) -> Outcome {
    let target = Target::start("blue").await?;
    let door = behind(subject, &target).await?;
    let mut stream = TcpStream::connect(door.address).await?;
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        door.host
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await?);
    }
    let answer = String::from_utf8(answer)?.to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(answer.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="));
    stream.write_all(CLIENTS_HELLO).await?;
    let mut frame = vec![0; SERVERS_HELLO.len()];
    stream.read_exact(&mut frame).await?;
    assert_eq!(frame, SERVERS_HELLO);
    Ok(())
}
