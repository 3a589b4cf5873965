//! What users' requests go through while releases change. Only the gate can
//! show it: it is a load balancer of several nodes that checks health, weighs
//! target groups and keeps what is under way, as AWS's is.

use std::time::{Duration, Instant};

use localstack::gate::faults::Fault;
use localstack::gate::record::Mark;
use localstack::gate::upstream::Upstream;

use super::stage::{ENGLISH, FRENCH, Stage};
use crate::Result;
use crate::json::{at, expect, text};
use crate::observer::{Observer, PACE, Seen};

/// What an app needs to listen, in the chapter of the slow one.
const SLOW_START: Duration = Duration::from_secs(8);
/// How much later the second node does what the listener was told.
const LAG: Duration = Duration::from_millis(400);
/// What an answer takes, in the chapter of the slow ones.
const SLOW_ANSWER: Duration = Duration::from_secs(2);
/// The only action of a listener, among the parameters of a call.
const ACTION: &str = "DefaultActions.member.1";
/// Requests to tell nine to one by.
const SAMPLE: usize = 2000;

pub async fn an_app_that_starts_slowly_gets_its_time(stage: &Stage<'_>) -> Result<String> {
    let config = stage.config("starts-slowly", "GREETER_START_DELAY_MS = \"8000\"")?;
    let image = stage.image("2");
    let began = Instant::now();
    let deploy = [
        "deploy", "--image", &image, "--tag", "10", "--config", &config,
    ];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let took = began.elapsed();
    if took < SLOW_START {
        return Err(format!("it was called ready after {took:.1?}, when nothing listened").into());
    }
    let status = stage.status().await?;
    expect(&status, &["colors", "blue", "healthy"], 2)?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok(format!(
        "an app that needs 8 s to listen is waited for ({took:.1?}), and then serves"
    ))
}

pub async fn a_change_spreads_from_node_to_node(stage: &Stage<'_>) -> Result<String> {
    let balancer = stage.balancer().await?;
    let observer = Observer::start(stage.door("prod").await?, "/api", PACE);
    balancer.set_lag(1, LAG);
    let nodes = stage.nodes()?;
    let promote = [
        "promote",
        "--window",
        "3s",
        "--rate",
        "30",
        "--json",
        "--connect-to",
        &nodes,
    ];
    let promoted = stage.bgecs.run(&promote).await;
    balancer.set_lag(1, Duration::ZERO);
    let seen = observer.stop().await?;
    let promoted = promoted?.expect_code(0)?.json()?;
    let sent = seen.unharmed()?;
    // The probe sees it too, and does not call it over before.
    let second = [
        "probe",
        "nodes",
        "1",
        "connections",
        "fresh",
        "first_new_ms",
    ];
    for path in [&second[..], &["probe", "changeover_ms"]] {
        let at_ms = at(&promoted, path).as_u64().unwrap_or_default();
        if Duration::from_millis(at_ms) < LAG {
            return Err(format!("{} is {at_ms} ms", path.join(".")).into());
        }
    }
    let behind = lag_of_the_second_node(&seen)?;
    // The first node changed after it was asked for its last old answer, the
    // second one before it gave its first new one: never less than the lag.
    if behind < LAG {
        return Err(format!("the second node changed {behind:.0?} after the first").into());
    }
    stage.expect_answers(FRENCH, ENGLISH).await?;
    Ok(format!(
        "a change that reaches the second node 400 ms later is seen to ({} ms), \
         and harms none of {sent} requests",
        behind.as_millis()
    ))
}

fn lag_of_the_second_node(seen: &Seen) -> Result<Duration> {
    let of = |node| seen.0.iter().filter(move |answer| answer.node == node);
    let last_old = of(0).rfind(|answer| answer.says(ENGLISH));
    let first_new = of(1).find(|answer| answer.says(FRENCH));
    match (last_old, first_new) {
        (Some(old), Some(new)) => Ok(new.answered.saturating_duration_since(old.sent)),
        _ => Err("the observer did not see both versions on these nodes".into()),
    }
}

pub async fn nine_to_one_is_nine_to_one(stage: &Stage<'_>) -> Result<String> {
    let groups = Groups::read(&stage.balancer().await?.config())?;
    let status = stage.status().await?;
    let listener = text(&status, &["listeners", "prod", "arn"])?;
    forward(
        stage,
        listener,
        &[(groups.blue.as_str(), 10), (&groups.green, 90)],
    )
    .await?;
    let status = stage.status().await?;
    let forwards = |n: &'static str| ["listeners", "prod", "forwards", n, "weight"];
    expect(&status, &forwards("0"), 1)?;
    expect(&status, &forwards("1"), 9)?;
    let french = count_of(stage, FRENCH).await?;
    forward(stage, listener, &[(groups.blue.as_str(), 1)]).await?;
    // Five standard deviations of a binomial distribution: 2000 x 0.1 ± 67.
    if !(133..=267).contains(&french) {
        return Err(format!("{french} of {SAMPLE} requests met a weight of 10 in 100").into());
    }
    Ok(format!(
        "a forward of 90 to 10 is described as such, and {french} of {SAMPLE} requests meet the 10"
    ))
}

