//! Pushing to a registry, pulling from it, and being refused by it.

use super::{Events, build, context, engine, paths, registry, remove};
use crate::docker::refusal::Refusal;
use crate::docker::{Credentials, Engine, Error, Image, Progress, Target};

async fn push(
    engine: &Engine,
    image: &Image,
    registry: &str,
    repository: &str,
    tag: &str,
) -> (Result<crate::model::Digest, Error>, Vec<Progress>) {
    let events = Events::default();
    let tag = tag.parse().expect("it is a tag");
    let target = Target {
        registry,
        repository,
        tag: &tag,
        credentials: &Credentials::new("AWS", "hunter22"),
    };
    let pushed = engine
        .push(image, &target, &|event| events.add(event))
        .await;
    (pushed, events.all())
}

#[tokio::test]
async fn an_image_is_pushed_found_and_pulled_back() {
    let (engine, registry) = (engine().await, registry().await);
    let unique = format!("{}", std::process::id());
    let files = [
        ("Dockerfile", "FROM scratch\nCOPY a /\n"),
        ("a", unique.as_str()),
    ];
    let (_root, request) = context(&format!("pushed {unique}"), &files);
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    let (pushed, events) = push(&engine, &image, &registry, "demo", &unique).await;
    let digest = pushed.expect("it is pushed");
    let told = events.iter().any(|event| {
        matches!(event, Progress::Layer { id, status, .. } if id.len() == 12 && status == "Pushed")
    });
    assert!(told, "{events:?}");

    let name = format!("{registry}/demo");
    let by_tag = format!("{name}:{unique}");
    let there = engine
        .inspect_or_pull(&by_tag, &|_| {})
        .await
        .expect("it is there");
    assert_eq!(there.id, image.id);
    assert!(there.is_known_as(&name, &digest));
    assert!(!there.is_known_as(&format!("{registry}/other"), &digest));

    remove(&engine, &image.id).await;
    let events = Events::default();
    let by_digest = format!("{name}@{digest}");
    let pulled = engine
        .inspect_or_pull(&by_digest, &|event| events.add(event))
        .await;
    assert_eq!(pulled.expect("it comes back").id, image.id);
    assert!(
        events
            .all()
            .iter()
            .any(|event| matches!(event, Progress::Layer { .. }))
    );

    // As a base image, BuildKit gets it with the same credentials.
    let dockerfile = format!("FROM {by_tag}\nCOPY Dockerfile /\n");
    let (_root, request) = context(&format!("derived {unique}"), &[("Dockerfile", &dockerfile)]);
    let (built, _) = build(&engine, &request).await;
    let derived = built.expect("it builds");
    let expected = ["Dockerfile", "a"].map(str::to_owned);
    assert_eq!(paths(&engine, &derived).await, expected.into());
    remove(&engine, &derived.id).await;
    remove(&engine, &image.id).await;
}

#[tokio::test]
async fn refusals_are_told_apart() {
    let (engine, registry) = (engine().await, registry().await);
    let files = [("Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")];
    let (_root, request) = context("refused", &files);
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    for (registry, expected) in [
        (registry.as_str(), Refusal::NotFound),
        ("localhost:1", Refusal::Unreachable),
    ] {
        let (pushed, _) = push(&engine, &image, registry, "missing", "1").await;
        let error = pushed.expect_err("there is nothing to push to");
        assert!(
            matches!(&error, Error::Push { refusal, .. } if *refusal == expected),
            "{error:?}"
        );
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&format!("{registry}/missing:1")) && !text.contains("hunter22"),
            "{text}"
        );
        let pulled = engine
            .inspect_or_pull(&format!("{registry}/missing:2"), &|_| {})
            .await;
        let error = pulled.expect_err("there is nothing to pull");
        assert!(
            matches!(&error, Error::Pull { refusal, .. } if *refusal == expected),
            "{error:?}"
        );
        assert!(error.hint().is_some());
    }
    remove(&engine, &image.id).await;
    let gone = Image {
        id: format!("sha256:{}", "0".repeat(64)),
        ..image
    };
    let (pushed, _) = push(&engine, &gone, &registry, "demo", "1").await;
    let error = pushed.expect_err("there is no such image").to_string();
    assert!(error.contains("refused to tag the image (404)"), "{error}");
}
