//! What a bad release costs users, step by step beside all at once: the same
//! release is promoted both ways in turns, while a stranger asks production 200
//! times a second. How many of his requests failed, and how long after the first
//! of them the release answered nobody any more.
//!
//! Both ways are watched by the same probe for as long, so that neither is caught
//! sooner for having been looked at more. The probe asks as often as the stranger,
//! and then a tenth as often: a tenth of the users is a tenth of what it sees.

use std::time::Duration;

use localstack::gate::faults::Fault;

use super::figures::Unit;
use super::program::milliseconds;
use super::recovery::{LATE, settled};
use super::row::Row;
use super::stage::{App, Stage};
use super::table::Found;
use crate::json::expect;
use crate::observer::{Answer, CLOSE, Observer, Seen, span};
use crate::{Result, say};

const STEP_BY_STEP: [&str; 4] = ["--steps", "10% for 10s", "--bake", "10s"];
const ALL_AT_ONCE: [&str; 3] = ["--all-at-once", "--bake", "20s"];
/// The probe's requests a second.
const RATES: [&str; 2] = ["200", "20"];
/// A release that fails now and then may fail on the test port too, and is then
/// refused before a user has met it. So often it is tried again.
const TRIES: u8 = 20;
/// The exit codes of what is taken back, and of what is refused.
const TAKEN_BACK: i32 = 3;
const REFUSED: i32 = 6;

/// How a release is bad.
struct Bad {
    name: &'static str,
    title: &'static str,
    environment: &'static str,
    /// Whether every AWS call is late besides, so that going back is.
    is_aws_late: bool,
}

const KINDS: [Bad; 4] = [
    Bad {
        name: "fails",
        title: "a release that fails once it is live",
        environment: "GREETER_FAIL_WHEN_LIVE = \"1\"",
        is_aws_late: false,
    },
    Bad {
        name: "fails-while-aws-is-late",
        title: "such a release, with every AWS call 100 ms slower",
        environment: "GREETER_FAIL_WHEN_LIVE = \"1\"",
        is_aws_late: true,
    },
    Bad {
        name: "fails-one-in-10",
        title: "a release that fails one request in 10",
        environment: "GREETER_FAIL_EVERY = \"10\"",
        is_aws_late: false,
    },
    Bad {
        name: "fails-one-in-50",
        title: "a release that fails one request in 50",
        environment: "GREETER_FAIL_EVERY = \"50\"",
        is_aws_late: false,
    },
];

/// What a stranger saw of a bad release.
#[derive(Debug, Default, PartialEq, Eq)]
struct Cost {
    sent: usize,
    /// Requests that the bad release answered.
    met: usize,
    failed: usize,
    /// From the first failed answer to the bad release's last one.
    until_back: Duration,
}

impl Cost {
    fn of(seen: &Seen, bad: &str) -> Self {
        let is_bad = |answer: &&Answer| answer.release() == Some(bad);
        let mut answers: Vec<&Answer> = seen.0.iter().collect();
        answers.sort_by_key(|answer| answer.answered);
        let is_good = |answer: &&Answer| answer.failure().is_none();
        let since_first = answers.iter().copied().skip_while(is_good);
        Self {
            sent: answers.len(),
            met: answers.iter().copied().filter(is_bad).count(),
            failed: answers.iter().filter(|answer| !is_good(answer)).count(),
            until_back: span(since_first.filter(|one| is_bad(one) || !is_good(one)))
                .unwrap_or_default(),
        }
    }
}

pub async fn measure(stage: &Stage<'_>, runs: usize) -> Result<Found> {
    let mut app = App::make(stage, "bench-canary").await?;
    let measured = measure_on(&mut app, runs).await;
    app.stage.gate.faults().clear();
    app.destroy().await?;
    measured
}

