//! The gate before a plain server that stands for the emulator.

mod calls;
mod control;
mod crash;
mod life;
mod passage;

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Response};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;

use super::body::{self, Body, BoxError};
use super::services::Services;
use super::{Gate, Options};

/// Nothing here takes so long.
const DEADLINE: Duration = Duration::from_secs(20);

async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it takes too long")
}

/// Stands for the emulator; ends when it is dropped.
pub struct Stand {
    pub endpoint: String,
    task: AbortHandle,
}

impl Drop for Stand {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Stand {
    pub async fn start<F, R>(handler: F) -> Self
    where
        F: Fn(hyper::Request<Incoming>) -> R + Clone + Send + 'static,
        R: Future<Output = Response<Body>> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let accept = async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let handler = handler.clone();
                let service = service_fn(move |request| {
                    let answer = handler(request);
                    async move { Ok::<_, BoxError>(answer.await) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection);
            }
        };
        let task = tokio::spawn(accept).abort_handle();
        Self { endpoint, task }
    }

    /// One that does nothing by itself: whatever comes here, a client has sent.
    fn gate(&self) -> Gate {
        Gate::with(&self.endpoint, &Options::default(), |_| Services::default()).unwrap()
    }
}

/// An emulator of ECS whose only state is how often it was written.
#[derive(Clone, Default)]
struct Counter {
    writes: Arc<AtomicU32>,
    /// The operations that came, in their order.
    seen: Arc<Mutex<Vec<String>>>,
}

impl Counter {
    async fn start(&self) -> Stand {
        let counter = self.clone();
        Stand::start(move |request| counter.clone().answer(request)).await
    }

    async fn answer(self, request: hyper::Request<Incoming>) -> Response<Body> {
        let target = request.headers()["x-amz-target"].to_str().unwrap();
        let name = target.rsplit('.').next().unwrap().to_owned();
        if name.starts_with("Update") {
            self.writes.fetch_add(1, Ordering::SeqCst);
        }
        self.seen.lock().unwrap().push(name);
        Response::new(body::whole(json!({"writes": self.writes()}).to_string()))
    }

    fn writes(&self) -> u32 {
        self.writes.load(Ordering::SeqCst)
    }

    fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

/// An emulator that says what it was sent.
async fn mirror() -> Stand {
    Stand::start(|request| async move {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let said = json!({
            "method": head.method.as_str(),
            "uri": head.uri.to_string(),
            "headers": described(&head),
            "body": String::from_utf8_lossy(&body),
        });
        Response::new(body::whole(said.to_string()))
    })
    .await
}

fn described(head: &Parts) -> serde_json::Value {
    let headers = head.headers.iter();
    headers
        .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap())))
        .collect()
}

/// A connection on which a test writes what it likes.
struct Raw {
    stream: TcpStream,
}

impl Raw {
    async fn to(gate: &Gate) -> Self {
        let address = gate.endpoint().strip_prefix("http://").unwrap();
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
        }
    }

    async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        soon(self.stream.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Until there is that text.
    async fn read_until(&mut self, end: &str) -> String {
        let mut text = String::new();
        while !text.contains(end) {
            let mut bytes = [0; 64 * 1024];
            let count = soon(self.stream.read(&mut bytes)).await.unwrap();
            assert!(count > 0, "the connection ended after {text:?}");
            text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
        }
        text
    }

    /// Until the connection ends, which it has to do in order.
    async fn read_to_end(&mut self) -> String {
        let mut text = String::new();
        soon(self.stream.read_to_string(&mut text)).await.unwrap();
        text
    }
}

/// A call of ECS as it looks on the wire.
fn ecs(operation: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: ecs\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: AmazonEC2ContainerServiceV20141113.{operation}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// One request on a connection of its own, whose answer is read whole.
async fn ask(gate: &Gate, head: &str, body: &str) -> (u16, HeaderMap, String) {
    let mut raw = Raw::to(gate).await;
    raw.send(format!("{head}\r\nConnection: close\r\n\r\n{body}"))
        .await;
    let text = raw.read_to_end().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let mut lines = head.lines();
    let status = lines.next().unwrap().split(' ').nth(1).unwrap();
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap();
        (name.parse().unwrap(), value.parse().unwrap())
    });
    (status.parse().unwrap(), headers.collect(), body.to_owned())
}
