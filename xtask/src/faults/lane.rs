//! One world's way through its share of the cells.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use localstack::gate::crash::{Side, Write};

use super::cell::{self, Point};
use super::operation::Operation;
use super::table::{Table, Verdict};
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
    share: Share,
    table: &'a Mutex<Table>,
}

impl<'a> Lane<'a> {
    pub fn new(world: World<'a>, share: Share, table: &'a Mutex<Table>) -> Self {
        Self {
            world,
            share,
            table,
        }
    }

    /// Goes through the cells of the operations that are wanted. A cell that
    /// fails is in the table, and is no failure of this.
    pub async fn go(&mut self, wanted: impl Fn(Operation) -> bool) -> Result<()> {
        self.world.build_image().await?;
        for operation in Operation::RELEASES.into_iter().filter(|one| wanted(*one)) {
            let writes = self.measure(operation).await?;
            let writes = Writes::from([(operation, writes)]);
            self.go_through(&[operation], &writes).await?;
        }
        let life: Vec<Operation> = Operation::LIFE
            .into_iter()
            .filter(|one| wanted(*one))
            .collect();
        let mut writes = Writes::new();
        for operation in &life {
            writes.insert(*operation, self.measure(*operation).await?);
        }
        self.go_through(&life, &writes).await
    }

    /// The writes of a run that nothing disturbs.
    async fn measure(&mut self, operation: Operation) -> Result<Vec<Write>> {
        let title = operation.title();
        let named = |error| format!("{title}, undisturbed: {error}");
        let before = self.world.prepare(operation).await.map_err(named)?;
        let words = self.world.typed(operation, &before)?;
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mark = self.world.gate.calls().mark();
        self.world.done(&words).await.map_err(named)?;
        let mut writes = Write::all(&self.world.gate.calls().since(mark));
        for write in &mut writes {
            write.resource = before.plain(&write.resource);
        }
        for write in &writes {
            if !self.table().expect(operation, write) {
                return Err(
                    format!("{title}: not always is write {} {write}", write.number).into(),
                );
            }
        }
        Ok(writes)
    }

    /// The operations take turns: each may begin where the one before it ends.
    async fn go_through(&mut self, operations: &[Operation], writes: &Writes) -> Result<()> {
        let most = writes.values().map(Vec::len).max().unwrap_or_default();
        let numbers = (0..most).flat_map(|number| Side::BOTH.map(|side| (number, side)));
        for (index, (number, side)) in numbers.enumerate() {
            if !self.share.has(index) {
                continue;
            }
            for operation in operations {
                let writes = writes.get(operation).map_or(&[][..], Vec::as_slice);
                if let Some(write) = writes.get(number) {
                    self.fill(Point {
                        operation: *operation,
                        writes,
                        write,
                        side,
                    })
                    .await?;
                }
            }
        }
        Ok(())
    }

    async fn fill(&mut self, point: Point<'_>) -> Result<()> {
        let began = Instant::now();
        let verdict: Verdict = cell::go(&mut self.world, point)
            .await
            .map_err(|error| error.to_string());
        let told = match &verdict {
            Ok(outcome) => outcome.as_str(),
            Err(_) => "FAILED",
        };
        let Point {
            operation,
            write,
            side,
            writes,
        } = point;
        say::line(&format!(
            "{}, {side} {}/{} {write}: {told} ({:.1} s)",
            operation.title(),
            write.number,
            writes.len(),
            began.elapsed().as_secs_f64()
        ));
        let failed = verdict.is_err();
        if let Err(reason) = &verdict {
            say::line(&format!("  {reason}"));
        }
        self.table().fill(operation, write.number, side, verdict);
        if failed {
            self.world.rebuild().await?;
        }
        Ok(())
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
