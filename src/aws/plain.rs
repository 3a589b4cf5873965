//! Services of which bgecs calls a handful of operations, without a crate for each: an
//! SDK's crate has all operations of its service, and takes up to a minute of a cold
//! build. Everything else about a call is done by the SDK: signing, retries, time-outs,
//! the network.
//!
//! Knows the protocols that AWS's services speak
//! (<https://smithy.io/2.0/aws/protocols/index.html>), and only the names of operations.

mod answer;
mod service;
#[cfg(test)]
mod tests;

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_runtime::auth::SigV4OperationSigningConfig;
use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::retries::classifiers::{AwsErrorCodeClassifier, TRANSIENT_ERRORS};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::http::HttpError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::ErrorMetadata;
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::budget::{self, Pace};
use super::journal::Clock;
use super::xml::Element;
pub use answer::{BodyReading, PlainAnswer};
pub use service::{PlainService, WireProtocol, domain};

/// The same type as for the SDK's own clients.
pub type PlainError = SdkError<ErrorMetadata, HttpResponse>;

/// The client of one service.
#[derive(Debug, Clone)]
pub struct PlainClient {
    service: PlainService,
    config: SdkConfig,
    identity: Option<SharedIdentityResolver>,
    region: String,
    /// Set from the time in each answer.
    clock: Option<Clock>,
}

impl PlainClient {
    pub fn new(config: &SdkConfig, service: PlainService, region: &str, pace: Pace) -> Self {
        let identity = config.credentials_provider();
        Self {
            service,
            config: budget::paced(config, service.paced(), pace),
            identity: identity.map(SharedIdentityResolver::new),
            region: region.to_owned(),
            clock: None,
        }
    }

    /// The same client, which sets that clock from its answers.
    #[must_use]
    pub fn setting(self, clock: Clock) -> Self {
        Self {
            clock: Some(clock),
            ..self
        }
    }

    /// The same client with other time-outs and retries.
    #[must_use]
    pub fn with(&self, timeouts: &TimeoutConfig, retries: &RetryConfig) -> Self {
        let config = self.config.to_builder();
        let config = config.timeout_config(timeouts.clone());
        Self {
            config: config.retry_config(retries.clone()).build(),
            ..self.clone()
        }
    }

