//! Who signs, and who is told so.

use std::time::{Duration, Instant};

use super::{Asked, Aws, Sts};
use crate::support::Outcome;

const LINE: &str = "account 123456789012, eu-west-1, as role/deployer";

const PROFILES: &str = "\
[profile prod]
aws_access_key_id = AKIAPROD
aws_secret_access_key = secret
[profile deployer]
role_arn = arn:aws:iam::123456789012:role/deployer
credential_source = Environment
";

const CHANGING: [&[&str]; 9] = [
    &["init"],
    &["deploy", "app", "--tag", "1"],
    &["promote"],
    &["rollback"],
    &["retire"],
    &["resume"],
    &["adopt"],
    &["unlock", "--force"],
    &["destroy", "--yes"],
];

#[test]
fn an_explicit_profile_signs_whatever_keys_the_environment_has() -> Outcome {
    let aws = Aws::start(Sts::Role)?;
    let mut desk = aws.desk()?;
    desk.write("home/.aws/config", PROFILES)?;
    let signed_with = |asked: &[Asked]| asked.iter().map(|asked| asked.key.clone()).next_back();

    let ended = desk.bgecs(&["status", "--profile", "prod", "-v"])?;
    assert_eq!(
        signed_with(&aws.asked()).as_deref(),
        Some("AKIAPROD"),
        "{}",
        ended.shown()
    );
    assert!(
        ended
            .stderr
            .contains("`prod` (--profile) signs requests, not"),
        "{}",
        ended.shown()
    );
    let ended = desk.bgecs(&["destroy", "--yes", "--profile", "prod"])?;
    assert_eq!(
        signed_with(&aws.asked()).as_deref(),
        Some("AKIAPROD"),
        "{}",
        ended.shown()
    );

    // A profile whose role is assumed with the environment's keys means them.
    desk.bgecs(&["status", "--profile", "deployer"])?;
    let asked = aws.asked();
    let role = asked.iter().find(|asked| asked.operation == "AssumeRole");
    assert_eq!(
        role.map(|asked| asked.key.as_str()),
        Some("AKIAENVIRONMENT")
    );
    assert_eq!(signed_with(&asked).as_deref(), Some("ASIAASSUMED"));

    // As in the AWS CLI.
    desk = desk.env("AWS_PROFILE", "prod");
    let ended = desk.bgecs(&["status", "-v"])?;
    assert_eq!(
        signed_with(&aws.asked()).as_deref(),
        Some("AKIAENVIRONMENT")
    );
    assert!(
        ended
            .stderr
            .contains("AWS_ACCESS_KEY_ID of the environment signs"),
        "{}",
        ended.shown()
    );

    desk.write("bgecs.toml", "app = \"hello\"\n[aws]\nprofile = \"prod\"\n")?;
    desk.bgecs(&["status"])?;
    assert_eq!(signed_with(&aws.asked()).as_deref(), Some("AKIAPROD"));
    Ok(())
}

#[test]
fn a_command_that_changes_something_first_says_whose_account_it_is() -> Outcome {
    for arguments in CHANGING {
        let aws = Aws::start(Sts::Role)?;
        let desk = aws.desk()?;
        desk.write("app/Dockerfile", "FROM scratch\n")?;
        let ended = desk.bgecs(arguments)?;
        assert_eq!(ended.stderr.lines().next(), Some(LINE), "{}", ended.shown());
        assert_eq!(
            ended.stderr.matches("123456789012").count(),
            1,
            "{}",
            ended.shown()
        );
        let calls = aws.operations();
        let asked = calls.iter().filter(|call| *call == "GetCallerIdentity");
        assert_eq!(asked.count(), 1, "{calls:?}");

        let quiet = desk.bgecs(&[arguments, &["-q"]].concat())?;
        assert!(!quiet.stderr.contains("123456789012"), "{}", quiet.shown());
    }
    let aws = Aws::start(Sts::Role)?;
    for arguments in [
        &["status"][..],
        &["history"],
        &["unlock"],
        &["destroy", "--dry-run"],
    ] {
        aws.desk()?.bgecs(arguments)?;
    }
    assert!(!aws.operations().contains(&"GetCallerIdentity".to_owned()));
    Ok(())
}

#[test]
fn the_result_for_programs_has_it_too() -> Outcome {
    let aws = Aws::start(Sts::Role)?;
    for arguments in [
        &["destroy", "--yes", "--json"][..],
        &["destroy", "--yes", "--json", "-q"],
    ] {
        let ended = aws.desk()?.bgecs(arguments)?;
        let json = ended.json()?;
        assert_eq!(json["outcome"], "unchanged", "{}", ended.shown());
        let expected = serde_json::json!({
            "account": "123456789012", "region": "eu-west-1", "as": "role/deployer",
        });
        assert_eq!(json["aws"], expected, "{}", ended.shown());
    }
    Ok(())
}

#[test]
fn an_sts_that_does_not_answer_neither_fails_nor_delays_a_command() -> Outcome {
    let usual = Aws::start(Sts::Role)?.desk()?.bgecs(&["promote"])?;
    for sts in [Sts::Refuses, Sts::Hangs] {
        let since = Instant::now();
        let ended = Aws::start(sts)?.desk()?.bgecs(&["promote"])?;
        // Two attempts of 5 s would be its own patience.
        assert!(since.elapsed() < Duration::from_secs(5), "{sts:?}");
        assert_eq!(ended.code, usual.code, "{}", ended.shown());
        assert_eq!(format!("{LINE}\n{}", ended.stderr), usual.stderr);
    }
    Ok(())
}

#[test]
fn another_account_than_the_file_names_is_refused_ahead_of_everything() -> Outcome {
    let reading: [&[&str]; 4] = [&["status"], &["history"], &["logs"], &["probe"]];
    for arguments in CHANGING.into_iter().chain(reading) {
        let aws = Aws::start(Sts::Role)?;
        let desk = aws.desk()?;
        desk.write("app/Dockerfile", "FROM scratch\n")?;
        desk.write(
            "bgecs.toml",
            "app = \"hello\"\n[aws]\naccount = \"210987654321\"\n",
        )?;
        let ended = desk.bgecs(arguments)?;
        assert_eq!(ended.code, Some(6), "{}", ended.shown());
        assert!(ended.stderr.contains("123456789012"), "{}", ended.shown());
        assert!(ended.stderr.contains("210987654321"), "{}", ended.shown());
        assert_eq!(aws.operations(), ["GetCallerIdentity"]);

        desk.write(
            "bgecs.toml",
            "app = \"hello\"\n[aws]\naccount = \"123456789012\"\n",
        )?;
        assert_ne!(desk.bgecs(arguments)?.code, Some(6));
    }
    // Who cannot know it does not go on.
    let aws = Aws::start(Sts::Refuses)?;
    let desk = aws.desk()?;
    desk.write(
        "bgecs.toml",
        "app = \"hello\"\n[aws]\naccount = \"123456789012\"\n",
    )?;
    let ended = desk.bgecs(&["promote"])?;
    assert_eq!(ended.code, Some(1), "{}", ended.shown());
    assert!(
        ended.stderr.contains("sts:GetCallerIdentity"),
        "{}",
        ended.shown()
    );
    assert_eq!(aws.operations(), ["GetCallerIdentity"]);
    Ok(())
}
