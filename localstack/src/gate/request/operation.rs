//! The name of a call.
//!
//! AWS has several protocols, and each has its own place for the operation's
//! name: <https://smithy.io/2.0/aws/protocols/index.html>. The service is read
//! from the signature's scope, which is the same in all of them:
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>.
//! Calls that need no signature (`AssumeRoleWithWebIdentity`) are told by what
//! else names the service.

use bytes::Bytes;
use hyper::Method;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE};
use hyper::http::request::Parts;

use super::{Operation, Protocol};

/// How services are called where there is no scope: in `X-Amz-Target` and in
/// the path of RPC v2.
const NAMES: [(&str, &str); 19] = [
    ("AmazonEC2ContainerServiceV20141113", "ecs"),
    ("AmazonEC2ContainerRegistry_V20150921", "ecr"),
    ("Logs_20140328", "logs"),
    ("DynamoDB_20120810", "dynamodb"),
    ("DynamoDBStreams_20120810", "dynamodb"),
    ("AmazonSSM", "ssm"),
    ("AmazonSQS", "sqs"),
    ("secretsmanager", "secretsmanager"),
    ("TrentService", "kms"),
    ("AWSEvents", "events"),
    ("AWSStepFunctions", "states"),
    ("Kinesis_20131202", "kinesis"),
    ("Firehose_20150804", "firehose"),
    ("AnyScaleFrontendService", "application-autoscaling"),
    ("GraniteServiceVersion20100801", "monitoring"),
    ("CertificateManager", "acm"),
    ("ResourceGroupsTaggingAPI_20170126", "tagging"),
    ("Route53AutoNaming_v20170314", "servicediscovery"),
    ("CodeDeploy_20141006", "codedeploy"),
];

/// The API versions of Query services.
const VERSIONS: [(&str, &str); 8] = [
    ("2015-12-01", "elasticloadbalancing"),
    ("2010-05-15", "cloudformation"),
    ("2010-05-08", "iam"),
    ("2011-06-15", "sts"),
    ("2016-11-15", "ec2"),
    ("2010-03-31", "sns"),
    ("2012-11-05", "sqs"),
    ("2010-08-01", "monitoring"),
];

/// None if this is not a call of AWS's API.
pub(super) fn named(head: &Parts, body: &Bytes) -> Option<Operation> {
    cbor(head)
        .or_else(|| json(head))
        .or_else(|| query(head, body))
        .or_else(|| rest(head))
}

/// Whether [`named`] may find a name, whatever the body is.
pub(super) fn may_be_named(head: &Parts) -> bool {
    credential(head).is_some()
        || head.headers.contains_key("x-amz-target")
        || cbor(head).is_some()
        || of_query_string(head, "Action").is_some()
        || (head.method == Method::POST && head.uri.path() == "/" && has_form(head))
}

/// The parameters of the query string, then those of the body.
pub(super) fn form(head: &Parts, body: &[u8]) -> Vec<(String, String)> {
    let parameters = query_string(head).chain(form_urlencoded::parse(body));
    parameters
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// `KEY` of `KEY/20260101/us-east-1/ecs/aws4_request`.
pub(super) fn access_key(head: &Parts) -> Option<String> {
    credential(head)?.split('/').next().map(str::to_owned)
}

/// `us-east-1` of `KEY/20260101/us-east-1/ecs/aws4_request`.
pub(super) fn region(head: &Parts) -> Option<String> {
    credential(head)?.split('/').nth(2).map(str::to_owned)
}

/// <https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#requests>
fn cbor(head: &Parts) -> Option<Operation> {
    if header(head, "smithy-protocol")? != "rpc-v2-cbor" {
        return None;
    }
    let (before, name) = head.uri.path().rsplit_once("/operation/")?;
    let (_, target) = before.rsplit_once("/service/")?;
    Some(Operation {
        protocol: Protocol::Cbor,
        service: scope(head).unwrap_or_else(|| named_by(target)),
        name: name.to_owned(),
    })
}

/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#protocol-behaviors>
fn json(head: &Parts) -> Option<Operation> {
    let (target, name) = header(head, "x-amz-target")?.rsplit_once('.')?;
    Some(Operation {
        protocol: Protocol::Json,
        service: scope(head).unwrap_or_else(|| named_by(target)),
        name: name.to_owned(),
    })
}

/// <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#request-serialization>
fn query(head: &Parts, body: &Bytes) -> Option<Operation> {
    let form = form(head, if has_form(head) { body } else { b"" });
    let value = |wanted: &str| {
        let found = form.iter().find(|(name, _)| name == wanted)?;
        Some(found.1.clone())
    };
    let name = value("Action")?;
    let service = scope(head).or_else(|| {
        let version = value("Version")?;
        look_up(&VERSIONS, &version).map(str::to_owned)
    })?;
    Some(Operation {
        protocol: match service.as_str() {
            "ec2" => Protocol::Ec2Query,
            _ => Protocol::Query,
        },
        service,
        name,
    })
}

fn rest(head: &Parts) -> Option<Operation> {
    Some(Operation {
        protocol: Protocol::Rest,
        service: scope(head)?,
        name: format!("{} {}", head.method, head.uri.path()),
    })
}

/// An unknown one is called as it calls itself, without its version.
fn named_by(target: &str) -> String {
    look_up(&NAMES, target).map_or_else(
        || {
            let name = target.split('_').next().unwrap_or(target);
            name.to_ascii_lowercase()
        },
        str::to_owned,
    )
}

fn look_up<'a>(table: &[(&str, &'a str)], wanted: &str) -> Option<&'a str> {
    table
        .iter()
        .find(|(name, _)| *name == wanted)
        .map(|(_, service)| *service)
}

