use std::os::unix::fs::symlink;

use super::*;
use crate::hidden::Hidden;
use crate::model::{Secret, SecretSource};

fn request(context: &Path) -> BuildRequest {
    BuildRequest {
        context: BuildContext::Folder(context.to_owned()),
        ..BuildRequest::default()
    }
}

fn context(files: &[&str]) -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a folder");
    for file in files {
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("below the root")).expect("a folder");
        fs::write(path, "FROM scratch").expect("a file");
    }
    root
}

#[test]
fn what_is_missing_is_said_before_anything_is_asked() {
    let root = context(&["sub/file"]);
    let check = |request: BuildRequest| request.check().expect_err("it is incomplete").to_string();
    let at = |path: &str| root.path().join(path);
    assert_eq!(
        check(request(&at("gone"))),
        format!("the build context {} does not exist", at("gone").display())
    );
    assert_eq!(
        check(request(&at("sub/file"))),
        format!(
            "the build context {} is not a folder",
            at("sub/file").display()
        )
    );
    assert_eq!(
        check(request(root.path())),
        format!("there is no Dockerfile at {}", at("Dockerfile").display())
    );
    let mut below_file = request(root.path());
    below_file.dockerfile = Some(at("sub/file/Dockerfile"));
    assert!(check(below_file).starts_with("there is no Dockerfile at "));
}

#[test]
fn a_secret_is_there_and_given_once() {
    let root = context(&["Dockerfile"]);
    let mut request = request(root.path());
    request.check().expect("all is there");
    let secret = Secret {
        id: "t".to_owned(),
        source: SecretSource::Env("PATH".to_owned()),
    };
    request.secrets = vec![secret.clone(), secret];
    let error = request.check().expect_err("twice").to_string();
    assert_eq!(error, "build secret `t`: it is given twice");
}

#[test]
fn the_dockerfile_is_found_where_docker_finds_it() {
    let found = |root: &tempfile::TempDir, dockerfile: Option<PathBuf>| {
        let mut request = request(&root.path().join("ctx"));
        request.dockerfile = dockerfile;
        let files = request.files().expect("it is there");
        let base = fs::canonicalize(root.path()).expect("it is there");
        let Dockerfile::At(folder, name) = files.dockerfile else {
            panic!("it is a file");
        };
        let folder = folder.strip_prefix(base).expect("below the root");
        format!("{}/{name}", folder.display())
    };
    let usual = context(&[
        "ctx/Dockerfile",
        "ctx/dockerfile.old",
        "other/My.Dockerfile",
    ]);
    assert_eq!(found(&usual, None), "ctx/Dockerfile");
    let outside = usual.path().join("ctx/../other/My.Dockerfile");
    assert_eq!(found(&usual, Some(outside)), "other/My.Dockerfile");
    assert_eq!(found(&context(&["ctx/dockerfile"]), None), "ctx/dockerfile");

    // A link inside the folder keeps its name, and with it its .dockerignore.
    let linked = context(&["ctx/docker/prod", "elsewhere/Dockerfile"]);
    symlink("docker/prod", linked.path().join("ctx/Dockerfile")).expect("a link");
    assert_eq!(found(&linked, None), "ctx/Dockerfile");
    let link = linked.path().join("ctx/outside");
    symlink("../elsewhere/Dockerfile", &link).expect("a link");
    assert_eq!(found(&linked, Some(link)), "elsewhere/Dockerfile");
}

fn told(remote: Option<&str>, arguments: &[(&str, &str)]) -> BuildExtras {
    let arguments = arguments.iter();
    BuildExtras {
        name: "Dockerfile".to_owned(),
        remote: remote.map(str::to_owned),
        arguments: arguments
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
    }
}

fn full() -> BuildRequest {
    BuildRequest {
        name: Some("r/app:7".to_owned()),
        labels: [("a".to_owned(), "b".to_owned())].into(),
        target: Some("final".to_owned()),
        platform: Some("linux/arm64".to_owned()),
        no_cache: true,
        pull: true,
        cache_from: ["r/a:1", "r/b:1"]
            .map(|name| name.parse().expect("a cache"))
            .to_vec(),
        cache_to: vec!["type=inline".parse().expect("a cache")],
        ..BuildRequest::default()
    }
}

