//! `cargo xtask e2e`: the whole story, on a local AWS with real containers.

mod refusals;
mod releases;
mod stage;
mod story;

use std::time::Instant;

use localstack::{Emulator, Engine, Options};
use tokio::signal::unix::{SignalKind, signal};

use crate::bgecs::{self, Bgecs};
use crate::{Result, say};
use stage::Stage;
use story::Story;

/// Sets everything up, runs the story, and takes everything down again, also
/// after a failure or an interrupt.
pub async fn run(keep: bool) -> Result<()> {
    let began = Instant::now();
    let exe = bgecs::build().await?;
    let engine = Engine::ensure(&say::line).await?;
    let emulator = match Emulator::start(&engine, Options::default().keep(keep), &say::line).await {
        Ok(emulator) => emulator,
        Err(error) => {
            engine.release(&say::line).await?;
            return Err(error.into());
        }
    };
    say::line(&format!("the local AWS answers at {}", emulator.endpoint()));
    let bgecs = Bgecs::new(exe, emulator.env());
    let mut story = Story::new(Stage::new(bgecs, emulator.endpoint())?);
    let told = tokio::select! {
        told = story.tell() => told,
        interrupted = interrupt() => interrupted,
    };
    if told.is_err() {
        say::line(&format!(
            "the emulator's last lines:\n{}",
            emulator.log_tail(30).await
        ));
    }
    let passed = story.passed();
    if keep {
        say::line(&format!(
            "left up at {}: `cargo xtask local down` stops it",
            emulator.endpoint()
        ));
        emulator.stop().await?;
        engine.keep()?;
    } else {
        localstack::teardown(emulator, engine, &say::line).await?;
    }
    say::line(&format!("took {} s", began.elapsed().as_secs()));
    match &told {
        Ok(()) => say::result(&format!("e2e: {passed} passed, 0 failed")),
        Err(_) => say::result(&format!("e2e: {passed} passed, 1 failed")),
    }
    told
}

async fn interrupt() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        result = tokio::signal::ctrl_c() => result?,
        _ = terminate.recv() => {}
    }
    Err("interrupted".into())
}
