//! Errors as AWS answers them: each protocol has its own shape, and services
//! differ in the codes. Pure but for the request id.

mod code;
pub mod wrong;

use std::fmt::Write as _;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use serde_json::json;

use super::cbor;
use super::request::{Answer, Operation, Protocol, Request};

pub use code::{code, code_of_xml};

/// Why a call is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Throttled,
    InternalError,
}

/// What is said, in whichever shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refusal<'a> {
    status: StatusCode,
    code: &'static str,
    message: &'a str,
}

/// What a service of the Query protocol answers to a call that is wrong.
pub fn wrong_query(service: &str, code: &'static str, message: &str) -> Answer {
    let refusal = Refusal {
        status: StatusCode::BAD_REQUEST,
        code,
        message,
    };
    in_query_xml(refusal, namespace(service), &request_id())
}

/// What a service of XML over REST answers to a call that it refuses.
pub fn wrong_rest(
    service: &str,
    (status, code): (StatusCode, &'static str),
    message: &str,
) -> Answer {
    let refusal = Refusal {
        status,
        code,
        message,
    };
    in_query_xml(refusal, namespace(service), &request_id())
}

/// The answer that the call's service gives then.
pub fn answer(request: &Request, kind: Kind) -> Answer {
    let refusal = refusal(&request.operation, kind);
    let id = request_id();
    match request.operation.protocol {
        Protocol::Json => in_json(refusal, kind_of_json(request), &id),
        Protocol::Query => in_query_xml(refusal, namespace(&request.operation.service), &id),
        Protocol::Ec2Query => in_ec2_xml(refusal, &id),
        Protocol::Cbor => in_cbor(refusal, &id),
        Protocol::Rest => match request.operation.service.as_str() {
            "s3" => in_s3_xml(refusal, request.head.uri.path(), &id),
            service @ ("route53" | "cloudfront") => in_query_xml(refusal, namespace(service), &id),
            _ => in_json(refusal, "application/json", &id),
        },
    }
}

fn refusal(operation: &Operation, kind: Kind) -> Refusal<'static> {
    let (status, code, message) = match kind {
        Kind::Throttled => throttled(operation),
        Kind::InternalError => internal_error(operation),
    };
    Refusal {
        status,
        code,
        message,
    }
}

/// - JSON: `ThrottlingException`, 400
///   (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html>,
///   <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
/// - Query: what is seen on the wire is `Throttling`, 400, although
///   <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>
///   says `ThrottlingException`; SDKs take both for the same.
/// - EC2: `RequestLimitExceeded`, 503
///   (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>).
/// - S3: `SlowDown`, 503
///   (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>).
/// - Other REST: `TooManyRequestsException`, 429, as Lambda's
///   (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
fn throttled(operation: &Operation) -> (StatusCode, &'static str, &'static str) {
    let rate = "Rate exceeded";
    match (operation.protocol, operation.service.as_str()) {
        (Protocol::Json, "dynamodb") => (
            StatusCode::BAD_REQUEST,
            "ThrottlingException",
            "Rate of requests exceeds the allowed throughput.",
        ),
        (Protocol::Json | Protocol::Cbor, _) => {
            (StatusCode::BAD_REQUEST, "ThrottlingException", rate)
        }
        (Protocol::Query, _) | (Protocol::Rest, "route53" | "cloudfront") => {
            (StatusCode::BAD_REQUEST, "Throttling", rate)
        }
        (Protocol::Ec2Query, _) => (
            StatusCode::SERVICE_UNAVAILABLE,
            "RequestLimitExceeded",
            "Request limit exceeded.",
        ),
        (Protocol::Rest, "s3") => (
            StatusCode::SERVICE_UNAVAILABLE,
            "SlowDown",
            "Please reduce your request rate.",
        ),
        (Protocol::Rest, _) => (
            StatusCode::TOO_MANY_REQUESTS,
            "TooManyRequestsException",
            rate,
        ),
    }
}

