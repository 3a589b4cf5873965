//! What the probe is to ask and how it is judged: the flags, and where they say
//! nothing what the operation was asked that is gone on with, or the file.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};

use crate::cli::{self, Watch};
use crate::config;
use crate::engine::evidence::Evidence;
use crate::engine::preflight::TEST_ANSWERS;
use crate::engine::shift::Tolerated;
use crate::error::{Error, Result};
use crate::hidden::Hidden;
use crate::model::journal::{Asked, Header, Operation};
use crate::model::{Expected, Infrastructure, Route, Share};
use crate::probe::{Address, Client, Connections, Question, Schedule, ask_once};
use crate::report::{Event, ReportFile, Reporter};
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
    /// The same, as the journal keeps it.
    asked: Asked,
    file: Option<ReportFile>,
}

impl Asking {
    pub fn new(args: &cli::Asking, config: &config::Probe) -> Self {
        Self::on(args, of_file(config))
    }

    /// As the operation was asked, where it says so; what the flags say wins.
    pub fn of_operation(operation: &Operation, watch: &Watch, config: &config::Probe) -> Self {
        Self::on(&watch.asking, base(Some(operation), config))
    }

    /// The flags, on top of what was asked or stands in the file. What is written
    /// there was checked when it was written.
    pub(super) fn on(args: &cli::Asking, base: Asked) -> Self {
        let asked = with_flags(base, args);
        let default = Question::default();
        Self {
            schedule: Schedule { rate: asked.rate },
            connections: read_word(asked.connections.as_ref()),
            path: asked.path.clone(),
            timeout: asked.timeout,
            question: Question {
                method: read(asked.method.as_ref()).unwrap_or(default.method),
                headers: asked.headers.iter().filter_map(header).collect(),
                version: read_word(asked.http.as_ref()),
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
            asked,
            file: args.report.clone(),
        }
    }

    /// For the journal.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// # Errors
    /// An address that cannot be asked from here (exit 2).
    pub fn client(&self, address: &Address) -> Result<Client> {
        Client::new(address, self.question.clone(), self.timeout)
            .map_err(|error| Error::usage(format!("{address} cannot be asked: {error}")))
    }

    /// Finds out ahead of everything whether the report can be written.
    ///
    /// # Errors
    /// It cannot (exit 2).
    pub fn check_report(&self) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let path = file.path().display();
        file.check().map_err(|error| {
            Error::usage(format!("no report can be written to {path}")).because(&error)
        })
    }

    /// Writes the report that was asked for. One that cannot be written changes
    /// nothing of what happened: it is a warning.
    pub fn write_report(&self, reporter: &Reporter, evidence: impl FnOnce() -> Evidence) {
        let Some(file) = &self.file else {
            return;
        };
        let path = file.path().display();
        reporter.tell(&match file.write(&evidence()) {
            Ok(()) => Event::Note(format!("report: {path}")),
            Err(error) => Event::Warning(format!("no report was written to {path}: {error}")),
        });
    }

    /// There is nothing to report of.
    pub fn skip_report(&self, reporter: &Reporter) {
        if let Some(file) = &self.file {
            let path = file.path().display();
            reporter.tell(&Event::Warning(format!(
                "nothing was swapped under a probe: no report is written to {path}"
            )));
        }
    }

    /// How many failures a swap may show, ahead of it and while it is watched.
    pub fn tolerated(&self, baseline: Duration, window: Duration) -> Tolerated {
        let within = |time| self.tolerance.of(self.schedule.due_within(time));
        Tolerated {
            baseline: within(baseline),
            after: within(window),
        }
    }
}

/// What an operation was asked, or what stands in the file.
pub(super) fn base(operation: Option<&Operation>, config: &config::Probe) -> Asked {
    let asked = operation.and_then(|operation| operation.asked.clone());
    asked.unwrap_or_else(|| of_file(config))
}

fn of_file(config: &config::Probe) -> Asked {
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
        no_rollback: false,
    }
}

fn with_flags(base: Asked, args: &cli::Asking) -> Asked {
    let text = |flag: Option<String>, base: Option<String>| flag.or(base);
    let mut headers = base.headers;
    headers.retain(|kept| {
        !args
            .header
            .iter()
            .any(|flag| flag.name == kept.name.as_str())
    });
    headers.extend(args.header.iter().filter_map(|flag| {
        let value = Hidden::new(flag.value.to_str().ok()?);
        let name = flag.name.to_string();
        Some(Header { name, value })
    }));
    Asked {
        path: args.path.clone().unwrap_or(base.path),
        method: text(args.method.as_ref().map(Method::to_string), base.method),
        headers,
        http: text(args.http.as_ref().and_then(name_of), base.http),
        connections: text(
            args.connections.as_ref().and_then(name_of),
            base.connections,
        ),
        release_header: text(
            args.release_header.as_ref().map(ToString::to_string),
            base.release_header,
        ),
        rate: args.rate.unwrap_or(base.rate),
        expect_status: text(
            args.expect_status.as_ref().map(ToString::to_string),
            base.expect_status,
        ),
        expect_body: text(
            args.expect_body.as_ref().map(ToString::to_string),
            base.expect_body,
        ),
        max_failures: args.max_failures.unwrap_or(base.max_failures),
        max_failure_rate: text(
            args.max_failure_rate.map(|share| share.to_string()),
            base.max_failure_rate,
        ),
        window: base.window,
        timeout: base.timeout,
        no_rollback: base.no_rollback,
    }
}

fn name_of<T: ValueEnum>(value: &T) -> Option<String> {
    Some(value.to_possible_value()?.get_name().to_owned())
}

