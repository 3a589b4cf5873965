//! As much of a gate's front as calls of ELBv2 need: each is read and answered.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::TokioIo;
use localstack::gate::elb::Elb;
use localstack::gate::request::{Answer, Request};
use tokio::net::TcpListener;

use crate::api::Outcome;

/// Runs until it is dropped.
pub struct Front {
    pub address: SocketAddr,
    server: tokio::task::JoinHandle<()>,
}

impl Front {
    pub async fn start(elb: Elb) -> Outcome<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(serve(listener, elb));
        Ok(Self { address, server })
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, elb: Elb) {
    while let Ok((stream, _)) = listener.accept().await {
        let elb = elb.clone();
        let service = service_fn(move |request| {
            let elb = elb.clone();
            async move { Ok::<_, Infallible>(response(answer(&elb, request).await)) }
        });
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
}

async fn answer(elb: &Elb, request: hyper::Request<Incoming>) -> Outcome<Answer> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let call = Request::read(head, body).ok_or("no call of AWS's API")?;
    Ok(elb.answer(&call).await?)
}

fn response(answer: Outcome<Answer>) -> Response<Full<Bytes>> {
    match answer {
        Ok(answer) => {
            let mut response = Response::new(Full::new(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            response
        }
        Err(error) => {
            let mut response = Response::new(Full::new(Bytes::from(error.to_string())));
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        }
    }
}
