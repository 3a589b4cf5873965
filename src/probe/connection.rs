//! One connection to one node, and the requests that go over it.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::client::conn::{http1, http2};
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::Version;
use super::certificate::{Expiry, Inspector, complaint};
use crate::error::{Cause, causes, innermost};
use crate::model::Lost;
use crate::trust;

/// HTTP/2's name when TLS negotiates it.
const ALPN_2: &[u8] = b"h2";
const ALPN_1: &[u8] = b"http/1.1";

/// What happened instead of an answer, and in words.
pub(super) type Nothing = (Lost, String);

/// Ready for requests as long as the other side has not closed it.
#[derive(Debug)]
pub(super) enum OpenConnection {
    One(http1::SendRequest<Empty<Bytes>>),
    Two(http2::SendRequest<Empty<Bytes>>),
}

/// How connections are made.
#[derive(Debug, Clone)]
pub(super) struct Maker {
    pub version: Version,
    /// Set if connections are secured: the configuration, and the server's name.
    pub tls: Option<(Arc<ClientConfig>, ServerName<'static>)>,
    /// Whether a connection is reset when it is dropped. If it is closed in order, its
    /// port stays in use for a minute; with hundreds of new ones a second no port would
    /// be left.
    pub resets: bool,
}

impl Maker {
    pub async fn open(&self, node: SocketAddr) -> Result<OpenConnection, Nothing> {
        let stream = TcpStream::connect(node)
            .await
            .map_err(|error| explain(&error, Lost::Other))?;
        // As in browsers: a request is not held back to wait for more data.
        let _ = stream.set_nodelay(true);
        if self.resets {
            let _ = stream.set_zero_linger();
        }
        let Some((config, name)) = &self.tls else {
            return handshake(stream, self.version == Version::Two).await;
        };
        let stream = TlsConnector::from(Arc::clone(config))
            .connect(name.clone(), stream)
            .await
            .map_err(|error| of_handshake(&error))?;
        let is_two = stream.get_ref().1.alpn_protocol() == Some(ALPN_2);
        handshake(stream, is_two).await
    }
}

async fn handshake<S>(stream: S, is_two: bool) -> Result<OpenConnection, Nothing>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let stream = TokioIo::new(stream);
    let failed = |error: hyper::Error| explain(&error, Lost::Other);
    if is_two {
        let (sender, driver) = http2::handshake(TokioExecutor::new(), stream)
            .await
            .map_err(failed)?;
        tokio::spawn(driver);
        return Ok(OpenConnection::Two(sender));
    }
    let (sender, driver) = http1::handshake(stream).await.map_err(failed)?;
    tokio::spawn(driver);
    Ok(OpenConnection::One(sender))
}

/// What became of a request.
pub(super) enum SendResult {
    Answered(Response<Incoming>),
    /// The connection was closed meanwhile: the request was not sent, or the server says
    /// that it did not process it.
    Unsent,
    Lost(Nothing),
}

impl OpenConnection {
    pub fn is_open(&self) -> bool {
        match self {
            Self::One(sender) => !sender.is_closed(),
            Self::Two(sender) => !sender.is_closed(),
        }
    }

    /// Another handle to the same connection, if it carries many requests at once.
    pub fn shared(&self) -> Option<Self> {
        match self {
            Self::One(_) => None,
            Self::Two(sender) => Some(Self::Two(sender.clone())),
        }
    }

    pub async fn send(&mut self, request: Request<Empty<Bytes>>) -> SendResult {
        let sent = match self {
            Self::One(sender) => {
                if let Err(error) = sender.ready().await {
                    return closed(&error);
                }
                sender.send_request(request).await
            }
            Self::Two(sender) => {
                if let Err(error) = sender.ready().await {
                    return closed(&error);
                }
                sender.send_request(request).await
            }
        };
        match sent {
            Ok(response) => SendResult::Answered(response),
            Err(error) if error.is_canceled() || was_left(&error) => SendResult::Unsent,
            Err(error) => SendResult::Lost(explain(&error, Lost::Other)),
        }
    }
}

fn closed(error: &hyper::Error) -> SendResult {
    if error.is_closed() || error.is_canceled() {
        return SendResult::Unsent;
    }
    SendResult::Lost(explain(error, Lost::Reset))
}

