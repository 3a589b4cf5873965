//! One request to the load balancer.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Empty;
use hyper::header::{ACCEPT, HOST, HeaderName, HeaderValue, USER_AGENT};
use hyper::{HeaderMap, Request, Uri};
use rustls::pki_types::ServerName;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::address::{Address, Question};
use super::answers::Answers;
use super::certificate::Expiry;
use super::connection::{Maker, Nothing, OpenConnection, SendResult, read_body, roots, tls};
use super::nodes::Nodes;
use crate::hidden::Hidden;
use crate::model::{self, Answer, Lost, Unexpected};

/// The User-Agent header.
const BGECS: HeaderValue = HeaderValue::from_static(concat!("bgecs/", env!("CARGO_PKG_VERSION")));
/// How much of a body is searched for a pattern.
const SEARCHED_BODY: usize = 256 * 1024;

/// How many requests may be under way over kept connections to one node. Further ones
/// wait, as in every client with keep-alive, and that shows in their latency; without a
/// limit, a server that stalls would get thousands of connections.
const KEPT_CONNECTIONS: usize = 256;

/// The result of one request.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub answer: Arc<Answer>,
    /// What is wrong with the answer, if there is one.
    pub unexpected: Option<Unexpected>,
}

/// Sends one kind of request to one address, over new or kept connections.
#[derive(Debug)]
pub struct Client {
    question: Question,
    timeout: Duration,
    maker: Maker,
    uri: Uri,
    headers: HeaderMap,
    expiry: Expiry,
    kept: Mutex<HashMap<SocketAddr, Arc<Pool>>>,
    answers: Answers,
    /// It is sent, but never shown to anybody.
    secret: Option<Hidden>,
}

impl Client {
    /// `timeout` is for one request, its connection included.
    ///
    /// # Errors
    /// In words: an address that cannot be requested, or a system without root
    /// certificates if the address needs them, or a file without any.
    pub fn new(address: &Address, question: Question, timeout: Duration) -> Result<Self, String> {
        let expiry = Expiry::default();
        let tls = match address.is_secured {
            false => None,
            true => {
                let name = ServerName::try_from(address.host.clone()).map_err(|_| {
                    format!("{} is not a name that a certificate can have", address.host)
                })?;
                let roots = roots(address.ca_file.as_deref())?;
                Some((tls(question.version, roots, expiry.clone())?, name))
            }
        };
        let uri = Uri::builder()
            .scheme(address.scheme())
            .authority(address.authority.as_str())
            .path_and_query(address.path.clone())
            .build()
            .map_err(|error| format!("{address}: {error}"))?;
        Ok(Self {
            timeout,
            maker: Maker {
                version: question.version,
                tls,
                resets: false,
            },
            uri,
            headers: headers(address, &question)?,
            expiry,
            kept: Mutex::default(),
            answers: Answers::default(),
            secret: address.secret().map(Hidden::new),
            question,
        })
    }

    /// When the certificate that is met first expires.
    pub fn expiry(&self) -> Expiry {
        self.expiry.clone()
    }

    /// Resets connections at their end, for so many new ones that this machine would run
    /// out of ports.
    pub fn resetting(mut self, resets: bool) -> Self {
        self.maker.resets = resets;
        self
    }

    /// Asks one node once. Everything that is not an HTTP answer is `Nothing`.
    pub async fn ask(&self, node: SocketAddr, connection: model::Connection) -> Exchange {
        let asked = match connection {
            model::Connection::Fresh => timeout(self.timeout, Box::pin(self.ask_anew(node))).await,
            model::Connection::Reused => timeout(self.timeout, self.ask_kept(node)).await,
        };
        asked
            .unwrap_or_else(|_| Err(self.timed_out()))
            .unwrap_or_else(|(why, error)| self.nothing(why, error))
    }

    /// The result if there is nothing to connect to.
    pub fn nothing(&self, why: Lost, error: String) -> Exchange {
        Exchange {
            answer: self.answers.keep(&Answer::Nothing { why, error }),
            unexpected: None,
        }
    }

