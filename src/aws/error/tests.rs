use std::io::ErrorKind;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};

use super::*;
use crate::aws::Router;
use crate::aws::testing::{REQUEST_ID, Reply, Wire};
use crate::aws::{ATTEMPTS, Aws};
use crate::model::ColorServices;
use crate::model::TargetGroupArn;

const CLUSTER: &str = "bgecs-hello";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/blue/1";

/// What a JSON API's answer becomes.
async fn by_json(reply: Reply) -> AwsError {
    let wire = Wire::new().on("DescribeServices", reply);
    wire.aws()
        .read_services(&ColorServices::alone_in(CLUSTER))
        .await
        .unwrap_err()
}

/// What an XML API's answer becomes.
async fn by_xml(reply: Reply) -> AwsError {
    let wire = Wire::new().on("DescribeTargetHealth", reply);
    let group = TargetGroupArn::new(GROUP);
    wire.aws().target_health(&group).await.unwrap_err()
}

#[tokio::test]
async fn an_error_keeps_action_resource_code_message_and_request_id() {
    let json = by_json(Reply::json_error(400, "ClientException", "no such thing")).await;
    let xml = by_xml(Reply::xml_error(400, "InvalidTarget", "no such thing")).await;
    for (error, action, resource, code) in [
        (json, "ecs:DescribeServices", CLUSTER, "ClientException"),
        (
            xml,
            "elasticloadbalancing:DescribeTargetHealth",
            GROUP,
            "InvalidTarget",
        ),
    ] {
        assert_eq!(error.kind, AwsErrorKind::Other);
        assert_eq!((error.action, error.resource.as_str()), (action, resource));
        assert!(error.has_code(code), "{error:?}");
        assert_eq!(error.message, "no such thing");
        assert_eq!(error.request_id.as_deref(), Some(REQUEST_ID));
        assert_eq!(
            error.to_string(),
            format!("{action} on {resource}: {code}: no such thing (request {REQUEST_ID})")
        );
    }
}

#[tokio::test]
async fn kinds_are_told_by_code() {
    for (kind, codes) in [
        (
            AwsErrorKind::Denied,
            &[
                "AccessDenied",
                "AccessDeniedException",
                "UnauthorizedOperation",
                "NotAuthorized",
            ][..],
        ),
        (
            AwsErrorKind::Expired,
            &["ExpiredToken", "ExpiredTokenException", "RequestExpired"],
        ),
        (
            AwsErrorKind::BadCredentials,
            &[
                "InvalidClientTokenId",
                "UnrecognizedClientException",
                "SignatureDoesNotMatch",
                "InvalidSignatureException",
                "IncompleteSignature",
                "MissingAuthenticationToken",
            ],
        ),
        (
            AwsErrorKind::Throttled,
            &[
                "Throttling",
                "ThrottlingException",
                "ThrottledException",
                "RequestThrottled",
                "RequestThrottledException",
                "RequestLimitExceeded",
                "TooManyRequestsException",
                "ProvisionedThroughputExceededException",
                "TransactionInProgressException",
                "BandwidthLimitExceeded",
                "SlowDown",
                "PriorRequestNotComplete",
                "EC2ThrottledException",
            ],
        ),
        (
            AwsErrorKind::Failing,
            &["RequestTimeout", "RequestTimeoutException"],
        ),
        (
            AwsErrorKind::NotFound,
            &[
                "ClusterNotFoundException",
                "ResourceNotFoundException",
                "TargetGroupNotFound",
            ],
        ),
        (
            AwsErrorKind::Other,
            &[
                "ValidationError",
                "InvalidParameterException",
                "ConditionalCheckFailedException",
                "TransactionCanceledException",
                // A quota of the account, whatever the SDK takes it for.
                "LimitExceededException",
            ],
        ),
    ] {
        for code in codes {
            // As services write it, with and without a namespace.
            let qualified = format!("com.amazonaws.ecs#{code}");
            for error in [
                by_json(Reply::json_error(400, code, "text")).await,
                by_json(Reply::json_error(400, &qualified, "text")).await,
                by_xml(Reply::xml_error(400, code, "text")).await,
            ] {
                assert_eq!(error.kind, kind, "{code}");
                let passes = matches!(kind, AwsErrorKind::Throttled | AwsErrorKind::Failing);
                assert_eq!(error.is_retryable(), passes, "{code}");
                assert!(error.has_code(code), "{error:?}");
            }
        }
    }
}

