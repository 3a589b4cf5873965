//! What a request asks of AWS: the call's name and what it is about, read from
//! it. Pure.

mod operation;
mod resource;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{HeaderMap, StatusCode};
use serde_json::Value;

use super::cbor;

pub use resource::short;

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
    /// Smithy RPC v2: the names in the path, CBOR in the body: CloudWatch.
    Cbor,
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
            Protocol::Json | Protocol::Query | Protocol::Ec2Query | Protocol::Cbor => [
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
    /// Whether a request with this head is to be read whole, to learn if it is
    /// a call of AWS's API.
    pub fn may_be(head: &Parts) -> bool {
        operation::may_be_named(head)
    }

    /// None if this is not a call of AWS's API.
    pub fn read(head: Parts, body: Bytes) -> Option<Self> {
        let operation = operation::named(&head, &body)?;
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

    /// The parameters of a [`Protocol::Query`] call, in their order: those of
    /// the query string, then those of the body.
    pub fn form(&self) -> Vec<(String, String)> {
        operation::form(&self.head, &self.body)
    }

    /// The access key that signed, which emulators take for the account.
    pub fn access_key(&self) -> Option<String> {
        operation::access_key(&self.head)
    }

    /// The region that it was signed for.
    pub fn region(&self) -> Option<String> {
        operation::region(&self.head)
    }

    /// What the call is about, for a person: `live/web`, `targetgroup/blue`;
    /// empty if its parameters name nothing that is known here.
    pub fn resource(&self) -> String {
        match self.operation.protocol {
            Protocol::Rest => resource::of_path(&self.operation),
            _ => resource::of(&self.operation, &self.parameters()),
        }
    }

    /// The text parameters of the first level; a list gives one for each item.
    fn parameters(&self) -> Vec<(String, String)> {
        let document = match self.operation.protocol {
            Protocol::Query | Protocol::Ec2Query => return resource::unnumbered(self.form()),
            Protocol::Json => serde_json::from_slice(&self.body).ok(),
            Protocol::Cbor => cbor::read(&self.body),
            Protocol::Rest => None,
        };
        document.map_or_else(Vec::new, |document| texts(&document))
    }
}

fn texts(document: &Value) -> Vec<(String, String)> {
    let members = document.as_object().into_iter().flatten();
    members
        .flat_map(|(name, value)| {
            let items = value
                .as_array()
                .map_or(std::slice::from_ref(value), Vec::as_slice);
            items
                .iter()
                .filter_map(move |item| Some((name.clone(), item.as_str()?.to_owned())))
        })
        .collect()
}

/// An answer of AWS's API, whole.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// One of the gate's own.
    pub fn json(status: StatusCode, kind: &'static str, body: &Value) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        Self {
            status,
            headers,
            body: body.to_string().into(),
        }
    }

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
