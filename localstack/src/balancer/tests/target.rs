//! A target whose doings a test decides and sees.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{LOOPBACK, Target};

type Reply = Response<BoxBody<Bytes, hyper::Error>>;

pub struct FakeTarget {
    address: SocketAddr,
    seen: Arc<Seen>,
    _running: DropGuard,
}

#[derive(Default)]
pub struct Seen {
    name: String,
    /// What `/health` answers with.
    health: AtomicU16,
    /// Each lets one `/hold` or `/drip` go on.
    leave: Gate,
    checks: AtomicUsize,
    latest_check: Mutex<String>,
    requests: AtomicUsize,
    /// Connections that have had a request which is no check, now open.
    open: AtomicUsize,
    /// The same, ever opened.
    opened: AtomicUsize,
    /// Requests that were given up before their answer.
    abandoned: AtomicUsize,
}

struct Gate(Semaphore);

impl Default for Gate {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

impl FakeTarget {
    pub async fn start(name: &str) -> Self {
        let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen {
            name: name.to_owned(),
            health: AtomicU16::new(200),
            ..Seen::default()
        });
        let running = CancellationToken::new();
        tokio::spawn(running.clone().run_until_cancelled_owned(accept(
            listener,
            seen.clone(),
            running.clone(),
        )));
        Self {
            address,
            seen,
            _running: running.drop_guard(),
        }
    }

    pub fn target(&self) -> Target {
        Target {
            ip: self.address.ip(),
            port: self.address.port(),
        }
    }

    pub fn set_health(&self, status: u16) {
        self.seen.health.store(status, Ordering::SeqCst);
    }

    /// Lets one `/hold` or `/drip` go on.
    pub fn let_go(&self) {
        self.seen.leave.0.add_permits(1);
    }

    pub fn checks(&self) -> usize {
        self.seen.checks.load(Ordering::SeqCst)
    }

    /// Its head, in lines.
    pub fn latest_check(&self) -> String {
        self.seen.latest_check.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        self.seen.requests.load(Ordering::SeqCst)
    }

    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }

    pub fn opened(&self) -> usize {
        self.seen.opened.load(Ordering::SeqCst)
    }

    pub fn abandoned(&self) -> usize {
        self.seen.abandoned.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, seen: Arc<Seen>, running: CancellationToken) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (seen, running) = (seen.clone(), running.clone());
        tokio::spawn(running.run_until_cancelled_owned(converse(stream, seen)));
    }
}

async fn converse(stream: TcpStream, seen: Arc<Seen>) {
    let line = Arc::new(Line::new(seen));
    let service = service_fn(move |request| {
        let line = line.clone();
        async move { Ok::<_, Infallible>(line.answer(request).await) }
    });
    // However it ends, the counts say so.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await;
}

/// One connection.
struct Line {
    seen: Arc<Seen>,
    used: AtomicUsize,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.used.load(Ordering::SeqCst) > 0 {
            self.seen.open.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

struct Pending(Arc<Seen>, bool);

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.1 {
            self.0.abandoned.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Line {
    fn new(seen: Arc<Seen>) -> Self {
        Self {
            seen,
            used: AtomicUsize::new(0),
        }
    }

    async fn answer(&self, request: Request<Incoming>) -> Reply {
        if request.uri().path() == "/health" {
            self.seen.checks.fetch_add(1, Ordering::SeqCst);
            *self.seen.latest_check.lock().unwrap() = describe(&request);
            let mut reply = text(String::new());
            let status = self.seen.health.load(Ordering::SeqCst);
            *reply.status_mut() = StatusCode::from_u16(status).unwrap();
            return reply;
        }
        if self.used.fetch_add(1, Ordering::SeqCst) == 0 {
            self.seen.open.fetch_add(1, Ordering::SeqCst);
            self.seen.opened.fetch_add(1, Ordering::SeqCst);
        }
        self.seen.requests.fetch_add(1, Ordering::SeqCst);
        let mut pending = Pending(self.seen.clone(), false);
        let reply = self.reply(request).await;
        pending.1 = true;
        reply
    }

    async fn reply(&self, request: Request<Incoming>) -> Reply {
        match request.uri().path() {
            "/hold" => {
                self.seen.leave.0.acquire().await.unwrap().forget();
                text(self.seen.name.clone())
            }
            "/collect" => match request.into_body().collect().await {
                Ok(all) => text(all.to_bytes().len().to_string()),
                Err(broken) => text(broken.to_string()),
            },
            "/drip" => drip(self.seen.clone()),
            "/echo" => Response::new(request.into_body().boxed()),
            "/head" => text(describe(&request)),
            "/switch" => switch(request),
            _ => text(self.seen.name.clone()),
        }
    }
}

fn text(text: String) -> Reply {
    Response::new(Full::from(text).map_err(|never| match never {}).boxed())
}

fn describe(request: &Request<Incoming>) -> String {
    let mut lines = vec![format!("{} {}", request.method(), request.uri())];
    for (name, value) in request.headers() {
        lines.push(format!("{name}: {}", value.to_str().unwrap()));
    }
    lines.join("\n")
}

/// Sends its first piece at once and its last when let go.
fn drip(seen: Arc<Seen>) -> Reply {
    let pieces = futures_util::stream::unfold((seen, 0), |(seen, step)| async move {
        let piece = match step {
            0 => "first",
            1 => {
                seen.leave.0.acquire().await.unwrap().forget();
                "last"
            }
            _ => return None,
        };
        let frame = Frame::data(Bytes::from_static(piece.as_bytes()));
        Some((Ok::<_, hyper::Error>(frame), (seen, step + 1)))
    });
    let body = http_body_util::StreamBody::new(pieces);
    Response::new(BoxBody::new(Synced::new(body)))
}

/// Makes a body shareable that nobody shares: a boxed one must be.
pub struct Synced<B>(Mutex<Pin<Box<B>>>);

impl<B> Synced<B> {
    pub fn new(body: B) -> Self {
        Self(Mutex::new(Box::pin(body)))
    }
}

impl<B: hyper::body::Body<Data = Bytes>> hyper::body::Body for Synced<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        self.0.get_mut().unwrap().as_mut().poll_frame(context)
    }
}

/// Changes to a protocol that sends back whatever comes.
fn switch(mut request: Request<Incoming>) -> Reply {
    let protocol = request.headers().get("upgrade").cloned();
    let client = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut client = TokioIo::new(client.await.unwrap());
        let (mut here, there) = tokio::io::duplex(64);
        let (mut from, mut to) = tokio::io::split(there);
        tokio::spawn(async move { tokio::io::copy(&mut from, &mut to).await });
        // Ends with the connection.
        let _ = copy_bidirectional(&mut client, &mut here).await;
    });
    let mut reply = text(String::new());
    let Some(protocol) = protocol else {
        *reply.status_mut() = StatusCode::BAD_REQUEST;
        return reply;
    };
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = reply.headers_mut();
    headers.insert("connection", "upgrade".parse().unwrap());
    headers.insert("upgrade", protocol);
    reply
}
