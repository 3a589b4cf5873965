//! The emulator, as the gate sees it: calls are forwarded to it, and the gate
//! makes some of its own to learn what there is.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Method, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use super::request::{Answer, Request};

/// Longer than any emulator takes, which stops containers in some calls.
const PATIENCE: Duration = Duration::from_secs(120);
const REGION: &str = "us-east-1";

#[derive(Debug, Clone)]
pub struct Upstream {
    /// `HOST:PORT`.
    authority: String,
    /// The access key of the gate's own calls.
    account: String,
    client: Client<HttpConnector, Full<Bytes>>,
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
            client: Client::builder(TokioExecutor::new()).build(connector),
        }
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
        let mut sent = hyper::Request::new(Full::new(request.body.clone()));
        *sent.method_mut() = request.head.method.clone();
        *sent.headers_mut() = request.head.headers.clone();
        let path = request
            .head
            .uri
            .path_and_query()
            .map_or("/", |path| path.as_str());
        *sent.uri_mut() = self.uri(path, &what)?;
        self.send(sent, what).await
    }

    /// A call of the Query protocol of ELBv2; gives the XML.
    ///
    /// # Errors
    /// If there is no answer, or not 200.
    pub async fn elb(&self, action: &str, parameters: &[(&str, &str)]) -> Result<String, Failed> {
        let body = form_urlencoded::Serializer::new(String::new())
            .append_pair("Action", action)
            .append_pair("Version", "2015-12-01")
            .extend_pairs(parameters)
            .finish();
        let request = self
            .own("elasticloadbalancing", action)?
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self.complete(request, body, action).await?;
        Ok(String::from_utf8_lossy(&answer.body).into_owned())
    }

    /// A call of ECS.
    ///
    /// # Errors
    /// If there is no answer, or not 200, or not JSON.
    pub async fn ecs(&self, operation: &str, input: &Value) -> Result<Value, Failed> {
        let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
        let request = self
            .own("ecs", operation)?
            .header(CONTENT_TYPE, "application/x-amz-json-1.1")
            .header("x-amz-target", target);
        let answer = self.complete(request, input.to_string(), operation).await?;
        serde_json::from_slice(&answer.body).map_err(|error| Failed::Unreadable {
            what: operation.to_owned(),
            reason: error.to_string(),
        })
    }

    /// The signature is none: emulators read key, region and service of it.
    fn own(&self, service: &str, what: &str) -> Result<hyper::http::request::Builder, Failed> {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential={}/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=none",
            self.account
        );
        Ok(hyper::Request::builder()
            .method(Method::POST)
            .uri(self.uri("/", what)?)
            .header(HOST, &self.authority)
            .header(AUTHORIZATION, credential))
    }

    async fn complete(
        &self,
        request: hyper::http::request::Builder,
        body: String,
        what: &str,
    ) -> Result<Answer, Failed> {
        let request = request
            .body(Full::new(Bytes::from(body)))
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

    async fn send(
        &self,
        request: hyper::Request<Full<Bytes>>,
        what: String,
    ) -> Result<Answer, Failed> {
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
