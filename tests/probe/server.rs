//! A small server at one or more loopback addresses, which notes what is asked.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::support::Outcome;

/// A status and a body.
pub type Reply = (u16, &'static str);

/// One request that came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub node: IpAddr,
    pub version: Version,
    pub method: Method,
    pub path: String,
    pub headers: HeaderMap,
}

/// Runs on a thread of its own until it is dropped.
pub struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    _runtime: Runtime,
}

impl Server {
    /// At the same port of each node. `reply` is asked with the number of
    /// requests that came before.
    pub fn start(
        nodes: &[IpAddr],
        tls: Option<&Arc<ServerConfig>>,
        reply: fn(usize) -> Reply,
    ) -> Outcome<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let listeners = runtime.block_on(listen(nodes))?;
        let address = listeners[0].local_addr()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        for (node, listener) in nodes.iter().zip(listeners) {
            let answering = Answering {
                node: *node,
                tls: tls.cloned().map(TlsAcceptor::from),
                asked: Arc::clone(&asked),
                reply,
            };
            runtime.spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(answering.clone().serve(stream));
                }
            });
        }
        Ok(Self {
            address,
            asked,
            _runtime: runtime,
        })
    }

    /// Its first node's.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// All that came so far.
    pub fn asked(&self) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.clone()
    }
}

/// Listens at a port that is free on every node.
async fn listen(nodes: &[IpAddr]) -> Outcome<Vec<TcpListener>> {
    loop {
        let mut all: Vec<TcpListener> = Vec::new();
        for node in nodes {
            let port = match all.first() {
                Some(first) => first.local_addr()?.port(),
                None => 0,
            };
            match TcpListener::bind((*node, port)).await {
                Ok(listener) => all.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => break,
                Err(error) => return Err(error.into()),
            }
        }
        if all.len() == nodes.len() {
            return Ok(all);
        }
    }
}

#[derive(Clone)]
struct Answering {
    node: IpAddr,
    tls: Option<TlsAcceptor>,
    asked: Arc<Mutex<Vec<Asked>>>,
    reply: fn(usize) -> Reply,
}

impl Answering {
    async fn serve(self, stream: TcpStream) {
        let Some(tls) = self.tls.clone() else {
            return self.speak(stream, false).await;
        };
        // Some clients are refused, and some refuse.
        if let Ok(stream) = tls.accept(stream).await {
            let is_two = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            self.speak(stream, is_two).await;
        }
    }

    async fn speak(
        self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        is_two: bool,
    ) {
        let service = service_fn(move |request| {
            let answer = self.answer(&request);
            async move { Ok::<_, Infallible>(answer) }
        });
        let stream = TokioIo::new(stream);
        // How a client leaves is its own affair.
        let _ = match is_two {
            true => {
                let server = http2::Builder::new(TokioExecutor::new());
                server.serve_connection(stream, service).await
            }
            false => {
                http1::Builder::new()
                    .serve_connection(stream, service)
                    .await
            }
        };
    }

    fn answer(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let (status, body) = (self.reply)(asked.len());
        asked.push(Asked {
            node: self.node,
            version: request.version(),
            method: request.method().clone(),
            path: request
                .uri()
                .path_and_query()
                .map(ToString::to_string)
                .unwrap_or_default(),
            headers: request.headers().clone(),
        });
        let mut response = Response::new(Full::from(body));
        *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or_default();
        response
    }
}
