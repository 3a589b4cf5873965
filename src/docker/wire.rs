//! One connection to the engine for each request: for bollard, and for the streams that
//! bollard 0.21.1 does not support.
//!
//! These are: the session (its `build_image` insists on a session of its own that serves
//! no secrets; <https://github.com/fussybeaver/bollard/pull/731> lifts that but is not
//! released); push and pull (its events contain neither the layer of a push nor the
//! digest, and it encodes credentials in a base64 alphabet that the engine does not
//! read). Knows HTTP, but nothing of images.

use std::io;
use std::sync::Arc;

use bollard::BollardRequest;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderName, HeaderValue, UPGRADE};
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::endpoint::EngineAddress;
use super::error::DockerError;
use super::ssh::Tunnel;

/// What a connection to an engine reads from and writes to.
trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// The way to one engine.
#[derive(Clone)]
pub(super) struct Wire {
    endpoint: Arc<EngineAddress>,
}

pub(super) type Headers = Vec<(HeaderName, HeaderValue)>;

impl Wire {
    pub(super) fn new(endpoint: EngineAddress) -> Self {
        Self {
            endpoint: Arc::new(endpoint),
        }
    }

    pub(super) fn endpoint(&self) -> &EngineAddress {
        &self.endpoint
    }

    /// `GET path`, without a body; returns the answer's head.
    pub(super) async fn get(&self, path: &str) -> Result<Response<Incoming>, SendError> {
        self.send(bare(Method::GET, path, Headers::new())?).await
    }

    /// `POST path`, answered by a stream of JSON lines. `doing` completes
    /// "refused to …" in errors.
    pub(super) async fn post(
        &self,
        doing: &str,
        path: &str,
        headers: Headers,
    ) -> Result<JsonLines, DockerError> {
        let response = self.ask(doing, path, headers).await?;
        if !response.status().is_success() {
            return Err(refused(doing, response).await);
        }
        Ok(JsonLines {
            doing: doing.to_owned(),
            body: response.into_body(),
            buffer: BytesMut::new(),
        })
    }

    /// `POST path`, upgraded to HTTP/2 with the engine as the client.
    pub(super) async fn upgrade(
        &self,
        doing: &str,
        path: &str,
        mut headers: Headers,
    ) -> Result<Upgraded, DockerError> {
        headers.push((CONNECTION, HeaderValue::from_static("Upgrade")));
        headers.push((UPGRADE, HeaderValue::from_static("h2c")));
        let response = self.ask(doing, path, headers).await?;
        if response.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(refused(doing, response).await);
        }
        hyper::upgrade::on(response)
            .await
            .map_err(|error| DockerError::lost(doing, error))
    }

    async fn ask(
        &self,
        doing: &str,
        path: &str,
        headers: Headers,
    ) -> Result<Response<Incoming>, DockerError> {
        let sent = async { self.send(bare(Method::POST, path, headers)?).await };
        sent.await.map_err(|error| DockerError::lost(doing, error))
    }

    /// For bollard, which builds a URI of its own: only the path matters here.
    pub(super) async fn send_for_bollard(
        self,
        request: BollardRequest,
    ) -> Result<Response<Incoming>, bollard::errors::Error> {
        use bollard::errors::Error as Bollard;
        self.send(request).await.map_err(|error| match error {
            SendError::Io(err) => Bollard::IOError { err },
            SendError::Http(err) => Bollard::HyperResponseError { err },
            SendError::Request(err) => Bollard::HttpClientError { err },
        })
    }

    /// Dropping the future, or the response before its end, closes the connection, which
    /// tells the engine that it may stop.
    async fn send<B>(&self, mut request: Request<B>) -> Result<Response<Incoming>, SendError>
    where
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(hyper::http::Error::from)?;
        request
            .headers_mut()
            .insert(HOST, HeaderValue::from_static("docker"));
        let io = TokioIo::new(self.connect().await?);
        let (mut sender, connection) = http1::handshake(io).await?;
        tokio::spawn(connection.with_upgrades());
        Ok(sender.send_request(request).await?)
    }

    async fn connect(&self) -> io::Result<Box<dyn Io>> {
        Ok(match &*self.endpoint {
            EngineAddress::Unix(path) => Box::new(UnixStream::connect(path).await?),
            EngineAddress::Tcp(authority) => Box::new(TcpStream::connect(authority).await?),
            EngineAddress::Tls(authority, config) => {
                let stream = TcpStream::connect(authority).await?;
                Box::new(config.connect(authority, stream).await?)
            }
            EngineAddress::Ssh(destination) => Box::new(Tunnel::open(destination)?),
        })
    }
}

/// Why there is no response at all.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error(transparent)]
    Request(#[from] hyper::http::Error),
}

fn bare(
    method: Method,
    path: &str,
    headers: Headers,
) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.body(Empty::new())
}

async fn refused(doing: &str, response: Response<Incoming>) -> DockerError {
    #[derive(serde::Deserialize)]
    struct Refusal {
        message: String,
    }
    let status = response.status().as_u16();
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return DockerError::lost(doing, error),
    };
    let message = serde_json::from_slice::<Refusal>(&body).map_or_else(
        |_| String::from_utf8_lossy(&body).trim().to_owned(),
        |refusal| refusal.message,
    );
    DockerError::Refused {
        doing: doing.to_owned(),
        status,
        message,
    }
}

/// An answer with one JSON value per line.
pub(super) struct JsonLines {
    doing: String,
    body: Incoming,
    buffer: BytesMut,
}

impl JsonLines {
    /// The next value, or `None` at the end. Safe to cancel.
    pub(super) async fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, DockerError> {
        let mut searched = 0;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(end) = fresh.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(searched + end + 1);
                searched = 0;
                if !line.trim_ascii().is_empty() {
                    return self.parse(&line).map(Some);
                }
                continue;
            }
            searched = self.buffer.len();
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Some(data) = frame.data_ref() {
                        self.buffer.extend_from_slice(data);
                    }
                }
                Some(Err(error)) => return Err(DockerError::lost(&*self.doing, error)),
                None if self.buffer.trim_ascii().is_empty() => return Ok(None),
                None => {
                    let rest = self.buffer.split();
                    return self.parse(&rest).map(Some);
                }
            }
        }
    }

    fn parse<T: DeserializeOwned>(&self, line: &[u8]) -> Result<T, DockerError> {
        serde_json::from_slice(line).map_err(|error| DockerError::Unexpected {
            doing: self.doing.clone(),
            why: error.to_string(),
        })
    }
}
