//! Pushing to a registry, pulling from it, and its refusals.

use super::{Events, anonymous, build, context, engine, paths, registry, remove};
use crate::docker::refusal::RegistryRefusal;
use crate::docker::{
    Credentials, DockerError, Engine, LocalImage, Progress, PushTarget, Reference,
};
use crate::model::Origin;

async fn push(
    engine: &Engine,
    image: &LocalImage,
    registry: &str,
    repository: &str,
    tag: &str,
) -> (Result<crate::model::Digest, DockerError>, Vec<Progress>) {
    let events = Events::default();
    let tag = tag.parse().expect("it is a tag");
    let target = PushTarget {
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

async fn take(
    engine: &Engine,
    name: &str,
) -> (Result<(LocalImage, Origin), DockerError>, Vec<Progress>) {
    let events = Events::default();
    let reference = Reference::parse(name).expect("it is a name");
    let taken = engine
        .take(&reference, None, &anonymous(), &|event| events.add(event))
        .await;
    (taken, events.all())
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
    let (there, from) = take(&engine, &by_tag).await.0.expect("it is there");
    assert_eq!((&there.id, from), (&image.id, Origin::Pulled));
    assert!(there.is_known_as(&name, &digest));
    assert!(!there.is_known_as(&format!("{registry}/other"), &digest));
    let by_digest = format!("{name}@{digest}");
    let (there, from) = take(&engine, &by_digest).await.0.expect("it is there");
    assert_eq!((&there.id, from), (&image.id, Origin::Present));
    let (there, from) = take(&engine, &image.id).await.0.expect("it is there");
    assert_eq!((&there.id, from), (&image.id, Origin::Local));

    remove(&engine, &image.id).await;
    let (pulled, events) = take(&engine, &by_digest).await;
    let (pulled, from) = pulled.expect("it comes back");
    assert_eq!((&pulled.id, from), (&image.id, Origin::Pulled));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Progress::Layer { .. }))
    );
    let (gone, _) = take(&engine, &format!("sha256:{}", "0".repeat(64))).await;
    assert!(matches!(gone, Err(DockerError::NoImage(_))), "{gone:?}");

    // If it is a base image, BuildKit gets it with the same credentials.
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
        (registry.as_str(), RegistryRefusal::NotFound),
        ("localhost:1", RegistryRefusal::Unreachable),
    ] {
        let (pushed, _) = push(&engine, &image, registry, "missing", "1").await;
        let error = pushed.expect_err("there is nothing to push to");
        assert!(
            matches!(&error, DockerError::Push { refusal, .. } if *refusal == expected),
            "{error:?}"
        );
        let text = format!("{error} {error:?}");
        assert!(
            text.contains(&format!("{registry}/missing:1")) && !text.contains("hunter22"),
            "{text}"
        );
        let (pulled, _) = take(&engine, &format!("{registry}/missing:2")).await;
        let error = pulled.expect_err("there is nothing to pull");
        assert!(
            matches!(&error, DockerError::Pull { refusal, .. } if *refusal == expected),
            "{error:?}"
        );
        assert!(error.hint().is_some());
    }
    remove(&engine, &image.id).await;
    let gone = LocalImage {
        id: format!("sha256:{}", "0".repeat(64)),
        ..image
    };
    let (pushed, _) = push(&engine, &gone, &registry, "demo", "1").await;
    let error = pushed.expect_err("there is no such image").to_string();
    assert!(error.contains("refused to tag the image (404)"), "{error}");
}

/// The registry decides what a tag means, even if the engine has an image of that name.
#[tokio::test]
async fn a_name_without_a_digest_is_asked_for_at_its_registry() {
    let (engine, registry) = (engine().await, registry().await);
    let unique = format!("moving-{}", std::process::id());
    let name = format!("{registry}/demo:{unique}");
    let mut images = Vec::new();
    for content in ["old", "new"] {
        let files = [("Dockerfile", "FROM scratch\nCOPY a /\n"), ("a", content)];
        let (_root, request) = context(&format!("{unique} {content}"), &files);
        let (built, _) = build(&engine, &request).await;
        let image = built.expect("it builds");
        let (pushed, _) = push(&engine, &image, &registry, "demo", &unique).await;
        pushed.expect("it is pushed");
        images.push(image);
    }
    let [old, new] = images.as_slice() else {
        panic!("two images");
    };
    // Somebody else has pushed since this engine pulled.
    let options = |repo: &str, tag: &str| {
        let (repo, tag) = (Some(repo.to_owned()), Some(tag.to_owned()));
        Some(bollard::query_parameters::TagImageOptions { repo, tag })
    };
    let demo = format!("{registry}/demo");
    let tagged = engine.docker.tag_image(&old.id, options(&demo, &unique));
    tagged.await.expect("it is tagged");
    let (taken, from) = take(&engine, &name).await.0.expect("it is there");
    assert_eq!((&taken.id, from), (&new.id, Origin::Pulled));

    // What no registry knows is the engine's own.
    let missing = format!("{registry}/missing");
    for repository in [missing.as_str(), "bgecs-test-own"] {
        let tagged = engine.docker.tag_image(&old.id, options(repository, "1"));
        tagged.await.expect("it is tagged");
        let (taken, _) = take(&engine, &format!("{repository}:1")).await;
        let (taken, from) = taken.expect("it is there");
        assert_eq!((&taken.id, from), (&old.id, Origin::Local), "{repository}");
    }
    // A registry that cannot be reached may know better.
    let closed = "localhost:1/demo";
    let tagged = engine.docker.tag_image(&old.id, options(closed, "1"));
    tagged.await.expect("it is tagged");
    let (taken, _) = take(&engine, &format!("{closed}:1")).await;
    let hint = taken.expect_err("nobody answers there").hint();
    let short = &old.id[..19];
    assert!(hint.is_some_and(|hint| hint.contains(short)));
    let (taken, _) = take(&engine, short).await;
    assert_eq!(taken.expect("it is there").1, Origin::Local);
    for image in images {
        remove(&engine, &image.id).await;
    }
}

#[tokio::test]
async fn an_image_that_a_build_needs_is_named() {
    let engine = engine().await;
    let image = "localhost:1/nope:1";
    for dockerfile in [
        format!("FROM {image}\nCOPY Dockerfile /\n"),
        format!("FROM scratch\nCOPY --from={image} /a /\n"),
        format!("# syntax={image}\nFROM scratch\nCOPY Dockerfile /\n"),
    ] {
        let (_root, request) = context("needs", &[("Dockerfile", dockerfile.as_str())]);
        let (built, _) = build(&engine, &request).await;
        let error = built.expect_err("nobody answers there");
        let sentence = format!("the build cannot get the image {image}: ");
        assert!(error.to_string().starts_with(&sentence), "{error}");
        let hint = error.hint().unwrap_or_default();
        assert!(hint.contains("reaches the registry"), "{hint}");
    }
}
