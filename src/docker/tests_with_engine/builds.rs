//! Builds: what gets into an image, what is reported meanwhile, and how builds fail.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::{anonymous, build, context, engine, paths, remove, shell};
use crate::docker::{BuildContext, BuildRequest, DockerError, Progress, StepState};
use crate::hidden::Hidden;
use crate::model::{Secret, SecretSource};

#[tokio::test]
async fn an_image_is_built_and_described() {
    let engine = engine().await;
    let dockerfile = "FROM scratch AS first\nCOPY a /\nFROM scratch\nCOPY nothing /\n";
    let (_root, mut request) = context("described", &[("Dockerfile", dockerfile), ("a", "1234")]);
    request.target = Some("first".to_owned());
    let (built, events) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert!(image.id.starts_with("sha256:"), "{image:?}");
    assert!(image.contents.platform.cpu().is_some(), "{image:?}");
    assert!(image.repo_digests.is_empty());
    assert_eq!(paths(&engine, &image).await, ["a".to_owned()].into());

    let found = engine
        .docker
        .inspect_image(&image.id)
        .await
        .expect("it is there");
    let labels = found
        .config
        .and_then(|config| config.labels)
        .expect("it has labels");
    assert_eq!(labels["bgecs.test"], "described");

    assert_eq!(
        events.sent(),
        u64::try_from(dockerfile.len()).expect("short") + 4
    );
    let copied = events.all().into_iter().any(|event| {
        matches!(event, Progress::Step { name, state: StepState::Done | StepState::Cached, .. }
            if name.contains("COPY a /"))
    });
    assert!(copied, "{:?}", events.all());

    let (again, events) = build(&engine, &request).await;
    assert_eq!(again.expect("it builds again").id, image.id);
    assert_eq!(events.sent(), 0, "nothing has changed, so nothing is sent");
    remove(&engine, &image.id).await;
}

#[tokio::test]
async fn dockerignore_is_honoured_as_docker_does() {
    let engine = engine().await;
    let files = [
        ("Dockerfile", "FROM scratch\nCOPY . /\n"),
        (
            ".dockerignore",
            "\u{feff}# a comment\n\n  /docs/  \n!docs/README.md\n**/*.bak\nnode_modules\nDockerfile*\n.dockerignore\n",
        ),
        ("docs/README.md", ""),
        ("docs/other.md", ""),
        ("src/main.rs", ""),
        ("src/main.rs.bak", ""),
        ("src/node_modules/x", ""),
        ("node_modules/x", ""),
    ];
    let (root, mut request) = context("ignored", &files);
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    let expected = [
        "docs",
        "docs/README.md",
        "src",
        "src/main.rs",
        "src/node_modules",
        "src/node_modules/x",
    ];
    assert_eq!(
        paths(&engine, &image).await,
        expected.map(str::to_owned).into()
    );
    remove(&engine, &image.id).await;

    // A Dockerfile outside the context has a `.dockerignore` of its own beside it, and
    // that one counts.
    let elsewhere = tempfile::tempdir().expect("a folder");
    let dockerfile = elsewhere.path().join("My.Dockerfile");
    fs::write(&dockerfile, "FROM scratch\nCOPY . /\n").expect("a file");
    fs::write(
        elsewhere.path().join("My.Dockerfile.dockerignore"),
        "*\n!src/*.rs\n",
    )
    .expect("a file");
    request.dockerfile = Some(dockerfile);
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert_eq!(
        paths(&engine, &image).await,
        ["src", "src/main.rs"].map(str::to_owned).into()
    );
    remove(&engine, &image.id).await;

    fs::write(root.path().join(".dockerignore"), "a[\n").expect("a file");
    request.dockerfile = None;
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("the pattern is malformed");
    assert!(
        matches!(&error, DockerError::BadPattern(line) if line == "a["),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_sent_is_named() {
    let engine = engine().await;
    let (root, request) = context("unsendable", &[("Dockerfile", "FROM scratch\nCOPY . /\n")]);
    let odd = root.path().join(std::ffi::OsStr::from_bytes(b"odd\xff"));
    fs::write(&odd, "").expect("a file");
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("the name is not UTF-8");
    assert!(
        matches!(&error, DockerError::NotUtf8(path) if path.ends_with(odd.file_name().expect("named"))),
        "{error}"
    );
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains(".dockerignore"))
    );
}

#[tokio::test]
async fn secrets_and_arguments_reach_a_step_and_no_further() {
    let engine = engine().await;
    let base = shell(&engine, "secrets").await;
    let dockerfile = format!(
        "FROM {base}\nARG WHO\nRUN --mount=type=secret,id=token cat /run/secrets/token\nRUN echo arg=$WHO\n"
    );
    let (root, mut request) = context(
        "secrets",
        &[("Dockerfile", &dockerfile), ("token", "hunter22\n")],
    );
    request.no_cache = true;
    request.build_args = vec![("WHO".to_owned(), Some(Hidden::new("me")))];
    let secret = |id: &str, source| Secret {
        id: id.to_owned(),
        source,
    };
    request.secrets = vec![secret(
        "token",
        SecretSource::File(root.path().join("token")),
    )];
    let (built, events) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert!(
        events.lines().contains(&"***".to_owned()),
        "{:?}",
        events.lines()
    );
    assert!(
        events.lines().contains(&"arg=me".to_owned()),
        "{:?}",
        events.lines()
    );
    assert!(!format!("{:?} {request:?}", events.all()).contains("hunter22"));
    remove(&engine, &image.id).await;

    let needy = format!("{dockerfile}RUN --mount=type=secret,id=path,required=true exit 3\n");
    fs::write(root.path().join("Dockerfile"), needy).expect("a file");
    let (built, events) = build(&engine, &request).await;
    let error = built.expect_err("one secret is missing").to_string();
    assert!(
        error.contains("secret path") && error.contains("not found"),
        "{error}"
    );
    assert!(!format!("{:?} {error}", events.all()).contains("hunter22"));

    request
        .secrets
        .push(secret("path", SecretSource::Env("PATH".to_owned())));
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("the step ends with 3").to_string();
    assert!(error.contains("exit code: 3"), "{error}");
    remove(&engine, &base).await;
}

