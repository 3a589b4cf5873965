//! The local AWS: what `cargo xtask e2e`, `cargo xtask local` and the
//! integration tests run bgecs against.
//!
//! [`Engine`] sees to a Docker Engine, [`Emulator`] to an AWS emulator that runs
//! ECS tasks as containers of that engine, [`image`] makes an image of the
//! emulator. Whatever was started here is stopped here, also after a failure, a
//! panic, Ctrl-C or a kill.
//!
//! This crate knows nothing of bgecs, and must not: it is the world, not the
//! thing under test. It prints nothing; what it does it says through a
//! [`Progress`].
//!
//! ```no_run
//! # async fn work(_: &localstack::Emulator) -> Result<(), localstack::Error> { Ok(()) }
//! # async fn run() -> Result<(), localstack::Error> {
//! let progress = |line: &str| eprintln!("{line}");
//! let engine = localstack::Engine::ensure(&progress).await?;
//! let aws = localstack::Emulator::start(&engine, localstack::Options::default(), &progress).await?;
//! let outcome = tokio::select! {
//!     outcome = work(&aws) => outcome,
//!     _ = tokio::signal::ctrl_c() => Ok(()),
//! };
//! localstack::teardown(aws, engine, &progress).await?;
//! # outcome
//! # }
//! ```

pub mod balancer;
mod debian;
mod emulator;
mod endpoints;
mod engine;
mod error;
pub mod gate;
mod http;
mod http2;
pub mod image;
mod layout;
mod lock;
mod process;
mod shell;
mod tool;
mod venv;

pub use emulator::{ENV_TO_REMOVE, Emulator, Kept, Options, Source, stop_kept, variables};
pub use endpoints::Endpoints;
pub use engine::Engine;
pub use error::{Error, LogEnd};
pub use gate::Gate;
pub use shell::busybox;
pub use tool::Tool;
pub use venv::Environment;

/// What a result of this crate is.
pub type Result<T> = std::result::Result<T, Error>;

/// Takes a line about what is being done, such as "installing docker.io".
pub type Progress = dyn Fn(&str) + Send + Sync;

/// Stops the emulator, then lets go of the engine. A failure of the first does
/// not keep the second from being done; the first failure is what is returned.
///
/// # Errors
/// If something that was started could not be stopped; it says what is left.
pub async fn teardown(emulator: Emulator, engine: Engine, progress: &Progress) -> Result<()> {
    let stopped = emulator.stop().await;
    let released = engine.release(progress).await;
    stopped.and(released)
}
