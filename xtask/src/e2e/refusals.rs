//! Releases that must not become live, and those that must not stay it.

use std::fs;

use super::stage::{ENGLISH, FRENCH, Stage};
use crate::Result;
use crate::json::expect;

pub async fn the_live_colour_is_refused(stage: &Stage<'_>) -> Result<String> {
    let deploy = [
        "deploy",
        "./sample-app/v2",
        "--tag",
        "3",
        "--color",
        "green",
    ];
    let ended = stage.bgecs.run(&deploy).await?.expect_code(6)?;
    ended.expect_stderr("green (tag 1) is live")?;
    let taken = ["deploy", "./sample-app/v1", "--tag", "2", "--color", "blue"];
    let ended = stage.bgecs.run(&taken).await?.expect_code(6)?;
    ended.expect_stderr("tag 2 is taken")?;
    Ok(
        "a deploy onto the live colour is refused, and a tag that names another image too"
            .to_owned(),
    )
}

pub async fn a_release_that_fails_once_live_is_taken_back(stage: &Stage<'_>) -> Result<String> {
    let config = stage.config("fails-when-live", "GREETER_FAIL_WHEN_LIVE = \"1\"")?;
    let image = stage.image("2");
    let deploy = [
        "deploy", "--image", &image, "--tag", "4", "--config", &config,
    ];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    let report = stage.report("failed-promotion.html");
    let mut promote = vec!["promote", "blue", "--json", "--report", &report];
    promote.extend(["--rate", "60"]);
    let nodes = stage.nodes();
    if let Ok(nodes) = &nodes {
        promote.extend(["--connect-to", nodes]);
    }
    let promoted = stage.bgecs.run(&promote).await?.expect_code(3)?.json()?;
    expect(&promoted, &["outcome"], "rolled_back")?;
    if !fs::read_to_string(&report)?.contains("was rolled back") {
        return Err(format!("{report} does not say what became of it").into());
    }
    expect(&stage.status().await?, &["live"], "green")?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok("a release that fails once it is live is taken back by itself".to_owned())
}

pub async fn an_app_that_crashes_is_refused_in_seconds(stage: &Stage<'_>) -> Result<String> {
    let config = stage.config("crashes", "GREETER_CRASH = \"1\"")?;
    let image = stage.image("2");
    let deploy = [
        "deploy", "--image", &image, "--tag", "5", "--config", &config,
    ];
    let reasons = [
        "exited with code 3",
        "GREETER_CRASH",
        "port 80 -> green (tag 1), unchanged",
    ];
    stage.expect_refused_release(&deploy, &reasons).await?;
    Ok("an app that crashes is refused in seconds, with its exit code and last lines".to_owned())
}

pub async fn an_app_that_is_never_healthy_is_refused(stage: &Stage<'_>) -> Result<String> {
    let config = stage.config("unhealthy", "GREETER_UNHEALTHY = \"1\"")?;
    let image = stage.image("2");
    let deploy = [
        "deploy", "--image", &image, "--tag", "6", "--config", &config,
    ];
    // The bare emulator knows of no failing target: the app was asked itself.
    let why = match stage.gate {
        Some(_) => "is unhealthy: Health checks failed with these codes: [500]",
        None => "the health path answers HTTP 500",
    };
    stage
        .expect_refused_release(&deploy, &["the health check fails", why])
        .await?;
    let refused = stage
        .bgecs
        .run(&["promote", "blue", "--json"])
        .await?
        .expect_code(6)?
        .json()?;
    expect(&refused, &["outcome"], "refused")?;
    Ok(format!(
        "an app whose health check never passes is refused by deploy (\"{why}\"), and by promote"
    ))
}

pub async fn a_missing_image_is_refused(stage: &Stage<'_>) -> Result<String> {
    let image = stage.image("never");
    let deploy = ["deploy", "--image", &image, "--tag", "7"];
    stage
        .expect_refused_release(&deploy, &["bgecs-hello:never"])
        .await?;
    Ok("an image that does not exist is refused".to_owned())
}
