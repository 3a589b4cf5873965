//! Tables that a chore writes into the documentation, between marks.

use std::fs;
use std::path::Path;

use crate::Result;

/// Puts the table of `cargo xtask <chore>` between that chore's marks of a file.
pub fn write_into(path: &Path, chore: &str, table: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let text = between_marks(&text, chore, table);
    let text =
        text.ok_or_else(|| format!("{} has no marks for the table of {chore}", path.display()))?;
    fs::write(path, text)?;
    Ok(())
}

/// The same, but that rows of others stay: a row is of what stands in its first cell.
pub fn write_rows_into(path: &Path, chore: &str, tables: &str) -> Result<()> {
    let text = fs::read_to_string(path)?;
    let (begin, end) = marks(chore);
    let old = text
        .split_once(&begin)
        .and_then(|(_, rest)| rest.split_once(&end));
    let (old, _) = old.ok_or_else(|| format!("{} has no marks of {chore}", path.display()))?;
    write_into(path, chore, &with_rows(old.trim(), tables))
}

/// Tables with the rows of others in them, in the places of those of the same name,
/// or at the end. A column that the others have not is empty in their rows.
fn with_rows(old: &str, new: &str) -> String {
    let new: Vec<Vec<Vec<&str>>> = new.trim().split("\n\n").map(rows).collect();
    let mut tables = Vec::new();
    for table in old.split("\n\n") {
        let head = rows(table).swap_remove(0);
        let is_like = |other: &&Vec<Vec<&str>>| other[0].iter().all(|cell| head.contains(cell));
        let Some(other) = new.iter().find(is_like) else {
            tables.push(table.trim_end().to_owned());
            continue;
        };
        let laid = |row: &Vec<&str>| {
            let cell = |name: &&str| {
                let at = other[0].iter().position(|own| own == name);
                at.map_or("", |at| row[at])
            };
            format!(
                "| {} |",
                head.iter().map(cell).collect::<Vec<_>>().join(" | ")
            )
        };
        let of = |name: &str| {
            let named = other.iter().skip(1).filter(move |row| row[0] == name);
            named.map(laid).collect::<Vec<_>>()
        };
        let replaced: Vec<&str> = other.iter().skip(1).map(|row| row[0]).collect();
        let mut lines: Vec<String> = Vec::new();
        let mut put: Vec<&str> = Vec::new();
        for line in table.lines() {
            let name = cells(line)[0];
            match replaced.contains(&name) {
                true if put.contains(&name) => {}
                true => lines.extend(of(name)),
                false => lines.push(line.to_owned()),
            }
            put.push(name);
        }
        for name in replaced {
            if !put.contains(&name) {
                lines.extend(of(name));
                put.push(name);
            }
        }
        tables.push(lines.join("\n"));
    }
    tables.join("\n\n") + "\n"
}

/// The head, and what comes below the line.
fn rows(table: &str) -> Vec<Vec<&str>> {
    let lines = table.lines().enumerate().filter(|(number, _)| *number != 1);
    lines.map(|(_, line)| cells(line)).collect()
}

fn cells(line: &str) -> Vec<&str> {
    let line = line.trim().trim_start_matches('|');
    let line = line.strip_suffix('|').unwrap_or(line);
    line.split('|').map(str::trim).collect()
}

fn marks(chore: &str) -> (String, String) {
    (
        format!("<!-- {chore}: written by `cargo xtask {chore} --write-docs` -->\n"),
        format!("<!-- {chore}: end -->\n"),
    )
}

fn between_marks(text: &str, chore: &str, table: &str) -> Option<String> {
    let (begin, end) = marks(chore);
    let (head, rest) = text.split_once(&begin)?;
    let (_, tail) = rest.split_once(&end)?;
    Some(format!("{head}{begin}\n{table}\n{end}{tail}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: &str = "<!-- faults: written by `cargo xtask faults --write-docs` -->\n";
    const END: &str = "<!-- faults: end -->\n";

    #[test]
    fn rows_are_put_beside_those_of_others() {
        let old = "| operation | | then | failed |\n| --- | --- | --- | --- |\n\
                   | deploy | 1 | a | 0 |\n| deploy | 2 | b | 0 |\n| promote | 1 | c | 0 |\n\n\
                   | other | table |\n| --- | --- |\n| deploy | x |\n";
        let new = "| operation | | failed |\n| --- | --- | --- |\n\
                   | deploy | 1 | 7 |\n| attach | 1 | 8 |\n| attach | 2 | 9 |\n";
        assert_eq!(
            with_rows(old, new),
            "| operation | | then | failed |\n| --- | --- | --- | --- |\n\
             | deploy | 1 |  | 7 |\n| promote | 1 | c | 0 |\n\
             | attach | 1 |  | 8 |\n| attach | 2 |  | 9 |\n\n\
             | other | table |\n| --- | --- |\n| deploy | x |\n"
        );
    }

    #[test]
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("head\n{BEGIN}old\n{END}tail\n");
        let new = between_marks(&text, "faults", "| new |\n").unwrap();
        assert_eq!(new, format!("head\n{BEGIN}\n| new |\n\n{END}tail\n"));
        assert_eq!(between_marks(&new, "faults", "| new |\n").unwrap(), new);
        assert_eq!(between_marks("no marks", "faults", ""), None);
        assert_eq!(between_marks(&text, "bench", ""), None);
    }
}
