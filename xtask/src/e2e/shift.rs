//! Users who go over to a release bit by bit. An onlooker counts who answered
//! them: what bgecs says of shares is not taken from bgecs.

use std::ops::Range;
use std::pin::pin;
use std::time::{Duration, Instant};

use localstack::Gate;
use localstack::gate::record::{Call, Mark};
use localstack::gate::request::short;
use localstack::gate::upstream::Upstream;
use serde_json::Value;

use super::stage::{ENGLISH, FRENCH, Stage};
use crate::Result;
use crate::bgecs::Ended;
use crate::json::{expect, text};
use crate::observer::shares::{by_release, fit};
use crate::observer::{Answer, Observer, PACE, Seen};

/// What a node of the load balancer may need to do as it was told.
const SETTLING: Duration = Duration::from_millis(500);
/// Longer than the story: what a node is told never comes to it.
const DEAF: Duration = Duration::from_secs(600);
const ALARM: &str = "hello-5xx";
const CLOUDWATCH: (&str, &str) = ("monitoring", "2010-08-01");

pub async fn users_go_over_share_by_share(stage: &Stage<'_>) -> Result<String> {
    let (old, new) = tags(stage).await?;
    let promote = [
        "promote",
        "blue",
        "--steps",
        "10% for 5s,50% for 3s",
        "--bake",
        "3s",
        "--json",
    ];
    let watched = watch(stage, &promote).await?;
    let promoted = watched.ended.expect_code(0)?.json()?;
    expect(&promoted, &["outcome"], "committed")?;
    let sent = watched.seen.unharmed()?;
    let [first, second, third] = &watched.moves[..] else {
        return Err(format!("production moved {} times, not 3", watched.moves.len()).into());
    };
    let end = third.end + Duration::from_secs(60);
    let mut told = Vec::new();
    for (held, share) in [
        (first.end..second.start, 0.1),
        (second.end..third.start, 0.5),
    ] {
        let counts = by_release(&watched.seen.0, &(held.start + SETTLING..held.end));
        let [by_old, by_new] = [&old, &new].map(|tag| counts.get(tag).copied().unwrap_or(0));
        fit(&[by_new, by_old], &[share, 1.0 - share])?;
        told.push(format!(
            "{by_new} of {} at {} %",
            by_new + by_old,
            share * 100.0
        ));
    }
    let all = by_release(&watched.seen.0, &(third.end + SETTLING..end));
    if all.keys().ne([&new]) {
        return Err(format!("in the end {all:?} answered, not {new} alone").into());
    }
    stage.expect_answers(FRENCH, ENGLISH).await?;
    go_back(stage).await?;
    Ok(format!(
        "users go over share by share: the new release answered {}, and none of {sent} requests failed",
        told.join(", ")
    ))
}

pub async fn a_pause_is_continued_by_another_process(stage: &Stage<'_>) -> Result<String> {
    let steps = ["--steps", "10% pause", "--bake", "2s", "--json"];
    let promote = [&["promote", "blue"], &steps[..]].concat();
    let paused = watch(stage, &promote).await?;
    paused.ended.expect_code(0)?;
    let before = paused.seen.unharmed()?;
    let status = stage.status().await?;
    expect(&status, &["lease"], Value::Null)?;
    expect(&status, &["unfinished", "command"], "promote")?;
    let go_on = watch(stage, &["promote", "--continue", "--json"]).await?;
    let promoted = go_on.ended.expect_code(0)?.json()?;
    expect(&promoted, &["outcome"], "finished")?;
    expect(&stage.status().await?, &["unfinished"], Value::Null)?;
    stage.expect_answers(FRENCH, ENGLISH).await?;
    let sent = before + go_on.seen.unharmed()?;
    let nothing = stage.bgecs.run(&["promote", "--continue"]).await?;
    nothing.expect_code(6)?;
    go_back(stage).await?;
    Ok(format!(
        "a promotion that waits at 10 % is continued by another process: none of {sent} requests failed"
    ))
}