#[tokio::test]
async fn a_request_that_aws_repeats_is_not_shown() {
    let calculated = "The request signature we calculated does not match the signature you \
                      provided. Check your AWS Secret Access Key and signing method.";
    let canonical = format!(
        "{calculated}\n\nThe Canonical String for this request should have been\n'POST\n/\n\n\
         host:ecs\nx-amz-security-token:hunter22\n'"
    );
    for code in ["SignatureDoesNotMatch", "InvalidSignatureException"] {
        for error in [
            by_json(Reply::json_error(403, code, &canonical)).await,
            by_xml(Reply::xml_error(403, code, &canonical)).await,
        ] {
            assert_eq!(error.message, calculated);
        }
    }
    for (message, shown) in [
        (
            "Authorization header requires 'Signature' parameter. Authorization=hunter22",
            "Authorization header requires 'Signature' parameter.",
        ),
        (
            "missing equal-sign in Authorization header: 'hunter22'",
            "missing equal-sign in",
        ),
    ] {
        let error = by_json(Reply::json_error(403, "IncompleteSignature", message)).await;
        assert_eq!(error.message, shown);
    }
}

#[tokio::test]
async fn a_text_never_makes_a_kind() {
    let misleading = "AccessDenied: Throttling, ExpiredToken, does not exist";
    let error = by_json(Reply::json_error(400, "ClientException", misleading)).await;
    assert_eq!(error.kind, AwsErrorKind::Other);
}

/// A credentials provider that fails like this.
#[derive(Debug)]
struct Broken(fn() -> CredentialsError);

impl ProvideCredentials for Broken {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(self.0()))
    }
}

#[tokio::test]
async fn credentials_that_are_not_found_are_told_from_an_aws_that_is_not() {
    let wire = Wire::new();
    for (provider, message) in [
        (
            Broken(|| CredentialsError::not_loaded("no providers in chain")),
            "no providers in chain",
        ),
        (
            Broken(|| CredentialsError::invalid_configuration("the profile is not known")),
            "the profile is not known",
        ),
        (
            Broken(|| CredentialsError::provider_error("the SSO token has expired")),
            "the SSO token has expired",
        ),
    ] {
        let error = wire
            .aws_with(provider, 1)
            .read_services(&ColorServices::alone_in(CLUSTER))
            .await
            .unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::NoCredentials, "{error:?}");
        assert_eq!(error.message, message);
        assert!(!error.is_ambiguous(), "nothing was sent");
    }
    assert!(wire.requests().is_empty());
}

async fn no_answer(reply: Reply) -> AwsError {
    let error = by_json(reply.clone()).await;
    assert_eq!(error.kind, AwsErrorKind::Unreachable, "{error:?}");
    assert!(error.is_ambiguous());
    let xml = by_xml(reply).await;
    assert!(xml.is_ambiguous(), "{xml:?}");
    error
}

#[tokio::test(start_paused = true)]
async fn no_answer_is_ambiguous_whatever_the_cause() {
    let reset = std::io::Error::from(ErrorKind::ConnectionReset).to_string();
    assert_eq!(no_answer(Reply::Reset).await.message, reset);
    assert_eq!(no_answer(Reply::Never).await.message, "timed out");
    // Half an answer, or a proxy's page, says nothing about the effect.
    let garbage = |text: &str| Reply::Http {
        status: 200,
        body: text.to_owned(),
    };
    no_answer(garbage("{\"services\": [")).await;
    no_answer(garbage("<html>welcome")).await;
}

