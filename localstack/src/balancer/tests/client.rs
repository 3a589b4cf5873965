//! A client with one connection.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub type Sent = BoxBody<Bytes, std::convert::Infallible>;

pub struct Client {
    sender: http1::SendRequest<Sent>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

pub fn request(method: &str, path: &str, body: &str) -> Request<Sent> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "shop.example.com")
        .body(Full::from(body.to_owned()).boxed())
        .unwrap()
}

impl Client {
    pub async fn to(door: SocketAddr) -> Self {
        let stream = TcpStream::connect(door).await.unwrap();
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { sender }
    }

    pub async fn send(&mut self, request: Request<Sent>) -> hyper::Result<Response<Incoming>> {
        self.sender.ready().await?;
        in_time(self.sender.send_request(request)).await
    }

    pub async fn ask(&mut self, request: Request<Sent>) -> hyper::Result<Answer> {
        let (head, body) = self.send(request).await?.into_parts();
        let body = in_time(body.collect()).await?.to_bytes();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            text: String::from_utf8_lossy(&body).into_owned(),
        })
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.ask(request("GET", path, "")).await.unwrap()
    }
}

pub async fn in_time<T>(exchange: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(10), exchange)
        .await
        .expect("an answer in time")
}

/// Over a connection of its own.
pub async fn get(door: SocketAddr, path: &str) -> Answer {
    Client::to(door).await.get(path).await
}

/// A connection that has changed its protocol, to one that sends back what comes.
pub async fn switched(door: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(door).await.unwrap();
    let head = "GET /switch HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    while !answer.ends_with("\r\n\r\n") {
        answer.push(char::from(stream.read_u8().await.unwrap()));
    }
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.to_lowercase().contains("upgrade: echo"), "{answer}");
    stream
}
