//! No secret in anything that bgecs writes. Each place that holds one is given
//! a value of its own, and everything written is searched for it, as it is and
//! encoded. Each is also found where it belongs, or the search would prove
//! nothing.

mod aviary;
mod canary;

use std::fs;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::api::{text, texts};
use crate::stub::{header, refusal, serve_whole};
use crate::support::Outcome;
use crate::world::string;
use aviary::Aviary;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use canary::Canary;

#[test]
fn no_secret_is_in_anything_that_a_release_writes() -> Outcome {
    let aviary = Aviary::new()?;
    let secret = json!({ "Name": "planted", "SecretString": aviary.planted.behind_an_arn.value() });
    let secret = aviary
        .world
        .api
        .json("secretsmanager", "secretsmanager.CreateSecret", &secret)?;
    let arn = string(&secret, "/ARN")?;
    aviary.configure(&format!("secrets = {{ BEHIND = \"{arn}\" }}"), "")?;

    aviary.run(0, &["init", "--dry-run"])?;
    aviary.run(0, &["init", "--json"])?;
    aviary.deploy(0, "app", "1", &["--dry-run"])?;
    let built = aviary.deploy(0, "app", "1", &[])?;
    the_build_got_its_secrets(&aviary, &built)?;
    aviary.deploy(0, "app", "2", &["--json"])?;
    for line in [
        &["promote", "--dry-run"][..],
        &["promote", "--json"],
        &["rollback"],
        &["status"],
        &["status", "--json"],
        &["status", "--profile", "canary"],
        &["logs", "--since", "1h"],
        &["logs", "blue", "--json"],
        &["probe", "--duration", "300ms"],
    ] {
        aviary.run(0, line)?;
    }
    let registry = what_fails_is_told_without_them(&aviary)?;
    what_aws_was_told_holds_them_where_they_belong(&aviary, &arn)?;
    the_journal_holds_none(&aviary)?;
    aviary.run(0, &["retire"])?;
    aviary.run(0, &["destroy", "--dry-run"])?;
    aviary.run(0, &["destroy", "--yes"])?;
    bgecs_wrote_no_file(&aviary)?;
    aviary.expect_none(&registry);
    Ok(())
}

/// Stars and sums are in the build's own lines; the arguments in the image.
fn the_build_got_its_secrets(aviary: &Aviary, built: &str) -> Outcome {
    use sha2::{Digest, Sha256};
    let planted = &aviary.planted;
    assert!(built.contains("***"), "{built}");
    for secret in [&planted.secret_file, &planted.secret_variable] {
        let sum: String = Sha256::digest(secret.value())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        assert!(built.contains(&sum), "{secret:?}: {built}");
    }
    let image = format!("{}/bgecs-canary:1", aviary.world.registry());
    let image = aviary.world.image(&image)?.to_string();
    for argument in [&planted.argument, &planted.configured_argument] {
        assert!(argument.is_in(&image), "{argument:?}: {image}");
    }
    Ok(())
}

/// Gives the password that ECR gave to bgecs.
fn what_fails_is_told_without_them(aviary: &Aviary) -> Outcome<Canary> {
    let failed = aviary.deploy(1, "failing", "3", &[])?;
    assert!(
        failed.contains("the image build failed") && failed.contains("***"),
        "{failed}"
    );

    // What was meant as a source is the secret itself; and so on.
    let secret = aviary.planted.secret_file.value();
    aviary.run(2, &["deploy", "app", "--tag", "3", "--secret", secret])?;
    let environment = aviary.planted.environment.value();
    for broken in [
        format!("secrets = {{ TOKEN = \"{environment}\" }}"),
        format!("enviroment = {{ TOKEN = \"{environment}\" }}"),
        format!("environment = \"TOKEN={environment}\""),
        format!("command = [\"{environment}\""),
    ] {
        let text = format!("app = \"canary\"\n[container]\n{broken}\n");
        aviary.world.desk.write("broken.toml", &text)?;
        let told = aviary.run(2, &["status", "--json", "--config", "broken.toml"])?;
        assert!(told.contains("broken.toml:3:"), "{told}");
    }
    fs::remove_file(aviary.world.desk.path().join("broken.toml"))?;

    an_aws_that_repeats_the_request_is_not_repeated(aviary)?;
    let registry = a_registry_that_repeats_the_login_is_not_repeated(aviary)?;
    aviary.configure("", "GREETER_CRASH = \"1\"")?;
    let crashed = aviary.deploy(1, "app", "4", &[])?;
    assert!(crashed.contains("exited"), "{crashed}");
    Ok(registry)
}

