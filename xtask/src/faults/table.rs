//! The matrix as Markdown, for a person and for the documentation.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use localstack::gate::crash::{Side, Write};

use super::judge::Outcome;
use super::operation::Operation;

/// What came of a cell; why it failed.
pub type Verdict = std::result::Result<Outcome, String>;

/// All cells that were gone through.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<(Operation, u32), Row>,
}

#[derive(Debug)]
struct Row {
    write: String,
    before: Option<Verdict>,
    after: Option<Verdict>,
}

impl Row {
    fn verdicts(&self) -> impl Iterator<Item = &Verdict> {
        self.before.iter().chain(&self.after)
    }
}

impl Table {
    /// A write that has to be gone through. False where another one has its place.
    pub fn expect(&mut self, operation: Operation, write: &Write) -> bool {
        let key = (operation, write.number);
        let row = self.rows.entry(key).or_insert_with(|| Row {
            write: write.to_string(),
            before: None,
            after: None,
        });
        row.write == write.to_string()
    }

    pub fn fill(&mut self, operation: Operation, number: u32, side: Side, verdict: Verdict) {
        if let Some(row) = self.rows.get_mut(&(operation, number)) {
            match side {
                Side::Before => row.before = Some(verdict),
                Side::After => row.after = Some(verdict),
            }
        }
    }

    pub fn passed(&self) -> usize {
        let verdicts = self.rows.values().flat_map(Row::verdicts);
        verdicts.filter(|verdict| verdict.is_ok()).count()
    }

    /// Cells that failed or were not come to.
    pub fn failed(&self) -> usize {
        2 * self.rows.len() - self.passed()
    }

    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for ((operation, number), row) in &self.rows {
            for (side, verdict) in [("before", &row.before), ("after", &row.after)] {
                if let Some(Err(reason)) = verdict {
                    let title = operation.title();
                    let write = &row.write;
                    failures.push(format!("{title}, {side} {number} ({write}): {reason}"));
                }
            }
        }
        failures
    }

    /// A row for each write.
    pub fn whole(&self) -> String {
        let mut text = "| operation | | write | killed before it | killed after it |\n\
                        | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for ((operation, number), row) in &self.rows {
            let title = operation.title();
            let (before, after) = (shown(row.before.as_ref()), shown(row.after.as_ref()));
            let _ = writeln!(
                text,
                "| {title} | {number} | `{}` | {before} | {after} |",
                row.write
            );
        }
        text
    }

    /// A row for each operation.
    pub fn short(&self) -> String {
        let mut text = "| operation | kills |".to_owned();
        for outcome in Outcome::ALL {
            let _ = write!(text, " {} |", outcome.as_str());
        }
        text.push_str(" failed |\n| --- | --- |");
        text.push_str(&" --- |".repeat(Outcome::ALL.len() + 1));
        text.push('\n');
        for (operation, rows) in self.by_operation() {
            let verdicts: Vec<&Verdict> = rows.iter().flat_map(|row| row.verdicts()).collect();
            let count = |outcome| {
                let same = verdicts.iter().filter(|one| ***one == Ok(outcome));
                same.count()
            };
            let _ = write!(text, "| {} | {} |", operation.title(), 2 * rows.len());
            for outcome in Outcome::ALL {
                let _ = write!(text, " {} |", count(outcome));
            }
            let passed = verdicts.iter().filter(|one| one.is_ok()).count();
            let _ = writeln!(text, " {} |", 2 * rows.len() - passed);
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

fn shown(verdict: Option<&Verdict>) -> String {
    match verdict {
        None => "not come to".to_owned(),
        Some(Ok(outcome)) => outcome.as_str().to_owned(),
        Some(Err(reason)) => {
            let line = reason.lines().next().unwrap_or_default();
            format!("**{}**", line.replace('|', "\\|"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(number: u32, operation: &str) -> Write {
        Write {
            number,
            service: "ecs".to_owned(),
            operation: operation.to_owned(),
            resource: "live/web".to_owned(),
        }
    }

    fn table() -> Table {
        let mut table = Table::default();
        assert!(table.expect(Operation::Retire, &write(2, "UpdateService")));
        assert!(table.expect(Operation::Retire, &write(1, "UpdateCluster")));
        assert!(table.expect(Operation::Deploy, &write(1, "CreateService")));
        for (number, side, verdict) in [
            (1, Side::Before, Ok(Outcome::NothingBegun)),
            (1, Side::After, Ok(Outcome::Finished)),
            (2, Side::Before, Err("a | b\nmore".to_owned())),
        ] {
            table.fill(Operation::Retire, number, side, verdict);
        }
        table
    }

    #[test]
    fn every_write_has_a_row_and_what_was_not_come_to_is_seen() {
        let whole = table().whole();
        assert_eq!(
            whole.lines().skip(2).collect::<Vec<_>>(),
            [
                "| deploy | 1 | `ecs CreateService live/web` | not come to | not come to |",
                "| retire | 1 | `ecs UpdateCluster live/web` | nothing begun | finished |",
                "| retire | 2 | `ecs UpdateService live/web` | **a \\| b** | not come to |",
            ]
        );
    }

    #[test]
    fn outcomes_are_counted_by_operation() {
        let table = table();
        assert_eq!(
            table.short().lines().skip(2).collect::<Vec<_>>(),
            [
                "| deploy | 2 | 0 | 0 | 0 | 0 | 2 |",
                "| retire | 4 | 1 | 1 | 0 | 0 | 2 |",
            ]
        );
        assert_eq!((table.passed(), table.failed()), (2, 4));
        assert_eq!(
            table.failures(),
            ["retire, before 2 (ecs UpdateService live/web): a | b\nmore"]
        );
    }

    #[test]
    fn another_write_in_the_place_of_one_is_noticed() {
        let mut table = table();
        assert!(table.expect(Operation::Retire, &write(1, "UpdateCluster")));
        assert!(!table.expect(Operation::Retire, &write(1, "DeleteCluster")));
    }
}
