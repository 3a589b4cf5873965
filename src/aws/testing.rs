//! AWS for tests: the real clients, with canned answers on the wire. So tests cover what
//! is sent, and what becomes of the bytes that come back, including the SDK's part.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::budget::{Pace, outside_the_body};
use super::{Aws, Downloads};
use crate::model::{ColorServices, PerColor};

/// The id that every answer carries.
pub const REQUEST_ID: &str = "request-1";

/// What comes back for one request.
#[derive(Debug, Clone)]
pub enum Reply {
    Http {
        status: u16,
        body: String,
    },
    /// An object of a bucket, uploaded in October 2015.
    Object(&'static str),
    /// The connection breaks.
    Reset,
    /// Nothing, ever.
    Never,
}

impl Reply {
    pub fn json(body: &Value) -> Self {
        Self::Http {
            status: 200,
            body: body.to_string(),
        }
    }

    /// An answer of an API that speaks XML; `inner` is the result's content.
    pub fn xml(operation: &str, inner: &str) -> Self {
        Self::Http {
            status: 200,
            body: format!(
                "<{operation}Response><{operation}Result>{inner}</{operation}Result>\
                 <ResponseMetadata><RequestId>{REQUEST_ID}</RequestId></ResponseMetadata></{operation}Response>"
            ),
        }
    }

    pub fn object(body: &'static str) -> Self {
        Self::Object(body)
    }

    pub fn json_error(status: u16, code: &str, message: &str) -> Self {
        Self::Http {
            status,
            body: json!({ "__type": code, "message": message }).to_string(),
        }
    }

    pub fn xml_error(status: u16, code: &str, message: &str) -> Self {
        Self::Http {
            status,
            body: format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
            ),
        }
    }
}

/// Both listeners: prod forwards to green, test to blue.
pub fn listeners() -> Reply {
    let listener = |name: &str, color: &str| {
        format!(
            "<member><ListenerArn>listener/{name}</ListenerArn><DefaultActions><member><Type>forward</Type>\
             <TargetGroupArn>tg/{color}</TargetGroupArn></member></DefaultActions></member>"
        )
    };
    let members = listener("prod", "green") + &listener("test", "blue");
    Reply::xml(
        "DescribeListeners",
        &format!("<Listeners>{members}</Listeners>"),
    )
}

/// A request as it was sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub at: Instant,
    pub operation: String,
    /// With the host.
    pub uri: String,
    pub authorization: Option<String>,
    pub content_length: Option<String>,
    pub body: String,
}

impl Request {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }

    /// A field of a form, for APIs that answer in XML.
    pub fn field(&self, name: &str) -> Option<String> {
        let fields: Vec<(String, String)> = serde_urlencoded::from_str(&self.body).expect("a form");
        let field = fields.into_iter().find(|(key, _)| key == name);
        field.map(|(_, value)| value)
    }
}

/// Returns the answers for each operation in order, and keeps the requests. If an
/// operation has no answer left, the test fails; only listeners have no rules unless a
/// test gives them some.
#[derive(Debug, Clone, Default)]
pub struct Wire {
    replies: Arc<Mutex<HashMap<String, VecDeque<Reply>>>>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Wire {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn on(self, operation: &str, reply: Reply) -> Self {
        let mut replies = self.replies.lock().unwrap();
        replies
            .entry(operation.to_owned())
            .or_default()
            .push_back(reply);
        drop(replies);
        self
    }

    /// Clients that make a single attempt.
    pub fn aws(&self) -> Aws {
        self.aws_with(credentials(), 1)
    }

    pub fn aws_with(&self, credentials: impl ProvideCredentials + 'static, attempts: u32) -> Aws {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(self.http_client())
            .retry_config(RetryConfig::standard().with_max_attempts(attempts))
            .timeout_config(
                TimeoutConfig::builder()
                    .operation_attempt_timeout(Duration::from_secs(15))
                    .build(),
            )
            .build();
        let connector = SharedHttpConnector::new(self.clone());
        let downloads = Downloads::through(move |_| connector.clone());
        Aws::from_config(&config, "eu-west-1".to_owned(), downloads, Pace::Release)
    }

    pub fn http_client(&self) -> SharedHttpClient {
        let connector = SharedHttpConnector::new(self.clone());
        http_client_fn(move |_, _| connector.clone())
    }

    /// Every request so far, in the order in which they were sent.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The only request so far.
    pub fn request(&self) -> Request {
        let mut requests = self.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        requests.remove(0)
    }

    /// Checks that all canned answers were used.
    pub fn assert_used_up(&self) {
        let replies = self.replies.lock().unwrap();
        let left: Vec<_> = replies
            .iter()
            .filter(|(_, replies)| !replies.is_empty())
            .collect();
        assert!(left.is_empty(), "never asked for: {left:?}");
    }
}

pub fn credentials() -> Credentials {
    Credentials::new("AKIDEXAMPLE", "not-a-secret", None, None, "test")
}

impl HttpConnector for Wire {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = read(&request);
        let reply = self
            .replies
            .lock()
            .unwrap()
            .get_mut(&request.operation)
            .and_then(VecDeque::pop_front)
            .or_else(|| {
                let asks_for_rules = request.operation == "DescribeRules";
                asks_for_rules.then(|| Reply::xml("DescribeRules", "<Rules/>"))
            })
            .unwrap_or_else(|| panic!("no answer for {request:?}"));
        self.requests.lock().unwrap().push(request);
        let is_object = matches!(reply, Reply::Object(_));
        let (status, body) = match reply {
            Reply::Never => return HttpConnectorFuture::new(std::future::pending()),
            Reply::Reset => {
                let reset = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
                return HttpConnectorFuture::ready(Err(ConnectorError::io(reset.into())));
            }
            Reply::Http { status, body } => (status, SdkBody::from(body)),
            Reply::Object(body) => (200, SdkBody::from(body)),
        };
        let status = status.try_into().expect("a status");
        let mut response = HttpResponse::new(status, body);
        response
            .headers_mut()
            .insert("x-amzn-requestid", REQUEST_ID);
        if is_object {
            let uploaded = "Wed, 21 Oct 2015 07:28:00 GMT";
            response.headers_mut().insert("last-modified", uploaded);
        }
        HttpConnectorFuture::ready(Ok(response))
    }
}

fn read(request: &HttpRequest) -> Request {
    let body = request.body().bytes().expect("a body in memory");
    let header = |name: &str| request.headers().get(name).map(str::to_owned);
    let body = String::from_utf8(body.to_vec()).expect("a text body");
    let is_xml = header("content-type").as_deref() == Some("application/xml");
    let has_path = is_xml || header("accept").is_some();
    let operation = match outside_the_body(request) {
        Some(operation) => operation.to_owned(),
        // Downloads are named by their URL, and so is what has methods on paths.
        None if request.method() == "GET" => request.uri().to_owned(),
        None if has_path => format!("{} {}", request.method(), request.uri()),
        None => body
            .split('&')
            .find_map(|field| field.strip_prefix("Action="))
            .unwrap_or_default()
            .to_owned(),
    };
    Request {
        at: Instant::now(),
        operation,
        uri: request.uri().to_owned(),
        authorization: header("authorization"),
        content_length: header("content-length"),
        body,
    }
}

/// A service for each colour, with somebody else's names.
pub fn web() -> ColorServices {
    let [blue, green] = ["web-blue", "web-green"].map(str::to_owned);
    ColorServices::new("prod", PerColor { blue, green })
}
