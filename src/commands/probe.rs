//! `bgecs probe`

use std::time::Duration;

use serde::Serialize;
use tokio::time::{Instant, sleep_until};

use crate::cli::{self, Listener};
use crate::engine::seen::{Identities, ProbeReport, Seen};
use crate::error::{Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::{Connection, Port};
use crate::probe::{Address, Probe, Report, Schedule};
use crate::report::{Event, Outcome, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Probed {
    operation: &'static str,
    url: String,
    /// `ok` or `failed`.
    outcome: &'static str,
    probe: ProbeReport,
}

impl Outcome for Probed {
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
            let what = match (failure.status, &failure.error) {
                (Some(status), _) => format!("HTTP {status}"),
                (None, Some(error)) => error.clone(),
                (None, None) => "no answer".to_owned(),
            };
            let connection = match failure.connection {
                Connection::Fresh => "fresh",
                Connection::Reused => "kept",
            };
            text += &format!(
                "\n  at {:>5} ms {what} ({connection} connection)",
                failure.at_ms
            );
        }
        text
    }
}

pub async fn run(session: &Session, args: &cli::Probe) -> Result<Exit> {
    let address = match &args.url {
        Some(url) => Address::url(url.as_str()),
        None => {
            let infra = session.infrastructure().await?;
            let port = match args.listener {
                Listener::Prod => Port::Prod,
                Listener::Test => Port::Test,
            };
            session.address(&infra, port, &session.config.probe.path)
        }
    };
    let schedule = Schedule {
        rate: args
            .rate
            .unwrap_or_else(|| f64::from(session.config.probe.rate.get())),
    };
    let seen = probe(
        session,
        &mut Interrupts::listen()?,
        &address,
        schedule,
        args.duration,
    )
    .await;
    let report = seen.report(schedule.rate, None);
    let has_failed = report.failed > 0;
    session.report.result(&Probed {
        operation: "probe",
        url: address.shown(),
        outcome: if has_failed { "failed" } else { "ok" },
        probe: report,
    });
    Ok(if has_failed { Exit::Failed } else { Exit::Done })
}

/// Asks for the given time; Ctrl-C ends it early, with what there is.
async fn probe(
    session: &Session,
    interrupts: &mut Interrupts,
    address: &Address,
    schedule: Schedule,
    duration: Duration,
) -> Seen {
    let origin = Instant::now();
    let mut probe = Probe::start(session.http.clone(), address.clone(), schedule, origin);
    let mut seen = Seen::new(Identities::default());
    let end = sleep_until(origin + duration);
    tokio::pin!(end);
    let mut is_sending = true;
    loop {
        tokio::select! {
            report = probe.next() => match report {
                None => return seen,
                Some(Report::Sent { .. }) => {}
                Some(Report::Answered(sample)) => {
                    seen.add(&sample);
                    session.report.tell(&Event::Probing {
                        sent: seen.sent(),
                        failed: seen.failed(),
                        share: sample.answered_at().as_secs_f64() / duration.as_secs_f64().max(0.001),
                    });
                }
            },
            () = &mut end, if is_sending => { is_sending = false; probe.stop(); }
            () = interrupts.next(), if is_sending => { is_sending = false; probe.stop(); }
        }
    }
}

#[cfg(test)]
mod tests;
