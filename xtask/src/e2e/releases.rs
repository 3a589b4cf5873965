//! What a team goes through with its first releases, when all is well.

use std::fs;

use serde_json::Value;

use super::stage::{ENGLISH, FRENCH, Stage};
use crate::Result;
use crate::json::{at, expect};

pub async fn nothing_is_there(stage: &Stage<'_>) -> Result<String> {
    let ended = stage.bgecs.run(&["status"]).await?.expect_code(1)?;
    ended.expect_stderr("bgecs init")?;
    stage
        .bgecs
        .run(&["destroy", "--yes"])
        .await?
        .expect_code(0)?;
    Ok("before anything was made, status says what to do and destroy has nothing to do".to_owned())
}

pub async fn init_makes_the_infrastructure_once(stage: &Stage<'_>) -> Result<String> {
    stage
        .bgecs
        .run(&["init", "--dry-run"])
        .await?
        .expect_code(0)?;
    stage.bgecs.run(&["status"]).await?.expect_code(1)?;
    stage.bgecs.run(&["init"]).await?.expect_code(0)?;
    let again = stage
        .bgecs
        .run(&["init", "--json"])
        .await?
        .expect_code(0)?
        .json()?;
    expect(&again, &["outcome"], "unchanged")?;
    let status = stage.status().await?;
    expect(&status, &["live"], Value::Null)?;
    let (code, body) = stage.door("prod").await?.get("/").await?;
    if code != 503 || !body.contains("nothing is live yet") {
        return Err(format!("production answers {code} {body} before the first release").into());
    }
    Ok("init makes the infrastructure once, and nothing is live yet".to_owned())
}

pub async fn the_first_release_becomes_live(stage: &Stage<'_>) -> Result<String> {
    let deploy = [
        "deploy",
        "./sample-app/v1",
        "--tag",
        "1",
        "--color",
        "green",
    ];
    stage
        .bgecs
        .run(&[&deploy[..], &["--dry-run"]].concat())
        .await?
        .expect_code(0)?;
    expect(&stage.status().await?, &["colors", "green"], Value::Null)?;
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let status = stage.status().await?;
    expect(&status, &["live"], "green")?;
    expect(&status, &["colors", "green", "tag"], "1")?;
    expect(&status, &["colors", "green", "running"], 2)?;
    let (code, body) = stage.door("prod").await?.get("/api?name=Ada").await?;
    if code != 200 || !body.contains("Hello, Ada!") {
        return Err(format!("production answers {code} {body}").into());
    }
    Ok("the first release becomes live: port 80 speaks English".to_owned())
}

pub async fn the_second_release_is_seen_on_the_test_port_only(stage: &Stage<'_>) -> Result<String> {
    let deploy = [
        "deploy",
        "./sample-app/v2",
        "--tag",
        "2",
        "--color",
        "blue",
        "--json",
    ];
    let deployed = stage.bgecs.run(&deploy).await?.expect_code(0)?.json()?;
    expect(&deployed, &["outcome"], "deployed")?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok("the second release speaks French on port 81, and port 80 stays English".to_owned())
}

pub async fn an_unchanged_deploy_changes_nothing(stage: &Stage<'_>) -> Result<String> {
    let before = stage.status().await?;
    let deploy = ["deploy", "./sample-app/v2", "--tag", "2", "--json"];
    let deployed = stage.bgecs.run(&deploy).await?.expect_code(0)?.json()?;
    expect(&deployed, &["outcome"], "unchanged")?;
    let path = ["colors", "blue", "task_definition"];
    let after = stage.status().await?;
    expect(&after, &path, at(&before, &path).clone())?;
    Ok("the same deploy again changes nothing".to_owned())
}

pub async fn a_promotion_is_noticed_by_nobody(stage: &Stage<'_>) -> Result<String> {
    let report = stage.report("promotion.html");
    let mut promote = vec!["promote", "blue", "--json", "--report", &report];
    promote.extend(["--rate", "60"]);
    let nodes = stage.nodes();
    if let Ok(nodes) = &nodes {
        promote.extend(["--connect-to", nodes]);
    }
    let (promoted, sent) = stage.swap_unnoticed(&promote).await?;
    stage.expect_answers(FRENCH, ENGLISH).await?;
    let seen = at(&promoted, &["probe", "nodes"]).as_array();
    let seen = seen.map_or(0, Vec::len);
    let expected = nodes.map_or(1, |nodes| nodes.split(',').count());
    if seen != expected {
        return Err(format!("the probe saw {seen} of {expected} nodes").into());
    }
    let page = fs::read_to_string(&report)?;
    for part in ["Blue (tag 2) went live within", "hello:1", "hello:2"] {
        if !page.contains(part) {
            return Err(format!("{report} does not say `{part}`").into());
        }
    }
    Ok(format!(
        "a promotion is noticed by nobody, over every node ({seen}): \
         {sent} requests of an onlooker, none failed"
    ))
}

