//! `cargo xtask e2e`: the whole story, on a local AWS with real containers.

mod address;
mod alias;
mod calls;
mod cdn;
mod company;
mod depot;
mod gap;
mod ground;
mod heard;
mod journal;
mod mapping;
mod migration;
mod nightly;
mod onlookers;
mod origin;
mod record;
mod refusals;
mod releases;
mod scaling;
mod shift;
mod shop;
mod site;
mod smuggled;
mod stage;
mod story;
mod traffic;
mod twice;
mod zone;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use localstack::{Emulator, Engine, Gate, Options, gate};

use crate::bgecs::{self, Bgecs};
use crate::company::trusting;
use crate::{Result, interrupt, local, say};
use stage::Stage;
use story::Story;

/// How the story is told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// Leave the local AWS and what runs on it up at the end.
    pub keep: bool,
    /// Through the gate, or on the bare emulator.
    pub gated: bool,
}

/// Sets everything up, tells the story, and takes everything down again, also
/// after a failure or an interrupt.
pub async fn run(telling: Telling) -> Result<()> {
    let began = Instant::now();
    // Before it may be built anew, which leaves this process without a file.
    let own = std::env::current_exe()?;
    let exe = bgecs::build().await?;
    let engine = Engine::ensure(&say::line).await?;
    let options = Options::default().keep(telling.keep);
    let (engine, mut emulator) = local::start(engine, options).await?;
    let told = tell(&engine, &emulator, exe, telling.gated).await;
    if told.is_err() {
        say::line(&format!(
            "the emulator's last lines:\n{}",
            emulator.log_tail(30).await
        ));
    }
    if telling.keep {
        let endpoint = left_up(&mut emulator, telling.gated, &own).await;
        say::line(&format!(
            "left up at {endpoint}: `cargo xtask local down` stops it"
        ));
        emulator.stop().await?;
        engine.keep()?;
    } else {
        localstack::teardown(emulator, engine, &say::line).await?;
    }
    say::line(&format!("took {} s", began.elapsed().as_secs()));
    told
}

async fn tell(engine: &Engine, emulator: &Emulator, exe: PathBuf, gated: bool) -> Result<()> {
    let gate = match gated {
        true => Some(Gate::before(emulator.endpoint(), &gate_options())?),
        false => None,
    };
    let (endpoint, env) = match &gate {
        Some(gate) => (gate.endpoint(), trusting(gate, &stage::folder()?)?),
        None => (emulator.endpoint(), emulator.env()),
    };
    say::line(&format!("the local AWS answers at {endpoint}"));
    let calls = gate.as_ref().map(|gate| gate.calls().clone());
    let bgecs = Bgecs::new(exe, env, calls);
    let mut story = Story::new(Stage::new(bgecs, endpoint, gate.as_ref(), engine.docker())?);
    let told = tokio::select! {
        told = story.tell() => told,
        interrupted = interrupt::awaited() => interrupted,
    };
    if let Some(trouble) = gate.as_ref().and_then(Gate::trouble) {
        say::line(&format!("the gate's trouble: {trouble}"));
    }
    calls::show(&story);
    let passed = story.passed();
    let failed = usize::from(told.is_err());
    drop(story);
    if let Some(gate) = gate {
        gate.stop().await;
    }
    say::result(&format!("e2e: {passed} passed, {failed} failed"));
    told
}

fn gate_options() -> gate::Options {
    gate::Options {
        nodes: 3,
        addresses: gate::Addresses::EachNode,
        dns: Some(gate::dns::Options {
            // The second keeps an answer for longer than the record says.
            resolvers: vec![Duration::ZERO, Duration::from_secs(3)],
            ..gate::dns::Options::default()
        }),
        cdn: Some(cdn::options()),
        lightsail: Some(address::options()),
        ..gate::Options::default()
    }
}

/// Where an emulator that is kept answers from now on. It is left up also if no
/// gate can be put before it: what came of the story is to be seen.
async fn left_up(emulator: &mut Emulator, gated: bool, own: &Path) -> String {
    if gated {
        match local::put_gate_before(emulator, own).await {
            Ok(endpoint) => return endpoint,
            Err(error) => say::line(&format!("no gate is left before it: {error}")),
        }
    }
    emulator.endpoint().to_owned()
}