#[test]
fn options_are_what_the_engine_expects() {
    let options = full().options("s1", told(None, &[("V", "1=2&3")]));
    let query = serde_urlencoded::to_string(options).expect("it is a query");
    for part in [
        "dockerfile=Dockerfile",
        "remote=client-session",
        "session=s1",
        "version=2",
        "t=r%2Fapp%3A7",
        "nocache=true",
        "pull=1",
        "target=final",
        "platform=linux%2Farm64",
        "labels=%7B%22a%22%3A%22b%22%7D",
        "buildargs=%7B%22V%22%3A%221%3D2%263%22%7D",
        "cachefrom=%5B%22r%2Fa%3A1%22%2C%22r%2Fb%3A1%22%5D",
    ] {
        assert!(
            query.split('&').any(|pair| pair == part),
            "{part} in {query}"
        );
    }
    let options = BuildRequest::default().options("s1", told(Some("http://x/y"), &[]));
    let query = serde_urlencoded::to_string(options).expect("it is a query");
    assert!(query.contains("remote=http%3A%2F%2Fx%2Fy"), "{query}");
    assert!(
        !query.contains("pull") && !query.contains("cachefrom"),
        "{query}"
    );
}

/// What moby's engine derives from the options of its own API, see its `builder-next`.
#[test]
fn attributes_are_what_the_engine_would_make_of_the_options() {
    let mut attributes: Vec<_> = full()
        .attributes(told(Some("http://x/y"), &[("V", "1")]))
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            "build-arg:V=1",
            "cache-from=r/a:1,r/b:1",
            "context=http://x/y",
            "filename=Dockerfile",
            "image-resolve-mode=pull",
            "label:a=b",
            "no-cache=",
            "platform=linux/arm64",
            "target=final",
        ]
    );
}

#[test]
fn caches_are_kept_by_buildkit_s_own_api() {
    assert!(BuildRequest::default().cache_exports().is_empty());
    let mut request = full();
    let cache = "type=registry,ref=r/c:1,mode=max".parse();
    request.cache_to.push(cache.expect("a cache"));
    let exports = request.cache_exports();
    let kinds: Vec<_> = exports.iter().map(|(kind, _)| *kind).collect();
    assert_eq!(kinds, ["inline", "registry"]);
    let attributes = &exports[1].1;
    assert_eq!(
        (attributes["ref"].as_str(), attributes["mode"].as_str()),
        ("r/c:1", "max")
    );
}

#[test]
fn a_dockerfile_that_cannot_be_one_is_told() {
    let root = context(&["sub/file"]);
    let at = root.path().join("Dockerfile");
    let why = |request: &BuildRequest| {
        let error = request.check().expect_err("it is none");
        assert!(error.hint().is_some_and(|hint| hint.contains("--file")));
        error.to_string()
    };
    for (text, expected) in [
        (b"\xff\xfeF\0R\0".as_slice(), "it is not UTF-8 (UTF-16"),
        (b"FROM a\nRUN echo \xe9\n", "line 2 is not UTF-8"),
    ] {
        fs::write(&at, text).expect("a file");
        let expected = format!("cannot use the Dockerfile {}: {expected}", at.display());
        assert!(why(&request(root.path())).starts_with(&expected));
    }
    fs::write(&at, b"# caf\xe9\nFROM scratch\n").expect("a file");
    request(root.path())
        .check()
        .expect("a comment may be anything");

    let mut folder = request(root.path());
    folder.dockerfile = Some(root.path().join("sub"));
    assert!(why(&folder).ends_with("sub: it is a folder"));
    // Only root may open it, and nobody can read it.
    let mut closed = request(root.path());
    closed.dockerfile = Some("/proc/self/mem".into());
    assert!(why(&closed).starts_with("cannot use the Dockerfile /proc/self/mem: "));
    let stdin = BuildRequest {
        context: BuildContext::Stdin,
        dockerfile: Some("-".into()),
        ..BuildRequest::default()
    };
    assert!(why(&stdin).contains("stdin has the context already"));
}

#[test]
fn values_of_build_arguments_are_not_shown() {
    let mut request = request(Path::new("."));
    request.build_args = vec![("TOKEN".to_owned(), Some(Hidden::new("hunter2")))];
    let shown = format!("{request:?}");
    assert!(
        shown.contains("TOKEN") && !shown.contains("hunter2"),
        "{shown}"
    );
}
