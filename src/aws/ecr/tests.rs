use serde_json::json;

use super::*;
use crate::aws::testing::{Reply, Wire};

const REPOSITORY: &str = "bgecs-hello";

fn token(text: &str) -> Reply {
    let token = base64::engine::general_purpose::STANDARD.encode(text);
    Reply::json(&json!({ "authorizationData": [{ "authorizationToken": token }] }))
}

#[tokio::test]
async fn a_sign_in_is_taken_apart_and_never_shown() {
    let wire = Wire::new()
        .on("GetAuthorizationToken", token("AWS:pass:word"))
        .on("GetAuthorizationToken", token("no colon"))
        .on(
            "GetAuthorizationToken",
            Reply::json(&json!({ "authorizationData": [] })),
        );
    let aws = wire.aws();
    let login = aws.registry_login().await.unwrap();
    assert_eq!(
        (login.username.as_str(), login.password.as_str()),
        ("AWS", "pass:word")
    );
    assert_eq!(format!("{login:?}"), "RegistryLogin(..)");
    for _ in 0..2 {
        let error = aws.registry_login().await.unwrap_err();
        assert_eq!(error.message, "the answer holds no token");
    }
}

#[tokio::test]
async fn a_tag_that_is_free_is_told_from_a_registry_that_is_not_there() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let wire = Wire::new()
        .on(
            "DescribeImages",
            Reply::json(&json!({ "imageDetails": [{ "imageDigest": digest }] })),
        )
        .on(
            "DescribeImages",
            Reply::json_error(400, "ImageNotFoundException", "no image with tag 2"),
        )
        .on(
            "DescribeImages",
            Reply::json_error(400, "RepositoryNotFoundException", "no repository"),
        );
    let aws = wire.aws();
    let tag: Tag = "2".parse().unwrap();
    let found = aws.digest_of_tag(REPOSITORY, &tag).await.unwrap();
    assert_eq!(found.unwrap().as_str(), digest);
    assert_eq!(
        wire.request().json()["imageIds"],
        json!([{ "imageTag": "2" }])
    );
    assert_eq!(aws.digest_of_tag(REPOSITORY, &tag).await.unwrap(), None);
    let error = aws.digest_of_tag(REPOSITORY, &tag).await.unwrap_err();
    assert!(error.has_code("RepositoryNotFoundException"));
    assert_eq!(error.resource, "bgecs-hello:2");
}

#[tokio::test]
async fn all_modes_of_tags_are_known() {
    for (mode, is_immutable) in [
        ("MUTABLE", false),
        ("MUTABLE_WITH_EXCLUSION", false),
        ("IMMUTABLE", true),
        ("IMMUTABLE_WITH_EXCLUSION", true),
    ] {
        let answer = json!({ "repositories": [{ "imageTagMutability": mode }] });
        let wire = Wire::new().on("DescribeRepositories", Reply::json(&answer));
        assert_eq!(
            wire.aws().tags_are_immutable(REPOSITORY).await.unwrap(),
            is_immutable,
            "{mode}"
        );
    }
}

fn images(n: usize) -> serde_json::Value {
    let ids: Vec<_> = (0..n)
        .map(|n| json!({ "imageDigest": format!("sha256:{n:064}") }))
        .collect();
    json!({ "imageIds": ids })
}

#[tokio::test]
async fn images_are_deleted_until_none_is_left() {
    let wire = Wire::new()
        .on("ListImages", Reply::json(&images(100)))
        .on("BatchDeleteImage", Reply::json(&images(100)))
        .on("ListImages", Reply::json(&images(2)))
        .on("BatchDeleteImage", Reply::json(&images(2)))
        .on("ListImages", Reply::json(&images(0)));
    assert_eq!(wire.aws().delete_images(REPOSITORY).await.unwrap(), 102);
    wire.assert_used_up();
}

#[tokio::test]
async fn images_that_cannot_be_deleted_end_the_loop() {
    let failed = json!({ "imageIds": [], "failures": [{ "failureReason": "it is referenced by a manifest list" }] });
    let wire = Wire::new()
        .on("ListImages", Reply::json(&images(1)))
        .on("BatchDeleteImage", Reply::json(&failed));
    let error = wire.aws().delete_images(REPOSITORY).await.unwrap_err();
    assert_eq!(error.message, "it is referenced by a manifest list");
}

#[tokio::test]
async fn a_repository_that_is_gone_holds_no_images() {
    let gone = Reply::json_error(400, "RepositoryNotFoundException", "no repository");
    let wire = Wire::new().on("ListImages", gone);
    assert_eq!(wire.aws().delete_images(REPOSITORY).await.unwrap(), 0);
}
