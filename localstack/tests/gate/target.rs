//! Plain servers that a load balancer forwards to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Either, Full};
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::Semaphore;

use crate::api::Outcome;
use crate::server::serve;

/// What a health check gets when the target does not answer it.
const NOTHING: u16 = 0;
/// A frame with the text `hello`, as a server sends it, and as a client does,
/// masked with zeros: RFC 6455, section 5.7.
pub const SERVERS_HELLO: &[u8] = b"\x81\x05hello";
pub const CLIENTS_HELLO: &[u8] = b"\x81\x85\0\0\0\0hello";

/// A server, until it is dropped:
///
/// - `/health` is what the load balancer checks;
/// - `/hold` answers when it is released;
/// - `/echo` gives the body back, `/headers` the headers as lines;
/// - `/ws` is a WebSocket that answers one frame;
/// - anything else gives its name.
pub struct Target {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    server: tokio::task::JoinHandle<()>,
}

struct Shared {
    name: &'static str,
    health: AtomicU16,
    /// How many health checks got the status 200.
    passed: AtomicUsize,
    held: AtomicUsize,
    release: Semaphore,
}

impl Target {
    /// Healthy, at 127.0.0.1.
    pub async fn start(name: &'static str) -> Outcome<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::on(listener, name)
    }

    /// At an address of its own, where there is one: an emulator may tell targets
    /// of a group by their address alone.
    pub async fn start_apart(name: &'static str) -> Outcome<Self> {
        match TcpListener::bind((Ipv4Addr::new(127, 0, 0, 2), 0)).await {
            Ok(listener) => Self::on(listener, name),
            Err(_) => Self::start(name).await,
        }
    }

    /// Healthy, at that address.
    pub async fn start_at(place: SocketAddr, name: &'static str) -> Outcome<Self> {
        Self::on(TcpListener::bind(place).await?, name)
    }

    fn on(listener: TcpListener, name: &'static str) -> Outcome<Self> {
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            name,
            health: AtomicU16::new(200),
            passed: AtomicUsize::new(0),
            held: AtomicUsize::new(0),
            release: Semaphore::new(0),
        });
        let answering = shared.clone();
        let server = tokio::spawn(serve(listener, move |request| {
            let shared = answering.clone();
            async move { shared.answer(request).await }
        }));
        Ok(Self {
            address,
            shared,
            server,
        })
    }

    /// From now on health checks get this status.
    pub fn answer_checks_with(&self, status: u16) {
        self.shared.health.store(status, Ordering::SeqCst);
    }

    /// From now on health checks get no answer.
    pub fn leave_checks_unanswered(&self) {
        self.answer_checks_with(NOTHING);
    }

    pub fn passed_checks(&self) -> usize {
        self.shared.passed.load(Ordering::SeqCst)
    }

    /// How many requests wait at `/hold`, or did.
    pub fn held(&self) -> usize {
        self.shared.held.load(Ordering::SeqCst)
    }

    pub fn release(&self) {
        self.shared.release.add_permits(1);
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// An address where nothing listens, as long as it is kept: the port is taken.
pub struct Closed(
    #[expect(dead_code, reason = "it holds the port")] TcpSocket,
    pub SocketAddr,
);

impl Closed {
    pub fn take() -> Outcome<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0))?;
        let address = socket.local_addr()?;
        Ok(Self(socket, address))
    }
}

type Body = Either<Full<Bytes>, Incoming>;

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match request.uri().path() {
            "/health" => self.health().await,
            "/hold" => {
                self.held.fetch_add(1, Ordering::SeqCst);
                if let Ok(permit) = self.release.acquire().await {
                    permit.forget();
                }
                plain(self.name)
            }
            "/echo" => Response::new(Either::Right(request.into_body())),
            "/headers" => plain(lines(&request)),
            "/ws" => socket(request),
            _ => plain(self.name),
        }
    }

    async fn health(&self) -> Response<Body> {
        let status = self.health.load(Ordering::SeqCst);
        if status == NOTHING {
            std::future::pending::<()>().await;
        }
        if status == 200 {
            self.passed.fetch_add(1, Ordering::SeqCst);
        }
        let mut response = plain("");
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response
    }
}

fn plain(text: impl Into<Bytes>) -> Response<Body> {
    Response::new(Either::Left(Full::new(text.into())))
}

fn lines(request: &Request<Incoming>) -> String {
    request
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())))
        .collect()
}

/// Answers one frame of a client. The key that it accepts is RFC 6455's own
/// example (section 1.3).
fn socket(mut request: Request<Incoming>) -> Response<Body> {
    tokio::spawn(async move {
        let upgraded = hyper::upgrade::on(&mut request).await?;
        let mut stream = TokioIo::new(upgraded);
        let mut frame = vec![0; CLIENTS_HELLO.len()];
        stream.read_exact(&mut frame).await?;
        if frame == CLIENTS_HELLO {
            stream.write_all(SERVERS_HELLO).await?;
        }
        stream.shutdown().await?;
        Outcome::Ok(())
    });
    let mut response = plain("");
    *response.status_mut() = hyper::StatusCode::SWITCHING_PROTOCOLS;
    for (name, value) in [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ] {
        let value = hyper::header::HeaderValue::from_static(value);
        response.headers_mut().insert(name, value);
    }
    response
}

/// Reads a whole body.
pub async fn whole<B>(body: B) -> Outcome<Bytes>
where
    B: hyper::body::Body,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    Ok(body.collect().await?.to_bytes())
}
