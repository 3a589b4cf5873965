use aws_config::{BehaviorVersion, Region};
use aws_credential_types::provider::SharedCredentialsProvider;
use serde_json::json;

use super::*;
use crate::aws::error::{AwsErrorKind, Named};
use crate::aws::testing::{Reply, Wire, credentials};

fn client(wire: &Wire, attempts: u32) -> PlainClient {
    client_of(PlainService::Logs, wire, attempts)
}

fn client_of(service: PlainService, wire: &Wire, attempts: u32) -> PlainClient {
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials()))
        .http_client(wire.http_client())
        .retry_config(RetryConfig::standard().with_max_attempts(attempts))
        .build();
    PlainClient::new(&config, service, "eu-west-1", Pace::Release)
}

async fn asked(client: &PlainClient) -> Result<Value, PlainError> {
    client.json("GetThing", &json!({ "name": "a" })).await
}

#[tokio::test]
async fn a_call_is_signed_for_its_service_in_its_region() {
    for (region, host) in [
        ("eu-west-1", "logs.eu-west-1.amazonaws.com"),
        ("cn-north-1", "logs.cn-north-1.amazonaws.com.cn"),
    ] {
        let wire = Wire::new().on("GetThing", Reply::json(&json!({ "thing": 1 })));
        let answer = asked(&client(&wire, 1).in_region(region)).await.unwrap();
        assert_eq!(answer["thing"], 1);
        let request = wire.request();
        assert_eq!(request.json()["name"], "a");
        assert_eq!(request.uri, format!("https://{host}/"));
        let signature = request.authorization.unwrap();
        let scope = format!("/{region}/logs/aws4_request");
        assert!(signature.contains(&scope), "{signature}");
    }
}

/// What a partition has only once is called and signed for in one region.
#[tokio::test]
async fn a_global_service_has_a_host_and_a_region_of_its_own() {
    for (region, host, signed_for) in [
        ("eu-west-1", "route53.amazonaws.com", "us-east-1"),
        ("cn-north-1", "route53.amazonaws.com.cn", "cn-northwest-1"),
        (
            "us-gov-east-1",
            "route53.us-gov.amazonaws.com",
            "us-gov-west-1",
        ),
    ] {
        let url = format!("https://{host}/thing?a=1");
        let wire = Wire::new().on(&url, Reply::xml("GetThing", "<Name>a</Name>"));
        let client = client_of(PlainService::Route53, &wire, 1).in_region(region);
        let asked = XmlRequest::get("/thing?a=1");
        let answer = client.xml("GetThing", asked).await.unwrap();
        let it = answer.element().unwrap();
        assert_eq!(it.text("GetThingResult/Name"), Some("a"));
        let signature = wire.request().authorization.unwrap();
        let scope = format!("/{signed_for}/route53/aws4_request");
        assert!(signature.contains(&scope), "{signature}");
    }
}

#[test]
fn iam_has_a_host_in_each_partition() {
    let client = client_of(PlainService::Iam, &Wire::new(), 1);
    for (region, host) in [
        ("eu-west-1", "iam.amazonaws.com"),
        ("cn-northwest-1", "iam.cn-north-1.amazonaws.com.cn"),
        ("us-gov-east-1", "iam.us-gov.amazonaws.com"),
        ("eusc-de-east-1", "iam.eusc-de-east-1.amazonaws.eu"),
    ] {
        let endpoint = client.in_region(region).endpoint();
        assert_eq!(endpoint, format!("https://{host}"));
    }
}

#[cfg(feature = "edges")]
#[test]
fn cloudfront_has_a_host_in_each_partition_that_has_it() {
    let wire = Wire::new();
    let client = client_of(PlainService::CloudFront, &wire, 1);
    for (region, host) in [
        ("eu-west-1", "cloudfront.amazonaws.com"),
        ("cn-north-1", "cloudfront.cn-northwest-1.amazonaws.com.cn"),
    ] {
        let endpoint = client.in_region(region).endpoint();
        assert_eq!(endpoint, format!("https://{host}"));
    }
}

/// Route 53 has two forms for the same error; one has no code except its root element.
#[tokio::test]
async fn a_refused_batch_has_its_code_in_either_form() {
    let named = "<ErrorResponse><Error><Type>Sender</Type><Code>InvalidChangeBatch</Code><Message>no; not</Message></Error>\
        <RequestId>1</RequestId></ErrorResponse>";
    let bare = "<InvalidChangeBatch xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Messages><Message>no</Message>\
        <Message>not</Message></Messages><RequestId>1</RequestId></InvalidChangeBatch>";
    for body in [named, bare] {
        let refusal = Reply::Http {
            status: 400,
            body: body.to_owned(),
        };
        let wire = Wire::new().on("POST https://route53.amazonaws.com/thing", refusal);
        let asked = XmlRequest {
            method: "POST",
            path: "/thing",
            document: Some("<Thing/>".to_owned()),
            if_match: None,
        };
        let client = client_of(PlainService::Route53, &wire, 2);
        let error = client.xml("ChangeThing", asked).await;
        let error = error.named("route53:ChangeThing", "a").unwrap_err();
        assert!(error.is_overtaken(), "{error:?}");
        assert_eq!(error.message, "no; not");
    }
}

#[tokio::test]
async fn what_is_throttled_or_fails_is_sent_again_and_a_refusal_is_not() {
    for (refusal, requests) in [
        (Reply::json_error(400, "ThrottlingException", "slowly"), 2),
        (Reply::json_error(500, "InternalFailure", "sorry"), 2),
        (Reply::Reset, 2),
        (Reply::json_error(400, "InvalidParameter", "no"), 1),
    ] {
        let wire = Wire::new()
            .on("GetThing", refusal)
            .on("GetThing", Reply::json(&json!({})));
        let answer = asked(&client(&wire, 2)).await;
        assert_eq!(wire.requests().len(), requests, "{answer:?}");
        assert_eq!(answer.is_ok(), requests == 2);
    }
}

#[tokio::test]
async fn a_refusal_has_its_code_whatever_is_around_it() {
    for code in [
        "ResourceNotFoundException",
        "com.amazon.thing#ResourceNotFoundException",
        "ResourceNotFoundException:http://internal.amazon.com/",
    ] {
        let wire = Wire::new().on("GetThing", Reply::json_error(400, code, "there is none"));
        let error = asked(&client(&wire, 1)).await.named("logs:GetThing", "a");
        let error = error.unwrap_err();
        assert_eq!(error.kind, AwsErrorKind::NotFound);
        assert_eq!(error.message, "there is none");
        assert_eq!(error.request_id.as_deref(), Some("request-1"));
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_success() {
    let html = Reply::Http {
        status: 200,
        body: "<html>".to_owned(),
    };
    let wire = Wire::new().on("GetThing", html);
    assert!(asked(&client(&wire, 1)).await.is_err());
}

#[test]
fn a_part_of_a_path_cannot_become_two() {
    assert_eq!(path(["v2", "a/b c", "(none)"]), "/v2/a%2Fb%20c/%28none%29");
}