pub async fn an_alarm_turns_back(stage: &Stage<'_>) -> Result<String> {
    let gate = stage.gate.ok_or("there is no gate")?;
    let config = stage.config_with("alarms", "", &format!("[shift]\nalarms = [\"{ALARM}\"]\n"))?;
    make_alarm(stage).await?;
    set_alarm(stage, "OK").await?;
    let promote = ["promote", "blue", "--steps", "10% for 60s", "--json"];
    let promote = [&promote[..], &["--config", &config]].concat();
    let mark = gate.calls().mark();
    let listener = production(stage).await?;
    let mut watching = pin!(watch(stage, &promote));
    let moved = async {
        while moves(gate, mark, &listener).is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = moved => set_alarm(stage, "ALARM").await?,
        watched = &mut watching => {
            let code = watched?.ended.code;
            return Err(format!("it ended with {code} ahead of a move").into());
        }
    }
    let watched = watching.await?;
    let taken_back = watched.ended.expect_stderr(ALARM)?.expect_code(3)?.json()?;
    expect(&taken_back, &["outcome"], "rolled_back")?;
    let sent = watched.seen.unharmed()?;
    // It rings still, and nothing begins.
    stage.bgecs.run(&promote).await?.expect_code(6)?;
    forget_alarm(stage).await?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok(format!(
        "an alarm that rings at 10 % turns back, and one that rings beforehand refuses: none of {sent} requests failed"
    ))
}

pub async fn one_failure_in_fifty_is_caught_in_the_first_stage(
    stage: &Stage<'_>,
) -> Result<String> {
    let fault = "GREETER_FAIL_EVERY = \"50\"";
    let config = stage.config("fails-now-and-then", fault)?;
    deploy(stage, "20", &config).await?;
    let steps = ["--steps", "25% for 30s,50% for 30s", "--rate", "60"];
    let promote = [&["promote", "blue", "--json"], &steps[..]].concat();
    let (_, seen) = caught_in_the_first_stage(stage, &promote).await?;
    let failed = seen.0.iter().filter(|answer| answer.failure().is_some());
    let failed: Vec<&Answer> = failed.collect();
    if let Some(other) = failed.iter().find(|answer| answer.release() != Some("20")) {
        return Err(format!("another than the new release failed: {:?}", other.failure()).into());
    }
    Ok(format!(
        "a release that fails one request in fifty is caught in the first stage: {} of {} requests of an onlooker met it",
        failed.len(),
        seen.0.len()
    ))
}

pub async fn a_slow_release_is_caught_in_the_first_stage(stage: &Stage<'_>) -> Result<String> {
    let fault = "GREETER_SLOW_MS = \"600\", GREETER_SLOW_EVERY = \"10\"";
    let limit = "[shift]\nmax_latency = { p99 = \"400ms\" }\n";
    let config = stage.config_with("slow-now-and-then", fault, limit)?;
    deploy(stage, "21", &config).await?;
    let steps = ["--steps", "25% for 10s,50% for 10s", "--rate", "60"];
    let promote = [
        &["promote", "blue", "--json", "--config", &config],
        &steps[..],
    ]
    .concat();
    let (ended, seen) = caught_in_the_first_stage(stage, &promote).await?;
    ended.expect_stderr("p99")?;
    let sent = seen.unharmed()?;
    Ok(format!(
        "a release that takes 600 ms one time in ten is caught in the first stage by `max_latency`; none of {sent} requests failed"
    ))
}

pub async fn a_load_balancer_that_does_not_weigh_is_found_out(stage: &Stage<'_>) -> Result<String> {
    let balancer = stage.balancer().await?;
    let lag = |lag| (0..balancer.nodes()).for_each(|node| balancer.set_lag(node, lag));
    lag(DEAF);
    let steps = ["--steps", "50% for 60s", "--rate", "60"];
    let promote = [&["promote", "blue", "--json"], &steps[..]].concat();
    let caught = caught_in_the_first_stage(stage, &promote).await;
    lag(Duration::ZERO);
    let (ended, seen) = caught?;
    ended.expect_stderr("the load balancer does not do what its listener says")?;
    let sent = seen.unharmed()?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok(format!(
        "a load balancer that says 50 % and sends nobody is found out; none of {sent} requests failed"
    ))
}

/// The bare emulator takes weights, and forgets the target groups with them:
/// nobody is served any more, so that the rest is a person's.
pub async fn a_load_balancer_that_drops_weights_is_found_out(stage: &Stage<'_>) -> Result<String> {
    let steps = ["--steps", "10% for 20s", "--rate", "50"];
    let promote = [&["promote", "green"], &steps[..]].concat();
    let ended = stage.bgecs.run(&promote).await?.expect_code(4)?;
    ended.expect_stderr("requests failed after the swap")?;
    let status = stage.status().await?;
    let listener = text(&status, &["listeners", "prod", "arn"])?;
    let console = console(stage);
    let named = [("Names.member.1", "bgecs-hello-blue")];
    let groups = console.elb("DescribeTargetGroups", &named).await?;
    let group = groups.split("<TargetGroupArn>").nth(1);
    let group = group.and_then(|rest| rest.split('<').next());
    let action = [
        ("ListenerArn", listener),
        ("DefaultActions.member.1.Type", "forward"),
        (
            "DefaultActions.member.1.TargetGroupArn",
            group.ok_or("blue has no target group")?,
        ),
    ];
    console.elb("ModifyListener", &action).await?;
    expect(&stage.status().await?, &["live"], "blue")?;
    stage.expect_answers(FRENCH, ENGLISH).await?;
    Ok("a load balancer that drops weights is found out, and told with exit code 4".to_owned())
}

