//! The matrix as Markdown, for a person and for the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use localstack::gate::crash::{Side, Write};

use super::cell::{End, Gone, Told};
use super::judge::Outcome;
use super::mode::{Mode, Next};
use super::operation::Operation;

/// All cells that were gone through.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<(Operation, u32), Row>,
}

#[derive(Debug)]
struct Row {
    write: String,
    /// `None` is one that was not come to.
    cells: BTreeMap<(Mode, Side), Option<Gone>>,
}

/// The columns of the first table: all that every operation has.
const COLUMNS: [(Mode, Side, &str); 5] = [
    (
        Mode::Resume,
        Side::Before,
        "`resume` after a kill before it",
    ),
    (Mode::Resume, Side::After, "after a kill after it"),
    (Mode::Repeat, Side::Before, "the same line, before"),
    (Mode::Repeat, Side::After, "the same line, after"),
    (
        Mode::Over(Next::Destroy),
        Side::After,
        "`destroy` or `detach`, after",
    ),
];
/// The rows of the second one.
const CROSSINGS: [Mode; 4] = [
    Mode::Over(Next::Promote),
    Mode::Over(Next::Rollback),
    Mode::Over(Next::Deploy),
    Mode::Over(Next::Attach),
];

impl Row {
    fn gone(&self) -> impl Iterator<Item = &Gone> {
        self.cells.values().flatten()
    }

    fn passed(&self) -> usize {
        self.gone().filter(|gone| gone.verdict.is_ok()).count()
    }

    fn shown(&self, mode: Mode, side: Side) -> String {
        match self.cells.get(&(mode, side)) {
            None => String::new(),
            Some(None) => "not come to".to_owned(),
            Some(Some(gone)) => shown(gone),
        }
    }
}

impl Table {
    /// A write that has to be gone through in these ways. False where another
    /// one has its place.
    pub fn expect(&mut self, operation: Operation, write: &Write, modes: &[Mode]) -> bool {
        let key = (operation, write.number);
        let cells = modes.iter().flat_map(|mode| {
            let sides = mode.sides().iter();
            sides.map(|side| ((*mode, *side), None))
        });
        let row = self.rows.entry(key).or_insert_with(|| Row {
            write: write.to_string(),
            cells: cells.collect(),
        });
        row.write == write.to_string()
    }

    pub fn fill(&mut self, operation: Operation, number: u32, mode: Mode, side: Side, gone: Gone) {
        if let Some(row) = self.rows.get_mut(&(operation, number)) {
            row.cells.insert((mode, side), Some(gone));
        }
    }

    pub fn passed(&self) -> usize {
        self.rows.values().map(Row::passed).sum()
    }

