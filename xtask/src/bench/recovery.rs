//! How long users failed: a release that fails once it is live is promoted, and
//! a stranger asks production 200 times a second. From its first failed answer to
//! its last, whatever is amiss with AWS meanwhile.
//!
//! What hangs, hangs from the first write to port 80's listener on. That write is
//! kept back for a moment until the rest is in place, so that it is always so.

use std::time::{Duration, Instant};

use clap::ValueEnum;
use localstack::gate::faults::{Fault, FaultId};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use super::figures::{Spread, Unit};
use super::program::milliseconds;
use super::row::Row;
use super::stage::{App, PROBED_EVERY, Stage};
use super::table::Found;
use crate::observer::{CLOSE, Observer, span};
use crate::{Result, say};

/// What is asked beside the probe and the emulator's own time.
const SLACK: Duration = Duration::from_millis(100);
/// By how much every call is late.
pub const LATE: Duration = Duration::from_millis(100);
/// For how long port 80's first write is kept back.
const KEPT_BACK: Duration = Duration::from_millis(200);
/// A promotion that goes on for so long is ended, and users failed until then.
const PATIENCE: Duration = Duration::from_secs(60);
const ELB: &str = "elasticloadbalancing";
/// As the gate's record names them.
const PROD: &str = "ProdListenerArn";
const TEST: &str = "TestListenerArn";

/// What is amiss with AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Trouble {
    None,
    EveryCallIsLate,
    TestWriteHangs,
    JournalHangs,
    HealthHangs,
    LooksHang,
}

impl Trouble {
    fn title(self) -> &'static str {
        match self {
            Self::None => "users of a release that fails once it is live failed for",
            Self::EveryCallIsLate => "the same, with every AWS call 100 ms slower",
            Self::TestWriteHangs => "the same, with the write of port 81 hanging",
            Self::JournalHangs => "the same, with DynamoDB hanging",
            Self::HealthHangs => "the same, with DescribeTargetHealth hanging",
            Self::LooksHang => "the same, with DescribeListeners hanging",
        }
    }

    fn fault(self, app: &App<'_>) -> Result<Option<Fault>> {
        Ok(Some(match self {
            Self::None => return Ok(None),
            Self::EveryCallIsLate => Fault::on_any().delay(LATE),
            Self::TestWriteHangs => Fault::on(ELB, "ModifyListener")
                .resource(app.output(TEST)?)
                .hold_before(),
            Self::JournalHangs => Fault::on_service("dynamodb").hold_before(),
            Self::HealthHangs => Fault::on(ELB, "DescribeTargetHealth").hold_before(),
            Self::LooksHang => Fault::on(ELB, "DescribeListeners").hold_before(),
        }))
    }

    /// Whether the emulator's own look and write can be timed under it. Where a
    /// look hangs there is none to time, and going back has to do without.
    fn bears_a_look(self) -> bool {
        self == Self::EveryCallIsLate
    }
}

pub async fn measure(stage: &Stage<'_>, runs: usize) -> Result<Found> {
    let mut app = App::make(stage, "bench-recovery").await?;
    let measured = measure_on(&mut app, runs).await;
    app.stage.gate.faults().clear();
    app.destroy().await?;
    measured
}

async fn measure_on(app: &mut App<'_>, runs: usize) -> Result<Found> {
    let (good, bad) = app.colors().await?;
    let environment = "GREETER_FAIL_WHEN_LIVE = \"1\"";
    app.put_on_idle("bad", environment).await?;
    let mut found = Found::default();
    for trouble in Trouble::value_variants() {
        let (mut failed, mut emulator) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            emulator.push(look_and_write(app, *trouble).await?);
            failed.push(promoted(app, *trouble, &good, &bad).await?);
        }
        let own = Spread::of(&emulator).ok_or("nothing was measured")?;
        let most = milliseconds(PROBED_EVERY + SLACK) + 2.0 * own.median;
        found.notes.push(format!(
            "{}: the emulator's own time for a look and a write is {}",
            trouble.title(),
            Unit::Time.show_spread(own)
        ));
        let row = Row::alone(trouble.title(), Unit::Time, &failed)?;
        found.rows.push(row.at_most(most));
    }
    Ok(found)
}

