//! `${NAME}` in the text of a definition, replaced by an environment variable.
//! Within quotes the value is written as JSON has it, so that it cannot end the
//! text that it stands in; outside it must be a number, `true` or `false`.
//! `$${` stays as `${`.

use super::mistake::{Mistake, MistakePlace};

/// # Errors
/// Each placeholder whose variable is not there, or that is none.
pub(super) fn expand(
    text: &str,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Vec<Mistake>> {
    let mut out = String::with_capacity(text.len());
    let mut mistakes = Vec::new();
    let mut rest = text;
    let mut in_quotes = false;
    while let Some(first) = rest.chars().next() {
        let taken = if let Some(kept) = rest.strip_prefix("$${") {
            out.push_str("${");
            rest.len() - kept.len()
        } else if let Some(inner) = rest.strip_prefix("${") {
            let name = inner.split(['}', '"', '\n']).next().unwrap_or_default();
            match value(name, &inner[name.len()..], in_quotes, variable) {
                Ok(value) => out.push_str(&value),
                Err(what) => mistakes.push(Mistake {
                    place: line_of(text, text.len() - rest.len()),
                    what,
                }),
            }
            let end = usize::from(inner[name.len()..].starts_with('}'));
            2 + name.len() + end
        } else {
            let escaped = in_quotes && first == '\\';
            in_quotes ^= first == '"';
            // What a backslash stands before is no end of the text.
            let length = match escaped {
                true => rest.chars().take(2).map(char::len_utf8).sum(),
                false => first.len_utf8(),
            };
            out.push_str(&rest[..length]);
            length
        };
        rest = &rest[taken..];
    }
    match mistakes.is_empty() {
        true => Ok(out),
        false => Err(mistakes),
    }
}

fn value(
    name: &str,
    after: &str,
    in_quotes: bool,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<String, String> {
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let is_name =
        name.starts_with(is_letter) && name.chars().all(|c| is_letter(c) || c.is_ascii_digit());
    if !is_name || !after.starts_with('}') {
        return Err(format!(
            "`${{{name}}}`: `expand` takes the name of an environment variable and nothing more; `$${{` stays as `${{`"
        ));
    }
    let Some(value) = variable(name) else {
        return Err(format!(
            "`${{{name}}}`: there is no environment variable {name}"
        ));
    };
    if in_quotes {
        let quoted = serde_json::Value::from(value).to_string();
        return Ok(quoted[1..quoted.len() - 1].to_owned());
    }
    let value = value.trim();
    match serde_json::from_str::<serde_json::Number>(value).is_ok()
        || matches!(value, "true" | "false")
    {
        true => Ok(value.to_owned()),
        false => Err(format!(
            "`${{{name}}}` stands outside quotes, and the value of {name} is neither a number nor true or false"
        )),
    }
}

fn line_of(text: &str, index: usize) -> MistakePlace {
    let before = &text[..index];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    MistakePlace::Line {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<String, Vec<String>> {
        let variable = |name: &str| match name {
            "PORT" => Some("8080".to_owned()),
            "QUOTE" => Some("a \"b\"\\\n".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        expand(text, &variable)
            .map_err(|mistakes| mistakes.iter().map(Mistake::to_string).collect())
    }

    #[test]
    fn in_quotes_and_outside() {
        for (text, expanded) in [
            ("{\"a\": ${PORT}}", "{\"a\": 8080}"),
            ("\"${PORT}:${PORT}\"", "\"8080:8080\""),
            ("\"\\\"${QUOTE}\"", "\"\\\"a \\\"b\\\"\\\\\\n\""),
            ("\"${EMPTY}\"", "\"\""),
            ("\"$${HOME} $PORT ä\"", "\"${HOME} $PORT ä\""),
        ] {
            assert_eq!(with(text).as_deref(), Ok(expanded), "{text}");
        }
    }

    #[test]
    fn each_that_cannot_be_is_named_with_its_place() {
        let text = "{\n  \"ä\": \"${GONE}\", \"b\": ${QUOTE},\n\"${PORT:-80}\", \"${open\"}";
        assert_eq!(
            with(text).unwrap_err(),
            [
                "line 2, column 9: `${GONE}`: there is no environment variable GONE",
                "line 2, column 24: `${QUOTE}` stands outside quotes, and the value of QUOTE is neither a number nor true or false",
                "line 3, column 2: `${PORT:-80}`: `expand` takes the name of an environment variable and nothing more; `$${` stays as `${`",
                "line 3, column 17: `${open}`: `expand` takes the name of an environment variable and nothing more; `$${` stays as `${`",
            ]
        );
    }
}
