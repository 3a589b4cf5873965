//! `cargo xtask faults`: the crash matrix. bgecs is killed before and after each
//! of its writes, for every operation, and must leave what the next command can
//! read, name and finish, while somebody uses production: `resume`, the same line
//! again, or another one over it.
//!
//! The writes are read from the gate's record of a run that nothing disturbed.
//! Several worlds, each a local AWS of its own, share the cells.

mod beside;
mod cell;
mod edges;
mod judge;
mod lane;
mod mode;
mod operation;
mod pair;
pub mod state;
mod table;
mod typing;
pub mod world;

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use localstack::{Emulator, Engine, Gate, Options, gate};

use crate::bgecs::{self, Bgecs, root};
use crate::company::trusting;
use crate::{Result, docs, interrupt, say};
use lane::{Lane, Share};
use mode::{Asked, Mode};
use operation::Operation;
use table::Table;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only these operations, each named with an --only of its own
    #[arg(long, value_enum)]
    only: Vec<Operation>,
    /// Only what comes after a kill in this way, each with a --mode of its own
    #[arg(long, value_enum)]
    mode: Vec<Asked>,
    /// How many local AWS there are, which share the work
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=8))]
    lanes: u32,
    /// Write the tables into docs/reliability.md; with --only, the rows of these
    /// operations
    #[arg(long, conflicts_with = "mode")]
    write_docs: bool,
}

impl Args {
    fn wants(&self, operation: Operation, mode: Mode) -> bool {
        (self.only.is_empty() || self.only.contains(&operation))
            && (self.mode.is_empty() || self.mode.contains(&mode.asked()))
            && mode.suits(operation)
    }
}

/// Sets everything up, goes through the matrix, and takes everything down again,
/// also after a failure or an interrupt.
pub async fn run(args: &Args) -> Result<()> {
    let began = Instant::now();
    let exe = bgecs::build().await?;
    let engine = Engine::ensure(&say::line).await?;
    let table = Mutex::new(Table::default());
    let mut emulators = Vec::new();
    let gone_through = tokio::select! {
        done = go_through(args, &exe, &engine, &mut emulators, &table) => done,
        interrupted = interrupt::awaited() => interrupted,
    };
    for emulator in emulators {
        emulator.stop().await?;
    }
    engine.release(&say::line).await?;
    let table = table.into_inner().unwrap_or_else(PoisonError::into_inner);
    show(args, &table)?;
    say::line(&format!("took {} s", began.elapsed().as_secs()));
    gone_through?;
    match table.failed() {
        0 => Ok(()),
        _ => Err("bgecs did not survive every kill".into()),
    }
}

async fn go_through(
    args: &Args,
    exe: &Path,
    engine: &Engine,
    emulators: &mut Vec<Emulator>,
    table: &Mutex<Table>,
) -> Result<()> {
    for _ in 0..args.lanes {
        emulators.push(Emulator::start(engine, Options::default(), &say::line).await?);
    }
    let shares = (0..args.lanes).map(|nth| Share {
        nth,
        of: args.lanes,
    });
    let lanes = emulators.iter().zip(shares);
    let lanes = lanes.map(|(emulator, share)| go_along(args, exe, emulator, share, table));
    futures_util::future::try_join_all(lanes).await?;
    Ok(())
}

/// What one world is there for.
async fn go_along(
    args: &Args,
    exe: &Path,
    emulator: &Emulator,
    share: Share,
    table: &Mutex<Table>,
) -> Result<()> {
    let options = gate::Options {
        dns: Some(gate::dns::Options::default()),
        cdn: Some(gate::cdn::Options::default()),
        ..gate::Options::default()
    };
    let gate = Gate::before(emulator.endpoint(), &options)?;
    let folder = root().join(format!("target/faults/{}", share.nth));
    std::fs::create_dir_all(&folder)?;
    let bgecs = Bgecs::new(exe.to_owned(), trusting(&gate, &folder)?, None);
    let world = world::World::new(bgecs, &gate, &folder)?;
    let mut lane = Lane::new(world, folder.join("beside"), share, table);
    let gone = lane.go(|operation, mode| args.wants(operation, mode)).await;
    if let Some(trouble) = gate.trouble() {
        say::line(&format!("the gate's trouble: {trouble}"));
    }
    drop(lane);
    gate.stop().await;
    gone
}

fn show(args: &Args, table: &Table) -> Result<()> {
    let (whole, short) = (table.whole(), table.short());
    for failure in table.failures() {
        say::line(&format!("FAILED {failure}\n"));
    }
    say::result(&whole);
    say::result(&short);
    let tables = format!("{short}\n{whole}");
    std::fs::write(root().join("target/faults.md"), &tables)?;
    if args.write_docs {
        let write = match args.only.is_empty() {
            true => docs::write_into,
            false => docs::write_rows_into,
        };
        write(&root().join("docs/reliability.md"), "faults", &tables)?;
    }
    say::result(&format!(
        "faults: {} passed, {} failed",
        table.passed(),
        table.failed()
    ));
    Ok(())
}
