//! Counts with their nouns, as a person reads them.

use std::fmt::Display;

/// `1 task`, `2 tasks`, `0 tasks`.
pub fn counted(count: impl Display, noun: &str) -> String {
    let count = count.to_string();
    let plural = if count == "1" { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_one_and_all_else_is_many() {
        for (count, expected) in [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks")] {
            assert_eq!(counted(count, "task"), expected);
        }
        assert_eq!(counted(21_usize, "task definition"), "21 task definitions");
    }
}