/// `InternalFailure` is common to all
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/CommonErrors.html>),
/// but ECS and ECR say `ServerException`, DynamoDB `InternalServerError`, EC2
/// and S3 `InternalError`, Lambda `ServiceException`.
fn internal_error(operation: &Operation) -> (StatusCode, &'static str, &'static str) {
    let code = match (operation.protocol, operation.service.as_str()) {
        (Protocol::Json | Protocol::Cbor, "ecs" | "ecr") => "ServerException",
        (Protocol::Json, "dynamodb") => "InternalServerError",
        (Protocol::Ec2Query, _) | (Protocol::Rest, "s3") => "InternalError",
        (Protocol::Rest, "lambda") => "ServiceException",
        _ => "InternalFailure",
    };
    let message = "An internal error has occurred. Retry your request.";
    (StatusCode::INTERNAL_SERVER_ERROR, code, message)
}

/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
/// and, with the code in the header alone,
/// <https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html#operation-error-serialization>.
fn in_json(refusal: Refusal<'_>, kind: &'static str, id: &str) -> Answer {
    let body = json!({"__type": refusal.code, "message": refusal.message});
    let mut answer = whole(refusal, kind, body.to_string(), id);
    let code = HeaderValue::from_static(refusal.code);
    answer.headers.insert("x-amzn-errortype", code);
    answer
}

/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#operation-error-serialization>
fn in_query_xml(refusal: Refusal<'_>, namespace: &str, id: &str) -> Answer {
    let fault = match refusal.status.is_server_error() {
        true => "Receiver",
        false => "Sender",
    };
    let code = refusal.code;
    let message = escaped(refusal.message);
    let body = format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{fault}</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    );
    whole(refusal, "text/xml", body, id)
}

/// <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html#operation-error-serialization>
fn in_ec2_xml(refusal: Refusal<'_>, id: &str) -> Answer {
    let Refusal { code, message, .. } = refusal;
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>{code}</Code>\
         <Message>{message}</Message></Error></Errors><RequestID>{id}</RequestID></Response>"
    );
    whole(refusal, "text/xml;charset=UTF-8", body, id)
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses>
fn in_s3_xml(refusal: Refusal<'_>, path: &str, id: &str) -> Answer {
    let Refusal { code, message, .. } = refusal;
    let path = escaped(path);
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code>\
         <Message>{message}</Message><Resource>{path}</Resource><RequestId>{id}</RequestId></Error>"
    );
    let mut answer = whole(refusal, "application/xml", body, id);
    if let Some(id) = answer.headers.get("x-amzn-requestid").cloned() {
        answer.headers.insert("x-amz-request-id", id);
    }
    answer
}

/// <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#operation-error-serialization>
fn in_cbor(refusal: Refusal<'_>, id: &str) -> Answer {
    let body = cbor::write(&json!({ "__type": refusal.code, "message": refusal.message }));
    let mut answer = whole(refusal, "application/cbor", body, id);
    let protocol = HeaderValue::from_static("rpc-v2-cbor");
    answer.headers.insert("smithy-protocol", protocol);
    answer
}

fn whole(refusal: Refusal<'_>, kind: &'static str, body: impl Into<Bytes>, id: &str) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    Answer {
        status: refusal.status,
        headers,
        body: body.into(),
    }
}

/// Of the two versions, the one that was asked in.
fn kind_of_json(request: &Request) -> &'static str {
    let asked = request.head.headers.get(CONTENT_TYPE);
    match asked.is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-amz-json-1.0")) {
        true => "application/x-amz-json-1.0",
        false => "application/x-amz-json-1.1",
    }
}

