//! The gate's own server: takes connections, and tells load balancers' traffic,
//! calls of AWS's API and everything else apart.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HOST};
use hyper::{Method, Response};
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};

use super::body::{self, Body};
use super::call::{Pipeline, no_answer};
use super::control;
use super::request::{Answer, Request};
use super::services::Corrected;
use super::wire;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Visitor {
    pub client: IpAddr,
    /// Which node of a load balancer it meets, counted on beyond the last. What
    /// comes over one connection has the same.
    pub node: usize,
    pub is_secured: bool,
}

/// Serves what is for a load balancer.
pub trait Traffic: Send + Sync {
    /// Whether a load balancer is reached by that Host header: by its DNS name
    /// for port 80, by `NAME:81` for port 81.
    fn takes(&self, host: &str) -> bool;

    /// What HTTPS is answered with, if it is spoken.
    fn tls(&self) -> Option<Arc<ServerConfig>>;

    /// The connection can be upgraded: see [`hyper::upgrade::on`].
    fn serve(
        &self,
        visitor: Visitor,
        host: String,
        request: hyper::Request<Incoming>,
    ) -> BoxFuture<'_, Response<Body>>;
}

pub struct Front {
    pub pipeline: Pipeline,
    /// None if the emulator serves load balancers by itself.
    pub traffic: Option<Arc<dyn Traffic>>,
    pub corrected: Option<Corrected>,
}

/// Ends a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is ended without an answer")]
struct Dropped;

/// Connections meet that node of a load balancer, or each the next. Never ends by
/// itself.
pub async fn serve(listener: TcpListener, node: Option<usize>, front: Arc<Front>) -> Infallible {
    let mut connections = 0;
    loop {
        match listener.accept().await {
            Ok((stream, client)) => {
                let visitor = Visitor {
                    client: client.ip(),
                    node: node.unwrap_or(connections),
                    is_secured: false,
                };
                connections += 1;
                tokio::spawn(connection(stream, visitor, Arc::clone(&front)));
            }
            // Nothing tells when this process may open a file again, which is
            // what has run out then.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection(stream: TcpStream, visitor: Visitor, front: Arc<Front>) {
    let traffic = front.traffic.clone();
    let tls = || traffic.and_then(|traffic| traffic.tls());
    let answer = move |is_secured, request| {
        let visitor = Visitor {
            is_secured,
            ..visitor
        };
        Arc::clone(&front).answer(visitor, request)
    };
    wire::converse(stream, tls, answer).await;
}

impl Front {
    async fn answer(
        self: Arc<Self>,
        visitor: Visitor,
        request: hyper::Request<Incoming>,
    ) -> Result<Response<Body>, Dropped> {
        if let Some((traffic, host)) = self.traffic_of(visitor, &request) {
            return Ok(traffic.serve(visitor, host, request).await);
        }
        if control::is_asked(request.uri()) {
            return Ok(control::answer(&self, request).await);
        }
        let (mut head, body) = request.into_parts();
        // The handle of an upgrade is nobody's from here on.
        head.extensions.clear();
        if !Request::may_be(&head) {
            return Ok(self.pass(head, body::streamed(body)).await);
        }
        let Ok(body) = body.collect().await.map(Collected::to_bytes) else {
            return Err(Dropped);
        };
        match Request::read(head.clone(), body.clone()) {
            Some(call) => self.call(call).await,
            None => Ok(self.pass(head, body::whole(body)).await),
        }
    }

    fn traffic_of(
        &self,
        visitor: Visitor,
        request: &hyper::Request<Incoming>,
    ) -> Option<(&dyn Traffic, String)> {
        let traffic = self.traffic.as_deref()?;
        let host = request.headers().get(HOST)?.to_str().ok()?;
        let host = match visitor.is_secured && !host.contains(':') {
            true => format!("{host}:443"),
            false => host.to_owned(),
        };
        traffic.takes(&host).then_some((traffic, host))
    }

    /// In a task of its own: a call that was made has its effect, also if the
    /// client does not wait for it.
    async fn call(self: Arc<Self>, call: Request) -> Result<Response<Body>, Dropped> {
        let method = call.head.method.clone();
        let carried = tokio::spawn(async move { self.pipeline.carry_out(&call).await });
        let answer = carried.await.ok().flatten().ok_or(Dropped)?;
        Ok(response(answer, &method))
    }

    async fn pass(&self, head: hyper::http::request::Parts, body: Body) -> Response<Body> {
        let method = head.method.clone();
        match self.pipeline.upstream.pass(head, body).await {
            Ok(answer) => answer.map(body::streamed),
            Err(failed) => response(no_answer(&failed.to_string()), &method),
        }
    }
}

/// The length is told anew, unless it is that of a body which is not sent.
fn response(answer: Answer, method: &Method) -> Response<Body> {
    let mut response = Response::new(body::whole(answer.body));
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    body::end_to_end(response.headers_mut());
    if method != Method::HEAD {
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}
