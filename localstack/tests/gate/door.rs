//! A client of a load balancer's listener.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::client::conn::http2;
use hyper::{HeaderMap, Request};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::api::Outcome;
use crate::target::whole;

pub type Body = BoxBody<Bytes, std::convert::Infallible>;

/// Where a listener is reached.
#[derive(Debug, Clone)]
pub struct Door {
    pub address: SocketAddr,
    /// The Host header.
    pub host: String,
}

/// A connection that is kept.
pub struct Connection {
    sender: SendRequest<Body>,
    host: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// `NAME=VALUE` of a cookie that is set.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .get_all("set-cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .filter_map(|value| value.split(';').next())
            .find(|pair| pair.split('=').next() == Some(name))
            .map(str::to_owned)
    }
}

impl Door {
    pub async fn connect(&self) -> Outcome<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        self.over(stream).await
    }

    /// Over TLS, asking for the certificate of that name.
    pub async fn connect_securely(&self, name: &str, ca: &str) -> Outcome<Connection> {
        self.over(self.secured(name, ca, &[]).await?).await
    }

    /// What the root of a name says by HTTP/2, which is all that is offered.
    pub async fn get_by_http2(&self, name: &str, ca: &str) -> Outcome<Bytes> {
        let stream = TokioIo::new(self.secured(name, ca, &[b"h2"]).await?);
        let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream).await?;
        tokio::spawn(connection);
        let request = Request::get(format!("https://{name}/")).body(Empty::<Bytes>::new())?;
        whole(sender.send_request(request).await?.into_body()).await
    }

    async fn secured(
        &self,
        name: &str,
        ca: &str,
        offered: &[&[u8]],
    ) -> Outcome<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(ca.as_bytes())?)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = offered.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from(name.to_owned())?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream);
        Ok(stream.await?)
    }

    async fn over<S>(&self, stream: S) -> Outcome<Connection>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection {
            sender,
            host: self.host.clone(),
        })
    }

    /// Over a connection of its own.
    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Outcome<Answer> {
        self.connect().await?.get(path, headers).await
    }
}

impl Connection {
    pub async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Outcome<Answer> {
        self.send("GET", path, headers, Empty::new().boxed()).await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Outcome<Answer> {
        self.sender.ready().await?;
        let start = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host);
        let request = headers
            .iter()
            .fold(start, |request, (name, value)| {
                request.header(*name, *value)
            })
            .body(body)?;
        let (head, body) = self.sender.send_request(request).await?.into_parts();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body: whole(body).await?,
        })
    }
}