/// `ecs` of `KEY/20260101/us-east-1/ecs/aws4_request`.
fn scope(head: &Parts) -> Option<String> {
    credential(head)?.split('/').nth_back(1).map(str::to_owned)
}

/// From the header, or from the query string of a presigned URL.
fn credential(head: &Parts) -> Option<String> {
    let signed = header(head, AUTHORIZATION.as_str()).and_then(|value| {
        let (_, rest) = value.split_once("Credential=")?;
        rest.split([',', ' ']).next().map(str::to_owned)
    });
    signed.or_else(|| of_query_string(head, "X-Amz-Credential"))
}

fn header<'a>(head: &'a Parts, name: &str) -> Option<&'a str> {
    head.headers.get(name)?.to_str().ok()
}

fn has_form(head: &Parts) -> bool {
    header(head, CONTENT_TYPE.as_str())
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
}

fn query_string(head: &Parts) -> form_urlencoded::Parse<'_> {
    form_urlencoded::parse(head.uri.query().unwrap_or_default().as_bytes())
}

fn of_query_string(head: &Parts, wanted: &str) -> Option<String> {
    query_string(head)
        .find(|(name, _)| name == wanted)
        .map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, \
             SignedHeaders=host, Signature=0"
        )
    }

    fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
        let mut request = hyper::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap().into_parts().0
    }

    /// As a test of bgecs would write it.
    fn name(head: &Parts, body: &'static str) -> Option<(Protocol, String, String)> {
        let operation = named(head, &Bytes::from_static(body.as_bytes()))?;
        assert!(may_be_named(head), "{operation:?}");
        Some((operation.protocol, operation.service, operation.name))
    }

    fn is(protocol: Protocol, service: &str, name: &str) -> Option<(Protocol, String, String)> {
        Some((protocol, service.to_owned(), name.to_owned()))
    }

    #[test]
    fn json_calls_are_named_by_their_target() {
        for (target, service, operation) in [
            (
                "AmazonEC2ContainerServiceV20141113.UpdateService",
                "ecs",
                "UpdateService",
            ),
            (
                "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
                "ecr",
                "GetAuthorizationToken",
            ),
            ("Logs_20140328.GetLogEvents", "logs", "GetLogEvents"),
            ("DynamoDB_20120810.PutItem", "dynamodb", "PutItem"),
        ] {
            let wanted = is(Protocol::Json, service, operation);
            let unsigned = head("POST", "/", &[("x-amz-target", target)]);
            assert_eq!(name(&unsigned, "{}"), wanted);
            let signed = head(
                "POST",
                "/",
                &[
                    ("x-amz-target", target),
                    ("authorization", &signed(service)),
                ],
            );
            assert_eq!(name(&signed, "{}"), wanted);
        }
    }

    #[test]
    fn an_unknown_target_is_named_as_it_names_itself() {
        let head = head("POST", "/", &[("x-amz-target", "NewThing_20300101.Do")]);
        assert_eq!(name(&head, ""), is(Protocol::Json, "newthing", "Do"));
    }

    #[test]
    fn query_calls_are_named_by_their_action() {
        let form = (
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        );
        for (service, protocol) in [
            ("elasticloadbalancing", Protocol::Query),
            ("cloudformation", Protocol::Query),
            ("ec2", Protocol::Ec2Query),
        ] {
            let head = head("POST", "/", &[form, ("authorization", &signed(service))]);
            let named = name(&head, "Version=x&Action=DoIt");
            assert_eq!(named, is(protocol, service, "DoIt"));
        }
        let unsigned = head("POST", "/", &[form]);
        assert_eq!(
            name(
                &unsigned,
                "Action=AssumeRoleWithWebIdentity&Version=2011-06-15"
            ),
            is(Protocol::Query, "sts", "AssumeRoleWithWebIdentity")
        );
    }

    #[test]
    fn a_presigned_query_call_has_all_in_its_url() {
        let head = head(
            "GET",
            "/?Action=GetCallerIdentity&Version=2011-06-15\
             &X-Amz-Credential=AKIA%2F20260101%2Fus-east-1%2Fsts%2Faws4_request",
            &[],
        );
        assert_eq!(
            name(&head, ""),
            is(Protocol::Query, "sts", "GetCallerIdentity")
        );
        assert_eq!(access_key(&head).as_deref(), Some("AKIA"));
        assert_eq!(region(&head).as_deref(), Some("us-east-1"));
    }

    #[test]
    fn rest_calls_are_named_by_method_and_path() {
        let signed = head(
            "PUT",
            "/bucket/key?x=1",
            &[("authorization", &signed("s3"))],
        );
        assert_eq!(
            name(&signed, "data"),
            is(Protocol::Rest, "s3", "PUT /bucket/key")
        );
        let presigned = head(
            "GET",
            "/bucket/key?X-Amz-Credential=K%2F20260101%2Fus-east-1%2Fs3%2Faws4_request",
            &[],
        );
        assert_eq!(
            name(&presigned, ""),
            is(Protocol::Rest, "s3", "GET /bucket/key")
        );
    }

    #[test]
    fn cbor_calls_are_named_by_their_path() {
        let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
        let cbor = ("smithy-protocol", "rpc-v2-cbor");
        let head_of = |headers: &[(&str, &str)]| head("POST", path, headers);
        let wanted = is(Protocol::Cbor, "monitoring", "PutMetricData");
        assert_eq!(name(&head_of(&[cbor]), ""), wanted);
        let scope = signed("monitoring");
        assert_eq!(
            name(&head_of(&[cbor, ("authorization", &scope)]), ""),
            wanted
        );
        assert_eq!(name(&head_of(&[]), ""), None);
    }

    #[test]
    fn what_is_no_call_has_no_name() {
        for (method, uri, headers) in [
            ("GET", "/v2/", [("authorization", "Basic dGVzdDp0ZXN0")]),
            (
                "PATCH",
                "/v2/app/blobs/uploads/1",
                [("content-type", "application/octet-stream")],
            ),
            ("GET", "/_localstack/health", [("accept", "*/*")]),
            ("GET", "/?page=2", [("host", "web.elb.amazonaws.com")]),
        ] {
            let head = head(method, uri, &headers);
            assert!(!may_be_named(&head), "{method} {uri}");
            assert_eq!(named(&head, &Bytes::new()), None);
        }
        // Any form could be a call; this one says that it is none.
        let form = head(
            "POST",
            "/",
            &[("content-type", "application/x-www-form-urlencoded")],
        );
        assert!(may_be_named(&form));
        assert_eq!(named(&form, &Bytes::from_static(b"user=me")), None);
    }

    #[test]
    fn what_describes_lists_or_gets_is_a_read() {
        let reads = |protocol, name: &str| {
            Operation {
                protocol,
                service: "any".to_owned(),
                name: name.to_owned(),
            }
            .is_read()
        };
        assert!(reads(Protocol::Json, "DescribeServices") && reads(Protocol::Rest, "HEAD /b/k"));
        assert!(!reads(Protocol::Query, "ModifyListener") && !reads(Protocol::Rest, "PUT /b/k"));
    }
}