/// A server that goes away names the last request that it processed, and only later ones
/// end like this (RFC 9113, 6.8).
fn was_left(error: Cause<'_>) -> bool {
    let mut causes = causes(error).filter_map(|cause| cause.downcast_ref::<h2::Error>());
    causes.any(|error| error.is_go_away() && error.is_remote())
}

/// Reads a body to its end, as a user's client would, but keeps only the start.
pub(super) async fn read_body(
    response: Response<Incoming>,
    room: usize,
) -> Result<Vec<u8>, Nothing> {
    let mut body = response.into_body();
    let mut kept = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| explain(&error, Lost::CutShort))?;
        if let Some(data) = frame.data_ref() {
            let more = room.saturating_sub(kept.len()).min(data.len());
            kept.extend_from_slice(&data[..more]);
        }
    }
    Ok(kept)
}

/// The system's root certificates and those of a file. With a file, the system need not
/// have any.
///
/// # Errors
/// Neither the system nor the file has a root certificate.
pub(super) fn roots(file: Option<&Path>) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    let system = trust::roots();
    match file {
        None => roots.add_parsable_certificates(system?),
        Some(file) => {
            let own = trust::from_file(file)
                .map_err(|error| format!("no issuer can be read: {error}"))?;
            roots.add_parsable_certificates(system.unwrap_or_default().into_iter().chain(own))
        }
    };
    Ok(roots)
}

/// TLS that trusts those roots. Sessions are never resumed: each connection looks like a
/// new client's.
///
/// # Errors
/// rustls cannot check certificates with these.
pub(super) fn tls(
    version: Version,
    roots: RootCertStore,
    expiry: Expiry,
) -> Result<Arc<ClientConfig>, String> {
    let usual = WebPkiServerVerifier::builder(Arc::new(roots))
        .build()
        .map_err(|error| error.to_string())?;
    // The inspector calls the usual verifier, and only adds a look at the expiry.
    let inspector = Arc::new(Inspector { usual, expiry });
    let mut config = ClientConfig::builder()
        .dangerous()
        .with_custom_certificate_verifier(inspector)
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let spoken: &[&[u8]] = match version {
        Version::Auto => &[ALPN_2, ALPN_1],
        Version::One => &[ALPN_1],
        Version::Two => &[ALPN_2],
    };
    config.alpn_protocols = spoken.iter().map(|name| name.to_vec()).collect();
    Ok(Arc::new(config))
}

/// A certificate that is not accepted has its own message.
fn of_handshake(error: &io::Error) -> Nothing {
    let inner = unwrapped(error).get_ref();
    let complaint = inner
        .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        .and_then(complaint);
    match complaint {
        Some(complaint) => (Lost::Tls, complaint),
        None => explain(error, Lost::Tls),
    }
}

/// `otherwise` is the result unless the causes say more.
fn explain(error: Cause<'_>, otherwise: Lost) -> Nothing {
    let is_securing = otherwise == Lost::Tls;
    let why = causes(error).find_map(|cause| why(cause, is_securing));
    (why.unwrap_or(otherwise), innermost(error))
}

/// What a cause of an error says about the kind of loss, if anything.
fn why(cause: &(dyn StdError + 'static), is_securing: bool) -> Option<Lost> {
    if cause.is::<rustls::Error>() {
        return Some(Lost::Tls);
    }
    if let Some(error) = cause.downcast_ref::<hyper::Error>() {
        return error.is_incomplete_message().then_some(Lost::Reset);
    }
    let error = unwrapped(cause.downcast_ref()?);
    let wrapped = error.get_ref();
    if wrapped
        .and_then(|wrapped| wrapped.downcast_ref::<rustls::Error>())
        .is_some()
    {
        return Some(Lost::Tls);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => Some(Lost::Refused),
        io::ErrorKind::ConnectionReset
        | io::ErrorKind::ConnectionAborted
        | io::ErrorKind::BrokenPipe
        | io::ErrorKind::NotConnected => Some(Lost::Reset),
        // If a connection ends during its handshake, securing it failed.
        io::ErrorKind::UnexpectedEof if is_securing => Some(Lost::Tls),
        _ => None,
    }
}

/// An I/O error can wrap another one without naming it as its source.
fn unwrapped(error: &io::Error) -> &io::Error {
    let wrapped = error.get_ref().and_then(|wrapped| wrapped.downcast_ref());
    wrapped.map_or(error, unwrapped)
}