pub async fn an_init_leaves_the_live_colour_live(stage: &Stage<'_>) -> Result<String> {
    let path = stage.folder.join("retention.toml");
    fs::write(
        &path,
        "app = \"hello\"\n[logs]\nretention_days = 7\n[probe]\npath = \"/api\"\n",
    )?;
    let config = path.display().to_string();
    let init = ["init", "--config", &config, "--json"];
    let changed = stage.bgecs.run(&init).await?.expect_code(0)?.json()?;
    expect(&changed, &["outcome"], "updated")?;
    expect(&stage.status().await?, &["live"], "blue")?;
    stage.expect_answers(FRENCH, ENGLISH).await?;
    Ok("an update of the infrastructure leaves the live colour live".to_owned())
}

pub async fn a_rollback_is_noticed_by_nobody(stage: &Stage<'_>) -> Result<String> {
    let rollback = ["rollback", "--window", "5s", "--json"];
    let (rolled, sent) = stage.swap_unnoticed(&rollback).await?;
    expect(&rolled, &["to"], "green")?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok(format!(
        "a rollback is noticed by nobody ({sent} requests), and port 80 speaks English again"
    ))
}

pub async fn the_idle_colour_is_retired_and_comes_back(stage: &Stage<'_>) -> Result<String> {
    stage.bgecs.run(&["retire"]).await?.expect_code(0)?;
    let status = stage.status().await?;
    expect(&status, &["colors", "blue", "desired"], 0)?;
    expect(&status, &["live"], "green")?;
    let refused = stage.bgecs.run(&["promote", "blue"]).await?;
    refused.expect_code(6)?.expect_stderr("is retired")?;
    stage
        .bgecs
        .run(&["deploy", "./sample-app/v2", "--tag", "8"])
        .await?
        .expect_code(0)?;
    expect(&stage.status().await?, &["colors", "blue", "running"], 2)?;
    stage
        .bgecs
        .run(&["promote", "--window", "3s"])
        .await?
        .expect_code(0)?;
    stage.expect_answers(FRENCH, ENGLISH).await?;
    Ok("a retired colour runs nothing, and the next deploy wakes it".to_owned())
}

pub async fn logs_and_probe_show_what_runs(stage: &Stage<'_>) -> Result<String> {
    let logs = stage
        .bgecs
        .run(&["logs", "blue", "--since", "1h"])
        .await?
        .expect_code(0)?;
    if !logs.stdout.contains("listening") {
        return Err(format!("the logs do not show the app:\n{}", logs.stdout).into());
    }
    for listener in ["prod", "test"] {
        let probe = [
            "probe",
            "--listener",
            listener,
            "--duration",
            "2s",
            "--json",
        ];
        let probed = stage.bgecs.run(&probe).await?.expect_code(0)?.json()?;
        expect(&probed, &["probe", "failed"], 0)?;
    }
    let nowhere = ["probe", "--url", "http://127.0.0.1:9/", "--duration", "1s"];
    stage.bgecs.run(&nowhere).await?.expect_code(1)?;
    Ok("logs and probe show what runs".to_owned())
}

pub async fn a_command_runs_in_a_task_of_its_own(stage: &Stage<'_>) -> Result<String> {
    let run = async |line: &[&str]| stage.bgecs.run(&[&["run"], line].concat()).await;
    // The whole output is the command's.
    let failed = run(&["--color", "green", "--", "migrate", "1", "4"]).await?;
    let failed = failed.expect_code(4)?;
    let lines: Vec<&str> = failed.stdout.lines().collect();
    match lines[..] {
        [begins, ends] if begins.ends_with("migrating for 1 s") && ends.ends_with("with 4") => {}
        _ => return Err(format!("the command's output is\n{}", failed.stdout).into()),
    }
    let once = ["--once", "backfill", "--json", "--", "migrate", "1"];
    let first = run(&once).await?.expect_code(0)?.json()?;
    let again = run(&once).await?.expect_code(0)?.json()?;
    expect(&again, &["task"], at(&first, &["task"]).clone())?;
    expect(&again, &["exit_code"], 0)?;
    let other = run(&["--once", "backfill", "--", "migrate", "2"]).await?;
    other.expect_code(6)?.expect_stderr("say another name")?;
    let late = run(&["--timeout", "2s", "--", "migrate", "600"]).await?;
    late.expect_code(5)?.expect_stderr("took longer than")?;
    let logs = ["logs", "blue", "--since", "10m"];
    let logs = stage.bgecs.run_quietly(&logs).await?.expect_code(0)?.stdout;
    match logs.matches("migrating for 1 s").count() {
        1 => Ok(
            "a command runs in a task of its own, once, and its exit code is bgecs's".to_owned(),
        ),
        count => Err(format!("the command of --once ran {count} times:\n{logs}").into()),
    }
}

pub async fn destroy_leaves_nothing(stage: &Stage<'_>) -> Result<String> {
    stage
        .bgecs
        .run(&["destroy", "--dry-run"])
        .await?
        .expect_code(0)?;
    expect(&stage.status().await?, &["live"], "blue")?;
    stage.bgecs.run(&["destroy"]).await?.expect_code(2)?;
    stage
        .bgecs
        .run(&["destroy", "--yes"])
        .await?
        .expect_code(0)?;
    stage.bgecs.run(&["status"]).await?.expect_code(1)?;
    let again = stage
        .bgecs
        .run(&["destroy", "--yes", "--json"])
        .await?
        .expect_code(0)?
        .json()?;
    expect(&again, &["outcome"], "unchanged")?;
    Ok("destroy leaves nothing".to_owned())
}