/// AWS tells what should have been signed, and that holds the session token.
fn an_aws_that_repeats_the_request_is_not_repeated(aviary: &Aviary) -> Outcome {
    let heads = Arc::new(Mutex::new(String::new()));
    let seen = Arc::clone(&heads);
    let endpoint = serve_whole(move |head, _| {
        *seen.lock().unwrap_or_else(PoisonError::into_inner) += head;
        let message = format!("It does not match.\n\nThe Canonical String is '{head}'");
        let (status, body) = refusal(None, "SignatureDoesNotMatch", &message);
        (status, "Content-Type: text/xml\r\n".to_owned(), body)
    })?;
    let told = aviary.run_with(1, &["status"], &[("AWS_ENDPOINT_URL", &endpoint)])?;
    assert!(told.contains("It does not match."), "{told}");
    let heads = heads.lock().unwrap_or_else(PoisonError::into_inner);
    assert!(aviary.planted.session_token.is_in(&heads), "{heads}");
    Ok(())
}

/// The logins that a registry was shown.
type Logins = Arc<Mutex<Vec<String>>>;

/// A registry that says what it was shown, which the engine passes on.
fn echoing_registry() -> Outcome<(String, Logins)> {
    let logins = Logins::default();
    let seen = Arc::clone(&logins);
    let endpoint = serve_whole(move |head, _| match header(head, "authorization") {
        None => (
            401,
            "WWW-Authenticate: Basic realm=\"stub\"\r\n".to_owned(),
            String::new(),
        ),
        // It has none of the layers yet, and takes none.
        Some(_) if head.starts_with("HEAD") && head.contains("/blobs/") => {
            (404, String::new(), String::new())
        }
        Some(login) => {
            let errors =
                json!({ "errors": [{ "code": "DENIED", "message": format!("not as {login}") }] });
            seen.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(login.to_owned());
            (
                403,
                "Content-Type: application/json\r\n".to_owned(),
                errors.to_string(),
            )
        }
    })?;
    Ok((endpoint.replace("http://127.0.0.1", "localhost"), logins))
}

fn a_registry_that_repeats_the_login_is_not_repeated(aviary: &Aviary) -> Outcome<Canary> {
    let (registry, logins) = echoing_registry()?;
    let auths =
        json!({ "auths": { &*registry: { "auth": aviary.planted.docker_login.as_login() } } });
    aviary
        .world
        .desk
        .write("home/.docker/config.json", &auths.to_string())?;
    let image = format!("{registry}/hello:1");
    let pulled = aviary.run(1, &["deploy", "--image", &image, "--tag", "3"])?;
    assert!(pulled.contains("cannot pull"), "{pulled}");
    let there = || {
        logins
            .lock()
            .map(|logins| logins.join("\n"))
            .unwrap_or_default()
    };
    assert!(aviary.planted.docker_login.is_in(&there()), "{}", there());

    // And as bgecs logs in with what ECR gave it.
    aviary.world.desk.write(
        "push.toml",
        &format!("app = \"canary\"\n[registry]\nurl = \"{registry}\"\n"),
    )?;
    let built = format!("{}/bgecs-canary:1", aviary.world.registry());
    let push = [
        "deploy",
        "--image",
        &built,
        "--tag",
        "3",
        "--config",
        "push.toml",
    ];
    let pushed = aviary.run(1, &push)?;
    fs::remove_file(aviary.world.desk.path().join("push.toml"))?;
    assert!(pushed.contains("cannot push"), "{pushed}");
    let logins = there();
    let last = logins
        .lines()
        .last()
        .and_then(|login| login.strip_prefix("Basic "));
    let login = STANDARD.decode(last.ok_or("the push showed no login")?)?;
    let login = String::from_utf8(login)?;
    let password = login.strip_prefix("AWS:").ok_or("not as ECR said")?;
    Ok(Canary::of("registry-password", password.to_owned()))
}