#[tokio::test]
async fn a_fault_of_aws_s_own_is_ambiguous_and_a_refusal_is_not() {
    let page = |status| Reply::Http {
        status,
        body: "<html><h1>Bad Gateway</h1></html>".to_owned(),
    };
    for reply in [
        Reply::json_error(500, "ServerException", "internal error"),
        Reply::json_error(503, "ServiceUnavailable", "try later"),
        Reply::xml_error(500, "InternalFailure", "internal error"),
        page(502),
    ] {
        for error in [by_json(reply.clone()).await, by_xml(reply).await] {
            assert!(error.is_ambiguous(), "{error:?}");
        }
    }
    for reply in [
        Reply::json_error(400, "InvalidParameterException", "no"),
        Reply::json_error(400, "ThrottlingException", "slow down"),
        Reply::xml_error(403, "AccessDenied", "no"),
        page(403),
    ] {
        for error in [by_json(reply.clone()).await, by_xml(reply).await] {
            assert!(!error.is_ambiguous(), "{error:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_without_code_shows_its_status() {
    let page = Reply::Http {
        status: 403,
        body: "<html>blocked by the proxy</html>".to_owned(),
    };
    let error = by_json(page).await;
    assert_eq!(
        (error.code.as_deref(), error.message.as_str()),
        (None, "HTTP 403")
    );
}

#[tokio::test(start_paused = true)]
async fn throttling_is_tried_again_before_it_is_an_error() {
    let throttled = || Reply::json_error(400, "ThrottlingException", "Rate exceeded");
    let wire = Wire::new()
        .on("DescribeServices", throttled())
        .on("DescribeServices", throttled())
        .on(
            "DescribeServices",
            Reply::json(&serde_json::json!({ "services": [] })),
        );
    let services = wire
        .aws_with(crate::aws::testing::credentials(), 3)
        .read_services(&ColorServices::alone_in(CLUSTER))
        .await;
    assert_eq!(services.unwrap(), []);
    wire.assert_used_up();
}

/// Whether the SDK's retry, with the settings of every command, sends that call again.
async fn is_tried_again(operation: &str, code: &str, status: u16) -> bool {
    let group = TargetGroupArn::new(GROUP);
    let reply = match operation {
        "DescribeServices" => Reply::json_error(status, code, "text"),
        _ => Reply::xml_error(status, code, "text"),
    };
    let wire = (0..ATTEMPTS).fold(Wire::new(), |wire, _| wire.on(operation, reply.clone()));
    let aws = wire.aws_with(crate::aws::testing::credentials(), ATTEMPTS);
    let error = match operation {
        "DescribeServices" => aws
            .read_services(&ColorServices::alone_in(CLUSTER))
            .await
            .unwrap_err(),
        _ => aws.target_health(&group).await.unwrap_err(),
    };
    assert_eq!(error.code.as_deref(), Some(code));
    match wire.requests().len() {
        1 => false,
        all if all == ATTEMPTS as usize => true,
        some => panic!("{some} attempts at {operation} after {code}"),
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_by_itself_is_what_the_sdk_tries_again() {
    for operation in ["DescribeServices", "DescribeTargetHealth"] {
        for (status, code, expected) in [
            (400, "Throttling", true),
            (400, "ThrottlingException", true),
            (400, "RequestLimitExceeded", true),
            (400, "PriorRequestNotComplete", true),
            (400, "ProvisionedThroughputExceededException", true),
            (400, "TransactionInProgressException", true),
            (400, "RequestTimeout", true),
            (503, "SlowDown", true),
            (500, "InternalFailure", true),
            (500, "ACodeOfTomorrow", true),
            (400, "ACodeOfTomorrow", false),
            (400, "ConditionalCheckFailedException", false),
            (400, "ValidationError", false),
            (403, "AccessDenied", false),
        ] {
            let again = is_tried_again(operation, code, status).await;
            assert_eq!(again, expected, "{operation}: {status} {code}");
            let error = match operation {
                "DescribeServices" => by_json(Reply::json_error(status, code, "text")).await,
                _ => by_xml(Reply::xml_error(status, code, "text")).await,
            };
            assert_eq!(error.is_retryable(), expected, "{error:?}");
        }
    }
}

/// The error as a person sees it.
async fn shown(aws: &Aws) -> String {
    Error::from(
        aws.read_services(&ColorServices::alone_in(CLUSTER))
            .await
            .unwrap_err(),
    )
    .to_string()
}

#[tokio::test(start_paused = true)]
async fn every_kind_says_what_to_do_next() {
    let mut all = Vec::new();
    let nobody = Broken(|| CredentialsError::not_loaded("no providers in chain"));
    all.push(shown(&Wire::new().aws_with(nobody, 1)).await);
    for reply in [
        Reply::json_error(
            400,
            "UnrecognizedClientException",
            "The security token is invalid.",
        ),
        Reply::json_error(
            400,
            "ExpiredTokenException",
            "The security token has expired",
        ),
        Reply::json_error(
            400,
            "AccessDeniedException",
            "User: alice is not authorized",
        ),
        Reply::json_error(400, "ClusterNotFoundException", "Cluster not found."),
        Reply::json_error(400, "ThrottlingException", "Rate exceeded"),
        Reply::Never,
        Reply::json_error(500, "ServerException", "Service Unavailable"),
        Reply::json_error(
            400,
            "InvalidParameterException",
            "Services cannot be empty.",
        ),
    ] {
        all.push(shown(&Wire::new().on("DescribeServices", reply).aws()).await);
    }
    insta::assert_snapshot!(all.join("\n\n"), @"
    no AWS credentials
      caused by: ecs:DescribeServices on bgecs-hello: no providers in chain
      hint:      sign in (`aws sso login`), name a profile with --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY

    AWS refuses these credentials
      caused by: ecs:DescribeServices on bgecs-hello: UnrecognizedClientException: The security token is invalid. (request request-1)
      hint:      AWS does not know this key: check `aws sts get-caller-identity`, --profile and --region

    the AWS credentials have expired
      caused by: ecs:DescribeServices on bgecs-hello: ExpiredTokenException: The security token has expired (request request-1)
      hint:      sign in again (`aws sso login`), or renew the session token

    no permission for ecs:DescribeServices on bgecs-hello
      caused by: ecs:DescribeServices on bgecs-hello: AccessDeniedException: User: alice is not authorized (request request-1)
      hint:      allow ecs:DescribeServices on bgecs-hello for these credentials

    the cluster bgecs-hello is gone
      caused by: ecs:DescribeServices on bgecs-hello: ClusterNotFoundException: Cluster not found. (request request-1)
      hint:      something else deleted it: `bgecs init` says what is gone, and the way on

    AWS throttles ecs:DescribeServices
      caused by: ecs:DescribeServices on bgecs-hello: ThrottlingException: Rate exceeded (request request-1)
      hint:      AWS limits this account's calls: try again in a minute

    no answer from AWS to ecs:DescribeServices
      caused by: ecs:DescribeServices on bgecs-hello: timed out
      hint:      check the network, --region and --endpoint-url (or AWS_ENDPOINT_URL)

    AWS failed at ecs:DescribeServices
      caused by: ecs:DescribeServices on bgecs-hello: ServerException: Service Unavailable (request request-1)
      hint:      try again in a minute; https://health.aws.amazon.com lists outages

    ecs:DescribeServices failed
      caused by: ecs:DescribeServices on bgecs-hello: InvalidParameterException: Services cannot be empty. (request request-1)
    ");
}

/// The called action and the denied action may differ.
#[tokio::test]
async fn the_denied_action_is_the_one_that_the_hint_allows() {
    let role = "arn:aws:iam::1:role/bgecs-hello-TaskRole";
    let said = format!(
        "User: arn:aws:iam::1:user/alice is not authorized to perform: iam:PassRole on resource: {role} because no identity-based policy allows the iam:PassRole action"
    );
    for (code, message) in [
        (
            "AccessDeniedException",
            format!("no permission for iam:PassRole on {role}"),
        ),
        // ECS uses this code for it as well.
        ("ClientException", "ecs:DescribeServices failed".to_owned()),
    ] {
        let error = Error::from(by_json(Reply::json_error(400, code, &said)).await);
        assert_eq!(error.message, message);
        let hint = format!("allow iam:PassRole on {role} for these credentials");
        assert_eq!(error.hint, Some(hint));
    }
    let denied = "User: alice is not authorized to perform: elasticloadbalancing:AddTags with an explicit deny in a service control policy";
    let error = Error::from(by_xml(Reply::xml_error(403, "AccessDenied", denied)).await);
    let what = format!("elasticloadbalancing:AddTags on {GROUP}");
    assert_eq!(error.message, format!("no permission for {what}"));
    let hint = error.hint.unwrap();
    assert!(
        hint.starts_with(&format!("a service control policy denies {what}, ")),
        "{hint}"
    );
}

#[tokio::test]
async fn a_role_that_aws_makes_once_is_asked_for() {
    let said = "Unable to assume the service linked role. Please verify that the ECS service linked role exists.";
    let reply = Reply::json_error(400, "InvalidParameterException", said);
    let hint = Error::from(by_json(reply).await).hint.unwrap();
    let line = "`aws iam create-service-linked-role --aws-service-name ecs.amazonaws.com`";
    assert!(hint.contains(line), "{hint}");
}

#[tokio::test]
async fn a_part_that_is_gone_is_named() {
    let no = |code| Reply::json_error(400, code, "no");
    let wire = Wire::new()
        .on("GetItem", no("ResourceNotFoundException"))
        .on("FilterLogEvents", no("ResourceNotFoundException"))
        .on("BatchGetImage", no("RepositoryNotFoundException"))
        .on("UpdateService", no("ServiceNotFoundException"))
        .on(
            "DescribeListeners",
            Reply::xml_error(400, "ListenerNotFound", "One or more listeners not found"),
        );
    let aws = wire.aws();
    let infra = crate::model::testing::infrastructure();
    let group = Reply::xml_error(400, "TargetGroupNotFound", "no such group");
    let cluster = Reply::json_error(400, "ClusterNotFoundException", "Cluster not found.");
    let change = crate::aws::ServiceChange::default();
    let query = crate::aws::LogQuery {
        group: "/bgecs/hello".to_owned(),
        stream_prefix: "blue/".to_owned(),
        since: time::OffsetDateTime::UNIX_EPOCH,
    };
    let tag = crate::aws::Key::Tag(&"1".parse().unwrap());
    for (error, gone) in [
        (
            aws.lines_since(&query).await.unwrap_err(),
            "the log group /bgecs/hello is gone".to_owned(),
        ),
        (
            aws.stored_image("bgecs-hello", tag).await.unwrap_err(),
            "the repository bgecs-hello is gone".to_owned(),
        ),
        (
            aws.update_service(
                &ColorServices::alone_in("bgecs-hello"),
                crate::model::Color::Blue,
                &change,
            )
            .await
            .unwrap_err(),
            "the service bgecs-hello/blue is gone".to_owned(),
        ),
        (
            by_json(cluster).await,
            format!("the cluster {CLUSTER} is gone"),
        ),
        (
            by_xml(group).await,
            format!("the target group {GROUP} is gone"),
        ),
        (
            aws.read_head("bgecs-hello").await.unwrap_err(),
            "the journal's table bgecs-hello is gone".to_owned(),
        ),
        (
            aws.alb_router(&infra).read().await.unwrap_err(),
            format!("the listener {} is gone", infra.places.production),
        ),
    ] {
        let error = Error::from(error);
        assert_eq!(error.message, gone);
        assert!(error.hint.unwrap().contains("`bgecs init`"));
    }
}
