//! The emulator, as the gate sees it: calls are forwarded to it, and the gate
//! makes some of its own to learn what there is.

use std::time::Duration;

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::http::request::Parts;
use hyper::{Method, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use serde_json::Value;

use super::body::{self, Body};
use super::request::{Answer, Request};
use crate::emulator::{REGION, unsigned};

/// Longer than any emulator takes, which stops containers in some calls.
const PATIENCE: Duration = Duration::from_secs(120);

/// Less than any server keeps a connection without a request (5 s is common),
/// so that none is used which the emulator is just closing.
const IDLE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone)]
pub struct Upstream {
    /// `HOST:PORT`.
    authority: String,
    /// The access key of the gate's own calls.
    account: String,
    region: String,
    client: Client<HttpConnector, Body>,
}

/// A call of the gate's own that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    #[error("the emulator at {authority} gave no answer to {what}: {reason}")]
    NoAnswer {
        authority: String,
        what: String,
        reason: String,
    },
    #[error("the emulator answered {status} to {what}: {body}")]
    Refused {
        what: String,
        status: u16,
        body: String,
    },
    #[error("the emulator's answer to {what} cannot be read: {reason}")]
    Unreadable { what: String, reason: String },
}

impl Upstream {
    pub fn new(authority: impl Into<String>, account: impl Into<String>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            authority: authority.into(),
            account: account.into(),
            region: REGION.to_owned(),
            client: Client::builder(TokioExecutor::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(IDLE)
                .build(connector),
        }
    }

