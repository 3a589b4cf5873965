//! Services of which bgecs calls a handful of operations, without a crate for each: an
//! SDK's crate has all operations of its service, and takes up to a minute of a cold
//! build. Everything else of a call is the SDK's own: signing, retries, time-outs, the
//! network.
//!
//! Knows the protocols that AWS's services speak
//! (<https://smithy.io/2.0/aws/protocols/index.html>), and of operations only their
//! names.

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

/// As an SDK's.
pub type PlainError = SdkError<ErrorMetadata, HttpResponse>;

/// The client of one service.
#[derive(Debug, Clone)]
pub struct PlainClient {
    service: PlainService,
    config: SdkConfig,
    identity: Option<SharedIdentityResolver>,
    region: String,
    /// What learns the time from its answers.
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

    /// The same, whose answers set that clock.
    #[must_use]
    pub fn setting(self, clock: Clock) -> Self {
        Self {
            clock: Some(clock),
            ..self
        }
    }

    /// With other patience.
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

    /// Calls an operation of a service whose protocol is JSON in one form for all.
    ///
    /// # Errors
    /// The service's own, and what kept the call from it.
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

    /// Calls an operation of a service whose operations are methods on paths; `path` is
    /// encoded, with its query.
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
        // Version 1 of API Gateway has another form for whoever asks for none.
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
        // What is answered to a change may be empty.
        let json = match answer {
            [] => b"{}",
            json => json,
        };
        serde_json::from_slice(json).map_err(SdkError::construction_failure)
    }

    /// Calls an operation of a service whose operations are methods on paths and whose
    /// texts are XML.
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

    /// Calls an operation of a service that takes forms; gives what is in its answer.
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
        // An operation may have nothing to say.
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

    /// Asks one bucket for an object, whose path is encoded.
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

    /// Sends a request of which everything but the host is there.
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

    /// What the SDK needs for it besides.
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

/// What an API is asked that speaks XML.
#[derive(Debug, Default)]
pub struct XmlRequest<'a> {
    pub method: &'static str,
    /// Encoded, with its query.
    pub path: &'a str,
    pub document: Option<String>,
    /// The ETag of what it is to change.
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

/// An action of IAM, such as `route53:GetChange`, has an operation's name.
pub fn operation_of(action: &'static str) -> &'static str {
    action.split_once(':').map_or(action, |(_, name)| name)
}

/// What `path` and queries are made of.
pub fn encoded(part: &str) -> PercentEncode<'_> {
    utf8_percent_encode(part, RESERVED)
}

/// The path of these parts.
pub fn path<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let parts = parts.into_iter();
    parts.map(|part| format!("/{}", encoded(part))).collect()
}

/// All but what stands for itself
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-2.3>).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

fn posted(mut request: HttpRequest) -> HttpRequest {
    // These are always taken.
    let _ = request.set_method("POST");
    let _ = request.set_uri("/");
    request
}

fn at(mut request: HttpRequest, method: &str, path: &str) -> Result<HttpRequest, HttpError> {
    request.set_method(method)?;
    request.set_uri(path)?;
    Ok(request)
}

/// Which codes of a service's own say that the same call may succeed in a moment.
fn passing_errors() -> AwsErrorCodeClassifier<ErrorMetadata> {
    // Of Application Auto Scaling: another update of the same object is under way.
    let codes = [TRANSIENT_ERRORS, &["ConcurrentUpdateException"]].concat();
    let classifier = AwsErrorCodeClassifier::builder();
    classifier.transient_errors(codes).build()
}
