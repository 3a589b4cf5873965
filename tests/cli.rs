//! What a person sees of everything that needs no AWS: help, the configuration's
//! mistakes, and what is missing on this machine. Both streams and the exit code
//! of each are in `tests/snapshots`.

mod access;
#[path = "cli/action.rs"]
mod action;
#[path = "cli/fleet.rs"]
mod fleet;
#[path = "cli/import.rs"]
mod import;
#[path = "cli/json.rs"]
mod json;
#[path = "cli/pipelines.rs"]
mod pipelines;
#[path = "cli/sets.rs"]
mod sets;
#[expect(dead_code, reason = "the emulator's tests use the rest")]
#[path = "emulator/stub.rs"]
mod stub;
mod support;
#[path = "cli/watch.rs"]
mod watch;
#[path = "cli/workers.rs"]
mod workers;

use std::fs;
use std::process::Command;

use support::{Desk, Outcome};

const CONFIG: &str = "app = \"hello\"\n";

/// With a configuration, and an AWS at a port where nobody listens: whatever
/// would ask it is found out.
fn desk() -> Outcome<Desk> {
    let desk = Desk::empty()?
        .env("AWS_REGION", "eu-central-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    desk.write("bgecs.toml", CONFIG)?;
    desk.write("app/Dockerfile", "FROM scratch\nCOPY Dockerfile /\n")?;
    Ok(desk)
}

/// Runs each line in the same folder, and compares what was seen with the
/// snapshot of that name.
fn see(name: &str, desk: &Desk, lines: &[&str]) -> Outcome {
    let mut seen = Vec::new();
    for line in lines {
        let arguments: Vec<&str> = line.split_whitespace().collect();
        seen.push(desk.bgecs(&arguments)?.shown());
    }
    compare(name, &seen.join("\n"));
    Ok(())
}

fn compare(name: &str, seen: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_omit_expression(true);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("snapshots/cli");
    settings.add_filter(r"(bgecs(-\w+)?) \d+\.\d+\.\d+\n", "$1 [VERSION]\n");
    settings.bind(|| insta::assert_snapshot!(name, seen));
}

#[test]
fn every_command_explains_itself() -> Outcome {
    let desk = Desk::empty()?;
    see("help", &desk, &["--help", "-h"])?;
    for command in [
        "init",
        "deploy",
        "promote",
        "rollback",
        "status",
        "fleet",
        "probe",
        "watch",
        "import",
        "retire",
        "logs",
        "destroy",
        "resume",
        "history",
        "adopt",
        "unlock",
        "attach",
        "detach",
        "up",
        "release",
        "routers",
        "run",
        "exec",
        "serve",
        "submit",
        "completions",
    ] {
        see(
            &format!("help-{command}"),
            &desk,
            &[&format!("{command} --help")],
        )?;
    }
    // Nothing asked for is a mistake, and help is the answer.
    let bare = desk.bgecs(&[])?;
    assert_eq!(bare.code, Some(2), "{}", bare.shown());
    assert!(bare.stdout.is_empty(), "{}", bare.shown());
    assert!(bare.stderr.contains("Usage: bgecs"), "{}", bare.shown());
    Ok(())
}

#[test]
fn it_says_its_version() -> Outcome {
    see(
        "version",
        &Desk::empty()?,
        &["--version", "deploy --version"],
    )
}

#[test]
fn shells_get_their_completions() -> Outcome {
    let desk = Desk::empty()?;
    for (shell, beginning) in [
        ("bash", "_bgecs() {"),
        ("zsh", "#compdef bgecs"),
        ("fish", "# Print an optspec for argparse"),
    ] {
        let ended = desk.bgecs(&["completions", shell])?;
        assert_eq!(ended.code, Some(0), "{}", ended.shown());
        assert_eq!(ended.stderr, "", "{shell}");
        assert!(
            ended.stdout.starts_with(beginning),
            "{shell}: {:.200}",
            ended.stdout
        );
        assert!(ended.stdout.contains("rollback"), "{shell}");
    }
    see("completions-unknown", &desk, &["completions tcsh"])
}

#[test]
fn a_missing_configuration_is_missed_by_every_command() -> Outcome {
    let desk = Desk::empty()?;
    for line in [
        "init",
        "deploy . --tag 1",
        "promote",
        "rollback",
        "status",
        "probe",
        "retire",
        "logs",
        "destroy",
        "resume",
        "history",
        "adopt",
        "unlock",
    ] {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ended = desk.bgecs(&arguments)?;
        assert_eq!(ended.code, Some(2), "{}", ended.shown());
        assert_eq!(ended.stdout, "", "{}", ended.shown());
        // Programs get it on stdout too.
        let json = desk
            .bgecs(&[&arguments[..], &["--json"]].concat())?
            .json()?;
        assert_eq!(json["error"]["exit_code"], 2, "{json:#}");
        assert!(
            ended.stderr.contains("bgecs init --write-config"),
            "{}",
            ended.shown()
        );
    }
    see(
        "config-missing",
        &desk,
        &["status", "status --json", "status --config nowhere.toml"],
    )
}

#[test]
fn a_broken_configuration_is_shown_with_line_and_column() -> Outcome {
    let desk = desk()?;
    desk.write(
        "syntax.toml",
        "app = \"hello\"\n\n[service]\ndesired_count = = 2\n",
    )?;
    desk.write("key.toml", "app = \"hello\"\n[container]\nprot = 8080\n")?;
    desk.write(
        "section.toml",
        "app = \"hello\"\n[contianer]\nport = 8080\n",
    )?;
    desk.write(
        "value.toml",
        "app = \"hello\"\n[service]\ndesired_count = \"two\"\n",
    )?;
    desk.write(
        "size.toml",
        "app = \"hello\"\n[container]\ncpu = 256\nmemory = 4096\n",
    )?;
    desk.write("app.toml", "app = \"Hello World\"\n")?;
    desk.write("none.toml", "[service]\ndesired_count = 2\n")?;
    desk.write(
        "task.toml",
        "app = \"hello\"\n[container]\ntask_definition = \"task.json\"\n",
    )?;
    see(
        "config-broken",
        &desk,
        &[
            "status --config syntax.toml",
            "status --config key.toml",
            "status --config section.toml",
            "status --config value.toml",
            "status --config size.toml",
            "status --config app.toml",
            "status --config none.toml",
            "init --config task.toml",
            "status --config app",
            "status --config value.toml --json",
        ],
    )
}

#[test]
fn a_task_definition_that_is_none_is_a_usage_mistake() -> Outcome {
    let desk = desk()?;
    desk.write(
        "bgecs.toml",
        "app = \"hello\"\n[container]\ntask_definition = \"task.json\"\ncontainer = \"web\"\n",
    )?;
    desk.write("task.json", "{ \"containerDefinitions\": [")?;
    see("task-definition-syntax", &desk, &["deploy app --tag 1"])?;
    let other = "{ \"containerDefinitions\": [{ \"name\": \"other\", \"image\": \"x\" }] }";
    desk.write("task.json", other)?;
    see(
        "task-definition-container",
        &desk,
        &["init", "deploy app --tag 1"],
    )
}

#[test]
fn an_unknown_colour_is_refused_with_those_there_are() -> Outcome {
    see(
        "color-unknown",
        &desk()?,
        &[
            "promote purple",
            "logs Blue",
            "deploy app --tag 1 --color red",
        ],
    )
}

#[test]
fn a_tag_that_ecr_would_refuse_is_refused_before_anything_is_built() -> Outcome {
    let desk = desk()?;
    see(
        "tag-bad",
        &desk,
        &[
            "deploy app --tag a/b",
            "deploy app --tag .hidden",
            "deploy app --tag -x",
            "deploy app --tag=-x",
            "deploy app --tag=",
            // This folder is in no repository whose commit could name it.
            "deploy app",
            "deploy --image nginx:1",
        ],
    )?;
    let long = "a".repeat(129);
    let ended = desk.bgecs(&["deploy", "app", "--tag", &long])?;
    assert_eq!(ended.code, Some(2), "{}", ended.shown());
    Ok(())
}

#[test]
fn a_clean_work_tree_tags_the_release() -> Outcome {
    let desk = desk()?;
    let git = |line: &str| -> Outcome<String> {
        let who = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
        let arguments = who.into_iter().chain(line.split(' '));
        let output = Command::new("git")
            .args(arguments)
            .current_dir(desk.path())
            .output()?;
        assert!(output.status.success(), "{output:?}");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    for line in ["init -q", "add .", "commit -qm first"] {
        git(line)?;
    }
    let tag = git("rev-parse --short HEAD")?;
    let ended = desk.bgecs(&["deploy", "app"])?;
    let first = ended.stderr.lines().next().unwrap_or_default();
    assert_eq!(first, format!("· tag {tag}, of the commit"));
    desk.write("app/more", "")?;
    let dirty = desk.bgecs(&["deploy", "app", "--dry-run"])?;
    assert_eq!(dirty.code, Some(2), "{}", dirty.shown());
    assert!(dirty.stderr.contains("(app/more)"), "{}", dirty.shown());
    assert!(dirty.stderr.contains("--tag TAG"), "{}", dirty.shown());
    Ok(())
}

#[test]
fn an_environment_is_chosen_by_flag_or_variable() -> Outcome {
    let desk = desk()?;
    let text = "app = \"hello\"\n[env.staging]\nservice.desired_count = 1\n[env.prod]\n";
    desk.write("two.toml", text)?;
    desk.write("wrong.toml", &format!("{text}container.prot = 1\n"))?;
    see(
        "environment-bad",
        &desk,
        &[
            "status --config two.toml --env stagin",
            "status --config two.toml --env eu --json",
            "status --env staging",
            "status --config wrong.toml --env staging",
        ],
    )?;
    let policy = ["init", "--print-policy", "deployer", "--config", "two.toml"];
    let by_flag = desk.bgecs(&[&policy[..], &["--env", "staging"]].concat())?;
    assert!(
        by_flag.stdout.contains("bgecs-hello-staging"),
        "{}",
        by_flag.shown()
    );
    let desk = desk.env("BGECS_ENV", "staging");
    assert_eq!(desk.bgecs(&policy)?.stdout, by_flag.stdout);
    // The flag wins, and an empty variable is none.
    let other = desk.bgecs(&[&policy[..], &["--env", "prod"]].concat())?;
    assert!(
        other.stdout.contains("bgecs-hello-prod"),
        "{}",
        other.shown()
    );
    let desk = desk.env("BGECS_ENV", "");
    assert!(!desk.bgecs(&policy)?.stdout.contains("bgecs-hello-staging"));
    Ok(())
}

#[test]
fn options_that_make_no_sense_are_usage_mistakes() -> Outcome {
    let desk = desk()?;
    see(
        "options-bad",
        &desk,
        &[
            "deploy --tag 1",
            "deploy app --image nginx:1 --tag 1",
            "deploy --image nginx:1 --tag 1 --no-cache",
            "deploy app --tag 1 --timeout soon",
            "promote --window 5apples",
            "promote --rate 0",
            "probe --rate many",
            "probe --listener staging",
            "probe --url nowhere",
            "status --watch --json",
            "logs --follow --json",
            "init --write-config --dry-run",
            "init --print-policy everyone",
            "init --print-policy deployer --print-template",
            "status --connect-to somewhere",
            "release",
        ],
    )
}

#[test]
fn no_region_is_a_usage_mistake() -> Outcome {
    let desk = Desk::empty()?;
    desk.write("bgecs.toml", CONFIG)?;
    see("region-none", &desk, &["status", "status --json"])
}

#[test]
fn no_credentials_say_how_to_sign_in() -> Outcome {
    let desk = Desk::empty()?.env("AWS_REGION", "eu-central-1");
    desk.write("bgecs.toml", CONFIG)?;
    // Whatever a person meant to do, it must not end in a list of SDK errors.
    see(
        "credentials-none",
        &desk,
        &["status", "init", "destroy --yes", "status --json"],
    )?;
    see("profile-unknown", &desk, &["status --profile nobody"])
}

/// Ahead of all that AWS is asked; and whoever asks nobody needs none.
#[test]
fn a_secret_header_without_a_value_is_said_before_aws_is_asked() -> Outcome {
    let desk = desk()?.env("BLANK", " ").env("ILL", "hunter22\nhunter");
    for (variable, part) in [
        ("NOT_SET", "$NOT_SET is empty or not set"),
        ("BLANK", "$BLANK is empty or not set"),
        ("ILL", "$ILL has characters that no header may have"),
    ] {
        let header = format!("{{ name = 'x-origin-verify', env = '{variable}' }}");
        let text = format!("{CONFIG}\n[probe]\nsecret_header = {header}\n");
        desk.write("bgecs.toml", &text)?;
        for line in ["promote", "rollback", "resume", "deploy app --tag 2"] {
            let line: Vec<&str> = line.split_whitespace().collect();
            let ended = desk.bgecs(&line)?;
            assert_eq!(ended.code, Some(2), "{}", ended.shown());
            assert!(ended.stderr.contains(part), "{}", ended.shown());
            assert!(!ended.stderr.contains("hunter"), "{}", ended.shown());
            let blind = desk.bgecs(&[&line[..], &["--blind"]].concat())?;
            assert!(!blind.stderr.contains(part), "{}", blind.shown());
        }
    }
    Ok(())
}

#[test]
fn the_policy_of_who_asks_production_reads_that_very_secret() -> Outcome {
    const ARN: &str = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:cdn-AbCdEf";
    let desk = desk()?;
    let header = format!("{{ name = 'x-a', secret = '{ARN}' }}");
    let text = format!("{CONFIG}\n[probe]\nsecret_header = {header}\n");
    desk.write("bgecs.toml", &text)?;
    let by_flag = format!("--secret-header=x-a={ARN}");
    let watch = [
        "watch",
        "--cluster=c",
        "--service=s",
        "--print-policy",
        &by_flag,
    ];
    for (line, reads) in [
        (&["init", "--print-policy", "deployer"][..], true),
        (&["init", "--print-policy", "operator"], false),
        (&watch, true),
        (&watch[..4], false),
    ] {
        let ended = desk.bgecs(line)?;
        let policy = ended.json()?;
        let statements = policy["Statement"].as_array().ok_or("statements")?;
        let action = "secretsmanager:GetSecretValue";
        let reading = statements.iter().filter(|it| it["Action"][0] == action);
        let on: Vec<_> = reading.map(|it| &it["Resource"]).collect();
        assert_eq!(on.len(), usize::from(reads), "{}", ended.shown());
        assert!(
            on.iter().all(|on| **on == serde_json::json!([ARN])),
            "{on:?}"
        );
        assert!(!ended.stdout.contains("kms:"), "{}", ended.shown());
    }
    Ok(())
}

#[test]
fn an_aws_that_does_not_answer_is_named() -> Outcome {
    let desk = desk()?;
    see("aws-unreachable", &desk, &["status", "init --json"])
}

#[test]
fn a_context_without_a_build_is_refused_before_aws_is_asked() -> Outcome {
    let desk = desk()?;
    fs::create_dir(desk.path().join("empty"))?;
    desk.write("app/dev.Dockerfile", "FROM scratch\n")?;
    see(
        "context-bad",
        &desk,
        &[
            "deploy nowhere --tag 1",
            "deploy empty --tag 1",
            "deploy bgecs.toml --tag 1",
            "deploy app --tag 1 --file other.Dockerfile",
            "deploy app --tag 1 --file .",
            "deploy https://me:hunter2@example.com/acme/app.git#main --tag 1",
            "deploy https://example.com/app.tar.gz --tag 1",
            "deploy git@github.com:acme/app.git --tag 1",
            "deploy app --tag 1 --platform linux/amd64,linux/arm64",
            "deploy app --tag 1 --build-arg =hunter2",
            "deploy app --tag 1 --cache-to type=gha",
            "deploy app --tag 1 --ssh default=app",
            "deploy empty --tag 1 --json",
        ],
    )
}

#[test]
fn a_build_secret_that_is_none_is_refused_without_being_shown() -> Outcome {
    let desk = desk()?;
    desk.write("token", "hunter2")?;
    see(
        "secret-bad",
        &desk,
        &[
            "deploy app --tag 1 --secret npm",
            "deploy app --tag 1 --secret src=token",
            "deploy app --tag 1 --secret id=nowhere",
            "deploy app --tag 1 --secret id=npm,src=nowhere",
            "deploy app --tag 1 --secret id=npm,env=NOT_SET",
            "deploy app --tag 1 --secret id=npm,source=token,kind=file",
        ],
    )
}

#[test]
fn init_writes_a_configuration_once() -> Outcome {
    let desk = Desk::empty()?;
    let shop = desk.path().join("web_shop");
    fs::create_dir(&shop)?;
    let run = |arguments: &[&str]| -> Outcome<support::Ended> {
        let output = desk.command(arguments).current_dir(&shop).output()?;
        Ok(desk.ended(arguments, &output))
    };
    let first = run(&["init", "--write-config"])?;
    let written = fs::read_to_string(shop.join("bgecs.toml"))?;
    assert!(written.contains("app = \"web-shop\""), "{written}");
    let again = run(&["init", "--write-config"])?;
    assert_eq!(fs::read_to_string(shop.join("bgecs.toml"))?, written);
    // What was written is a configuration: only the region is missing.
    let status = run(&["status"])?;
    let seen = [first.shown(), again.shown(), status.shown()].join("\n");
    compare("init-write-config", &seen);
    Ok(())
}

#[test]
fn init_prints_the_template_for_a_review() -> Outcome {
    let ended = Desk::empty()?.bgecs(&["init", "--print-template"])?;
    let template = include_str!("../src/aws/stack/template.yaml");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stderr, "");
    assert_eq!(ended.stdout.trim_end(), template.trim_end());
    Ok(())
}

#[test]
fn init_prints_policies_without_asking_aws() -> Outcome {
    let desk = Desk::empty()?;
    let deployer = ["init", "--print-policy", "deployer"];
    let unconfigured = desk.bgecs(&deployer)?;
    assert_eq!(unconfigured.code, Some(2), "{}", unconfigured.shown());
    desk.write("bgecs.toml", CONFIG)?;
    // There is neither a region nor are there credentials.
    see("init-print-policy", &desk, &[&deployer.join(" ")])?;
    for role in ["deployer", "operator"] {
        let anywhere = desk.bgecs(&["init", "--print-policy", role])?;
        assert_eq!(anywhere.code, Some(0), "{}", anywhere.shown());
        assert_eq!(anywhere.json()?["Version"], "2012-10-17");
        let there = desk.bgecs(&["init", "--print-policy", role, "--region", "eu-west-1"])?;
        let narrowed = anywhere.stdout.replace(":*:*:", ":eu-west-1:*:");
        assert_eq!(there.stdout, narrowed);
        assert_ne!(there.stdout, anywhere.stdout);
    }
    Ok(())
}

#[test]
fn a_reader_that_goes_away_is_no_failure() -> Outcome {
    let desk = Desk::empty()?;
    let mut child = desk.command(&["init", "--print-template"]).spawn()?;
    drop(child.stdout.take());
    let output = child.wait_with_output()?;
    let ended = desk.ended(&["init", "--print-template"], &output);
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    assert_eq!(ended.stderr, "");
    Ok(())
}

/// A title, a colour, a direction: from a flag, a file's name, a file, a variable.
#[test]
fn nothing_that_it_repeats_is_a_command_to_the_terminal() -> Outcome {
    const HOSTILE: &str = "a\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}\u{9b}2J\r";
    const SHOWN: &str = r"a\u{1b}]0;owned\u{7}\u{1b}[31m\u{202e}\u{9b}2J\r";
    let desk = desk()?;
    let file = format!("{HOSTILE}.toml");
    desk.write(&file, &format!("app = \"hello\"\nx = \"{HOSTILE}\"\n"))?;
    for line in [
        &["status", HOSTILE][..],
        &[HOSTILE],
        &["deploy", "app", "--tag", HOSTILE],
        &["deploy", HOSTILE, "--tag", "1"],
        &["logs", "--since", HOSTILE],
        &["status", "--config", &file],
        &["status", "--config", &file, "--json"],
        &["status", "-vvv", "--profile", HOSTILE],
    ] {
        let ended = desk.bgecs(line)?;
        let all = format!("{}{}", ended.stdout, ended.stderr);
        let is_bad = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
        assert_eq!(all.chars().find(is_bad), None, "{line:?}: {all:?}");
        if !line.contains(&"-vvv") {
            assert!(all.contains(SHOWN), "{line:?}: {all}");
        }
    }
    Ok(())
}
