//! The repository's own chores, run as `cargo xtask …`.

mod autoscaling;
mod bench;
mod bgecs;
mod chaos;
mod company;
mod dist;
mod docs;
mod e2e;
mod faults;
mod gate;
mod interrupt;
mod json;
mod local;
mod observer;
mod others;
mod peers;
mod say;
mod visitors;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// The repository's own chores.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Measure bgecs beside what people use today
    Bench(bench::Args),
    /// Type commands at random, with faults, kills and strangers, and see what holds
    Chaos(chaos::Args),
    /// Build a release: archives, Debian packages, an image context, a Homebrew formula
    Dist(dist::Args),
    /// Run the whole story on a local AWS with real containers
    E2e {
        /// Leave the local AWS and what runs on it up at the end
        #[arg(long)]
        keep: bool,
        /// Run it on the bare emulator, without the gate before it
        #[arg(long)]
        no_gate: bool,
    },
    /// Kill bgecs before and after each of its writes, and see what comes of it
    Faults(faults::Args),
    /// Put the gate before an emulator that runs already, until it is interrupted
    Gate(gate::Args),
    /// A local AWS to use bgecs on by hand
    #[command(subcommand)]
    Local(Local),
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Local {
    /// Start it, and print the export lines for a shell
    Up,
    /// Stop it, with all that runs on it
    Down,
    /// Build an image of the emulator, for BGECS_EMULATOR_IMAGE
    Image,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    // reqwest asks for a TLS implementation even where all is plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let result = match Task::parse() {
        Task::E2e { keep, no_gate } => {
            let gated = !no_gate;
            e2e::run(e2e::Telling { keep, gated }).await
        }
        Task::Bench(args) => bench::run(&args).await,
        Task::Dist(args) => dist::run(&args).await,
        Task::Chaos(args) => chaos::run(&args).await,
        Task::Faults(args) => faults::run(&args).await,
        Task::Gate(args) => gate::run(&args).await,
        Task::Local(Local::Up) => local::up().await,
        Task::Local(Local::Down) => local::down().await,
        Task::Local(Local::Image) => local::image().await,
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::line(&format!("error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// What went wrong, as a sentence.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
pub type Result<T> = std::result::Result<T, Failure>;
