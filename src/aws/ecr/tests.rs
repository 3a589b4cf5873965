use serde_json::json;

use super::TagMobility::{Excepted, Fixed, Free};
use super::*;
use crate::aws::testing::{Reply, Wire};

const REPOSITORY: &str = "bgecs-hello";

fn token(text: &str) -> Reply {
    let token = base64::engine::general_purpose::STANDARD.encode(text);
    Reply::json(&json!({ "authorizationData": [{
        "authorizationToken": token,
        "proxyEndpoint": "https://123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    }] }))
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
    for (registry, is_for) in [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", true),
        // The same token is valid for another account's registry, if its images may be
        // read.
        ("210987654321.dkr.ecr.eu-west-1.amazonaws.com", true),
        ("210987654321.dkr.ecr-fips.eu-west-1.amazonaws.com", true),
        ("210987654321.dkr-ecr.eu-west-1.on.aws", true),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com", false),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
            false,
        ),
        ("123456789012.dkr.ecr.eu-west-1.evil.amazonaws.com", false),
        ("12345678901x.dkr.ecr.eu-west-1.amazonaws.com", false),
        ("public.ecr.aws", false),
        ("docker.io", false),
        ("", false),
    ] {
        assert_eq!(login.is_for(registry), is_for, "{registry}");
    }
    for _ in 0..2 {
        let error = aws.registry_login().await.unwrap_err();
        assert_eq!(error.message, "the answer holds no token");
    }
}

fn digest(n: u8) -> Digest {
    format!("sha256:{n:064}").parse().unwrap()
}

fn tag() -> Tag {
    "2".parse().unwrap()
}

fn image(manifest: &str) -> Reply {
    Reply::json(&json!({ "images": [{
        "imageId": { "imageDigest": digest(2), "imageTag": "2" },
        "imageManifest": manifest,
        "imageManifestMediaType": manifest::MEDIA_TYPES[1],
    }], "failures": [] }))
}

fn failure(code: &str) -> Reply {
    Reply::json(&json!({ "images": [], "failures": [{
        "imageId": { "imageTag": "2" }, "failureCode": code, "failureReason": "because",
    }] }))
}

#[tokio::test]
async fn a_tag_that_is_free_is_told_from_a_registry_that_is_not_there() {
    let wire = Wire::new()
        .on("BatchGetImage", image("{}"))
        .on("BatchGetImage", failure("ImageNotFound"))
        .on("BatchGetImage", failure("KmsError"))
        .on(
            "BatchGetImage",
            Reply::json_error(400, "RepositoryNotFoundException", "no repository"),
        );
    let aws = wire.aws();
    let tag = tag();
    let look = async || aws.stored_image(REPOSITORY, Key::Tag(&tag)).await;
    let found = look().await.unwrap().unwrap();
    assert_eq!(found.digest, digest(2));
    assert!(found.manifest().is_err());
    let asked = wire.request().json();
    assert_eq!(asked["imageIds"], json!([{ "imageTag": "2" }]));
    assert_eq!(asked["acceptedMediaTypes"], json!(manifest::MEDIA_TYPES));
    assert_eq!(look().await.unwrap(), None);
    assert_eq!(look().await.unwrap_err().message, "KmsError: because");
    let error = look().await.unwrap_err();
    assert!(error.has_code("RepositoryNotFoundException"));
    assert_eq!(error.resource, "bgecs-hello:2");
}

#[tokio::test]
async fn an_image_of_the_repository_gets_one_more_tag() {
    let wire = Wire::new()
        .on("BatchGetImage", image("{ }"))
        .on("PutImage", Reply::json(&json!({ "image": {} })))
        .on(
            "PutImage",
            Reply::json_error(400, "ImageAlreadyExistsException", "it is there"),
        )
        .on(
            "PutImage",
            Reply::json_error(400, "ImageTagAlreadyExistsException", "taken"),
        );
    let aws = wire.aws();
    let digest = digest(2);
    let key = Key::Digest(&digest);
    let stored = aws.stored_image(REPOSITORY, key).await.unwrap().unwrap();
    let put = async || {
        aws.tag_image(REPOSITORY, &stored, &"3".parse().unwrap())
            .await
    };
    put().await.unwrap();
    assert_eq!(
        wire.requests().last().unwrap().json(),
        json!({
            "repositoryName": REPOSITORY,
            "imageManifest": "{ }",
            "imageManifestMediaType": manifest::MEDIA_TYPES[1],
            "imageTag": "3",
            "imageDigest": digest,
        })
    );
    put().await.unwrap();
    let error = put().await.unwrap_err();
    assert!(error.has_code("ImageTagAlreadyExistsException"));
}

const CONFIG: &str = r#"{"architecture":"arm64","os":"linux","rootfs":{"diff_ids":[]}}"#;
const CONFIG_DIGEST: &str =
    "sha256:886ee65ce51f7283aff3bf824a155286de2e8da2e2cdf74af13db1f6ad8717df";
const URL: &str = "https://store.example/layer?signature=hunter22";

#[tokio::test]
async fn what_an_image_is_is_read_from_its_configuration() {
    let url = Reply::json(&json!({ "downloadUrl": URL }));
    let config = |text: &str| Reply::Http {
        status: 200,
        body: text.to_owned(),
    };
    let wire = Wire::new()
        .on("GetDownloadUrlForLayer", url.clone())
        .on(URL, config(CONFIG))
        .on("GetDownloadUrlForLayer", url.clone())
        .on(URL, config("{}"))
        .on("GetDownloadUrlForLayer", url)
        .on(
            URL,
            Reply::Http {
                status: 403,
                body: "<Error/>".to_owned(),
            },
        );
    let aws = wire.aws();
    let digest: Digest = CONFIG_DIGEST.parse().unwrap();
    let read = async || aws.image_contents(REPOSITORY, &digest).await;
    let contents = read().await.unwrap();
    assert_eq!(contents.platform.to_string(), "linux/arm64");
    for message in [
        "what was downloaded does not match the digest",
        "the download was answered with HTTP 403",
    ] {
        let error = read().await.unwrap_err();
        assert_eq!(error.message, message);
        assert!(!error.to_string().contains("hunter22"));
    }
    wire.assert_used_up();
}

#[tokio::test]
async fn filters_take_tags_out_of_a_repositorys_rule() {
    for (mode, filters, tag, expected) in [
        ("MUTABLE", &[][..], "1", Free),
        ("IMMUTABLE", &[], "1", Fixed),
        ("IMMUTABLE_WITH_EXCLUSION", &["latest", "dev-*"], "1", Fixed),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            &["latest", "dev-*"],
            "latest",
            Excepted,
        ),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            &["latest", "dev-*"],
            "dev-7",
            Excepted,
        ),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            &["latest", "dev-*"],
            "dev-",
            Excepted,
        ),
        (
            "IMMUTABLE_WITH_EXCLUSION",
            &["latest", "dev-*"],
            "my-dev-7",
            Fixed,
        ),
        ("IMMUTABLE_WITH_EXCLUSION", &["latest"], "latest-1", Fixed),
        ("MUTABLE_WITH_EXCLUSION", &["v*"], "v1.2", Fixed),
        ("MUTABLE_WITH_EXCLUSION", &["v*"], "1.2", Free),
        ("MUTABLE_WITH_EXCLUSION", &["*-rc*"], "1.2-rc3", Fixed),
        ("MUTABLE_WITH_EXCLUSION", &["*.*.*"], "1.2", Free),
        ("MUTABLE_WITH_EXCLUSION", &["*.*.*"], "1.2.3", Fixed),
        ("MUTABLE_WITH_EXCLUSION", &["*"], "any", Fixed),
        ("MUTABLE_WITH_EXCLUSION", &["a*a"], "a", Free),
        ("MUTABLE_WITH_EXCLUSION", &["**x"], "x", Fixed),
    ] {
        let filters: Vec<_> = filters
            .iter()
            .map(|filter| json!({ "filterType": "WILDCARD", "filter": filter }))
            .collect();
        let answer = json!({ "repositories": [{
            "imageTagMutability": mode,
            "imageTagMutabilityExclusionFilters": filters,
        }] });
        let wire = Wire::new().on("DescribeRepositories", Reply::json(&answer));
        let tag = tag.parse().unwrap();
        assert_eq!(
            wire.aws().tag_mobility(REPOSITORY, &tag).await.unwrap(),
            expected,
            "{mode} {filters:?} {tag}"
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
