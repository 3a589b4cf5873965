//! Shows a line of a `bgecs.toml` without its values: an error's excerpt ends
//! up in the log of a pipeline, and the line may hold a password.
//!
//! A value's characters become `*` one by one, so that columns stay.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

/// The line with all values starred but those within `shown`. The text is TOML.
pub(super) fn other_values(text: &str, line: Range<usize>, shown: Range<usize>) -> String {
    let Ok(document) = DeTable::parse(text) else {
        return all_values(text, line);
    };
    let mut values = Vec::new();
    collect(document.get_ref(), &mut values);
    let is_starred = |at: usize| {
        !shown.contains(&at)
            && values
                .iter()
                .any(|value: &Range<usize>| value.contains(&at))
    };
    starred(text, line, is_starred)
}

/// The line with everything starred that comes after a key. The text need not
/// be TOML, so the end of a value cannot be told.
pub(super) fn all_values(text: &str, line: Range<usize>) -> String {
    let before = text.get(..line.start).unwrap_or_default();
    let content = text.get(line.clone()).unwrap_or_default();
    // Below such quotes the line may be part of a text.
    let may_be_text = [r#"""""#, "'''"]
        .iter()
        .any(|quotes| before.contains(quotes));
    let keys = if may_be_text { 0 } else { keys(content) };
    let first = line.start + keys;
    starred(text, line, |at| at >= first)
}

/// How much of the start of a line is a `[section]` or the key before a `=`.
fn keys(line: &str) -> usize {
    let is_key = |c: char| c.is_ascii_alphanumeric() || "_-. \t".contains(c);
    let is_section = line.trim_start().starts_with('[');
    let rest = line.trim_start_matches(|c| is_key(c) || (is_section && "[]".contains(c)));
    if is_section || rest.starts_with('=') {
        line.len() - rest.len()
    } else {
        0
    }
}

/// What structures a line stays: a missing quote or bracket is to be seen.
fn starred(text: &str, line: Range<usize>, is_starred: impl Fn(usize) -> bool) -> String {
    let content = text.get(line.clone()).unwrap_or_default();
    content
        .char_indices()
        .map(|(at, c)| {
            let is_structure = c.is_whitespace() || "=[]{},\"'#".contains(c);
            if !is_structure && is_starred(line.start + at) {
                '*'
            } else {
                c
            }
        })
        .collect()
}

/// Where everything stands that is neither a key nor a table or a list.
fn collect(table: &DeTable<'_>, values: &mut Vec<Range<usize>>) {
    for value in table.values() {
        collect_value(value, values);
    }
}

fn collect_value(value: &toml::Spanned<DeValue<'_>>, values: &mut Vec<Range<usize>>) {
    match value.get_ref() {
        DeValue::Table(table) => collect(table, values),
        DeValue::Array(items) => {
            for item in items {
                collect_value(item, values);
            }
        }
        _ => values.push(value.span()),
    }
}

#[cfg(test)]
mod tests {
    use super::{all_values, other_values};

    /// The line on which `hunter` stands, with `*` shown where it stood.
    fn line(text: &str) -> std::ops::Range<usize> {
        let at = text.find("hunter").expect("it is there");
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let length = text[start..].find('\n').unwrap_or(text.len() - start);
        start..start + length
    }

    #[test]
    fn neighbours_of_a_mistake_keep_their_keys_only() {
        for (text, expected) in [
            ("a = 'hunter22'", "a = '********'"),
            (
                "a = { b = \"hunter22\", 1c = 2 }",
                "a = { b = \"********\", 1c = * }",
            ),
            ("a.b = ['hunter22', true]", "a.b = ['********', ****]"),
            ("a = '''\nhunter = x\n'''", "****** = *"),
            ("[a]\nb = \"hünter\" # hunter", "b = \"******\" # hunter"),
        ] {
            assert_eq!(other_values(text, line(text), 0..0), expected);
        }
        let text = "a = { b = 'hunter', c = 'other' }";
        let shown = text.find("'o").expect("there")..text.find(" }").expect("there");
        assert_eq!(
            other_values(text, line(text), shown),
            "a = { b = '******', c = 'other' }"
        );
    }

    #[test]
    fn what_is_not_toml_shows_keys_only() {
        for (text, expected) in [
            ("PASSWORD = hunter22", "PASSWORD = ********"),
            (
                "a = { B = 'hunter22, C = 'x' }",
                "a = { * = '********, * = '*' }",
            ),
            ("a = \"\"\"\nhunter = \\q\n\"\"\"", "****** = **"),
            ("hunter22", "********"),
            ("['hunter22',", "['********',"),
            ("[hunter", "[hunter"),
        ] {
            assert_eq!(all_values(text, line(text)), expected);
        }
    }
}
