//! The probe beside load generators, before the same static server: the server
//! has one core to itself, and each client, in turn, the other one.

mod server;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::figures::Unit;
use super::program::{Line, Used};
use super::row::Row;
use super::table::Found;
use crate::{Result, peers};
use server::Server;

const CLIENT: &[&str] = &["taskset", "-c", "1"];
/// How long each client asks.
const SECONDS: u32 = 5;
/// A tenth of a core for that long, in milliseconds.
const TENTH: f64 = 500.0;
/// How long a rate is tried.
const TRIAL_SECONDS: u32 = 2;
/// How many connections the peers keep.
const CONNECTIONS: &str = "50";
/// The fixed rate at which CPU time is compared.
const RATE: &str = "1000";
/// The probe leaves on a schedule, and a load generator when it can. So the
/// probe's maximum is searched for: from above the peer's rate down, in such steps.
const START: f64 = 1.2;
const STEP: f64 = 0.85;
/// How much of a rate must be answered in time for it to count as kept.
const KEPT: f64 = 0.95;
const LEAST_RATE: f64 = 100.0;

pub async fn measure(exe: &Path, runs: usize) -> Result<Found> {
    let server = Server::start(&peers::nginx().await?).await?;
    let clients = Clients {
        exe: exe.to_owned(),
        oha: peers::oha().await?,
        hey: peers::hey().await?,
        wrk: peers::wrk().await?,
        url: server.url.clone(),
    };
    let (mut oha, mut hey, mut wrk, mut cpu) = (vec![], vec![], vec![], vec![]);
    let (mut both, mut late) = (vec![], vec![]);
    let mut start = clients.oha_rate().await? * START;
    for _ in 0..runs {
        let peer = clients.oha_rate().await?;
        let ours = clients.probe_maximum(start).await?;
        start = ours / STEP;
        oha.push((ours, peer));
        hey.push((ours, clients.hey_rate().await?));
        wrk.push((ours, clients.wrk_rate().await?));
        let (kept_cpu, _) = clients.probe_at_rate("reused").await?;
        cpu.push((kept_cpu, clients.oha_cpu().await?));
        let (both_cpu, both_late) = clients.probe_at_rate("both").await?;
        both.push(both_cpu);
        late.push(both_late);
    }
    let what = "probe at its maximum rate, kept connections";
    let beside = |peer: &str, pairs: &[(f64, f64)]| Row::beside(what, peer, Unit::Rate, pairs);
    Ok(Found {
        rows: vec![
            beside("oha", &oha)?.at_least(1.0).or_else_because(
                "oha sends when it can, and counts. Here each request leaves on a schedule, is \
                 told by its release, node and connection, and kept in a timeline, by a second \
                 thread on the same core. Rates of which 95 % are kept count, in steps of 15 %.",
            ),
            beside("hey", &hey)?,
            beside("wrk", &wrk)?,
            Row::beside(
                format!("CPU time of a probe of {SECONDS} s at 1,000 Hz, kept connections"),
                "oha",
                Unit::Time,
                &cpu,
            )?
            .at_most(1.0),
            Row::alone(
                format!("the same over fresh and kept connections (a tenth of a core: {TENTH} ms)"),
                Unit::Time,
                &both,
            )?
            .at_most(TENTH)
            .or_else_because(
                "Most of it is the kernel's work of opening and closing 500 connections a \
                 second, and of waking the server.",
            ),
            Row::alone("how late its requests left, p99", Unit::Time, &late)?
                .at_most(1.0)
                .or_else_because(
                    "The emulator, its containers and the Docker Engine run on the same cores \
                     meanwhile; the target is meant for an idle machine.",
                ),
        ],
        notes: Vec::new(),
    })
}

struct Clients {
    exe: PathBuf,
    oha: PathBuf,
    hey: PathBuf,
    wrk: PathBuf,
    url: String,
}

impl Clients {
    async fn probe(&self, rate: &str, seconds: u32, connections: &str) -> Result<Used> {
        let exe = self.exe.display().to_string();
        let duration = format!("{seconds}s");
        let line = Line::new([exe.as_str(), "probe", "--url", &self.url, "--rate", rate]);
        let line = line.with(&[
            "--duration",
            &duration,
            "--connections",
            connections,
            "--json",
        ]);
        // A probe with failures ends so, and is a figure, too.
        line.or_code(1).under(CLIENT).watched().await
    }

    /// The highest rate that it keeps, of those that are tried.
    async fn probe_maximum(&self, start: f64) -> Result<f64> {
        let mut rate = start;
        while rate > LEAST_RATE {
            let used = self
                .probe(&format!("{rate:.0}"), TRIAL_SECONDS, "reused")
                .await?;
            let answered = answered(&used.ran.json()?)?;
            if let Some(kept) = kept(rate, answered, used.ran.wall) {
                return Ok(kept);
            }
            rate *= STEP;
        }
        Err(format!("the probe does not keep {LEAST_RATE} requests a second").into())
    }