/// What became of a command, and of users meanwhile.
struct Watched {
    ended: Ended,
    seen: Seen,
    /// When production was told to go elsewhere: each write, from its call to its
    /// answer.
    moves: Vec<Range<Instant>>,
}

async fn watch(stage: &Stage<'_>, command: &[&str]) -> Result<Watched> {
    let gate = stage.gate.ok_or("there is no gate")?;
    let listener = production(stage).await?;
    let mark = gate.calls().mark();
    let observer = Observer::start(stage.door("prod").await?, "/api", PACE);
    let ended = stage.bgecs.run(command).await;
    let seen = observer.stop().await?;
    Ok(Watched {
        ended: ended?,
        seen,
        moves: moves(gate, mark, &listener),
    })
}

/// The listener of production, as the gate's record names it.
async fn production(stage: &Stage<'_>) -> Result<String> {
    let status = stage.status().await?;
    Ok(short(text(&status, &["listeners", "prod", "arn"])?))
}

fn moves(gate: &Gate, mark: Mark, listener: &str) -> Vec<Range<Instant>> {
    let is_move = |call: &Call| {
        call.is("elasticloadbalancing", "ModifyListener")
            && call.resource == listener
            && call.status() == Some(200)
    };
    let calls = gate.calls().since(mark).into_iter();
    let moves = calls.filter(is_move);
    moves.map(|call| call.at..call.at + call.took()).collect()
}

/// The tags that are live and that wait on blue.
async fn tags(stage: &Stage<'_>) -> Result<(String, String)> {
    let status = stage.status().await?;
    expect(&status, &["live"], "green")?;
    let tag = |color| text(&status, &["colors", color, "tag"]).map(str::to_owned);
    Ok((tag("green")?, tag("blue")?))
}

async fn deploy(stage: &Stage<'_>, tag: &str, config: &str) -> Result<()> {
    let image = stage.image("2");
    let deploy = [
        "deploy", "--image", &image, "--tag", tag, "--config", config,
    ];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    Ok(())
}

async fn go_back(stage: &Stage<'_>) -> Result<()> {
    let rollback = ["rollback", "--window", "1s"];
    stage.bgecs.run(&rollback).await?.expect_code(0)?;
    stage.expect_answers(ENGLISH, FRENCH).await
}

/// What users saw of a promotion that got no further.
async fn caught_in_the_first_stage(stage: &Stage<'_>, promote: &[&str]) -> Result<(Ended, Seen)> {
    let watched = watch(stage, promote).await?;
    let ended = watched.ended.expect_code(3)?;
    expect(&ended.json()?, &["outcome"], "rolled_back")?;
    if watched.moves.len() != 2 {
        let moves = watched.moves.len();
        return Err(format!("production moved {moves} times, not there and back").into());
    }
    stage.expect_green().await?;
    Ok((ended, watched.seen))
}

async fn make_alarm(stage: &Stage<'_>) -> Result<()> {
    let alarm = [
        ("AlarmName", ALARM),
        ("Namespace", "AWS/ApplicationELB"),
        ("MetricName", "HTTPCode_Target_5XX_Count"),
        ("Statistic", "Sum"),
        ("Period", "60"),
        ("EvaluationPeriods", "1"),
        ("Threshold", "1"),
        ("ComparisonOperator", "GreaterThanOrEqualToThreshold"),
    ];
    cloudwatch(stage, "PutMetricAlarm", &alarm).await
}

async fn set_alarm(stage: &Stage<'_>, state: &str) -> Result<()> {
    let asked = [
        ("AlarmName", ALARM),
        ("StateValue", state),
        ("StateReason", "a chapter of the story"),
    ];
    cloudwatch(stage, "SetAlarmState", &asked).await
}

async fn forget_alarm(stage: &Stage<'_>) -> Result<()> {
    cloudwatch(stage, "DeleteAlarms", &[("AlarmNames.member.1", ALARM)]).await
}

async fn cloudwatch(stage: &Stage<'_>, action: &str, parameters: &[(&str, &str)]) -> Result<()> {
    console(stage).query(CLOUDWATCH, action, parameters).await?;
    Ok(())
}

/// What a person would use.
fn console(stage: &Stage<'_>) -> Upstream {
    Upstream::new(stage.endpoint.trim_start_matches("http://"), "test")
}