    /// The same service in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// Calls an operation of a service with one of the AWS JSON protocols.
    ///
    /// # Errors
    /// The service's own, and whatever prevented the call.
    pub async fn json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        input: &Value,
    ) -> Result<T, PlainError> {
        let mut request = HttpRequest::new(SdkBody::from(input.to_string()));
        if let WireProtocol::Json { version, prefix } = self.service.protocol() {
            let target = format!("{prefix}.{operation}");
            let headers = request.headers_mut();
            headers.insert("content-type", format!("application/x-amz-json-{version}"));
            headers.insert("x-amz-target", target);
        }
        self.read_json(operation, posted(request)).await
    }

    /// Calls an operation of a service that has methods on paths; `path` is encoded and
    /// includes its query.
    ///
    /// # Errors
    /// As [`PlainClient::json`].
    pub async fn rest<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        (method, path): (&'static str, &str),
        input: Option<&Value>,
    ) -> Result<T, PlainError> {
        let body = input.map(Value::to_string);
        let has_body = body.is_some();
        let mut request = HttpRequest::new(body.map_or_else(SdkBody::empty, SdkBody::from));
        let headers = request.headers_mut();
        // Without it, version 1 of API Gateway answers in another format.
        headers.insert("accept", "application/json");
        if has_body {
            headers.insert("content-type", "application/json");
        }
        let request = at(request, method, path).map_err(SdkError::construction_failure)?;
        self.read_json(operation, request).await
    }

    async fn read_json<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        request: HttpRequest,
    ) -> Result<T, PlainError> {
        let answer = self.send(operation, request).await?;
        let answer = answer.body.bytes().unwrap_or_default();
        // The answer to a change may be empty.
        let json = match answer {
            [] => b"{}",
            json => json,
        };
        serde_json::from_slice(json).map_err(SdkError::construction_failure)
    }

    /// Calls an operation of a service that has methods on paths, with XML documents.
    ///
    /// # Errors
    /// As [`PlainClient::json`].
    pub async fn xml(
        &self,
        operation: &'static str,
        asked: XmlRequest<'_>,
    ) -> Result<PlainAnswer, PlainError> {
        let has_body = asked.document.is_some();
        let body = asked.document.map_or_else(SdkBody::empty, SdkBody::from);
        let mut request = HttpRequest::new(body);
        let headers = request.headers_mut();
        if has_body {
            headers.insert("content-type", "application/xml");
        }
        if let Some(etag) = asked.if_match {
            headers.insert("if-match", etag.to_owned());
        }
        let request = at(request, asked.method, asked.path);
        let request = request.map_err(SdkError::construction_failure)?;
        self.send(operation, request).await
    }

    /// Calls an operation of a service that takes forms; returns the contents of its
    /// answer.
    ///
    /// # Errors
    /// As [`PlainClient::json`].
    pub async fn form<K: AsRef<str>, V: AsRef<str>>(
        &self,
        operation: &'static str,
        fields: &[(K, V)],
    ) -> Result<Element, PlainError> {
        let version = match self.service.protocol() {
            WireProtocol::Query { version } => version,
            WireProtocol::Json { .. } | WireProtocol::Rest => "",
        };
        let all = [("Action", operation), ("Version", version)];
        let fields = fields
            .iter()
            .map(|(key, value)| (key.as_ref(), value.as_ref()));
        let all: Vec<(&str, &str)> = all.into_iter().chain(fields).collect();
        let form = serde_urlencoded::to_string(all).map_err(SdkError::construction_failure)?;
        let mut request = HttpRequest::new(SdkBody::from(form));
        let headers = request.headers_mut();
        headers.insert("content-type", "application/x-www-form-urlencoded");
        let answer = self.send(operation, posted(request)).await?;
        let answer = answer.element().map_err(SdkError::construction_failure)?;
        let result = answer.at(&format!("{operation}Result")).cloned();
        // An operation may return nothing.
        Ok(result.unwrap_or(answer))
    }

    async fn send(
        &self,
        operation: &'static str,
        request: HttpRequest,
    ) -> Result<PlainAnswer, PlainError> {
        let (endpoint, body) = (self.endpoint(), BodyReading::Whole);
        self.send_to(&endpoint, operation, request, body).await
    }

    /// Calls S3 for an object in a bucket; its path is encoded.
    ///
    /// # Errors
    /// As [`PlainClient::json`].
    pub async fn in_bucket(
        &self,
        bucket: &str,
        (method, key): (&'static str, &str),
        body: SdkBody,
        reading: BodyReading,
    ) -> Result<PlainAnswer, PlainError> {
        let (endpoint, under) = self.endpoint_of_bucket(bucket);
        let request = at(HttpRequest::new(body), method, &(under + key));
        let request = request.map_err(SdkError::construction_failure)?;
        let operation = match method {
            "PUT" => "PutObject",
            "DELETE" => "DeleteObject",
            _ => "GetObject",
        };
        self.send_to(&endpoint, operation, request, reading).await
    }

    /// Sends a request that is complete except for the host.
    async fn send_to(
        &self,
        endpoint: &str,
        operation: &'static str,
        request: HttpRequest,
        body: BodyReading,
    ) -> Result<PlainAnswer, PlainError> {
        let retries = self.config.retry_config().cloned();
        let operation = Operation::builder()
            .service_name(self.service.id())
            .operation_name(operation)
            .behavior_version(BehaviorVersion::latest())
            .endpoint_url(endpoint)
            .standard_retry(&retries.unwrap_or_else(RetryConfig::disabled))
            .retry_classifier(TransientErrorClassifier::<ErrorMetadata>::new())
            .retry_classifier(passing_errors())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .runtime_plugin(self.plugin())
            .serializer(|request: HttpRequest| Ok(request))
            .deserializer_impl::<PlainAnswer, ErrorMetadata>(body);
        let operation = match self.clock.clone() {
            Some(clock) => operation.interceptor(clock).build(),
            None => operation.build(),
        };
        operation.invoke(request).await
    }

    /// What else the SDK needs for the call.
    fn plugin(&self) -> StaticRuntimePlugin {
        let config = &self.config;
        let region = Region::new(self.service.signs_in(&self.region).to_owned());
        let signing = SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(region)),
            name: Some(SigningName::from(self.service.signs_as())),
            signing_options: self.service.signing_options(),
            ..Default::default()
        };
        let mut layer = Layer::new("plain");
        layer.store_put(signing);
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        if let Some(timeouts) = config.timeout_config() {
            layer.store_put(timeouts.clone());
        }
        let mut components = RuntimeComponentsBuilder::new("plain");
        components.set_http_client(config.http_client());
        components.set_identity_cache(config.identity_cache());
        components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )));
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        if let Some(identity) = &self.identity {
            components.set_identity_resolver(SCHEME_ID, identity.clone());
        }
        StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components)
    }
}

/// A request to an API that speaks XML.
#[derive(Debug, Default)]
pub struct XmlRequest<'a> {
    pub method: &'static str,
    /// Encoded, including its query.
    pub path: &'a str,
    pub document: Option<String>,
    /// The ETag of the version to change.
    pub if_match: Option<&'a str>,
}

impl<'a> XmlRequest<'a> {
    pub fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            ..Self::default()
        }
    }
}

/// An IAM action such as `route53:GetChange` contains the operation's name.
pub fn operation_of(action: &'static str) -> &'static str {
    action.split_once(':').map_or(action, |(_, name)| name)
}

/// Encodes a part of a path or a query.
pub fn encoded(part: &str) -> PercentEncode<'_> {
    utf8_percent_encode(part, RESERVED)
}

/// Joins these parts into a path.
pub fn path<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts = parts.into_iter();
    parts.map(|part| format!("/{}", encoded(part))).collect()
}

/// All characters except the unreserved ones
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn posted(mut request: HttpRequest) -> HttpRequest {
    // These values are always accepted.
    let _ = request.set_method("POST");
    let _ = request.set_uri("/");
    request
}

fn at(mut request: HttpRequest, method: &str, path: &str) -> Result<HttpRequest, HttpError> {
    request.set_method(method)?;
    request.set_uri(path)?;
    Ok(request)
}

/// Marks the service-specific codes after which the same call may succeed in a moment.
fn passing_errors() -> AwsErrorCodeClassifier<ErrorMetadata> {
    // Application Auto Scaling: another update of the same object is under way.
    let codes = [TRANSIENT_ERRORS, &["ConcurrentUpdateException"]].concat();
    let classifier = AwsErrorCodeClassifier::builder();
    classifier.transient_errors(codes).build()
}