    /// The CPU time of a fixed rate, and by how much all but a hundredth of its
    /// requests left late at most; in milliseconds.
    async fn probe_at_rate(&self, connections: &str) -> Result<(f64, f64)> {
        let used = self.probe(RATE, SECONDS, connections).await?;
        let said = used.ran.json()?;
        let late = said["probe"]["late_ms"]["p99"].as_f64();
        match (answered(&said)?, late) {
            (Some(_), Some(late)) => Ok((super::program::milliseconds(used.cpu), late)),
            _ => Err(format!("the probe did not go well: {said}").into()),
        }
    }

    async fn oha(&self, more: &[&str]) -> Result<Used> {
        let oha = self.oha.display().to_string();
        let duration = format!("{SECONDS}s");
        let line = Line::new([oha.as_str(), "--no-tui", "--output-format", "json"]);
        let line = line.with(&["-z", &duration, "-c", CONNECTIONS]);
        let line = line.with(more).with(&[&self.url]);
        line.under(CLIENT).watched().await
    }

    async fn oha_rate(&self) -> Result<f64> {
        let said = self.oha(&[]).await?.ran.json()?;
        let rate = said["summary"]["requestsPerSec"].as_f64();
        Ok(rate.ok_or_else(|| format!("oha says no rate: {said}"))?)
    }

    async fn oha_cpu(&self) -> Result<f64> {
        let used = self.oha(&["-q", RATE]).await?;
        Ok(super::program::milliseconds(used.cpu))
    }

    async fn hey_rate(&self) -> Result<f64> {
        let hey = self.hey.display().to_string();
        let duration = format!("{SECONDS}s");
        let words = [&hey, "-z", &duration, "-c", CONNECTIONS, &self.url];
        rate_of(&Line::new(words).under(CLIENT)).await
    }

    async fn wrk_rate(&self) -> Result<f64> {
        let wrk = self.wrk.display().to_string();
        let duration = format!("{SECONDS}s");
        let words = [
            &wrk,
            "-t",
            "1",
            "-c",
            CONNECTIONS,
            "-d",
            &duration,
            &self.url,
        ];
        rate_of(&Line::new(words).under(CLIENT)).await
    }
}

/// As hey and wrk say it.
async fn rate_of(line: &Line) -> Result<f64> {
    let said = line.run().await?.stdout;
    Ok(requests_a_second(&said).ok_or_else(|| format!("no rate is said:\n{said}"))?)
}

fn requests_a_second(said: &str) -> Option<f64> {
    let line = said.lines().find(|line| line.contains("Requests/sec:"))?;
    line.split(':').nth(1)?.trim().parse().ok()
}

/// How many requests of a probe were answered; none if any failed.
fn answered(said: &Value) -> Result<Option<f64>> {
    let probe = &said["probe"];
    match (probe["sent"].as_f64(), probe["failed"].as_f64()) {
        (Some(sent), Some(0.0)) => Ok(Some(sent)),
        (Some(_), Some(_)) => Ok(None),
        _ => Err(format!("the probe says nothing of itself: {said}").into()),
    }
}

/// The answers a second, if all of that rate came in time. The program's start
/// and end are counted against it.
fn kept(rate: f64, answered: Option<f64>, wall: Duration) -> Option<f64> {
    let a_second = answered? / wall.as_secs_f64();
    (a_second >= rate * KEPT).then_some(a_second)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_rate_is_found_in_what_hey_and_wrk_say() {
        let hey = "Summary:\n  Total:\t5.0 secs\n  Requests/sec:\t20123.45\n";
        assert_eq!(requests_a_second(hey), Some(20_123.45));
        let wrk = "  100 requests in 5.0s\nRequests/sec:  54321.99\nTransfer/sec: 1MB\n";
        assert_eq!(requests_a_second(wrk), Some(54_321.99));
        assert_eq!(requests_a_second("Requests/sec: none"), None);
    }

    #[test]
    fn a_probe_that_failed_has_answered_nothing() {
        let said = |failed: u32| json!({"probe": {"sent": 10, "failed": failed}});
        assert_eq!(answered(&said(0)).unwrap(), Some(10.0));
        assert_eq!(answered(&said(1)).unwrap(), None);
        assert!(answered(&json!({})).is_err());
    }

    #[test]
    fn a_rate_is_kept_if_nearly_all_of_it_came_in_time() {
        let two = Duration::from_secs(2);
        assert_eq!(kept(100.0, Some(196.0), two), Some(98.0));
        assert_eq!(kept(100.0, Some(188.0), two), None);
        assert_eq!(kept(100.0, None, two), None);
    }
}