    fn timed_out(&self) -> Nothing {
        let text = format!("no answer within {} ms", self.timeout.as_millis());
        (Lost::TimedOut, text)
    }

    async fn ask_anew(&self, node: SocketAddr) -> Result<Exchange, Nothing> {
        let mut connection = Box::pin(self.maker.open(node)).await?;
        match connection.send(self.request(&connection)).await {
            SendResult::Answered(response) => self.read(response).await,
            SendResult::Unsent => Err(ended()),
            SendResult::Lost(nothing) => Err(nothing),
        }
    }

    /// If a kept connection ends before the request, that says nothing about what users
    /// see: their clients open another one as well (RFC 9112, 9.3.1; RFC 9113, 8.7).
    async fn ask_kept(&self, node: SocketAddr) -> Result<Exchange, Nothing> {
        let pool = self.pool(node);
        // Released when the answer has been read.
        let _room = pool.room.acquire().await;
        if let Some(kept) = pool.take()
            && let Some(asked) = self.ask_over(&pool, kept).await
        {
            return asked;
        }
        // Boxed: otherwise every request would carry the space for opening a connection,
        // even if it opens none.
        let connection = Box::pin(self.maker.open(node)).await?;
        if let Some(shared) = connection.shared() {
            pool.put(shared);
        }
        let asked = self.ask_over(&pool, connection).await;
        asked.unwrap_or_else(|| Err(ended()))
    }

    /// Sends a request, and keeps the connection. None if the connection ended before the
    /// request.
    async fn ask_over(
        &self,
        pool: &Pool,
        mut connection: OpenConnection,
    ) -> Option<Result<Exchange, Nothing>> {
        match connection.send(self.request(&connection)).await {
            SendResult::Answered(response) => {
                let asked = self.read(response).await;
                if asked.is_ok() && connection.shared().is_none() {
                    pool.put(connection);
                }
                Some(asked)
            }
            SendResult::Unsent => None,
            SendResult::Lost(nothing) => Some(Err(nothing)),
        }
    }

    fn pool(&self, node: SocketAddr) -> Arc<Pool> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(kept.entry(node).or_default())
    }

    fn request(&self, connection: &OpenConnection) -> Request<Empty<Bytes>> {
        let mut request = Request::new(Empty::new());
        *request.method_mut() = self.question.method.clone();
        *request.headers_mut() = self.headers.clone();
        match connection {
            // In the form for the server itself, not for a proxy.
            OpenConnection::One(_) => {
                let path = self.uri.path_and_query().cloned();
                *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
            }
            // The host is part of the URI.
            OpenConnection::Two(_) => {
                *request.uri_mut() = self.uri.clone();
                request.headers_mut().remove(HOST);
            }
        }
        request
    }

    async fn read(
        &self,
        response: hyper::Response<hyper::body::Incoming>,
    ) -> Result<Exchange, Nothing> {
        let status = response.status().as_u16();
        let release = response
            .headers()
            .get(&self.question.release_header)
            .cloned();
        let expected = &self.question.expected;
        let room = match expected.body {
            Some(_) => SEARCHED_BODY,
            None => Answer::KEPT_BODY,
        };
        let secret = self.secret.as_ref().map_or("", Hidden::reveal);
        // A secret that begins within what is kept is read completely.
        let mut body = read_body(response, room + secret.len()).await?;
        let unexpected = expected.judge(status, &body[..body.len().min(room)]);
        withhold(&mut body, secret);
        let release = release.filter(|value| !holds(value.as_bytes(), secret));
        Ok(Exchange {
            answer: self.answers.http(status, release.as_ref(), &body),
            unexpected,
        })
    }
}

fn holds(text: &[u8], secret: &str) -> bool {
    place(text, secret).is_some()
}

fn place(text: &[u8], secret: &str) -> Option<usize> {
    let mut windows = text.windows(secret.len().max(1));
    windows.position(|window| window == secret.as_bytes())
}

