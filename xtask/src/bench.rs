//! `cargo xtask bench`: bgecs beside what people use today, on this machine, in
//! one run, against the same emulator and Docker Engine.
//!
//! Both sides of a row are run in turns, so that what slows the machine slows
//! both, and each ratio is of two runs that were made one after the other. Ratios
//! can be compared from machine to machine, times cannot.
//!
//! A target that is missed is shown as missed; this fails only where something
//! could not be measured.

mod calls;
mod canary;
mod context;
mod deploy;
mod figures;
mod machine;
mod probe;
mod process;
mod program;
mod recovery;
mod row;
mod stage;
mod status;
mod table;
mod window;
mod worker;

use std::path::Path;
use std::time::Instant;

use clap::ValueEnum;
use localstack::{Emulator, Engine, Gate, Options, gate};

use crate::bgecs::{self, root};
use crate::{Result, docs, interrupt, local, say};
use row::Row;
use stage::{App, Stage};
use table::Found;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these measures, each named with an --only of its own
    #[arg(long, value_enum)]
    only: Vec<Measure>,
    /// How often each side of a measure is run
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    runs: u16,
    /// Write the table into docs/benchmarks.md
    #[arg(long, conflicts_with = "only")]
    write_docs: bool,
    /// Measure the debug build, where what counts is not bgecs's own speed
    #[arg(long, conflicts_with = "write_docs")]
    debug: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Measure {
    Window,
    Deploy,
    Status,
    Process,
    Calls,
    Probe,
    Context,
    Recovery,
    Canary,
    /// Several workers on one queue; only where it is named, for it takes long
    Worker,
}

impl Measure {
    fn name(self) -> &'static str {
        match self {
            Self::Window => "window",
            Self::Deploy => "deploy",
            Self::Status => "status",
            Self::Process => "process",
            Self::Calls => "calls",
            Self::Probe => "probe",
            Self::Context => "context",
            Self::Recovery => "recovery",
            Self::Canary => "canary",
            Self::Worker => "worker",
        }
    }

    /// Whether it has apps of its own: with bad releases, or many.
    fn makes_its_app(self) -> bool {
        matches!(self, Self::Recovery | Self::Canary | Self::Worker)
    }
}

/// What came of all measures, in their order.
#[derive(Debug, Default)]
struct Results {
    found: Vec<(&'static str, Found)>,
    failed: Vec<&'static str>,
}

impl Results {
    fn take(&mut self, measure: Measure, found: Result<Found>) {
        match found {
            Ok(found) => {
                tell(&found);
                self.found.push((measure.name(), found));
            }
            Err(error) => {
                say::line(&format!("  {} failed: {error}", measure.name()));
                self.failed.push(measure.name());
            }
        }
    }
}

impl Args {
    fn wants(&self, measure: Measure) -> bool {
        let is_short = measure != Measure::Worker;
        (self.only.is_empty() && is_short) || self.only.contains(&measure)
    }
}

/// Sets everything up, measures, and takes everything down again, also after a
/// failure or an interrupt.
pub async fn run(args: &Args) -> Result<()> {
    let began = Instant::now();
    let exe = match args.debug {
        true => bgecs::build().await?,
        false => bgecs::build_release().await?,
    };
    let engine = Engine::ensure(&say::line).await?;
    let (engine, emulator) = local::start(engine, Options::default()).await?;
    let mut results = Results::default();
    let gone_through = tokio::select! {
        done = go_through(args, &exe, &emulator, &mut results) => done,
        interrupted = interrupt::awaited() => interrupted,
    };
    localstack::teardown(emulator, engine, &say::line).await?;
    show(args, &exe, &results).await?;
    say::line(&format!("took {} s", began.elapsed().as_secs()));
    gone_through?;
    match results.failed.as_slice() {
        [] => Ok(()),
        failed => Err(format!("could not be measured: {}", failed.join(", ")).into()),
    }
}

async fn go_through(
    args: &Args,
    exe: &Path,
    emulator: &Emulator,
    results: &mut Results,
) -> Result<()> {
    let options = gate::Options {
        dns: Some(gate::dns::Options::default()),
        ..gate::Options::default()
    };
    let gate = Gate::before(emulator.endpoint(), &options)?;
    let stage = Stage::new(&gate, exe.to_owned());
    if Measure::value_variants()
        .iter()
        .any(|measure| !measure.makes_its_app() && args.wants(*measure))
    {
        go_through_apps(args, &stage, results).await?;
    }
    for measure in [Measure::Recovery, Measure::Canary, Measure::Worker] {
        if !args.wants(measure) {
            continue;
        }
        say::line(&format!("measuring: {}", measure.name()));
        let runs = usize::from(args.runs);
        let found = match measure {
            Measure::Canary => canary::measure(&stage, runs).await,
            Measure::Worker => worker::measure(&stage).await,
            _ => recovery::measure(&stage, runs).await,
        };
        results.take(measure, found);
    }
    drop(stage);
    gate.stop().await;
    Ok(())
}

/// What is measured on two apps alike.
async fn go_through_apps(args: &Args, stage: &Stage<'_>, results: &mut Results) -> Result<()> {
    let exe = stage.exe();
    let mut ours = App::make(stage, "bench-ours").await?;
    let mut theirs = App::make(stage, "bench-theirs").await?;
    let runs = usize::from(args.runs);
    for measure in Measure::value_variants() {
        if !args.wants(*measure) {
            continue;
        }
        say::line(&format!("measuring: {}", measure.name()));
        let found = match measure {
            Measure::Window => window::measure(&ours, runs).await,
            Measure::Deploy => deploy::measure(&mut ours, &mut theirs, runs).await,
            Measure::Status => status::measure(&ours, runs).await,
            Measure::Process => process::measure(&ours, runs).await,
            Measure::Calls => calls::measure(&ours, runs).await,
            Measure::Probe => probe::measure(exe, runs).await,
            Measure::Context => context::measure(&mut ours, runs).await,
            Measure::Recovery | Measure::Canary | Measure::Worker => continue,
        };
        results.take(*measure, found);
    }
    ours.destroy().await?;
    theirs.destroy().await?;
    Ok(())
}

fn tell(found: &Found) {
    for row in &found.rows {
        let cells = row.cells();
        let told: Vec<&str> = cells.iter().map(String::as_str).collect();
        say::line(&format!("  {}", told.join("  ")));
    }
    for note in &found.notes {
        say::line(&format!("  {note}"));
    }
}

async fn show(args: &Args, exe: &Path, results: &Results) -> Result<()> {
    let mut machine = machine::describe(exe).await?;
    if args.debug {
        machine.push("a debug build".to_owned());
    }
    let rows = results.found.iter().flat_map(|(_, found)| &found.rows);
    let rows: Vec<&Row> = rows.collect();
    let table = table::markdown(&rows);
    let under = format!("{table}\n{}.", machine.join("; "));
    say::result(&under);
    for (name, found) in &results.found {
        for note in &found.notes {
            say::result(&format!("{name}: {note}"));
        }
    }
    let path = root().join("target/bench.json");
    let data = table::data(&machine, &results.found);
    std::fs::write(&path, format!("{data:#}\n"))?;
    if args.write_docs && results.failed.is_empty() {
        docs::write_into(&root().join("docs/benchmarks.md"), "bench", &under)?;
    }
    let missed = rows
        .iter()
        .filter(|row| row.is_met() == Some(false))
        .count();
    let met = rows.iter().filter(|row| row.is_met() == Some(true)).count();
    say::result(&format!("bench: {met} met, {missed} missed"));
    Ok(())
}
