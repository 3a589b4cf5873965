//! What the probe is to ask and how it is judged: the flags, and where they say
//! nothing the file.

use std::time::Duration;

use crate::cli;
use crate::config;
use crate::engine::evidence::Evidence;
use crate::engine::swap::Tolerated;
use crate::error::{Error, Result};
use crate::model::Expected;
use crate::probe::{Address, Client, Connections, Question, Schedule};
use crate::report::{Event, ReportFile, Reporter};

#[derive(Debug, Clone)]
pub struct Asking {
    pub schedule: Schedule,
    pub connections: Connections,
    pub path: String,
    /// For one request.
    pub timeout: Duration,
    pub question: Question,
    pub tolerance: Tolerance,
    file: Option<ReportFile>,
}

impl Asking {
    pub fn new(args: &cli::Asking, config: &config::Probe) -> Self {
        let default = Question::default();
        let rate = args.rate;
        Self {
            schedule: Schedule {
                rate: rate.unwrap_or_else(|| f64::from(config.rate.get())),
            },
            connections: args.connections.unwrap_or_default(),
            path: args.path.clone().unwrap_or_else(|| config.path.clone()),
            timeout: config.timeout,
            question: Question {
                method: args.method.clone().unwrap_or(default.method),
                headers: args
                    .header
                    .iter()
                    .map(|header| (header.name.clone(), header.value.clone()))
                    .collect(),
                version: args.http.unwrap_or_default(),
                release_header: args
                    .release_header
                    .clone()
                    .unwrap_or(default.release_header),
                expected: Expected {
                    status: args.expect_status.clone().unwrap_or_default(),
                    body: args.expect_body.clone(),
                },
            },
            tolerance: Tolerance {
                count: args.max_failures.unwrap_or_default(),
                share: args.max_failure_rate.unwrap_or_default().0,
            },
            file: args.report.clone(),
        }
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

/// How many failures are no failure: the larger of the two.
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