/// A promotion of the bad release; how long users failed, in milliseconds.
async fn promoted(app: &App<'_>, trouble: Trouble, good: &str, bad: &str) -> Result<f64> {
    let observer = Observer::start(app.door().await?, "/api", CLOSE);
    let ended = promote(app, trouble, bad).await;
    app.stage.gate.faults().clear();
    // Where users were left on it, they fail until somebody does something.
    let settled = settled(app, good).await;
    let seen = observer.stop().await?;
    let end = ended?;
    settled?;
    let failed = seen.0.iter().filter(|answer| answer.failure().is_some());
    let failed = span(failed).ok_or("no user saw the release that fails")?;
    let failed = milliseconds(failed);
    let shown = Unit::Time.show(failed);
    say::line(&format!("  {}: {shown}, {end}", trouble.title()));
    Ok(failed)
}

/// How it ended.
async fn promote(app: &App<'_>, trouble: Trouble, bad: &str) -> Result<String> {
    let faults = app.stage.gate.faults();
    let kept_back = Fault::on(ELB, "ModifyListener").resource(app.output(PROD)?);
    let kept_back = faults.add(kept_back.nth(1).delay(KEPT_BACK));
    let fault = trouble.fault(app)?;
    // What is slow is so from the beginning; what hangs would keep it from one.
    if trouble == Trouble::EveryCallIsLate {
        fault.clone().map(|fault| faults.add(fault));
    }
    let line = app.bgecs(&["promote", bad, "--json", "-q"]);
    let mut promoting = line.command().spawn()?;
    struck(app, kept_back, &mut promoting).await?;
    if trouble != Trouble::EveryCallIsLate {
        fault.map(|fault| faults.add(fault));
    }
    // Dropped, it is killed.
    match timeout(PATIENCE, promoting.wait_with_output()).await {
        Ok(ended) => Ok(ended?.status.to_string()),
        Err(_) => Ok(format!("not ended after {PATIENCE:?}")),
    }
}

/// Returns when the fault has struck.
async fn struck(app: &App<'_>, fault: FaultId, promoting: &mut Child) -> Result<()> {
    while app.stage.gate.faults().struck(fault) == 0 {
        if let Some(status) = promoting.try_wait()? {
            return Err(format!("it ended ahead of its first write: {status}").into());
        }
        sleep(Duration::from_millis(1)).await;
    }
    Ok(())
}

/// Nothing is unfinished, and the good release is live.
pub async fn settled(app: &App<'_>, good: &str) -> Result<()> {
    app.bgecs(&["resume"]).or_code(6).run().await?;
    if app.colors().await?.0 != good {
        app.bgecs(&["promote", good]).run().await?;
    }
    Ok(())
}

/// What the two calls take bare that going back cannot do without: a look at
/// port 80's listener, and a write of what is there.
async fn look_and_write(app: &App<'_>, trouble: Trouble) -> Result<f64> {
    let (live, _) = app.colors().await?;
    let faults = app.stage.gate.faults();
    if trouble.bears_a_look() {
        trouble.fault(app)?.map(|fault| faults.add(fault));
    }
    let api = &app.stage.api;
    let look = [("ListenerArns.member.1", app.output(PROD)?)];
    // The connection is there before it counts.
    api.elb("DescribeListeners", &look).await?;
    let write = [
        ("ListenerArn", app.output(PROD)?),
        ("DefaultActions.member.1.Type", "forward"),
        (
            "DefaultActions.member.1.TargetGroupArn",
            app.target_group(&live)?,
        ),
    ];
    let began = Instant::now();
    api.elb("DescribeListeners", &look).await?;
    api.elb("ModifyListener", &write).await?;
    let took = milliseconds(began.elapsed());
    faults.clear();
    Ok(took)
}
