//! `bgecs doctor`, from an empty account to a live release, as root and as users who may do
//! only so much.

use localstack::Options;
use serde_json::Value;

use crate::access::User;
use crate::support::{Ended, Outcome};
use crate::world::{V1, World, greeter};

/// What it found of that name: its grade, and the rest in one text.
fn found(ended: &Ended, name: &str) -> Outcome<(String, String)> {
    let told = ended.json()?;
    let findings = told["findings"].as_array().ok_or("no findings")?;
    let finding = findings.iter().find(|it| it["name"] == name);
    let finding = finding.ok_or_else(|| format!("nothing of {name}: {told:#}"))?;
    let text = |key: &str| finding[key].as_str().unwrap_or_default().to_owned();
    let grade = text("grade");
    Ok((grade, format!("{}\n{}", text("detail"), text("hint"))))
}

fn expect(ended: &Ended, name: &str, grade: &str, words: &str) -> Outcome {
    let (its, text) = found(ended, name)?;
    assert!(
        its == grade && text.contains(words),
        "{name} is {its}: {text}\n{}",
        ended.shown()
    );
    Ok(())
}

#[test]
fn what_a_first_release_needs_is_said_before_and_after_it() -> Outcome {
    let world = World::new("checkup")?;
    greeter()?;
    let before = world.done(&["doctor", "--json"])?;
    for (name, grade, words) in [
        ("configuration", "ok", "app checkup"),
        ("docker", "ok", "Docker Engine"),
        ("credentials", "ok", "account 000000000000, us-east-1"),
        ("clock", "ok", ""),
        ("stack", "ok", "`bgecs init` makes it"),
        // Root has no policies that could be evaluated.
        ("permissions", "unknown", "no policies of their own"),
        // MiniStack has no Service Quotas.
        ("quotas", "unknown", "servicequotas:GetServiceQuota"),
    ] {
        expect(&before, name, grade, words)?;
    }
    assert!(found(&before, "production").is_err());
    world.done(&["init"])?;
    let empty = world.done(&["doctor", "--json"])?;
    expect(&empty, "stack", "ok", "is as bgecs.toml says")?;
    expect(&empty, "production", "ok", "nothing is deployed there yet")?;
    world.done(&["deploy", V1, "--tag", "1", "--color", "green"])?;
    let live = world.done(&["doctor", "--json"])?;
    expect(&live, "production", "ok", "port 80 answers 200 at /api")?;
    expect(&live, "test", "ok", "port 81")?;
    assert_eq!(live.json()?["ok"], Value::Bool(true));
    world.configure_more("[shift]\nbake = \"5s\"")?;
    world.desk.write(
        "bgecs.toml",
        &world.file()?.replace(
            "deregistration_delay_seconds = 0",
            "deregistration_delay_seconds = 5",
        ),
    )?;
    let differs = world.done(&["doctor"])?;
    assert!(
        differs.stdout.contains("! stack") && differs.stdout.contains("differs from the stack"),
        "{}",
        differs.shown()
    );
    Ok(())
}

#[test]
fn what_is_missing_is_named_with_what_to_do() -> Outcome {
    let world = World::new("ailing")?;
    let away = world.desk.command(&["doctor", "--json"]);
    let mut away = away;
    away.env("DOCKER_HOST", "unix:///nowhere.sock");
    let away = world.desk.ended(&["doctor", "--json"], &away.output()?);
    assert_eq!(away.code, Some(6), "{}", away.shown());
    expect(&away, "docker", "failed", "--image")?;
    expect(&away, "stack", "ok", "")?;
    world.configure_more("[network]\nvpc = \"vpc-0123456789abcdef0\"\nsubnets = [\"subnet-0123456789abcdef0\", \"subnet-0123456789abcdef1\"]")?;
    let given = world.ends(6, &["doctor", "--json"])?;
    expect(&given, "stack", "failed", "vpc-0123456789abcdef0")?;
    world.configure("")?;
    world.configure_more("[aws]\naccount = \"123456789012\"")?;
    let account = world.ends(6, &["doctor", "--json"])?;
    expect(&account, "account", "failed", "123456789012")?;
    world
        .desk
        .write("bgecs.toml", "app = 'ailing'\ncolour = 1\n")?;
    let file = world.ends(6, &["doctor", "--json"])?;
    expect(&file, "configuration", "failed", "colour")?;
    expect(&file, "credentials", "ok", "account")?;
    Ok(())
}

#[test]
fn permissions_are_simulated() -> Outcome {
    let world = World::with("allowed", Options::default().auth(true))?;
    let policy =
        |role: &str| -> Outcome<Value> { world.done(&["init", "--print-policy", role])?.json() };
    let mut both = policy("deployer")?;
    let operator = policy("operator")?;
    let more = operator["Statement"].as_array().ok_or("no statements")?;
    let deployer = both.to_string();
    let looks = r#"{"Effect":"Allow","Action":["iam:SimulatePrincipalPolicy"],"Resource":"*"}"#;
    let looks: Value = serde_json::from_str(looks)?;
    let with = |policy: &str| -> Outcome<String> {
        let mut policy: Value = serde_json::from_str(policy)?;
        let all = policy["Statement"].as_array_mut().ok_or("no statements")?;
        all.push(looks.clone());
        Ok(policy.to_string())
    };
    let all = both["Statement"].as_array_mut().ok_or("no statements")?;
    all.extend(more.iter().cloned());
    let whole = User::with(&world, "whole", &with(&both.to_string())?)?;
    let fine = whole.bgecs(&["doctor", "--json"])?;
    expect(&fine, "deploying", "ok", "")?;
    expect(&fine, "making", "ok", "")?;
    // Who deploys cannot make the stack, and needs it.
    let deploys = User::with(&world, "deploys", &with(&deployer)?)?;
    let stuck = deploys.bgecs(&["doctor", "--json"])?;
    expect(&stuck, "deploying", "ok", "")?;
    expect(&stuck, "making", "failed", "--print-policy operator")?;
    assert_eq!(stuck.code, Some(6), "{}", stuck.shown());
    // Who may not ask is not told that they may do nothing.
    let mute = User::with(&world, "mute", &deployer)?;
    let unknown = mute.bgecs(&["doctor", "--json"])?;
    expect(&unknown, "deploying", "unknown", "SimulatePrincipalPolicy")?;
    Ok(())
}
