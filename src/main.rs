//! `bgecs`: blue/green releases on Amazon ECS Fargate.
//!
//! Parses the command line, runs one command, and turns its end into an exit
//! code. What may happen is in `engine`, which calls are made in `aws` and
//! `docker`, what is printed in `report`.

mod aws;
mod cli;
mod commands;
mod config;
mod definition;
mod docker;
mod driver;
mod engine;
mod error;
mod hidden;
mod interrupt;
mod model;
mod probe;
mod provenance;
mod report;
mod session;

use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use cli::Cli;
use report::Audience;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let audience = Audience {
        json: cli.global.json,
        quiet: cli.global.quiet,
    };
    diagnose(cli.global.verbose);
    match run(cli, audience) {
        Ok(exit) => ExitCode::from(exit.code()),
        Err(error) => {
            report::error(&error, audience);
            ExitCode::from(error.exit.code())
        }
    }
}

fn run(cli: Cli, audience: Audience) -> error::Result<error::Exit> {
    // One TLS implementation for AWS, Docker and the probe; the first to ask
    // for a default gets it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error::Error::failed("the program cannot start").because(&error))?;
    let result = runtime.block_on(commands::run(cli, audience));
    // A lookup or a build that was given up must not hold the exit.
    runtime.shutdown_background();
    result
}

/// Diagnosis is off unless asked for, and never on stdout.
fn diagnose(verbosity: u8) {
    let level = match verbosity {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    // The SDK logs requests with their headers at its lower levels: its own
    // modules stay at a level that names operations only.
    let targets = Targets::new()
        .with_target("bgecs", level)
        .with_target("aws_config", level.min(LevelFilter::INFO))
        .with_target("aws_smithy_runtime", level.min(LevelFilter::INFO));
    tracing_subscriber::registry()
        .with(tracing_subscriber::fmt::layer().with_writer(std::io::stderr))
        .with(targets)
        .init();
}
