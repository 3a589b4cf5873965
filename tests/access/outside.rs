//! Nothing that comes from outside ends the process otherwise than with a
//! sentence and an exit code: every variable, every flag and every key, empty,
//! blank, with a line break behind it, endless, and not UTF-8.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::sync::Mutex;
use std::thread;

use crate::support::{Desk, Outcome};

/// Whatever bgecs or the SDK reads, and a value that would be right.
const VARIABLES: &[(&str, &str)] = &[
    ("ALL_PROXY", "http://127.0.0.1:9"),
    ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
    ("AWS_ACCOUNT_ID", "123456789012"),
    ("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred"),
    ("AWS_AUTH_SCHEME_PREFERENCE", "sigv4"),
    ("AWS_CA_BUNDLE", "bundle.pem"),
    ("AWS_CONFIG_FILE", "config"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "token"),
    ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token"),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "http://127.0.0.1:9/credentials",
    ),
    ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/credentials"),
    ("AWS_DEFAULT_PROFILE", "default"),
    ("AWS_DEFAULT_REGION", "eu-west-1"),
    ("AWS_DEFAULTS_MODE", "standard"),
    ("AWS_DISABLE_CLOCK_SKEW_CORRECTION", "true"),
    ("AWS_DISABLE_REQUEST_COMPRESSION", "true"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9"),
    ("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv4"),
    ("AWS_ENDPOINT_URL", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_CLOUDFORMATION", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_ECR", "http://127.0.0.1:9"),
    ("AWS_ENDPOINT_URL_ECS", "http://127.0.0.1:9"),
    (
        "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2",
        "http://127.0.0.1:9",
    ),
    ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:9"),
    ("AWS_EXECUTION_ENV", "CI"),
    ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false"),
    ("AWS_LAMBDA_FUNCTION_NAME", "name"),
    ("AWS_LOGIN_CACHE_DIRECTORY", "cache"),
    ("AWS_MAX_ATTEMPTS", "3"),
    ("AWS_PROFILE", "default"),
    ("AWS_REGION", "eu-west-1"),
    ("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required"),
    ("AWS_RETRY_MODE", "standard"),
    ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/a"),
    ("AWS_ROLE_SESSION_NAME", "name"),
    ("AWS_SDK_UA_APP_ID", "name"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_SESSION_TOKEN", "token"),
    ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ("AWS_SIGV4A_SIGNING_REGION_SET", "*"),
    ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
    ("AWS_USE_FIPS_ENDPOINT", "false"),
    ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
    ("CI", "true"),
    ("COLUMNS", "80"),
    ("DOCKER_CONFIG", "docker"),
    ("DOCKER_CONTEXT", "default"),
    ("DOCKER_HOST", "unix:///nowhere.sock"),
    ("DOCKER_TLS_VERIFY", "1"),
    ("GITHUB_ACTOR", "al"),
    ("HOME", "home"),
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
    ("NO_COLOR", "1"),
    ("NO_PROXY", "localhost"),
    ("SECRET_ACCESS_KEY", "secret"),
    ("SSL_CERT_DIR", "certificates"),
    ("SSL_CERT_FILE", "certificates.pem"),
    ("TERM", "dumb"),
    ("USER", "al"),
    ("_X_AMZN_TRACE_ID", "Root=1"),
    ("https_proxy", "http://127.0.0.1:9"),
    ("no_proxy", "localhost"),
];

/// The longest that Linux lets through, nearly.
const ENDLESS: usize = 100_000;

/// Each kind of mistake made of a right value.
fn mistakes(right: &str) -> [OsString; 6] {
    let endless = format!("{right}{}", "x".repeat(ENDLESS));
    let broken = [right.as_bytes(), b"\xff\xfe"].concat();
    [
        OsString::new(),
        " \t".into(),
        format!("{right}\n").into(),
        format!("{right}\u{1b}[31m\n{right}").into(),
        endless.into(),
        OsString::from_vec(broken),
    ]
}

/// An AWS that refuses connections: whatever passes ends there, soon.
fn desk() -> Outcome<Desk> {
    let desk = Desk::empty()?
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .env("DOCKER_HOST", "unix:///nowhere.sock");
    desk.write("bgecs.toml", "app = \"hello\"\n")?;
    desk.write("app/Dockerfile", "FROM scratch\n")?;
    Ok(desk)
}

/// A run: its arguments, one variable, and what it is called.
struct Run {
    name: String,
    arguments: Vec<OsString>,
    variable: Option<(String, OsString)>,
}

/// Runs all of them, and collects those that ended otherwise than they may.
fn all_end_well(desk: &Desk, runs: Vec<Run>) {
    let runs = Mutex::new(runs);
    let failed = Mutex::new(Vec::new());
    let work = || {
        while let Some(run) = runs.lock().ok().and_then(|mut runs| runs.pop()) {
            if let Err(why) = ends_well(desk, &run)
                && let Ok(mut failed) = failed.lock()
            {
                failed.push(format!("{}: {why:.2000}", run.name));
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner().unwrap_or_default();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

fn ends_well(desk: &Desk, run: &Run) -> Result<(), String> {
    let mut command = desk.command(&[]);
    command.args(&run.arguments);
    if let Some((name, value)) = &run.variable {
        command.env(name, value);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    let code = output.status.code();
    let is_known = matches!(code, Some(0 | 1 | 2 | 5 | 6));
    let has_sentence = code == Some(0) || stderr.contains("error:");
    match is_known && has_sentence && !stderr.contains("panicked") {
        true => Ok(()),
        false => Err(format!("{code:?}\n{stderr}")),
    }
}

#[test]
fn no_variable_kills_it() -> Outcome {
    let desk = desk()?;
    let mut runs = Vec::new();
    for (name, right) in VARIABLES {
        for value in mistakes(right) {
            runs.push(Run {
                name: format!("{name}={value:.80?}"),
                arguments: vec!["status".into()],
                variable: Some(((*name).to_owned(), value)),
            });
        }
    }
    all_end_well(&desk, runs);
    Ok(())
}

#[test]
fn no_flag_kills_it() -> Outcome {
    let desk = desk()?;
    let mut runs = Vec::new();
    for (command, rest) in [
        ("init", &[][..]),
        ("deploy", &["app", "--tag", "1"]),
        ("promote", &[]),
        ("rollback", &[]),
        ("status", &[]),
        ("probe", &[]),
        ("retire", &[]),
        ("resume", &[]),
        ("history", &[]),
        ("adopt", &[]),
        ("unlock", &[]),
        ("logs", &[]),
        ("destroy", &["--yes"]),
    ] {
        let help = desk.bgecs(&[command, "--help"])?.stdout;
        for flag in flags(&help) {
            // Those that all commands have are tried with one.
            let is_global = [
                "--config",
                "--profile",
                "--region",
                "--endpoint-url",
                "--connect-to",
            ];
            if is_global.contains(&flag.as_str()) && command != "status" {
                continue;
            }
            for value in mistakes("1") {
                let name = format!("{command} {flag}={value:.80?}");
                let mut joined = OsString::from(format!("{flag}="));
                joined.push(&value);
                let mut arguments: Vec<OsString> = vec![command.into()];
                // A tag is given once.
                if flag != "--tag" {
                    arguments.extend(rest.iter().map(Into::into));
                }
                arguments.push(joined);
                runs.push(Run {
                    name,
                    arguments,
                    variable: None,
                });
            }
        }
    }
    assert!(
        runs.len() > 200,
        "{} runs: the help reads differently",
        runs.len()
    );
    all_end_well(&desk, runs);
    Ok(())
}

/// The flags of a help text that take a value.
fn flags(help: &str) -> Vec<String> {
    let takes_value = |line: &str| {
        let start = line.find("--")?;
        let (flag, rest) = line.get(start..)?.split_once([' ', '='])?;
        rest.starts_with('<').then(|| flag.to_owned())
    };
    let is_option = |line: &&str| line.trim_start().starts_with('-');
    help.lines()
        .filter(is_option)
        .filter_map(takes_value)
        .collect()
}

#[test]
fn no_key_of_the_file_kills_it() -> Outcome {
    let desk = desk()?;
    fs_remove(&desk, "bgecs.toml")?;
    desk.bgecs(&["init", "--write-config"])?;
    let starter = std::fs::read_to_string(desk.path().join("bgecs.toml"))?;
    let mut section = String::new();
    let mut runs = Vec::new();
    for line in starter.lines() {
        if line.starts_with('[') {
            section = line.to_owned();
        }
        let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") else {
            continue;
        };
        if key.contains(' ') || key == "app" {
            continue;
        }
        let values = [
            "\"\"",
            "\" \"",
            "\"a\\n\"",
            "\"\\u001B]0;x\\u0007\"",
            "-1",
            "99999999999999999999",
            "[]",
        ];
        let endless = format!("\"{}\"", "x".repeat(ENDLESS));
        for (number, value) in values.iter().copied().chain([endless.as_str()]).enumerate() {
            let name = format!("{section} {key} = {value:.40}");
            let text = format!("app = \"hello\"\n{section}\n{key} = {value}\n");
            let file = format!("{}-{key}-{number}.toml", section.trim_matches(['[', ']']));
            runs.push(with_config(&desk, name, &file, text.as_bytes())?);
        }
        let text = format!("app = \"hello\"\n{section}\n{key} = \"a");
        let file = format!("{}-{key}-bytes.toml", section.trim_matches(['[', ']']));
        let name = format!("{section} {key}, not UTF-8");
        runs.push(with_config(
            &desk,
            name,
            &file,
            &[text.as_bytes(), b"\xff\xfe\"\n"].concat(),
        )?);
    }
    assert!(
        runs.len() > 200,
        "{} runs: the starter reads differently",
        runs.len()
    );
    all_end_well(&desk, runs);
    Ok(())
}

fn fs_remove(desk: &Desk, name: &str) -> Outcome {
    Ok(std::fs::remove_file(desk.path().join(name))?)
}

fn with_config(desk: &Desk, name: String, file: &str, text: &[u8]) -> Outcome<Run> {
    let path = desk.path().join(file);
    std::fs::write(&path, OsStr::from_bytes(text).as_bytes())?;
    let arguments = vec!["status".into(), "--config".into(), path.into()];
    Ok(Run {
        name,
        arguments,
        variable: None,
    })
}
