//! A client's connection: TLS or plain, as its first byte tells, and by HTTP/1.1 or
//! HTTP/2, as both sides agree.

use std::sync::Arc;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::body::{Body, BoxError};
use crate::http2;

/// Answers all that comes over it; whoever answers is told whether it is secured.
/// Without a configuration TLS is not spoken.
pub async fn converse<F, R, E>(
    stream: TcpStream,
    tls: impl FnOnce() -> Option<Arc<ServerConfig>>,
    answer: F,
) where
    F: Fn(bool, Request<Incoming>) -> R,
    R: Future<Output = Result<Response<Body>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    // Only a matter of speed.
    let _ = stream.set_nodelay(true);
    if !begins_tls(&stream).await {
        return speak(stream, |request| answer(false, request)).await;
    }
    if let Some(config) = tls()
        && let Ok(stream) = TlsAcceptor::from(config).accept(stream).await
    {
        let answer = |request| answer(true, request);
        match http2::is_agreed(&stream) {
            true => speak_http2(stream, answer).await,
            false => speak(stream, answer).await,
        }
    }
}

/// No request begins with the byte that a handshake does (RFC 8446, 5.1).
async fn begins_tls(stream: &TcpStream) -> bool {
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first == [22]
}

/// No timer is given to hyper: a connection that a client keeps for later is
/// its own to close.
async fn speak<R, E>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: impl Fn(Request<Incoming>) -> R,
) where
    R: Future<Output = Result<Response<Body>, E>>,
    E: Into<BoxError>,
{
    // A client that leaves, or a fault that ends the connection: nobody is left
    // to be told.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .with_upgrades()
        .await;
}

async fn speak_http2<R, E>(stream: TlsStream<TcpStream>, answer: impl Fn(Request<Incoming>) -> R)
where
    R: Future<Output = Result<Response<Body>, E>> + Send + 'static,
    E: Into<BoxError>,
{
    let service = service_fn(|request| answer(http2::as_http1(request)));
    // As with HTTP/1.1.
    let _ = http2::server(TokioExecutor::new())
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
