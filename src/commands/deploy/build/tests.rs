use clap::Parser;

use super::*;
use crate::cli::{Cli, Verb};
use crate::model::CpuArchitecture;

/// What is asked for by these lines of `[build]` and these flags.
fn asked(build: &str, context: &str, flags: &[&str]) -> Result<ImageSource> {
    asked_for(build, context, flags, RunsOn::default())
}

fn asked_for(build: &str, context: &str, flags: &[&str], wanted: RunsOn) -> Result<ImageSource> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("bgecs.toml");
    let config = Config::parse(&format!("app = 'hello'\n[build]\n{build}"), &path)
        .expect("it is a configuration");
    let line = ["bgecs", "deploy", context, "--tag", "1"];
    let cli = Cli::try_parse_from(line.iter().chain(flags)).expect("it is a command line");
    let Verb::Deploy(args) = cli.command else {
        panic!("it is a deploy")
    };
    let context = args.context.expect("it was given");
    source(&config, &args.build, &context, folder.path(), wanted)
}

/// With a hook, which may make the files.
fn request(build: &str, flags: &[&str]) -> BuildRequest {
    let hooked = format!("before = 'make'\n{build}");
    match asked(&hooked, "made", flags).expect("it is one") {
        ImageSource::Build { request, .. } => *request,
        ImageSource::Reference(_) => panic!("it is built"),
    }
}

#[test]
fn what_a_hook_may_make_is_not_looked_for_before_it() {
    let secret = ["--secret", "id=made,src=made/token"];
    let error = asked("", "made", &secret).expect_err("it is not there");
    assert_eq!(error.exit, Exit::Usage);
    assert!(error.message.contains("does not exist"), "{error}");
    asked("before = 'make'", "made", &secret).expect("the hook may make it");

    let twice = ["--secret", "id=made", "--secret", "id=made"];
    let error = asked("before = 'make'", "made", &twice).expect_err("no hook mends that");
    assert_eq!(error.exit, Exit::Usage);
}

#[test]
fn flags_win_over_the_file() {
    let build = r#"
pull = true
labels = { team = "shop" }
secrets = ["id=npm,src=.npmrc", "id=token"]
ssh = ["default", "git=/run/git.sock"]
cache_from = ["r/a", "r/b"]
cache_to = ["type=inline"]
"#;
    let plain = request(build, &[]);
    assert!(plain.pull);
    assert_eq!(plain.labels["team"], "shop");
    assert_eq!(plain.cache_from.len(), 2);
    assert_eq!(plain.cache_to, ["type=inline".parse().expect("a cache")]);
    let shown = format!("{:?}", plain.secrets);
    assert!(
        shown.contains("/.npmrc") && !shown.contains("\".npmrc"),
        "{shown}"
    );

    let flags = [
        "--secret",
        "id=npm,env=NPM",
        "--ssh",
        "git=/run/other.sock",
        "--cache-from",
        "r/c",
    ];
    let flagged = request(build, &flags);
    let ids: Vec<_> = flagged.secrets.iter().map(|secret| &secret.id).collect();
    assert_eq!(ids, ["token", "npm"]);
    assert_eq!(
        flagged.secrets[1],
        "id=npm,env=NPM".parse().expect("a secret")
    );
    assert_eq!(
        flagged.ssh[1],
        "git=/run/other.sock".parse().expect("an agent")
    );
    assert_eq!(flagged.cache_from, ["r/c".parse().expect("a cache")]);
}

#[test]
fn the_platform_is_the_flag_s_the_file_s_the_tasks_or_docker_s_default() {
    let defined = |architecture| RunsOn {
        architecture,
        ..RunsOn::default()
    };
    let (x86, arm) = (CpuArchitecture::X86_64, CpuArchitecture::Arm64);
    let chosen = |flag: Option<&str>, file: Option<&str>, tasks, ambient| {
        let flags = BuildFlags {
            platform: flag.map(str::to_owned),
            ..BuildFlags::default()
        };
        let file = config::Build {
            platform: file.map(str::to_owned),
            ..config::Build::default()
        };
        runs_on(&flags, &file, defined(tasks), ambient)
    };
    let (amd64, arm64) = (Some("linux/amd64"), Some("linux/arm64"));
    for (flag, file, tasks, ambient, expected) in [
        (None, None, None, None, None),
        (None, None, None, Some(" "), None),
        (None, None, None, arm64, Some(arm)),
        (None, None, Some(x86), arm64, Some(x86)),
        (None, amd64, None, arm64, Some(x86)),
        (arm64, amd64, None, amd64, Some(arm)),
    ] {
        let chosen = chosen(flag, file, tasks, ambient).expect("it is one");
        assert_eq!(
            chosen.architecture, expected,
            "{flag:?} {file:?} {ambient:?}"
        );
    }
    for several in ["linux/amd64,linux/arm64", "linux/arm/v7", "x y"] {
        let error = chosen(None, None, None, Some(several)).expect_err("it is not one");
        assert_eq!(error.exit, Exit::Usage);
        assert!(
            error.message.contains("DOCKER_DEFAULT_PLATFORM is"),
            "{error}"
        );
    }
    let wanted = defined(Some(arm));
    let made = |flags: &[&str]| match asked_for("before = 'make'", "made", flags, wanted) {
        Ok(ImageSource::Build { request, .. }) => request.platform,
        other => panic!("{other:?}"),
    };
    assert_eq!(made(&[]).as_deref(), arm64);
    let variant = "linux/arm64/v8";
    assert_eq!(made(&["--platform", variant]).as_deref(), Some(variant));
}

#[test]
fn addresses_are_no_folders() {
    for (address, hint) in [
        (
            "https://example.com/acme/app.git#main:sub",
            "git clone https://example.com/acme/app.git FOLDER",
        ),
        (
            "git@github.com:acme/app.git",
            "git clone git@github.com:acme/app.git FOLDER",
        ),
        (
            "github.com/acme/app",
            "git clone https://github.com/acme/app FOLDER",
        ),
        (
            "https://github.com/acme/app",
            "git clone https://github.com/acme/app FOLDER",
        ),
        (
            "ssh://git@example.com/app",
            "git clone ssh://example.com/app FOLDER",
        ),
        (
            "https://hunter22@example.com/app.tar.gz",
            "curl -L https://example.com/app.tar.gz",
        ),
    ] {
        // Not even a hook makes one a folder.
        let error = asked("before = 'make'", address, &[]).expect_err("it is an address");
        assert_eq!(error.exit, Exit::Usage, "{address}");
        let shown = format!("{error}");
        assert!(shown.contains(hint) && !shown.contains("hunter"), "{shown}");
    }
}

#[test]
fn a_tar_has_the_dockerfile_under_the_name_that_the_file_gives() {
    let root = Path::new("/srv/app");
    let file = root.join("docker/Dockerfile");
    let folder = BuildContext::Folder(root.to_owned());
    assert_eq!(dockerfile_of_config(&file, root, &folder), file);
    let within = dockerfile_of_config(&file, root, &BuildContext::Stdin);
    assert_eq!(within, Path::new("docker/Dockerfile"));
}