#[tokio::test]
async fn a_failed_step_is_named_with_its_last_lines() {
    let engine = engine().await;
    let base = shell(&engine, "failing").await;
    let dockerfile = format!("FROM {base}\nRUN seq 1 30; echo the end; exit 7\n");
    let (_root, request) = context("failing", &[("Dockerfile", &dockerfile)]);
    let (built, events) = build(&engine, &request).await;
    let error = built.expect_err("it fails");
    let DockerError::Build { step, message, log } = &error else {
        panic!("{error}");
    };
    assert!(
        step.as_ref()
            .is_some_and(|step| step.contains("RUN seq 1 30")),
        "{error}"
    );
    assert!(message.contains("exit code: 7"), "{error}");
    assert_eq!(log.len(), 20);
    assert_eq!(log.last().map(String::as_str), Some("the end"));
    assert_eq!(events.lines().len(), 31);

    let (_root, request) = context("unparsable", &[("Dockerfile", "FROM scratch\nFOO\n")]);
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("it is no Dockerfile").to_string();
    assert!(error.contains("unknown instruction: FOO"), "{error}");
    remove(&engine, &base).await;
}

/// Whether a process with that argument runs on the engine's machine, which is this one.
fn runs(argument: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("it is there").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| {
            let mut arguments = line.split(|byte| *byte == 0);
            arguments
                .next()
                .is_some_and(|name| name.ends_with(b"sleep"))
                && arguments.next() == Some(argument.as_bytes())
        })
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    for _ in 0..200 {
        if done() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{what}");
}

#[tokio::test]
async fn a_dropped_build_stops() {
    let engine = engine().await;
    let base = shell(&engine, "dropped").await;
    let seconds = format!("9{}", std::process::id());
    let dockerfile = format!("FROM {base}\nRUN sleep {seconds}\n");
    let (_root, request) = context("dropped", &[("Dockerfile", &dockerfile)]);
    let silent = |_| {};
    {
        let logins = anonymous();
        let build = engine.build(&request, &logins, &silent);
        tokio::select! {
            built = build => panic!("it was to sleep: {built:?}"),
            () = until("it never slept", || runs(&seconds)) => {}
        }
    }
    until("it sleeps on", || !runs(&seconds)).await;
    remove(&engine, &base).await;
}

#[tokio::test]
async fn a_large_file_arrives_whole() {
    let engine = engine().await;
    let (root, request) = context("large", &[("Dockerfile", "FROM scratch\nCOPY large /\n")]);
    let megabytes = 40;
    let content: Vec<u8> = (0..megabytes << 18).flat_map(u32::to_le_bytes).collect();
    fs::write(root.path().join("large"), &content).expect("a file");
    let (built, events) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert!(events.sent() >= u64::from(megabytes) << 20);
    let size = engine
        .docker
        .inspect_image(&image.id)
        .await
        .expect("it is there")
        .size;
    assert_eq!(size, Some(i64::from(megabytes) << 20));
    remove(&engine, &image.id).await;
}

/// Over both of the engine's APIs: an image without a name could be pruned before it is
/// pushed.
#[tokio::test]
async fn an_image_has_its_name_as_soon_as_it_is_built() {
    let engine = engine().await;
    for (name, cache_to) in [("plain", None), ("cached", Some("type=inline"))] {
        let dockerfile = "FROM scratch\nCOPY Dockerfile /\n";
        let (_root, mut request) = context(name, &[("Dockerfile", dockerfile)]);
        let name = format!("bgecs-named-{name}:7");
        request.name = Some(name.clone());
        let caches = cache_to.into_iter().map(str::parse);
        request.cache_to = caches.collect::<Result<_, _>>().expect("a cache");
        let built = build(&engine, &request).await.0.expect("it builds");
        let named = engine.inspect(&name).await.expect("an answer");
        assert_eq!(named.expect("it is there").id, built.id);
        engine.forget_name(&name).await;
        let named = engine.inspect(&name).await.expect("an answer");
        assert!(named.is_none(), "it is nobody's now");
    }
}

#[tokio::test]
async fn what_is_missing_here_is_said_without_the_engine() {
    let engine = engine().await;
    let request = BuildRequest {
        context: BuildContext::Folder("/nowhere".into()),
        ..BuildRequest::default()
    };
    let (built, events) = build(&engine, &request).await;
    assert!(matches!(built, Err(DockerError::NoContext(_))));
    assert!(events.all().is_empty());
}