fn read<T: FromStr>(text: Option<&String>) -> Option<T> {
    text?.parse().ok()
}

fn read_word<T: ValueEnum + Default>(word: Option<&String>) -> T {
    word.and_then(|word| T::from_str(word, false).ok())
        .unwrap_or_default()
}

fn header(kept: &Header) -> Option<(HeaderName, HeaderValue)> {
    let mut value: HeaderValue = kept.value.reveal().parse().ok()?;
    value.set_sensitive(true);
    Some((kept.name.parse().ok()?, value))
}

/// Whether production answers a few requests as it should.
pub async fn judge_once(session: &Session, infra: &Infrastructure, asking: &Asking) -> bool {
    let Ok(address) = session.address(infra, Route::Production, &asking.path) else {
        return false;
    };
    let mut failed = 0;
    for _ in 0..TEST_ANSWERS {
        let asked = ask_once(&address, &asking.question, asking.timeout).await;
        let is_good = asked.unexpected.is_none() && asked.answer.status().is_some();
        failed += usize::from(!is_good);
    }
    // So few say nothing of a share that may fail, but for whether most do.
    match asking.tolerance == Tolerance::default() {
        true => failed == 0,
        false => failed * 2 < TEST_ANSWERS,
    }
}

/// How many failures are tolerated: the larger of the two.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tolerance {
    pub count: u64,
    /// 0 to 1, of all requests.
    pub share: f64,
}

impl Tolerance {
    /// Of so many requests.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "rounded down, of what is not negative"
    )]
    pub fn of(self, requests: u64) -> u64 {
        // A hair more, as a tenth of a percent of 1000 is to be one.
        let share = (requests as f64 * self.share + 1e-6) as u64;
        self.count.max(share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::testing::operation;
    use crate::probe::Version;

    fn probe(text: &str) -> config::Probe {
        let path = std::path::Path::new("/srv/hello/bgecs.toml");
        let text = format!("app = 'hello'\n[probe]\n{text}");
        config::Config::parse(&text, path).unwrap().probe
    }

    fn flags(args: &[&str]) -> Watch {
        #[derive(clap::Parser)]
        struct Line {
            #[command(flatten)]
            watch: Watch,
        }
        let args = std::iter::once(&"bgecs").chain(args);
        <Line as clap::Parser>::parse_from(args).watch
    }

    fn headers(asking: &Asking) -> Vec<(&str, &str)> {
        let headers = asking.question.headers.iter();
        headers
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect()
    }

    #[test]
    fn every_word_of_the_file_is_one_of_the_flags() {
        for (n, word) in config::CONNECTIONS.iter().enumerate() {
            let asking = Asking::new(
                &cli::Asking::default(),
                &probe(&format!("connections = '{word}'")),
            );
            assert_eq!(Connections::value_variants()[n], asking.connections);
        }
        for (n, word) in config::VERSIONS.iter().enumerate() {
            let asking = Asking::new(&cli::Asking::default(), &probe(&format!("http = '{word}'")));
            assert_eq!(Version::value_variants()[n], asking.question.version);
        }
    }

    #[test]
    fn the_flags_win_over_the_journal_and_that_over_the_file() {
        let began = flags(&[
            "--path=/began",
            "--expect-status=204",
            "--header=X-Key: hunter22",
            "--max-failures=3",
            "--max-failure-rate=0.1%",
        ]);
        let file =
            probe("path = '/file'\nexpect_body = 'ok'\nheaders = { x-key = 'no', accept = 'a' }");
        let mut operation = operation();
        let asking = Asking::new(&began.asking, &file);
        operation.asked = Some(asking.asked().clone());
        assert!(!format!("{operation:?}").contains("hunter22"));

        let later = probe("path = '/later'\nexpect_status = '500'\nmethod = 'HEAD'");
        let resumed = Asking::of_operation(&operation, &Watch::default(), &later);
        assert_eq!(
            (&*resumed.path, &resumed.question.method),
            ("/began", &Method::GET)
        );
        let expected = &resumed.question.expected;
        assert_eq!(expected.status.to_string(), "204");
        assert_eq!(expected.body.as_ref().unwrap().as_str(), "ok");
        assert_eq!(headers(&resumed), [("accept", "a"), ("x-key", "hunter22")]);
        assert_eq!(resumed.tolerance.count, 3);
        assert!((resumed.tolerance.share - 0.001).abs() < 1e-9);

        let said = flags(&["--path=/said", "--expect-status=2xx", "--header=x-key: new"]);
        let resumed = Asking::of_operation(&operation, &said, &later);
        assert_eq!(resumed.path, "/said");
        assert_eq!(resumed.question.expected.status.to_string(), "2xx");
        assert_eq!(headers(&resumed), [("accept", "a"), ("x-key", "new")]);

        operation.asked = None;
        let resumed = Asking::of_operation(&operation, &Watch::default(), &later);
        assert_eq!(
            (&*resumed.path, &resumed.question.method),
            ("/later", &Method::HEAD)
        );
    }

    #[test]
    fn the_larger_of_the_two_counts() {
        let tolerance = |count, share| Tolerance { count, share };
        assert_eq!(Tolerance::default().of(1_000_000), 0);
        assert_eq!(tolerance(0, 0.001).of(1000), 1);
        assert_eq!(tolerance(0, 0.001).of(999), 0);
        assert_eq!(tolerance(3, 0.001).of(2000), 3);
        assert_eq!(tolerance(3, 0.001).of(5000), 5);
        assert_eq!(tolerance(0, 1.0).of(7), 7);
    }
}
