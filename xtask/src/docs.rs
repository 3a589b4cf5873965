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

fn between_marks(text: &str, chore: &str, table: &str) -> Option<String> {
    let begin = format!("<!-- {chore}: written by `cargo xtask {chore} --write-docs` -->\n");
    let end = format!("<!-- {chore}: end -->\n");
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
    fn only_what_is_between_the_marks_is_replaced() {
        let text = format!("head\n{BEGIN}old\n{END}tail\n");
        let new = between_marks(&text, "faults", "| new |\n").unwrap();
        assert_eq!(new, format!("head\n{BEGIN}\n| new |\n\n{END}tail\n"));
        assert_eq!(between_marks(&new, "faults", "| new |\n").unwrap(), new);
        assert_eq!(between_marks("no marks", "faults", ""), None);
        assert_eq!(between_marks(&text, "bench", ""), None);
    }
}