    /// The same for the gate's own calls in another region.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        region.clone_into(&mut self.region);
        self
    }

    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// Passes a call on as it came, the Host header included: it is signed.
    ///
    /// # Errors
    /// If the emulator gives no answer.
    pub async fn forward(&self, request: &Request) -> Result<Answer, Failed> {
        let what = request.operation.name.clone();
        let sent = self.onward(
            request.head.clone(),
            body::whole(request.body.clone()),
            &what,
        )?;
        self.send(sent, what).await
    }

    /// Passes anything on as it comes, and its answer too: neither is held back
    /// until it is whole.
    ///
    /// # Errors
    /// If the emulator gives no answer.
    pub async fn pass(&self, head: Parts, body: Body) -> Result<hyper::Response<Incoming>, Failed> {
        let what = format!("{} {}", head.method, head.uri.path());
        let sent = self.onward(head, body, &what)?;
        let mut answer = self
            .client
            .request(sent)
            .await
            .map_err(|error| self.no_answer(&what, &error))?;
        // Our own connection to the client is of no older version.
        *answer.version_mut() = Version::HTTP_11;
        body::end_to_end(answer.headers_mut());
        Ok(answer)
    }

    /// A call of the Query protocol of ELBv2; gives the XML.
    ///
    /// # Errors
    /// If there is no answer, or not 200.
    pub async fn elb(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, Failed> {
        let service = ("elasticloadbalancing", "2015-12-01");
        self.query(service, action, parameters).await
    }

    /// A call of the Query protocol of any service, named with its version;
    /// gives the XML.
    ///
    /// # Errors
    /// If there is no answer, or not 200.
    pub async fn query(
        &self,
        (service, version): (&str, &str),
        action: &str,
        parameters: &[(&str, &str)],
    ) -> Result<String, Failed> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", version)
            .extend_pairs(parameters)
            .finish();
        let request = self
            .own(service, action)?
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.complete(request, body, action).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// A read of the REST protocol of any service; gives what comes.
    ///
    /// # Errors
    /// If there is no answer, or not 200.
    pub async fn rest(&self, service: &str, path: &str) -> Result<String, Failed> {
        let request = hyper::Request::builder()
            .method(Method::GET)
            .uri(self.uri(path, path)?)
            .header(HOST, &self.authority)
            .header(
                AUTHORIZATION,
                unsigned(&self.account, &self.region, service),
            );
        let answer = self.complete(request, String::new(), path).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// A call of the REST protocol of any service; gives whatever comes.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn rest_call(
        &self,
        service: &str,
        (method, path): (Method, &str),
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<Answer, Failed> {
        let request = hyper::Request::builder()
            .method(method)
            .uri(self.uri(path, path)?)
            .header(HOST, &self.authority)
            .header(
                AUTHORIZATION,
                unsigned(&self.account, &self.region, service),
            );
        let request = headers
            .iter()
            .fold(request, |request, (name, value)| {
                request.header(*name, *value)
            })
            .body(body::whole(body))
            .map_err(|error| self.no_answer(path, &error))?;
        self.send(request, path.to_owned()).await
    }

    /// A call of ECS.
    ///
    /// # Errors
    /// If there is no answer, or not 200, or not JSON.
    pub async fn ecs(&self, operation: &str, input: &Value) -> Result<Value, Failed> {
        let service = ("ecs", "AmazonEC2ContainerServiceV20141113");
        self.json(service, operation, input).await
    }

    /// A call of the JSON protocol of any service, named with its target.
    ///
    /// # Errors
    /// If there is no answer, or not 200, or not JSON.
    pub async fn json(
        &self,
        (service, target): (&str, &str),
        operation: &str,
        input: &Value,
    ) -> Result<Value, Failed> {
        let target = format!("{target}.{operation}");
        let request = self
            .own(service, operation)?
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let answer = self.complete(request, input.to_string(), operation).await?;
        serde_json::from_slice(&answer.body).map_err(|error| Failed::Unreadable {
            what: operation.to_owned(),
            reason: error.to_string(),
        })
    }

    fn own(&self, service: &str, what: &str) -> Result<hyper::http::request::Builder, Failed> {
        Ok(hyper::Request::builder()
            .method(Method::POST)
            .uri(self.uri("/", what)?)
            .header(HOST, &self.authority)
            .header(
                AUTHORIZATION,
                unsigned(&self.account, &self.region, service),
            ))
    }

    async fn complete(
        &self,
        request: hyper::http::request::Builder,
        body: String,
        what: &str,
    ) -> Result<Answer, Failed> {
        let request = request
            .body(body::whole(body))
            .map_err(|error| self.no_answer(what, &error))?;
        let answer = self.send(request, what.to_owned()).await?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        Err(Failed::Refused {
            what: what.to_owned(),
            status: answer.status.as_u16(),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
        })
    }

    async fn send(&self, request: hyper::Request<Body>, what: String) -> Result<Answer, Failed> {
        let exchange = async {
            let (head, body) = self
                .client
                .request(request)
                .await
                .map_err(|error| self.no_answer(&what, &error))?
                .into_parts();
            let body = body
                .collect()
                .await
                .map_err(|error| self.no_answer(&what, &error))?;
            Ok(Answer {
                status: head.status,
                headers: head.headers,
                body: body.to_bytes(),
            })
        };
        tokio::time::timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|error| Err(self.no_answer(&what, &error)))
    }

    /// The same request to the emulator, the Host header included.
    fn onward(
        &self,
        mut head: Parts,
        body: Body,
        what: &str,
    ) -> Result<hyper::Request<Body>, Failed> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        head.uri = self.uri(path, what)?;
        head.version = Version::HTTP_11;
        body::end_to_end(&mut head.headers);
        Ok(hyper::Request::from_parts(head, body))
    }

    fn uri(&self, path: &str, what: &str) -> Result<Uri, Failed> {
        format!("http://{}{path}", self.authority)
            .parse()
            .map_err(|error| self.no_answer(what, &error))
    }

    fn no_answer(&self, what: &str, error: &dyn std::error::Error) -> Failed {
        Failed::NoAnswer {
            authority: self.authority.clone(),
            what: what.to_owned(),
            reason: chain(error),
        }
    }
}

/// An error with its causes: hyper's own texts say too little alone.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
