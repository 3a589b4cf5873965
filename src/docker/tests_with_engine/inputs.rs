//! What builds get apart from files: hard links, a tar on stdin, pipes, an SSH agent,
//! caches.

use std::fs;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixListener;
use std::process::{Command, Stdio};

use futures_util::TryStreamExt;

use super::{Events, anonymous, build, context, engine, paths, registry, remove, shell, tar};
use crate::docker::{BuildContext, BuildRequest, DockerError, LocalImage};
use crate::model::SshAgent;

#[tokio::test]
async fn a_file_of_two_names_is_one_in_the_image() {
    let engine = engine().await;
    let (root, request) = context("linked", &[("Dockerfile", "FROM scratch\nCOPY bin /bin\n")]);
    fs::create_dir(root.path().join("bin")).expect("a folder");
    let content = vec![7; 1 << 20];
    fs::write(root.path().join("bin/one"), &content).expect("a file");
    for name in ["another", "two"] {
        let link = root.path().join("bin").join(name);
        fs::hard_link(root.path().join("bin/one"), link).expect("a link");
    }
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    let found = engine.docker.inspect_image(&image.id).await;
    assert_eq!(found.expect("it is there").size, Some(1 << 20));
    assert_eq!(
        paths(&engine, &image).await,
        ["bin", "bin/another", "bin/one", "bin/two"]
            .map(str::to_owned)
            .into()
    );
    remove(&engine, &image.id).await;
}

async fn build_of(bytes: Vec<u8>, request: &BuildRequest) -> Result<LocalImage, DockerError> {
    let engine = engine().await;
    let events = Events::default();
    let input = Box::pin(std::io::Cursor::new(bytes));
    engine
        .build_of(request, input, &anonymous(), &|event| events.add(event))
        .await
}

/// The output of `program` for this input.
fn filtered(program: &str, bytes: &[u8]) -> Vec<u8> {
    let mut child = Command::new(program)
        .arg("-c")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it is there");
    let mut stdin = child.stdin.take().expect("piped");
    stdin.write_all(bytes).expect("it reads");
    drop(stdin);
    child.wait_with_output().expect("it ends").stdout
}

#[tokio::test]
async fn a_context_may_be_a_tar_on_stdin() {
    let engine = engine().await;
    let dockerfile = b"FROM scratch\nCOPY a b /\n".as_slice();
    let files = [("a", b"1".as_slice()), ("b", b"2")];
    let within = |name| tar(files.into_iter().chain([(name, dockerfile)]));
    let mut request = BuildRequest {
        context: BuildContext::Stdin,
        labels: [("bgecs.test".to_owned(), "tar".to_owned())].into(),
        ..BuildRequest::default()
    };
    let plain = within("Dockerfile");
    for bytes in [filtered("gzip", &plain), plain] {
        let image = build_of(bytes, &request).await.expect("it builds");
        let expected = ["a", "b"].map(str::to_owned).into();
        assert_eq!(paths(&engine, &image).await, expected);
        remove(&engine, &image.id).await;
    }
    request.dockerfile = Some("docker/prod".into());
    let image = build_of(within("docker/prod"), &request).await;
    remove(&engine, &image.expect("it builds").id).await;

    request.dockerfile = None;
    let alone = b"FROM scratch\nLABEL alone=1\n".to_vec();
    let image = build_of(alone, &request).await.expect("it builds");
    remove(&engine, &image.id).await;
    let error = build_of(within("docker/prod"), &request).await;
    let error = error.expect_err("the Dockerfile is elsewhere").to_string();
    assert!(error.contains("Dockerfile"), "{error}");
}

#[tokio::test]
async fn a_dockerfile_may_come_through_a_pipe() {
    let engine = engine().await;
    let (_root, mut request) = context("piped", &[("a", "1"), ("Dockerfile", "FROM nowhere\n")]);
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    writer
        .write_all(b"FROM scratch\nCOPY a /\n")
        .expect("there is room");
    drop(writer);
    request.dockerfile = Some(format!("/dev/fd/{}", reader.as_raw_fd()).into());
    let (built, _) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert_eq!(paths(&engine, &image).await, ["a".to_owned()].into());
    remove(&engine, &image.id).await;
}

#[tokio::test]
async fn a_step_is_given_the_user_s_ssh_agent() {
    let engine = engine().await;
    let base = shell(&engine, "ssh").await;
    let dockerfile = format!(
        "FROM {base}\nRUN --mount=type=ssh,required=true [ -S $SSH_AUTH_SOCK ] && echo forwarded\n"
    );
    let (root, mut request) = context("ssh", &[("Dockerfile", &dockerfile)]);
    request.no_cache = true;
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("no agent was given");
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains("--ssh default")),
        "{error}"
    );

    let socket = root.path().join("agent");
    let _agent = UnixListener::bind(&socket).expect("a socket");
    request.ssh = vec![SshAgent {
        id: "default".to_owned(),
        socket: Some(socket),
    }];
    let (built, events) = build(&engine, &request).await;
    let image = built.expect("it builds");
    assert_eq!(events.lines(), ["forwarded"]);
    remove(&engine, &image.id).await;
    remove(&engine, &base).await;
}

#[tokio::test]
async fn caches_are_kept_where_the_engine_can() {
    let engine = engine().await;
    let registry = registry().await;
    let (_root, mut request) = context(
        "cached",
        &[("Dockerfile", "FROM scratch\nCOPY a /\n"), ("a", "1234")],
    );
    request.cache_to = vec!["type=inline".parse().expect("a cache")];
    let nothing = format!("{registry}/demo:none").parse();
    request.cache_from = vec![nothing.expect("a cache")];
    let (built, events) = build(&engine, &request).await;
    let image = built.expect("a cache that is not there is no mistake");
    assert!(events.sent() > 0);
    let found = engine.docker.inspect_image(&image.id).await;
    let labels = found
        .expect("it is there")
        .config
        .and_then(|config| config.labels);
    assert_eq!(labels.expect("it has some")["bgecs.test"], "cached");
    let parts: Vec<_> = engine
        .docker
        .export_image(&image.id)
        .try_collect()
        .await
        .expect("it is exported");
    let text = String::from_utf8_lossy(&parts.concat()).into_owned();
    assert!(
        text.contains("moby.buildkit.cache.v0"),
        "the cache is in it"
    );
    remove(&engine, &image.id).await;

    let kept = format!("type=registry,ref={registry}/demo:cache,mode=max");
    request.cache_to = vec![kept.parse().expect("a cache")];
    let (built, _) = build(&engine, &request).await;
    // Engines without containerd's image store cannot do it.
    match built {
        Ok(image) => remove(&engine, &image.id).await,
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains("unknown cache exporter"), "{text}");
            let hint = error.hint().expect("a way out");
            assert!(hint.contains("type=inline"), "{hint}");
        }
    }

    let (_root, mut request) = context("broken", &[("Dockerfile", "FROM scratch\nCOPY b /\n")]);
    request.cache_to = vec!["type=inline".parse().expect("a cache")];
    let (built, _) = build(&engine, &request).await;
    let error = built.expect_err("there is no b");
    assert!(
        matches!(&error, DockerError::Build { step: Some(step), .. } if step.contains("COPY b /")),
        "{error}"
    );
}