async fn measure_on(app: &mut App<'_>, runs: usize) -> Result<Found> {
    let (good, idle) = app.colors().await?;
    let mut found = Found::default();
    for (rate, kind) in RATES
        .iter()
        .flat_map(|rate| KINDS.iter().map(move |kind| (rate, kind)))
    {
        let tag = app.put_on_idle(kind.name, kind.environment).await?;
        let (mut stepped, mut at_once) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            for (way, costs) in [
                (&STEP_BY_STEP[..], &mut stepped),
                (&ALL_AT_ONCE[..], &mut at_once),
            ] {
                let way = [way, &["--rate", rate]].concat();
                costs.push(promoted(app, kind, &way, &idle, &tag).await?);
                settled(app, &good).await?;
            }
        }
        take(kind, rate, &stepped, &at_once, &mut found)?;
    }
    Ok(found)
}

fn take(
    kind: &Bad,
    rate: &str,
    stepped: &[Cost],
    at_once: &[Cost],
    found: &mut Found,
) -> Result<()> {
    let pairs = |of: fn(&Cost) -> f64| -> Vec<(f64, f64)> {
        let pairs = stepped.iter().zip(at_once);
        pairs.map(|(ours, theirs)| (of(ours), of(theirs))).collect()
    };
    let failed = pairs(|cost| cost.failed as f64);
    let back = pairs(|cost| milliseconds(cost.until_back));
    let title = format!("{}, probed {rate} times a second", kind.title);
    let what = format!("{title}, 10 % first: users' requests that failed");
    let plain = "all at once";
    let row = Row::beside_in_all(what, plain, Unit::Count, &failed)?;
    found.rows.push(row);
    let what = "the same, from the first of them until it answers nobody";
    let row = Row::beside_in_all(what, plain, Unit::Time, &back)?;
    found.rows.push(row);
    for (way, costs) in [("10 % first", stepped), (plain, at_once)] {
        let sum = |of: fn(&Cost) -> usize| costs.iter().map(of).sum::<usize>();
        found.notes.push(format!(
            "{title}, {way}: in {} runs {} of {} requests met it, and {} failed",
            costs.len(),
            sum(|cost| cost.met),
            sum(|cost| cost.sent),
            sum(|cost| cost.failed),
        ));
    }
    Ok(())
}

/// A promotion of the bad release that users meet, and is taken back.
async fn promoted(app: &App<'_>, kind: &Bad, way: &[&str], idle: &str, tag: &str) -> Result<Cost> {
    let faults = app.stage.gate.faults();
    for _ in 0..TRIES {
        let observer = Observer::start(app.door().await?, "/api", CLOSE);
        kind.is_aws_late
            .then(|| faults.add(Fault::on_any().delay(LATE)));
        let promote = app.bgecs(&["promote", idle, "--json", "-q"]).with(way);
        let ended = promote.command().output().await;
        faults.clear();
        let cost = Cost::of(&observer.stop().await?, tag);
        let ended = ended?;
        match ended.status.code() {
            Some(REFUSED) if cost.met == 0 => continue,
            Some(TAKEN_BACK) => {}
            // What is not found out costs more than can be measured here.
            _ => return Err(format!("{}: {}", way.join(" "), told(&ended)).into()),
        }
        let said = serde_json::from_slice(&ended.stdout)?;
        expect(&said, &["outcome"], "rolled_back")?;
        say::line(&format!("  {}, {}: {cost:?}", kind.name, way.join(" ")));
        return Ok(cost);
    }
    Err(format!("{}: refused {TRIES} times on the test port", kind.name).into())
}

fn told(ended: &std::process::Output) -> String {
    let said = String::from_utf8_lossy(&ended.stderr);
    format!("{}\n{said}", ended.status)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_cost_is_counted_from_the_first_failure_to_the_last_answer_of_the_bad_release() {
        let start = Instant::now();
        let at = |ms, status, release| {
            Answer::from_release(start + Duration::from_millis(ms), status, release)
        };
        let seen = Seen(vec![
            at(0, 200, "good"),
            at(10, 200, "bad"),
            at(20, 500, "bad"),
            at(30, 200, "good"),
            at(40, 200, "bad"),
            at(50, 200, "good"),
        ]);
        let cost = Cost {
            sent: 6,
            met: 3,
            failed: 1,
            until_back: Duration::from_millis(20),
        };
        assert_eq!(Cost::of(&seen, "bad"), cost);
        let nothing = Cost::of(&Seen(vec![at(0, 200, "bad")]), "bad");
        assert_eq!((nothing.failed, nothing.until_back), (0, Duration::ZERO));
    }
}
