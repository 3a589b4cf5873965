//! What the probe asks and how it is judged: by what the operation that is being
//! continued was given, or else by the configuration file.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use futures_util::future::try_join_all;
use hyper::header::{HeaderName, HeaderValue};
use tokio::time::Instant;

use super::attempt::SwapKind;
use super::reach;
use crate::config;
use crate::engine::analysis::{Limits, Tolerance};
use crate::engine::evidence::Evidence;
use crate::engine::preflight::TEST_ANSWERS;
use crate::engine::shift::Tolerated;
use crate::error::{Error, Result};
use crate::model::journal::{Asked, Header, Operation};
use crate::model::{Color, Expected, Infrastructure, LatencyLimit, Share};
use crate::probe::{
    Address, Client, Connections, Probe, Probes, Question, Schedule, Version, ask_once,
};
use crate::report::{ReportEvent, ReportFile, Reported, Reporter};
use crate::session::Session;

#[derive(Debug, Clone)]
pub struct Asking {
    pub schedule: Schedule,
    pub connections: Connections,
    pub path: String,
    /// For one request.
    pub timeout: Duration,
    pub question: Question,
    pub tolerance: Tolerance,
    /// How slow a release may be.
    pub latency: Vec<LatencyLimit>,
    /// The same, as the journal keeps it.
    asked: Asked,
    files: Vec<ReportFile>,
}

impl Asking {
    /// The question for a health path: with all headers that let a request in; of the
    /// answer, only the header that names the release is looked at.
    pub fn of_health(&self) -> Question {
        Question {
            headers: self.question.headers.clone(),
            release_header: self.question.release_header.clone(),
            ..Question::default()
        }
    }

    /// From what an operation was given; that was checked when it was written to the
    /// journal.
    pub fn new(asked: Asked, files: Vec<ReportFile>) -> Self {
        let default = Question::default();
        Self {
            schedule: Schedule { rate: asked.rate },
            connections: named(
                Connections::ALL,
                Connections::word,
                asked.connections.as_ref(),
            ),
            path: asked.path.clone(),
            timeout: asked.timeout,
            question: Question {
                method: read(asked.method.as_ref()).unwrap_or(default.method),
                headers: asked.headers.iter().filter_map(header).collect(),
                version: named(Version::ALL, Version::word, asked.http.as_ref()),
                release_header: read(asked.release_header.as_ref())
                    .unwrap_or(default.release_header),
                expected: Expected {
                    status: read(asked.expect_status.as_ref()).unwrap_or_default(),
                    body: read(asked.expect_body.as_ref()),
                },
            },
            tolerance: Tolerance {
                count: asked.max_failures,
                share: read(asked.max_failure_rate.as_ref())
                    .unwrap_or(Share::default())
                    .0,
            },
            latency: asked
                .max_latency
                .iter()
                .filter_map(|it| it.parse().ok())
                .collect(),
            asked,
            files,
        }
    }

    /// For the journal.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Starts probing all addresses, each at the same rate.
    ///
    /// # Errors
    /// An address that cannot be probed from here (exit 2).
    pub async fn probe(&self, addresses: &[Address], origin: Instant) -> Result<Probes> {
        let starting = addresses.iter().map(|address| async move {
            let client = Client::new(address, self.question.clone(), self.timeout)
                .map_err(|error| Error::usage(format!("{address} cannot be probed: {error}")))?;
            let expiry = client.expiry();
            let (schedule, connections) = (self.schedule, self.connections);
            let origin = origin.into_std();
            let probe = Probe::start(client, address, schedule, connections, origin).await;
            Ok::<_, Error>((address.way(), probe, expiry))
        });
        Ok(Probes::new(try_join_all(starting).await?))
    }

    /// Checks early whether the report can be written.
    ///
    /// # Errors
    /// It cannot (exit 2).
    pub fn check_report(&self) -> Result<()> {
        self.files.iter().try_for_each(ReportFile::check)
    }

    pub fn write_report(&self, reporter: &Reporter, evidence: impl FnOnce() -> Evidence) {
        if self.files.is_empty() {
            return;
        }
        let evidence = evidence();
        for file in &self.files {
            file.leave(reporter, Reported::One(&evidence));
        }
    }