fn namespace(service: &str) -> &'static str {
    match service {
        "elasticloadbalancing" => "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/",
        "cloudformation" => "http://cloudformation.amazonaws.com/doc/2010-05-15/",
        "iam" => "https://iam.amazonaws.com/doc/2010-05-08/",
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        "sns" => "http://sns.amazonaws.com/doc/2010-03-31/",
        "route53" => "https://route53.amazonaws.com/doc/2013-04-01/",
        "cloudfront" => "http://cloudfront.amazonaws.com/doc/2020-05-31/",
        _ => "http://webservices.amazon.com/AWSFault/2005-15-09",
    }
}

/// As the text of an XML element.
pub fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// In the form of a UUID, as most services give it.
pub fn request_id() -> String {
    let mut id = String::with_capacity(36);
    for (at, byte) in std::iter::repeat_with(|| fastrand::u8(..))
        .take(16)
        .enumerate()
    {
        if matches!(at, 4 | 6 | 8 | 10) {
            id.push('-');
        }
        let _ = write!(id, "{byte:02x}");
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use Kind::{InternalError, Throttled};
    use roxmltree::Document;
    use serde_json::Value;

    fn call(protocol: Protocol, service: &str, content_type: &str) -> Request {
        let head = hyper::Request::builder()
            .uri("/bucket/a&b")
            .header(CONTENT_TYPE, content_type)
            .body(())
            .unwrap()
            .into_parts()
            .0;
        Request {
            head,
            body: Bytes::new(),
            operation: Operation {
                protocol,
                service: service.to_owned(),
                name: "Any".to_owned(),
            },
        }
    }

    fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
        answer.headers[name].to_str().unwrap()
    }

    /// The texts of the elements at these paths, which begin with the root.
    fn texts<const N: usize>(answer: &Answer, paths: [&str; N]) -> [String; N] {
        let text = std::str::from_utf8(&answer.body).unwrap();
        let document = Document::parse(text).unwrap();
        paths.map(|path| {
            let mut node = document.root();
            for name in path.split('/') {
                node = node
                    .children()
                    .find(|child| child.tag_name().name() == name)
                    .unwrap_or_else(|| panic!("no {path} in {text}"));
            }
            node.text().unwrap().to_owned()
        })
    }

    #[test]
    fn json_services_refuse_in_json() {
        for (service, kind, version, status, code) in [
            ("ecs", Throttled, "1.1", 400, "ThrottlingException"),
            ("ecs", InternalError, "1.1", 500, "ServerException"),
            ("ecr", InternalError, "1.1", 500, "ServerException"),
            ("logs", Throttled, "1.1", 400, "ThrottlingException"),
            ("logs", InternalError, "1.1", 500, "InternalFailure"),
            ("dynamodb", Throttled, "1.0", 400, "ThrottlingException"),
            ("dynamodb", InternalError, "1.0", 500, "InternalServerError"),
        ] {
            let content_type = format!("application/x-amz-json-{version}");
            let answer = answer(&call(Protocol::Json, service, &content_type), kind);
            assert_eq!(answer.status, status);
            assert_eq!(header(&answer, "content-type"), content_type);
            assert_eq!(header(&answer, "x-amzn-errortype"), code);
            let body: Value = serde_json::from_slice(&answer.body).unwrap();
            assert_eq!(body["__type"], code);
            assert!(!body["message"].as_str().unwrap().is_empty());
        }
    }

    #[test]
    fn query_services_refuse_in_xml() {
        for (service, kind, status, fault, code) in [
            (
                "elasticloadbalancing",
                Throttled,
                400,
                "Sender",
                "Throttling",
            ),
            (
                "elasticloadbalancing",
                InternalError,
                500,
                "Receiver",
                "InternalFailure",
            ),
            ("cloudformation", Throttled, 400, "Sender", "Throttling"),
            ("iam", Throttled, 400, "Sender", "Throttling"),
        ] {
            let answer = answer(&call(Protocol::Query, service, "text/xml"), kind);
            assert_eq!(answer.status, status);
            let paths = [
                "ErrorResponse/Error/Code",
                "ErrorResponse/Error/Type",
                "ErrorResponse/RequestId",
            ];
            let [found, type_of_fault, id] = texts(&answer, paths);
            assert_eq!((found.as_str(), type_of_fault.as_str()), (code, fault));
            assert_eq!(id, header(&answer, "x-amzn-requestid"));
            let text = std::str::from_utf8(&answer.body).unwrap();
            let document = Document::parse(text).unwrap();
            let root = document.root_element().tag_name();
            assert_eq!(root.name(), "ErrorResponse");
            assert!(root.namespace().unwrap().contains(service), "{root:?}");
        }
    }

    #[test]
    fn ec2_refuses_in_a_shape_of_its_own() {
        for (kind, status, code) in [
            (Throttled, 503, "RequestLimitExceeded"),
            (InternalError, 500, "InternalError"),
        ] {
            let answer = answer(&call(Protocol::Ec2Query, "ec2", "text/xml"), kind);
            assert_eq!(answer.status, status);
            let paths = ["Response/Errors/Error/Code", "Response/RequestID"];
            let [found, id] = texts(&answer, paths);
            assert_eq!(found, code);
            assert_eq!(id.len(), 36);
        }
    }

    #[test]
    fn rest_services_refuse_each_in_its_shape() {
        let slow = answer(&call(Protocol::Rest, "s3", ""), Throttled);
        assert_eq!(slow.status, 503);
        let [code, path, id] = texts(&slow, ["Error/Code", "Error/Resource", "Error/RequestId"]);
        assert_eq!((code.as_str(), path.as_str()), ("SlowDown", "/bucket/a&b"));
        assert_eq!(id, header(&slow, "x-amz-request-id"));

        let lambda = answer(&call(Protocol::Rest, "lambda", ""), Throttled);
        assert_eq!(lambda.status, 429);
        assert_eq!(
            header(&lambda, "x-amzn-errortype"),
            "TooManyRequestsException"
        );

        let route53 = answer(&call(Protocol::Rest, "route53", ""), Throttled);
        assert_eq!(route53.status, 400);
        let [code] = texts(&route53, ["ErrorResponse/Error/Code"]);
        assert_eq!(code, "Throttling");
    }

    #[test]
    fn rpc_v2_refuses_in_cbor() {
        let answer = answer(
            &call(Protocol::Cbor, "monitoring", "application/cbor"),
            Throttled,
        );
        assert_eq!(answer.status, 400);
        assert_eq!(header(&answer, "smithy-protocol"), "rpc-v2-cbor");
        assert_eq!(header(&answer, "content-type"), "application/cbor");
        let begin = b"\xa2\x66__type\x73ThrottlingException\x67message\x6dRate exceeded";
        assert_eq!(&answer.body[..], begin);
    }

    #[test]
    fn every_refusal_has_an_id_of_its_own() {
        let id = || {
            let answer = answer(&call(Protocol::Json, "ecs", ""), Throttled);
            header(&answer, "x-amzn-requestid").to_owned()
        };
        let (one, other) = (id(), id());
        assert_ne!(one, other);
        let groups: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(groups, [8, 4, 4, 4, 12]);
    }

    #[test]
    fn the_code_of_each_refusal_is_read_again() {
        for (protocol, service) in [
            (Protocol::Json, "ecs"),
            (Protocol::Query, "elasticloadbalancing"),
            (Protocol::Ec2Query, "ec2"),
            (Protocol::Rest, "s3"),
            (Protocol::Rest, "lambda"),
            (Protocol::Rest, "route53"),
            (Protocol::Cbor, "monitoring"),
        ] {
            let call = call(protocol, service, "");
            for kind in [Throttled, InternalError] {
                let wanted = refusal(&call.operation, kind).code;
                let answer = answer(&call, kind);
                assert_eq!(code(protocol, &answer).as_deref(), Some(wanted));
            }
        }
    }
}
