//! A service's answer, and the code and message of an error, in JSON or XML.

use aws_smithy_runtime_api::client::interceptors::context::{Error, Output};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::ser_de::DeserializeResponse;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::request_id::RequestId;
use serde_json::Value;

use crate::aws::xml::Element;

/// The answer to a successful call.
#[derive(Debug)]
pub struct PlainAnswer {
    pub headers: Headers,
    pub body: SdkBody,
}

impl PlainAnswer {
    /// # Errors
    /// In words: it is not UTF-8.
    pub fn text(&self) -> Result<&str, String> {
        let bytes = self.body.bytes().unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|error| error.to_string())
    }

    /// # Errors
    /// In words: it is not XML.
    pub fn element(&self) -> Result<Element, String> {
        Element::parse(self.text()?)
    }

    /// To be named by a write to the same resource, so that it fails if somebody else has
    /// written since.
    #[cfg(feature = "edges")]
    pub fn etag(&self) -> String {
        self.headers.get("etag").unwrap_or_default().to_owned()
    }
}

/// How an answer's body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyReading {
    Whole,
    /// It may be of any length, and the caller reads it.
    Stream,
}

impl DeserializeResponse for BodyReading {
    fn deserialize_streaming(
        &self,
        answer: &mut HttpResponse,
    ) -> Option<Result<Output, OrchestratorError<Error>>> {
        let is_left = *self == Self::Stream && answer.status().is_success();
        is_left.then(|| {
            Ok(Output::erase(PlainAnswer {
                headers: answer.headers().clone(),
                body: std::mem::replace(answer.body_mut(), SdkBody::taken()),
            }))
        })
    }

    fn deserialize_nonstreaming(
        &self,
        answer: &HttpResponse,
    ) -> Result<Output, OrchestratorError<Error>> {
        let body = answer.body().bytes().unwrap_or_default();
        match answer.status().is_success() {
            true => Ok(Output::erase(PlainAnswer {
                headers: answer.headers().clone(),
                body: SdkBody::from(body.to_vec()),
            })),
            false => {
                let refusal = Error::erase(refusal(answer, body));
                Err(OrchestratorError::operation(refusal))
            }
        }
    }
}

fn refusal(answer: &HttpResponse, body: &[u8]) -> ErrorMetadata {
    let (code, message) = match serde_json::from_slice(body) {
        Ok(said) => of_json(&said),
        Err(_) => of_xml(std::str::from_utf8(body).unwrap_or_default()),
    };
    let code = match answer.headers().get("x-amzn-errortype") {
        Some(code) => Some(code.to_owned()),
        None => code,
    };
    let mut error = ErrorMetadata::builder();
    if let Some(code) = code {
        error = error.code(bare(&code));
    }
    if let Some(message) = message {
        error = error.message(message);
    }
    if let Some(id) = answer.request_id() {
        // `RequestId` finds it under this name.
        error = error.custom("aws_request_id", id);
    }
    error.build()
}

/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
fn of_json(said: &Value) -> (Option<String>, Option<String>) {
    let field = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(|name| said[name].as_str());
        found.next().map(str::to_owned)
    };
    (field(["__type", "code"]), field(["message", "Message"]))
}

/// In an envelope or without one, as with S3
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>). For a
/// rejected batch, Route 53's root element is the error, with a list of messages
/// (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>).
fn of_xml(said: &str) -> (Option<String>, Option<String>) {
    let Ok(root) = Element::parse(said) else {
        return (None, None);
    };
    let inner = root.at("Error").or_else(|| root.at("Errors/Error"));
    let inner = inner.unwrap_or(&root);
    let named_by_root = || {
        let is_named = inner.at("Messages").is_some();
        is_named.then(|| inner.name())
    };
    let code = inner.text("Code").or_else(named_by_root);
    let mut messages = inner.texts("Message");
    messages.extend(inner.texts("Messages/Message"));
    let message = Some(messages.join("; ")).filter(|it| !it.is_empty());
    (code.map(str::to_owned), message)
}

/// Without the namespace before it and the address after it.
fn bare(code: &str) -> &str {
    let code = code.split_once('#').map_or(code, |(_, code)| code);
    code.split_once(':').map_or(code, |(code, _)| code)
}
