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

/// Who asks.
const BGECS: HeaderValue = HeaderValue::from_static(concat!("bgecs/", env!("CARGO_PKG_VERSION")));
/// How much of a body is looked at where a pattern is looked for in it.
const SEARCHED_BODY: usize = 256 * 1024;

/// Requests that may be under way over kept connections to one node. Further
/// ones wait, as in every client that keeps connections, and their latency says
/// so; without a bound a server that stalls would be asked for thousands.
const KEPT_CONNECTIONS: usize = 256;

/// What came of one request.
#[derive(Debug, Clone)]
pub struct Exchange {
    pub answer: Arc<Answer>,
    /// What is not as it should be, if it is an answer.
    pub unexpected: Option<Unexpected>,
}

/// Asks one question at one address, over connections that it makes anew or
/// keeps.
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
    /// What is sent, and repeated to nobody.
    secret: Option<Hidden>,
}

impl Client {
    /// `timeout` is for one request, its connection included.
    ///
    /// # Errors
    /// In words: an address that no request can be made of, or a system without
    /// root certificates where the address wants them, or a file without any.
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

    /// When the certificate ends that is met first.
    pub fn expiry(&self) -> Expiry {
        self.expiry.clone()
    }

    /// For so many fresh connections that this machine would run out of ports.
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

    /// There is nobody to ask.
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

    /// A kept connection that ends ahead of the request says nothing of what users
    /// see: their clients open another one too (RFC 9112, 9.3.1; RFC 9113, 8.7).
    async fn ask_kept(&self, node: SocketAddr) -> Result<Exchange, Nothing> {
        let pool = self.pool(node);
        // Given back when the answer is read.
        let _room = pool.room.acquire().await;
        if let Some(kept) = pool.take()
            && let Some(asked) = self.ask_over(&pool, kept).await
        {
            return asked;
        }
        // Apart, as what it takes to open one would be carried along by every
        // request that needs none.
        let connection = Box::pin(self.maker.open(node)).await?;
        if let Some(shared) = connection.shared() {
            pool.put(shared);
        }
        let asked = self.ask_over(&pool, connection).await;
        asked.unwrap_or_else(|| Err(ended()))
    }

    /// Asks, and keeps the connection. None where it ended ahead of the request.
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
            // As asked of the server itself, not of a proxy.
            OpenConnection::One(_) => {
                let path = self.uri.path_and_query().cloned();
                *request.uri_mut() = path.map_or_else(Uri::default, Uri::from);
            }
            // Its Host is the URI's.
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
        // A secret that begins within what is kept is seen whole.
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

/// Some apps repeat what they are asked; of such an answer only the start is kept.
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
    /// One that is idle, or takes requests side by side.
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

/// Those that go with every request. What a person gave wins.
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

/// Asks once, over a fresh connection, whichever node takes it.
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

/// Asks each node once, as a new visitor; and tells what is to be warned of.
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

    /// Whether it is a whole answer, and as it should be.
    #[cfg(test)]
    pub fn is_good(&self) -> bool {
        self.unexpected.is_none() && matches!(*self.answer, Answer::Http { .. })
    }
}

#[cfg(test)]
mod tests;
