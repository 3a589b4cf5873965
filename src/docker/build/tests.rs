use std::os::unix::fs::symlink;

use super::*;
use crate::docker::secrets::SecretSource;
use crate::hidden::Hidden;

fn request(context: &Path) -> BuildRequest {
    BuildRequest {
        context: context.to_owned(),
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
    let mut folder = request(root.path());
    folder.dockerfile = Some(at("sub"));
    assert!(check(folder).starts_with("there is no Dockerfile at "));
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
        let folder = files
            .folder
            .strip_prefix(base)
            .expect("below the root")
            .to_owned();
        format!("{}/{}", folder.display(), files.name)
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

#[test]
fn options_are_what_the_engine_expects() {
    let mut request = request(Path::new("."));
    request.build_args = vec![
        ("VERSION".to_owned(), Some(Hidden::new("1=2&3"))),
        ("PATH".to_owned(), None),
        ("BGECS_NEVER_SET".to_owned(), None),
    ];
    request.labels.insert("a".to_owned(), "b".to_owned());
    request.target = Some("final".to_owned());
    request.platform = Some("linux/arm64".to_owned());
    request.no_cache = true;
    let options = request.options("s1", "Dockerfile");
    let arguments = options.buildargs.clone().expect("given");
    assert_eq!(arguments["VERSION"], "1=2&3");
    assert_eq!(arguments["PATH"], env::var("PATH").expect("set"));
    assert!(!arguments.contains_key("BGECS_NEVER_SET"));
    let query = serde_urlencoded::to_string(options).expect("it is a query");
    for part in [
        "dockerfile=Dockerfile",
        "remote=client-session",
        "session=s1",
        "version=2",
        "nocache=true",
        "target=final",
        "platform=linux%2Farm64",
        "labels=%7B%22a%22%3A%22b%22%7D",
    ] {
        assert!(
            query.split('&').any(|pair| pair == part),
            "{part} in {query}"
        );
    }
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
