//! `bgecs probe`

use std::time::Duration;

use serde::Serialize;
use time::OffsetDateTime;
use tokio::time::{Instant, sleep_until};

use super::asking::asking;
use crate::cli::{self, ListenerFlag};
use crate::config;
use crate::driver::asking::{Asking, of_file};
use crate::engine::evidence::{Answering, Evidence, Upshot};
use crate::engine::seen::{Changed, ProbeReport, Releases, Seen};
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::Route;
use crate::probe::Address;
use crate::report::{
    Answered, AnsweringRelease, Audience, CommandResult, ReportEvent, Reporter, Style,
};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Probed {
    operation: &'static str,
    url: String,
    outcome: Upshot,
    probe: ProbeReport,
}

/// What is asked, and for how long.
struct Plan {
    address: Address,
    asking: Asking,
    duration: Duration,
    /// None for any address.
    app: Option<String>,
}

/// A probe of any address, which needs neither file nor AWS.
pub async fn of_url(audience: Audience, args: &cli::ProbeFlags, address: Address) -> Result<Exit> {
    let asking = asking(&args.asking, of_file(&config::ProbeSection::default()));
    let plan = Plan {
        address,
        asking,
        duration: args.duration,
        app: None,
    };
    run_plan(&Reporter::new(audience), &plan).await
}

pub async fn run(session: &Session, args: &cli::ProbeFlags) -> Result<Exit> {
    let infra = session.infrastructure().await?;
    let port = match args.listener {
        ListenerFlag::Prod => Route::Production,
        ListenerFlag::Test => Route::Test,
    };
    let asking = asking(&args.asking, of_file(&session.config.probe));
    let plan = Plan {
        address: session.address(&infra, port, &asking.path)?,
        asking,
        duration: args.duration,
        app: Some(session.app().to_owned()),
    };
    run_plan(&session.report, &plan).await
}

async fn run_plan(report: &Reporter, plan: &Plan) -> Result<Exit> {
    plan.asking.check_report()?;
    let began = OffsetDateTime::now_utc();
    let (seen, unsent) = probe(report, &mut Interrupts::listen()?, plan).await?;
    let figures = seen.report(plan.asking.schedule.rate, None, unsent);
    let has_failed = figures.failed > plan.asking.tolerance.of(figures.sent);
    let probed = Probed {
        operation: "probe",
        url: plan.address.to_string(),
        outcome: if has_failed {
            Upshot::Failed
        } else {
            Upshot::Ok
        },
        probe: figures,
    };
    plan.asking
        .write_report(report, || evidence(&probed, plan, &seen, began));
    report.result(&probed);
    Ok(if has_failed { Exit::Failed } else { Exit::Done })
}

fn evidence(probed: &Probed, plan: &Plan, seen: &Seen, began: OffsetDateTime) -> Evidence {
    let probe = &probed.probe;
    let answering = |name: &String| Answering {
        name: name.clone(),
        color: None,
        digest: None,
    };
    Evidence {
        operation: probed.operation,
        sentence: format!("{}: {}", plan.address, probe.in_a_sentence()),
        outcome: probed.outcome,
        is_good: probed.outcome == Upshot::Ok,
        reason: None,
        app: plan.app.clone(),
        url: probed.url.clone(),
        who: None,
        operation_id: None,
        version: env!("CARGO_PKG_VERSION"),
        began,
        ended: OffsetDateTime::now_utc(),
        releases: probe.releases.iter().map(answering).collect(),
        traffic: None,
        checks: Vec::new(),
        writes: Vec::new(),
        stages: Vec::new(),
        marks: Vec::new(),
        timeline: seen.timeline(None),
        latencies: seen.latency_by_phase(),
        probe: probed.probe.clone(),
    }
}

/// Asks for the given time; Ctrl-C ends it early, with what there is. Also gives
/// how many requests were due and never left.
async fn probe(report: &Reporter, interrupts: &mut Interrupts, plan: &Plan) -> Result<(Seen, u64)> {
    let asking = &plan.asking;
    let origin = Instant::now();
    let (mut probe, expiry) = asking.probe(&plan.address, origin).await?;
    let mut seen = Seen::new(Releases::default());
    let end = sleep_until(Instant::now() + plan.duration);
    tokio::pin!(end);
    let mut is_sending = true;
    loop {
        tokio::select! {
            biased;
            () = &mut end, if is_sending => { is_sending = false; probe.stop(); }
            () = interrupts.next(), if is_sending => { is_sending = false; probe.stop(); }
            sample = probe.next() => match sample {
                None => {
                    report.tell(&ReportEvent::Probed);
                    report.warn(expiry.warning());
                    return Ok((seen, probe.unsent()));
                }
                Some(sample) => {
                    let release = seen.add(&sample, Changed::default());
                    report.tell(&ReportEvent::Answered(Answered {
                        at: sample.answered_at(),
                        release: release.map(|number| AnsweringRelease {
                            number,
                            color: None,
                        }),
                        failed: !sample.is_good(),
                    }));
                    report.tell(&ReportEvent::Probing {
                        sent: seen.sent(),
                        failed: seen.failed(),
                        share: sample.answered_at().as_secs_f64()
                            / plan.duration.as_secs_f64().max(0.001),
                        stage: None,
                    });
                }
            },
        }
    }
}
impl CommandResult for Probed {
    fn human(&self, style: &Style) -> String {
        let probe = &self.probe;
        let failed = match probe.failed {
            0 => style.good("0 failed"),
            failed => style.bad(format!("{failed} failed")),
        };
        let latency = probe.latency_ms;
        let mut text = format!(
            "{}\n  requests    {} sent, {failed}\n  latency     p50 {} ms, p99 {} ms, max {} ms",
            self.url, probe.sent, latency.p50, latency.p99, latency.max
        );
        for failure in probe.failures.iter().take(5) {
            text += &format!(
                "\n  at {:>5} ms {} ({} connection)",
                failure.at_ms,
                failure.what(),
                failure.connection
            );
        }
        text
    }
}

#[cfg(test)]
mod tests;
