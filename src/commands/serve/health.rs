//! `/health`: ECS asks it whether the worker's loop is still running.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::error::{Error, Result};

/// The loop turns at least every ten seconds.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Health {
    last: Arc<Mutex<Instant>>,
}

impl Health {
    /// Answers from now on.
    ///
    /// # Errors
    /// The address cannot be had (exit 2).
    pub async fn answer(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).await.map_err(|error| {
            Error::usage(format!("--health {address} cannot be listened on")).because(&error)
        })?;
        let health = Self {
            last: Arc::new(Mutex::new(Instant::now())),
        };
        let answering = health.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let health = answering.clone();
                let service = service_fn(move |request| {
                    let answer = health.answer_to(&request);
                    async move { Ok::<_, std::convert::Infallible>(answer) }
                });
                let serving = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                tokio::spawn(serving);
            }
        });
        Ok(health)
    }

    /// The loop has turned.
    pub fn is_alive(&self) {
        *self.last() = Instant::now();
    }

    fn answer_to(&self, request: &Request<Incoming>) -> Response<Full<Bytes>> {
        let quiet = self.last().elapsed();
        let (status, text) = match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/health") if quiet < PATIENCE => {
                (StatusCode::OK, "ok\n")
            }
            (&Method::GET | &Method::HEAD, "/health") => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the worker does not move\n",
            ),
            _ => (StatusCode::NOT_FOUND, "there is only GET /health\n"),
        };
        let mut answer = Response::new(Full::from(text));
        *answer.status_mut() = status;
        answer
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Instant> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
