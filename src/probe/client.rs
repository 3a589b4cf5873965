//! One request to the load balancer.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use reqwest::header::{HOST, HeaderMap, HeaderValue};

use crate::error::{causes, innermost};
use crate::model::{Answer, Color, Connection, Lost};

/// The header by which the test listener's rules let one look at either colour.
const COLOR_HEADER: &str = "x-bgecs-color";
/// The header in which an app may name its release.
const RELEASE_HEADER: &str = "x-bgecs-release";
/// How much of a body is kept: enough to tell two releases apart.
const KEPT_BODY: usize = 2048;

/// What to ask, and through which address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    url: String,
    host: Option<String>,
    color: Option<Color>,
}

impl Address {
    /// `base` is the listener's own URL, `connect_to` a `host:port` to reach it
    /// through; the request keeps its Host header.
    pub fn new(base: &str, path: &str, connect_to: Option<&str>) -> Self {
        let direct = Self {
            url: format!("{base}{path}"),
            host: None,
            color: None,
        };
        match (connect_to, base.strip_prefix("http://")) {
            (Some(through), Some(authority)) => Self {
                url: format!("http://{through}{path}"),
                host: Some(authority.to_owned()),
                color: None,
            },
            _ => direct,
        }
    }

    pub fn url(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            host: None,
            color: None,
        }
    }

    /// On the test port: this colour, wherever the listener points.
    pub fn asking_for(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// What a person would type, for messages; without a password.
    pub fn shown(&self) -> String {
        match &self.host {
            None => without_login(&self.url),
            Some(host) => {
                let path = self.url.splitn(4, '/').nth(3).unwrap_or_default();
                format!("http://{host}/{path}")
            }
        }
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        if let Some(host) = &self.host {
            let value = HeaderValue::from_str(host).map_err(|error| error.to_string())?;
            headers.insert(HOST, value);
        }
        if let Some(color) = self.color {
            headers.insert(COLOR_HEADER, HeaderValue::from_static(color.as_str()));
        }
        Ok(headers)
    }
}

/// Two ways to connect: anew for each request, or over kept connections.
#[derive(Debug, Clone)]
pub struct Client {
    fresh: reqwest::Client,
    reused: reqwest::Client,
    timeout: Duration,
}

impl Client {
    /// # Errors
    /// When the HTTP client cannot be set up, as without TLS roots.
    pub fn new(timeout: Duration) -> Result<Self, String> {
        let builder = || {
            reqwest::Client::builder()
                // A redirect is an answer, and not the expected one.
                .redirect(reqwest::redirect::Policy::none())
                .no_proxy()
                .timeout(timeout)
                .user_agent(concat!("bgecs/", env!("CARGO_PKG_VERSION")))
        };
        let built =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|error| innermost(&error));
        Ok(Self {
            fresh: built(builder().pool_max_idle_per_host(0))?,
            reused: built(builder())?,
            timeout,
        })
    }

    /// As `main` sets things up: the HTTP client wants a TLS implementation,
    /// also where it never uses one.
    #[cfg(test)]
    pub fn for_tests(timeout: Duration) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self::new(timeout).unwrap()
    }

    /// Asks once. Everything that is not an HTTP answer is `Nothing`.
    pub async fn ask(&self, address: &Address, connection: Connection) -> Answer {
        match self.try_ask(address, connection).await {
            Ok(answer) => answer,
            Err((why, error)) => Answer::Nothing { why, error },
        }
    }

    async fn try_ask(&self, address: &Address, connection: Connection) -> Result<Answer, Nothing> {
        let client = match connection {
            Connection::Fresh => &self.fresh,
            Connection::Reused => &self.reused,
        };
        let response = client
            .get(&address.url)
            .headers(address.headers().map_err(|error| (Lost::Other, error))?)
            .send()
            .await
            .map_err(|error| self.explain(&error, Lost::Other))?;
        let status = response.status().as_u16();
        let release = response
            .headers()
            .get(RELEASE_HEADER)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let body = self.read_body(response).await?;
        Ok(Answer::Http {
            status,
            release,
            body,
        })
    }

    /// Reads the body to its end, as a user's client would, and keeps its start.
    async fn read_body(&self, mut response: reqwest::Response) -> Result<String, Nothing> {
        let mut kept = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| self.explain(&error, Lost::CutShort))?
        {
            let room = KEPT_BODY.saturating_sub(kept.len());
            kept.extend(chunk.iter().take(room));
        }
        Ok(String::from_utf8_lossy(&kept).into_owned())
    }

    /// `otherwise` is what it is unless its causes tell more.
    fn explain(&self, error: &reqwest::Error, otherwise: Lost) -> Nothing {
        if error.is_timeout() {
            let text = format!("no answer within {} ms", self.timeout.as_millis());
            return (Lost::TimedOut, text);
        }
        let is_connecting = error.is_connect();
        let why = causes(error).find_map(|cause| why(cause, is_connecting));
        let why = why.unwrap_or(otherwise);
        (why, innermost(error))
    }
}

/// What came in place of an answer, and in words.
type Nothing = (Lost, String);

/// What one of an error's causes says of it, if anything.
fn why(cause: &(dyn StdError + 'static), is_connecting: bool) -> Option<Lost> {
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
        // A connection that ends while it is made was being secured.
        io::ErrorKind::UnexpectedEof if is_connecting => Some(Lost::Tls),
        _ => None,
    }
}

/// One I/O error can wrap another, and does not name it among its causes.
fn unwrapped(error: &io::Error) -> &io::Error {
    let wrapped = error.get_ref().and_then(|wrapped| wrapped.downcast_ref());
    wrapped.map_or(error, unwrapped)
}

/// `http://***@host/` for `http://user:password@host/`.
fn without_login(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest.split_at(end) {
        (authority, path) if let Some((_, host)) = authority.rsplit_once('@') => {
            format!("{scheme}://***@{host}{path}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
