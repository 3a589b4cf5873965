//! `bgecs`: blue/green releases on Amazon ECS Fargate.
//!
//! Parses the command line, runs one command, and turns its end into an exit
//! code. What may happen is in `engine`, which calls are made in `aws` and
//! `docker`, what is printed in `report`.

mod aws;
mod bundle;
mod cli;
mod commands;
mod config;
mod counted;
mod definition;
mod docker;
mod driver;
mod engine;
mod error;
mod hex;
mod hidden;
#[cfg(test)]
mod house;
mod interrupt;
mod model;
mod nearest;
mod probe;
mod process;
mod provenance;
mod report;
mod session;
mod shell;
mod spoken_time;
mod text;
mod trust;

use std::panic::resume_unwind;
use std::process::ExitCode;
use std::{io, thread};

use clap::builder::Styles;
use clap::{CommandFactory, Parser};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use cli::Cli;
use report::{Audience, Diagnosis, Environment};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error)),
    };
    let audience = Audience {
        json: cli.global.json,
        quiet: cli.global.quiet,
        logs: cli.command.logs(),
        environment: cli.global.environment().map(|(name, is_flag)| Environment {
            // It is the program's, for as long as it runs.
            name: Box::leak(name.into_boxed_str()),
            is_flag,
        }),
    };
    let _told_to_its_end = diagnose(cli.global.verbose);
    match on_a_stack_of_its_own(move || run(cli, audience)) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report::error(&error, audience);
            ExitCode::from(error.exit.code())
        }
    }
}

/// Of a line that cannot be read, whether it asks for JSON is read all the same.
fn usage(error: &clap::Error) -> u8 {
    let plain = Cli::command().styles(Styles::plain()).try_get_matches();
    let mut words = std::env::args_os().skip(1).take_while(|word| word != "--");
    let audience = Audience {
        json: words.any(|word| word == "--json"),
        ..Audience::default()
    };
    report::usage(error, plain.as_ref().err().unwrap_or(error), audience)
}

/// The main thread's is as large as the system likes: 1 MiB on Windows, which a debug
/// build is through with before it has moved anything.
fn on_a_stack_of_its_own(
    run: impl FnOnce() -> error::Result<u8> + Send + 'static,
) -> error::Result<u8> {
    const BYTES: usize = 16 * 1024 * 1024;
    let thread = thread::Builder::new().stack_size(BYTES).spawn(run);
    let thread = thread.map_err(|error| cannot_start(&error))?;
    thread.join().unwrap_or_else(|panic| resume_unwind(panic))
}

fn cannot_start(error: &io::Error) -> error::Error {
    error::Error::failed("the program cannot start").because(error)
}

fn run(cli: Cli, audience: Audience) -> error::Result<u8> {
    // One TLS implementation for AWS, Docker and the probe; the first to ask
    // for a default gets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| cannot_start(&error))?;
    let result = runtime.block_on(commands::run(cli, audience));
    // A lookup or a build that was given up must not hold the exit.
    runtime.shutdown_background();
    result
}

/// Diagnosis is off unless asked for, and never on stdout.
fn diagnose(verbosity: u8) -> Option<Diagnosis> {
    (verbosity > 0).then(|| {
        let told = Diagnosis::start();
        let teller = told.teller();
        tracing_subscriber::registry()
            .with(tracing_subscriber::fmt::layer().with_writer(move || teller.clone()))
            .with(diagnosis(verbosity))
            .init();
        told
    })
}

/// Whose diagnosis is shown. A list of who may speak, and no variable adds to
/// it: the libraries below log requests with their headers and bodies, and so
/// credentials, secrets and environments, at their lower levels. The one that
/// may tells at `INFO` where credentials were looked for, not what they are.
fn diagnosis(verbosity: u8) -> Targets {
    let level = match verbosity {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    Targets::new()
        .with_target("bgecs", level)
        .with_target("aws_config", level.min(LevelFilter::INFO))
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::filter::LevelFilter;

    use super::diagnosis;

    #[test]
    fn no_library_logs_what_it_sends() {
        for verbosity in 0..=9 {
            let shown = diagnosis(verbosity);
            for target in [
                "aws_runtime::auth::sigv4",
                "aws_sdk_ecr::operation",
                "aws_sdk_ecs::operation",
                "aws_sigv4::http_request",
                "aws_smithy_http_client::client",
                "aws_smithy_runtime::client::http",
                "aws_smithy_runtime::client::orchestrator",
                "aws_smithy_runtime_api::client::interceptors",
                "bollard::docker",
                "h2::codec::framed_write",
                "hyper::proto::h1::io",
                "hyper_util::client",
                "reqwest::connect",
                "rustls::client",
                "tonic::transport",
            ] {
                assert!(
                    !shown.would_enable(target, &tracing::Level::ERROR),
                    "{target}"
                );
            }
            let credentials = "aws_config::profile::credentials";
            assert!(!shown.would_enable(credentials, &tracing::Level::DEBUG));
        }
    }

    #[test]
    fn each_v_shows_more() {
        let most = |verbosity| {
            let shown = diagnosis(verbosity);
            let levels = [
                tracing::Level::ERROR,
                tracing::Level::INFO,
                tracing::Level::DEBUG,
                tracing::Level::TRACE,
            ];
            let shown = levels
                .iter()
                .filter(|level| shown.would_enable("bgecs::docker", level));
            shown
                .max()
                .map_or(LevelFilter::OFF, |level| LevelFilter::from_level(*level))
        };
        let levels = [
            LevelFilter::OFF,
            LevelFilter::INFO,
            LevelFilter::DEBUG,
            LevelFilter::TRACE,
        ];
        assert_eq!([0, 1, 2, 3].map(most), levels);
    }
}