/// Some apps repeat requests in their answers; such an answer is only kept up to the
/// secret.
fn withhold(body: &mut Vec<u8>, secret: &str) {
    if let Some(at) = place(body, secret) {
        body.truncate(at);
        body.extend_from_slice(b"***");
    }
}

/// The kept connections to one node.
#[derive(Debug)]
struct Pool {
    idle: Mutex<Vec<OpenConnection>>,
    /// For requests under way.
    room: Semaphore,
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            idle: Mutex::default(),
            room: Semaphore::new(KEPT_CONNECTIONS),
        }
    }
}

impl Pool {
    /// An idle connection, or one that takes several requests at once.
    fn take(&self) -> Option<OpenConnection> {
        let mut idle = self.idle();
        while let Some(last) = idle.last() {
            match (last.is_open(), last.shared()) {
                (true, Some(shared)) => return Some(shared),
                (true, None) => return idle.pop(),
                (false, _) => drop(idle.pop()),
            }
        }
        None
    }

    fn put(&self, connection: OpenConnection) {
        self.idle().push(connection);
    }

    fn idle(&self) -> MutexGuard<'_, Vec<OpenConnection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ended() -> Nothing {
    (Lost::Reset, "the connection was closed".to_owned())
}

/// The headers of every request. Those that a person gave win.
fn headers(address: &Address, question: &Question) -> Result<HeaderMap, String> {
    let host = HeaderValue::from_str(&address.authority).map_err(|error| error.to_string())?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, host);
    headers.insert(USER_AGENT, BGECS);
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    for (name, value) in address.headers() {
        headers.insert(name, value);
    }
    let given: Vec<HeaderName> = question
        .headers
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    for name in given {
        headers.remove(name);
    }
    for (name, value) in &question.headers {
        headers.append(name.clone(), value.clone());
    }
    Ok(headers)
}

/// Sends one request over a new connection, to whichever node accepts it.
pub async fn ask_once(address: &Address, question: &Question, timeout: Duration) -> Exchange {
    let client = match Client::new(address, question.clone(), timeout) {
        Ok(client) => client,
        Err(error) => return Exchange::lost(Lost::Other, error),
    };
    let nodes = match Nodes::of(address).await.now() {
        Ok(nodes) => nodes,
        Err(error) => return Exchange::lost(Lost::Other, error),
    };
    let mut asked = Exchange::lost(Lost::Other, format!("{address} has no address"));
    for node in nodes.iter() {
        asked = client.ask(*node, model::Connection::Fresh).await;
        let is_elsewhere = matches!(
            *asked.answer,
            Answer::Nothing {
                why: Lost::Refused,
                ..
            }
        );
        if !is_elsewhere {
            break;
        }
    }
    asked
}

/// Sends one request to each node, as a new visitor; returns the answers, and what to
/// warn of.
pub async fn ask_each(
    address: &Address,
    question: &Question,
    timeout: Duration,
) -> (Vec<Exchange>, Expiry) {
    let lost = |error| (vec![Exchange::lost(Lost::Other, error)], Expiry::default());
    let client = match Client::new(address, question.clone(), timeout) {
        Ok(client) => client,
        Err(error) => return lost(error),
    };
    let nodes = match Nodes::of(address).await.now() {
        Ok(nodes) => nodes,
        Err(error) => return lost(error),
    };
    let asking = nodes
        .iter()
        .map(|node| client.ask(*node, model::Connection::Fresh));
    (join_all(asking).await, client.expiry())
}

impl Exchange {
    fn lost(why: Lost, error: String) -> Self {
        Self {
            answer: Arc::new(Answer::Nothing { why, error }),
            unexpected: None,
        }
    }

    /// Whether it is a complete answer without anything wrong.
    #[cfg(test)]
    pub fn is_good(&self) -> bool {
        self.unexpected.is_none() && matches!(*self.answer, Answer::Http { .. })
    }
}

#[cfg(test)]
mod tests;
