//! One world's way through its share of the cells.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use localstack::gate::crash::Write;

use super::beside::{self, Beside};
use super::cell::{self, Point};
use super::edges::Edges;
use super::mode::Mode;
use super::operation::Operation;
use super::pair::Pair;
use super::table::{Table, told};
use super::world::World;
use crate::{Result, say};

/// Which of the cells are one world's.
#[derive(Debug, Clone, Copy)]
pub struct Share {
    /// From 0.
    pub nth: u32,
    pub of: u32,
}

impl Share {
    fn has(self, index: usize) -> bool {
        u32::try_from(index).is_ok_and(|index| index % self.of == self.nth)
    }
}

type Writes = BTreeMap<Operation, Vec<Write>>;

pub struct Lane<'a> {
    world: World<'a>,
    /// A company in it, once it is needed, and where its files are.
    beside: Option<Beside<'a>>,
    /// Apps whose colours bgecs does not run, likewise.
    edges: Option<Edges>,
    /// And two that are released as one.
    pair: Option<Pair>,
    folder: PathBuf,
    share: Share,
    table: &'a Mutex<Table>,
}

impl<'a> Lane<'a> {
    pub fn new(world: World<'a>, folder: PathBuf, share: Share, table: &'a Mutex<Table>) -> Self {
        Self {
            world,
            beside: None,
            edges: None,
            pair: None,
            folder,
            share,
            table,
        }
    }

    /// Goes through the cells that are wanted. A cell that fails is in the
    /// table, and is no failure of this.
    pub async fn go(&mut self, wanted: impl Fn(Operation, Mode) -> bool) -> Result<()> {
        let is_wanted = |one: &Operation| Mode::ALL.iter().any(|mode| wanted(*one, *mode));
        let mut all = Operation::TURNS.into_iter().flatten();
        // The rest runs no containers of bgecs's.
        if all.any(|one| is_wanted(one) && (one.is_of_the_app() || one.is_beside())) {
            self.world.build_image().await?;
        }
        for turns in Operation::TURNS {
            let mut writes = Writes::new();
            for operation in turns {
                let modes = Mode::ALL.map(|mode| (mode, wanted(*operation, mode)));
                let modes = modes.into_iter().filter(|(_, wanted)| *wanted);
                let modes: Vec<Mode> = modes.map(|(mode, _)| mode).collect();
                if !modes.is_empty() {
                    let measured = self.measure(*operation, &modes).await?;
                    writes.insert(*operation, measured);
                }
            }
            for mode in Mode::ALL {
                let turns = turns.iter().filter(|one| wanted(**one, mode));
                let turns: Vec<Operation> = turns.copied().collect();
                self.go_through(&turns, mode, &writes).await?;
            }
        }
        Ok(())
    }

    /// The writes of a run that nothing disturbs.
    async fn measure(&mut self, operation: Operation, modes: &[Mode]) -> Result<Vec<Write>> {
        let title = operation.title();
        let named = |error| format!("{title}, undisturbed: {error}");
        let writes = match operation {
            _ if operation.is_beside() => self.written_beside(operation).await,
            _ if operation.is_of_edges() => self.written_at_edges(operation).await,
            Operation::ReleaseSet => self.written_by_set().await,
            _ => self.written(operation).await,
        };
        let writes = writes.map_err(named)?;
        for write in &writes {
            let plain = match (&self.edges, &self.pair) {
                (Some(edges), _) if operation.is_of_edges() => edges.plain(write),
                (_, Some(pair)) if operation == Operation::ReleaseSet => pair.plain(write),
                _ => write.clone(),
            };
            if !self.table().expect(operation, &plain, modes) {
                return Err(
                    format!("{title}: not always is write {} {write}", write.number).into(),
                );
            }
        }
        Ok(writes)
    }

    async fn written(&mut self, operation: Operation) -> Result<Vec<Write>> {
        let before = self.world.prepare(operation, Mode::Resume).await?;
        let typed = operation.typed(&self.world.next_release());
        let mark = self.world.gate.calls().mark();
        self.world.done(&typed.words).await?;
        let mut writes = Write::all(&self.world.gate.calls().since(mark));
        for write in &mut writes {
            write.resource = before.plain(&write.resource);
        }
        Ok(writes)
    }

    async fn written_beside(&mut self, operation: Operation) -> Result<Vec<Write>> {
        let beside = match self.beside.take() {
            Some(beside) => beside,
            None => Beside::founded(&self.world, &self.folder).await?,
        };
        let beside = self.beside.insert(beside);
        beside.prepare(&self.world, operation).await?;
        let typed = operation.typed(&self.world.next_release());
        let mark = self.world.gate.calls().mark();
        beside.done(&self.world, &typed.words).await?;
        let mut writes = Write::all(&self.world.gate.calls().since(mark));
        for write in &mut writes {
            write.resource = beside::plain(&write.resource);
        }
        Ok(writes)
    }

    async fn written_at_edges(&mut self, operation: Operation) -> Result<Vec<Write>> {
        let edges = match self.edges.take() {
            Some(edges) => edges,
            None => Edges::founded(&self.world, &self.folder.with_file_name("edges")).await?,
        };
        let edges = self.edges.insert(edges);
        edges.written(&self.world, operation).await
    }

    async fn written_by_set(&mut self) -> Result<Vec<Write>> {
        let pair = match self.pair.take() {
            Some(pair) => pair,
            None => Pair::founded(&self.world, &self.folder.with_file_name("pair")).await?,
        };
        let pair = self.pair.insert(pair);
        pair.written(&self.world).await
    }

    /// The operations take turns: each may begin where the one before it ends.
    async fn go_through(&mut self, turns: &[Operation], mode: Mode, writes: &Writes) -> Result<()> {
        let most = writes.values().map(Vec::len).max().unwrap_or_default();
        let sides = mode.sides().iter();
        let numbers = (0..most).flat_map(|number| sides.clone().map(move |side| (number, *side)));
        for (index, (number, side)) in numbers.enumerate() {
            if !self.share.has(index) {
                continue;
            }
            for operation in turns {
                let writes = writes.get(operation).map_or(&[][..], Vec::as_slice);
                if let Some(write) = writes.get(number) {
                    self.fill(Point {
                        operation: *operation,
                        writes,
                        write,
                        side,
                        mode,
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }

    async fn fill(&mut self, point: Point<'_>) -> Result<()> {
        let began = Instant::now();
        let its = point.operation;
        let gone = match (&self.beside, &self.edges, &self.pair) {
            (Some(beside), ..) if its.is_beside() => beside.go(&self.world, point).await,
            (_, Some(edges), _) if its.is_of_edges() => edges.go(&self.world, point).await,
            (.., Some(pair)) if its == Operation::ReleaseSet => pair.go(&self.world, point).await,
            _ => cell::go(&mut self.world, point).await,
        };
        let Point {
            operation,
            write,
            side,
            writes,
            mode,
        } = point;
        say::line(&format!(
            "{}, {side} {}/{} {write}, {}: {} ({:.1} s)",
            operation.title(),
            write.number,
            writes.len(),
            mode.named(),
            gone.verdict
                .as_ref()
                .map_or_else(|_| "FAILED".to_owned(), told),
            began.elapsed().as_secs_f64()
        ));
        let failed = gone.verdict.is_err();
        if let Err(reason) = &gone.verdict {
            say::line(&format!("  {reason}"));
        }
        self.table().fill(operation, write.number, mode, side, gone);
        if failed && operation.is_of_the_app() {
            self.world.rebuild().await?;
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