fn what_aws_was_told_holds_them_where_they_belong(aviary: &Aviary, secret: &str) -> Outcome {
    let (api, planted) = (&aviary.world.api, &aviary.planted);
    let asked = aviary.world.gate.calls().all();
    // Only this test made it: no value behind an ARN was ever read.
    let read = asked
        .iter()
        .filter(|call| ["secretsmanager", "ssm"].contains(&&*call.service));
    assert_eq!(
        read.map(|call| &*call.operation).collect::<Vec<_>>(),
        ["CreateSecret"]
    );
    let value = api.json(
        "secretsmanager",
        "secretsmanager.GetSecretValue",
        &json!({ "SecretId": secret }),
    )?;
    assert!(planted.behind_an_arn.is_in(&value.to_string()), "{value}");

    let listed = api.ecs(
        "ListTaskDefinitions",
        &json!({ "familyPrefix": aviary.world.stack() }),
    )?;
    let arns = listed["taskDefinitionArns"]
        .as_array()
        .ok_or("no task definitions")?;
    assert!(arns.len() >= 3, "{listed}");
    for arn in arns {
        let request = json!({ "taskDefinition": arn, "include": ["TAGS"] });
        let mut described = api.ecs("DescribeTaskDefinition", &request)?;
        assert!(
            described["tags"]
                .as_array()
                .is_some_and(|tags| !tags.is_empty()),
            "{described}"
        );
        let app = &mut described["taskDefinition"]["containerDefinitions"][0];
        let environment = std::mem::replace(&mut app["environment"], Value::Null).to_string();
        assert!(planted.environment.is_in(&environment), "{environment}");
        aviary.keep("DescribeTaskDefinition", &described.to_string());
        aviary.keep(
            "the other variables",
            &environment.replace(planted.environment.value(), ""),
        );
    }
    for port in ["prod", "test"] {
        let listener = aviary.world.listener(port)?;
        let tags = api.elb(&[
            ("Action", "DescribeTags"),
            ("ResourceArns.member.1", &listener),
        ])?;
        assert!(!texts(&tags, "Key").is_empty(), "{tags}");
        aviary.keep("DescribeTags", &tags);
    }
    let stack = aviary.world.stack();
    for (action, element) in [
        ("DescribeStacks", "StackName"),
        ("DescribeStackEvents", "EventId"),
        ("GetTemplate", "TemplateBody"),
    ] {
        let answer = api.query(
            "cloudformation",
            "2010-05-15",
            &[("Action", action), ("StackName", &stack)],
        )?;
        text(&answer, element)?;
        aviary.keep(action, &answer);
    }
    Ok(())
}

/// Of releases that were done, that failed, and that were killed: ahead of the
/// next one, which ends it, and after.
fn the_journal_holds_none(aviary: &Aviary) -> Outcome {
    aviary.configure("", "")?;
    aviary.deploy_and_kill("app", "5")?;
    let world = &aviary.world;
    let unfinished = &world.status()?["unfinished"];
    assert_eq!(unfinished["command"], "deploy", "{unfinished}");
    let head = world.items(Some("app"))?;
    aviary.keep("the journal of a killed release", &json!(head).to_string());
    aviary.run(0, &["resume"])?;
    aviary.run(0, &["history"])?;
    aviary.run(0, &["history", "--json"])?;
    let history = json!(world.items(Some("history"))?).to_string();
    for outcome in ["done", "failed", "finished"] {
        let written = format!(r#"\"outcome\":\"{outcome}\""#);
        assert!(history.contains(&written), "{outcome}: {history}");
    }
    aviary.keep("the journal", &json!(world.items(None)?).to_string());
    Ok(())
}

/// What stands in the folder and at home is what this test put there.
fn bgecs_wrote_no_file(aviary: &Aviary) -> Outcome {
    let root = aviary.world.desk.path();
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(root)?.display().to_string());
            }
        }
    }
    found.sort_unstable();
    let planted = [
        "app/Dockerfile",
        "app/busybox",
        "app/greeter",
        "bgecs.toml",
        "failing/Dockerfile",
        "failing/busybox",
        "failing/greeter",
        "home/.aws/credentials",
        "home/.docker/config.json",
        "token",
    ];
    assert_eq!(found, planted);
    Ok(())
}
