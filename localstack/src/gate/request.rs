//! What a request asks of AWS: the call's name, read from it. Pure.
//!
//! AWS has several protocols, and each has its own place for the operation's
//! name: <https://smithy.io/2.0/aws/protocols/index.html>.

use bytes::Bytes;
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};

/// How the client speaks, which decides the shape of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `X-Amz-Target`, JSON in the body: ECS, ECR, CloudWatch Logs, DynamoDB.
    Json,
    /// `Action=` in a form: ELBv2, CloudFormation, IAM, STS.
    Query,
    /// The same with EC2's own shape of errors.
    Ec2Query,
    /// Method and path: S3, Lambda.
    Rest,
}

/// The name of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    pub protocol: Protocol,
    /// As in the signature's scope: `ecs`, `elasticloadbalancing`.
    pub service: String,
    /// `DescribeServices`; for [`Protocol::Rest`] `GET /path`.
    pub name: String,
}

impl Operation {
    /// Whether it changes nothing.
    pub fn is_read(&self) -> bool {
        match self.protocol {
            Protocol::Rest => self.name.starts_with("GET ") || self.name.starts_with("HEAD "),
            Protocol::Json | Protocol::Query | Protocol::Ec2Query => [
                "Describe", "List", "Get", "BatchGet", "Filter", "Query", "Scan",
            ]
            .iter()
            .any(|verb| self.name.starts_with(verb)),
        }
    }
}

/// A call of AWS's API, whole.
#[derive(Debug, Clone)]
pub struct Request {
    pub head: Parts,
    pub body: Bytes,
    pub operation: Operation,
}

impl Request {
    /// None if this is not a call of AWS's API.
    pub fn read(head: Parts, body: Bytes) -> Option<Self> {
        let operation = operation(&head, &body)?;
        Some(Self {
            head,
            body,
            operation,
        })
    }

    /// Whether its operation is that one.
    pub fn is(&self, service: &str, name: &str) -> bool {
        self.operation.service == service && self.operation.name == name
    }

    /// The parameters of a [`Protocol::Query`] call, in their order.
    pub fn form(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(&self.body).into_owned().collect()
    }
}

/// An answer of AWS's API, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The same with another body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.headers.remove(hyper::header::CONTENT_LENGTH);
        // JSON protocols' checksum of the body, where there is one.
        self.headers.remove("x-amz-crc32");
        self
    }
}

fn operation(head: &Parts, body: &Bytes) -> Option<Operation> {
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let scope = header("authorization").and_then(service_of_scope);
    if let Some(target) = header("x-amz-target") {
        let (prefix, name) = target.rsplit_once('.')?;
        return Some(Operation {
            protocol: Protocol::Json,
            service: scope.unwrap_or_else(|| prefix.to_owned()),
            name: name.to_owned(),
        });
    }
    let service = scope?;
    let is_form = header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if is_form
        && let Some((_, action)) = form_urlencoded::parse(body).find(|(name, _)| name == "Action")
    {
        return Some(Operation {
            protocol: match service.as_str() {
                "ec2" => Protocol::Ec2Query,
                _ => Protocol::Query,
            },
            service,
            name: action.into_owned(),
        });
    }
    Some(Operation {
        protocol: Protocol::Rest,
        service,
        name: format!("{} {}", head.method, head.uri.path()),
    })
}

/// `ecs` of `AWS4-HMAC-SHA256 Credential=KEY/20260101/us-east-1/ecs/aws4_request, …`.
fn service_of_scope(authorization: &str) -> Option<String> {
    let (_, rest) = authorization.split_once("Credential=")?;
    let scope = rest.split([',', ' ']).next()?;
    scope.split('/').nth_back(1).map(str::to_owned)
}
