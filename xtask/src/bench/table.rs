//! The rows as Markdown, for a person and for the documentation, and as data.

use serde_json::{Value, json};

use super::row::Row;

const HEAD: &str = "| measure | bgecs | beside | ratio | target | |\n\
                    | --- | --- | --- | --- | --- | --- |\n";

/// What one measure came to.
#[derive(Debug, Default)]
pub struct Found {
    pub rows: Vec<Row>,
    /// What a person should know besides, such as which calls were counted.
    pub notes: Vec<String>,
}

/// The table, with the reasons of missed targets below it.
pub fn markdown(rows: &[&Row]) -> String {
    let mut text = HEAD.to_owned();
    for row in rows {
        let cells = row.cells().map(|cell| cell.replace('|', "\\|"));
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    let excuses: Vec<String> = rows
        .iter()
        .filter_map(|row| Some(format!("- Missed: {}. {}\n", row.what, row.excuse()?)))
        .collect();
    if !excuses.is_empty() {
        text.push('\n');
        text.push_str(&excuses.concat());
    }
    text
}

pub fn data(machine: &[String], found: &[(&'static str, Found)]) -> Value {
    let measures = found.iter().map(|(name, found)| {
        let rows: Vec<Value> = found.rows.iter().map(Row::json).collect();
        json!({"measure": name, "rows": rows, "notes": found.notes})
    });
    json!({"machine": machine, "measures": measures.collect::<Vec<_>>()})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::figures::Unit;

    fn row(most: f64) -> Row {
        let row = Row::alone("time|s", Unit::Count, &[2.0]).unwrap();
        row.at_most(most).or_else_because("There is no way.")
    }

    #[test]
    fn a_missed_target_is_shown_with_its_reason() {
        let (missed, met) = (row(1.0), row(2.0));
        assert_eq!(
            markdown(&[&missed, &met]),
            format!(
                "{HEAD}| time\\|s | 2 |  |  | at most 1 | **missed** |\n\
                 | time\\|s | 2 |  |  | at most 2 | met |\n\
                 \n- Missed: time|s. There is no way.\n"
            )
        );
    }

    #[test]
    fn the_data_names_measure_and_machine() {
        let found = Found {
            rows: vec![row(2.0)],
            notes: vec!["a note".to_owned()],
        };
        let data = data(&["2 cores".to_owned()], &[("status", found)]);
        assert_eq!(data["machine"], json!(["2 cores"]));
        assert_eq!(data["measures"][0]["measure"], "status");
        assert_eq!(data["measures"][0]["rows"][0]["what"], "time|s");
        assert_eq!(data["measures"][0]["notes"], json!(["a note"]));
    }
}