    /// Warns that there is nothing to report.
    pub fn skip_report(&self, reporter: &Reporter) {
        for file in &self.files {
            let path = file.path().display();
            reporter.tell(&ReportEvent::Warning(format!(
                "nothing was swapped under a probe, so no report is written to {path}"
            )));
        }
    }

    /// The first of several.
    pub fn report_file(&self) -> Option<&Path> {
        self.files.first().map(ReportFile::path)
    }

    /// The failures that a shift tolerates before it and in each of its stages, with
    /// `ways` addresses probed. Latency is not judged on the way back from a release: how
    /// slow the other one is must not hold that up.
    pub fn tolerated(&self, baseline: Duration, kind: SwapKind, ways: u32) -> Tolerated {
        let due = self.schedule.due_within(baseline) * u64::from(ways);
        Tolerated {
            baseline: self.tolerance.of(due),
            after: Limits {
                failures: self.tolerance,
                latency: match kind {
                    SwapKind::Promote => self.latency.clone(),
                    SwapKind::Rollback => Vec::new(),
                },
            },
        }
    }
}

/// What the operation was given, or else what the file says.
pub fn base(operation: Option<&Operation>, config: &config::ProbeSection) -> Asked {
    let asked = operation.and_then(|operation| operation.asked.clone());
    asked.unwrap_or_else(|| of_file(config))
}

/// As [`Asking::of_health`], from the file.
pub fn of_health(config: &config::ProbeSection) -> Question {
    Asking::new(of_file(config), Vec::new()).of_health()
}

/// What the file says.
pub fn of_file(config: &config::ProbeSection) -> Asked {
    let question = config.question.clone();
    let headers = question.headers.into_iter();
    Asked {
        path: config.path.clone(),
        method: question.method,
        headers: headers
            .map(|(name, value)| Header { name, value })
            .collect(),
        http: question.http,
        connections: question.connections,
        release_header: question.release_header,
        rate: f64::from(config.rate.get()),
        window: config.window,
        timeout: config.timeout,
        expect_status: question.expect_status,
        expect_body: question.expect_body,
        max_failures: u64::from(question.max_failures),
        max_failure_rate: question.max_failure_rate,
        max_latency: Vec::new(),
        no_rollback: false,
    }
}

fn read<T: FromStr>(text: Option<&String>) -> Option<T> {
    text?.parse().ok()
}

fn named<T: Copy + Default, const N: usize>(
    all: [T; N],
    word_of: impl Fn(T) -> &'static str,
    word: Option<&String>,
) -> T {
    let mut all = all.into_iter();
    word.and_then(|word| all.find(|it| word_of(*it) == word))
        .unwrap_or_default()
}

fn header(kept: &Header) -> Option<(HeaderName, HeaderValue)> {
    let mut value: HeaderValue = kept.value.reveal().parse().ok()?;
    value.set_sensitive(true);
    Some((kept.name.parse().ok()?, value))
}

/// Asks a few times, and says whether production, or the given colour, answers as it
/// should.
pub async fn judge_once(
    session: &Session,
    infra: &Infrastructure,
    asking: &Asking,
    color: Option<Color>,
) -> bool {
    let addresses = match color {
        None => reach::to_ask(session, infra, &asking.path, asking.timeout).await,
        Some(color) => {
            let address = session.color_address(infra, color, &asking.path).await;
            address.map(|address| vec![address])
        }
    };
    let Ok(addresses) = addresses else {
        return false;
    };
    let (mut failed, all) = (0, TEST_ANSWERS * addresses.len());
    for address in addresses.iter().cycle().take(all) {
        let asked = ask_once(address, &asking.question, asking.timeout).await;
        let is_good = asked.unexpected.is_none() && asked.answer.status().is_some();
        failed += usize::from(!is_good);
    }
    // So few requests say little about a tolerated share of failures: most of them must
    // succeed.
    match asking.tolerance == Tolerance::default() {
        true => failed == 0,
        false => failed * 2 < all,
    }
}