/// The target groups of the two colours.
struct Groups {
    blue: String,
    green: String,
}

impl Groups {
    fn read(config: &localstack::balancer::Config) -> Result<Self> {
        let of = |color: &str| {
            let named = format!("-{color}/");
            let arns = config.target_groups.iter().map(|group| group.arn.as_str());
            let mut arns = arns.filter(|arn| arn.contains(&named));
            arns.next()
                .map(str::to_owned)
                .ok_or(format!("the load balancer has no target group of {color}"))
        };
        Ok(Self {
            blue: of("blue")?,
            green: of("green")?,
        })
    }
}

async fn count_of(stage: &Stage<'_>, part: &str) -> Result<usize> {
    let door = stage.door("prod").await?;
    let mut count = 0;
    for _ in 0..SAMPLE {
        let (status, body) = door.get("/api").await?;
        if status != 200 {
            return Err(format!("production answers {status} {body}").into());
        }
        count += usize::from(body.contains(part));
    }
    Ok(count)
}

pub async fn requests_under_way_survive_a_swap(stage: &Stage<'_>) -> Result<String> {
    // The probe asks for the app's health, which is quick.
    let config = stage.config_probing("/health", "slow", "GREETER_SLOW_MS = \"2000\"")?;
    let image = stage.image("2");
    let deploy = [
        "deploy", "--image", &image, "--tag", "9", "--config", &config,
    ];
    stage.bgecs.run(&deploy).await?.expect_code(0)?;
    let (_, before) = swap_while_asked(stage, "promote", &config).await?;
    let (under_way, after) = swap_while_asked(stage, "rollback", &config).await?;
    if under_way == 0 {
        return Err("no slow request was under way at the swap".into());
    }
    Ok(format!(
        "{under_way} requests of 2 s were under way at a swap, and none of {} failed",
        before + after
    ))
}

/// How many slow requests were under way when the listener was changed, and how
/// many requests there were in all, of which none may have failed.
async fn swap_while_asked(stage: &Stage<'_>, swap: &str, config: &str) -> Result<(usize, usize)> {
    let gate = stage.gate.ok_or("there is no gate")?;
    let mark = gate.calls().mark();
    let observer = Observer::start(stage.door("prod").await?, "/api", PACE * 5);
    let swapped = [swap, "--window", "5s", "--config", config];
    let swapped = stage.bgecs.run(&swapped).await;
    let seen = observer.stop().await?;
    swapped?.expect_code(0)?;
    let (change, done) = listener_changed(gate, mark)?;
    let under_way = seen
        .0
        .iter()
        .filter(|answer| answer.sent < change && done < answer.answered)
        .filter(|answer| answer.answered - answer.sent >= SLOW_ANSWER)
        .count();
    Ok((under_way, seen.unharmed()?))
}

/// When the gate was first told after that mark to change a listener, and when
/// it had done so.
fn listener_changed(gate: &localstack::Gate, mark: Mark) -> Result<(Instant, Instant)> {
    let calls = gate.calls().since(mark);
    let call = calls
        .iter()
        .find(|call| call.is("elasticloadbalancing", "ModifyListener"))
        .ok_or("no listener was changed")?;
    Ok((call.at, call.at + call.took()))
}

pub async fn a_lost_answer_is_looked_up(stage: &Stage<'_>) -> Result<String> {
    let gate = stage.gate.ok_or("there is no gate")?;
    let lost = Fault::on("elasticloadbalancing", "ModifyListener").nth(1);
    let lost = gate.faults().add(lost.drop_after());
    let rolled_back = stage
        .swap_unnoticed(&["rollback", "--window", "2s", "--json"])
        .await;
    let struck = gate.faults().struck(lost);
    gate.faults().clear();
    let (_, sent) = rolled_back?;
    expect(&struck.into(), &[], 1)?;
    stage.expect_answers(ENGLISH, FRENCH).await?;
    Ok(format!(
        "a rollback withstands that the answer to its first write is lost: {sent} requests, none failed"
    ))
}

/// Changes a listener as a person in the console would.
async fn forward(stage: &Stage<'_>, listener: &str, groups: &[(&str, u32)]) -> Result<()> {
    let mut parameters = vec![
        ("ListenerArn".to_owned(), listener.to_owned()),
        (format!("{ACTION}.Type"), "forward".to_owned()),
    ];
    for (n, (arn, weight)) in (1..).zip(groups) {
        let group = format!("{ACTION}.ForwardConfig.TargetGroups.member.{n}");
        parameters.push((format!("{group}.TargetGroupArn"), (*arn).to_owned()));
        parameters.push((format!("{group}.Weight"), weight.to_string()));
    }
    let parameters: Vec<(&str, &str)> = parameters
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let authority = stage.endpoint.trim_start_matches("http://");
    let console = Upstream::new(authority, "test");
    console.elb("ModifyListener", &parameters).await?;
    Ok(())
}