    /// Cells that failed or were not come to.
    pub fn failed(&self) -> usize {
        let all: usize = self.rows.values().map(|row| row.cells.len()).sum();
        all - self.passed()
    }

    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for ((operation, number), row) in &self.rows {
            for ((mode, side), gone) in &row.cells {
                let verdict = gone.as_ref().map(|gone| &gone.verdict);
                if let Some(Err(reason)) = verdict {
                    let (title, named) = (operation.title(), mode.named());
                    let write = &row.write;
                    failures.push(format!(
                        "{title}, {side} {number} ({write}), {named}: {reason}"
                    ));
                }
            }
        }
        failures
    }

    /// A row for each write, and one for each that another command came over.
    pub fn whole(&self) -> String {
        [self.writes(), self.crossings()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("\n")
    }

    fn writes(&self) -> Option<String> {
        let has = |mode, side| {
            let cells = |row: &Row| row.cells.contains_key(&(mode, side));
            self.rows.values().any(cells)
        };
        let columns = COLUMNS
            .into_iter()
            .filter(|(mode, side, _)| has(*mode, *side));
        let columns: Vec<_> = columns.collect();
        if columns.is_empty() {
            return None;
        }
        let titles = columns.iter().map(|(_, _, title)| *title);
        let mut text = head(["operation", "", "write"].into_iter().chain(titles));
        for ((operation, number), row) in &self.rows {
            let _ = write!(
                text,
                "| {} | {number} | `{}` |",
                operation.title(),
                row.write
            );
            for (mode, side, _) in &columns {
                let _ = write!(text, " {} |", row.shown(*mode, *side));
            }
            let _ = writeln!(text, " {} |", failed_for(row.gone()));
        }
        Some(text)
    }

    fn crossings(&self) -> Option<String> {
        let mut lines = Vec::new();
        for mode in CROSSINGS {
            for ((operation, number), row) in &self.rows {
                if !row.cells.contains_key(&(mode, Side::Before)) {
                    continue;
                }
                let [before, after] = Side::BOTH.map(|side| row.shown(mode, side));
                let gone = Side::BOTH.map(|side| row.cells.get(&(mode, side)));
                let failed = failed_for(gone.into_iter().flatten().flatten());
                let (title, write) = (operation.title(), &row.write);
                let named = mode.named();
                lines.push(format!(
                    "| {title} | {number} | `{write}` | {named} | {before} | {after} | {failed} |\n"
                ));
            }
        }
        let titles = [
            "operation",
            "",
            "write",
            "then",
            "killed before it",
            "killed after it",
        ];
        (!lines.is_empty()).then(|| head(titles.into_iter()) + &lines.concat())
    }

    /// A row for each operation.
    pub fn short(&self) -> String {
        let titles = ["operation", "kills"].into_iter();
        let outcomes = Outcome::ALL.map(Outcome::as_str).into_iter();
        let others = ["the same line again", "another command", "failed"];
        let mut text = head(titles.chain(outcomes).chain(others));
        for (operation, rows) in self.by_operation() {
            let gone: Vec<&Gone> = rows.iter().flat_map(|row| row.gone()).collect();
            let count = |is: &dyn Fn(&Told) -> bool| {
                let told = gone.iter().filter_map(|gone| gone.verdict.as_ref().ok());
                told.filter(|told| is(told)).count()
            };
            let kills: usize = rows.iter().map(|row| row.cells.len()).sum();
            let _ = write!(text, "| {} | {kills} |", operation.title());
            for outcome in Outcome::ALL {
                let _ = write!(
                    text,
                    " {} |",
                    count(&|told| *told == Told::Resumed(outcome))
                );
            }
            let again = count(&|told| matches!(told, Told::Repeated(_)));
            let other = count(&|told| matches!(told, Told::Overtaken(..)));
            let failed = kills - rows.iter().map(|row| row.passed()).sum::<usize>();
            let users = failed_for(gone.iter().copied());
            let _ = writeln!(text, " {again} | {other} | {failed} | {users} |");
        }
        text
    }

    fn by_operation(&self) -> BTreeMap<Operation, Vec<&Row>> {
        let mut rows: BTreeMap<Operation, Vec<&Row>> = BTreeMap::new();
        for ((operation, _), row) in &self.rows {
            rows.entry(*operation).or_default().push(row);
        }
        rows
    }
}

/// With a column more for how long users failed.
fn head<'a>(titles: impl Iterator<Item = &'a str>) -> String {
    let titles: Vec<&str> = titles.chain(["users failed for"]).collect();
    let titles = titles.iter().map(|title| match *title {
        "" => "| ".to_owned(),
        title => format!("| {title} "),
    });
    let titles: Vec<String> = titles.collect();
    let line = "| --- ".repeat(titles.len());
    format!("{}|\n{line}|\n", titles.concat())
}

/// The longest of it; a hyphen where no user failed.
fn failed_for<'a>(gone: impl Iterator<Item = &'a Gone>) -> String {
    let longest: Option<Duration> = gone.filter_map(|gone| gone.failed_for).max();
    longest.map_or_else(|| "-".to_owned(), |time| format!("{} ms", time.as_millis()))
}

fn shown(gone: &Gone) -> String {
    match &gone.verdict {
        Ok(told) => self::told(told),
        Err(reason) => {
            let line = reason.lines().next().unwrap_or_default();
            format!("**{}**", line.replace('|', "\\|"))
        }
    }
}

pub fn told(told: &Told) -> String {
    let codes = |codes: &[i32]| {
        let codes: Vec<String> = codes.iter().map(ToString::to_string).collect();
        format!("exit {}", codes.join(", then "))
    };
    match told {
        Told::Resumed(outcome) => outcome.as_str().to_owned(),
        Told::Repeated(all) => codes(all),
        Told::Overtaken(all, End::Gone) => codes(all),
        Told::Overtaken(all, End::AsBefore) => format!("{}: live as before", codes(all)),
        Told::Overtaken(all, End::Idle) => format!("{}: the idle one is live", codes(all)),
        Told::Overtaken(all, End::Deployed) => format!("{}: the deployed one is live", codes(all)),
    }
}

#[cfg(test)]
mod tests;
