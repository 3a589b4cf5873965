//! What became of uploads, by the history of each app. Pure.

use std::collections::BTreeSet;

use serde_json::Value;
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::Result;
use crate::json::{at, text};

/// The release of one upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    pub tag: String,
    /// The worker's process.
    pub worker: u64,
    pub began: OffsetDateTime,
    pub ended: OffsetDateTime,
}

/// Those of an app, by what `bgecs history` says of it.
///
/// # Errors
/// One that was not released once and well, or not after the one before it had ended.
pub fn spans(history: &Value, tags: &[String]) -> Result<Vec<Span>> {
    let spans = tags.iter().map(|tag| span(history, tag));
    let spans: Vec<Span> = spans.collect::<Result<_>>()?;
    for two in spans.windows(2) {
        if two[1].began < two[0].ended {
            let [one, next] = [&two[0].tag, &two[1].tag];
            return Err(format!("tag {next} began before tag {one} had ended").into());
        }
    }
    Ok(spans)
}

fn span(history: &Value, tag: &str) -> Result<Span> {
    let upload = only(history, "uploads", tag, |_| true)?;
    if at(upload, &["end", "outcome"]) != "complete" {
        return Err(format!("the upload of tag {tag} is not complete: {upload}").into());
    }
    let (deploy, promote) = (
        ended_well(history, "deploy", tag)?,
        ended_well(history, "promote", tag)?,
    );
    let worker = |it: &Value| at(it, &["who", "pid"]).as_u64();
    match (worker(deploy), worker(promote)) {
        (Some(one), Some(other)) if one == other => Ok(Span {
            tag: tag.to_owned(),
            worker: one,
            began: began(deploy)?,
            ended: began(promote)? + took(promote)?,
        }),
        (one, other) => Err(format!("tag {tag} was released by {one:?} and {other:?}").into()),
    }
}

fn ended_well<'h>(history: &'h Value, command: &str, tag: &str) -> Result<&'h Value> {
    let operation = only(history, "operations", tag, |it| it["command"] == command)?;
    match operation["outcome"] == "done" {
        true => Ok(operation),
        false => Err(format!("the {command} of tag {tag} did not end well: {operation}").into()),
    }
}

/// The one of that tag.
fn only<'h>(
    history: &'h Value,
    list: &str,
    tag: &str,
    is_it: impl Fn(&Value) -> bool,
) -> Result<&'h Value> {
    let all = history[list].as_array().into_iter().flatten();
    let mut found = all.filter(|it| it["tag"] == tag && is_it(it));
    match (found.next(), found.count()) {
        (Some(it), 0) => Ok(it),
        (first, more) => {
            let count = usize::from(first.is_some()) + more;
            Err(format!("{count} of the {list} are such ones of tag {tag}: {history:#}").into())
        }
    }
}

fn began(operation: &Value) -> Result<OffsetDateTime> {
    Ok(OffsetDateTime::parse(
        text(operation, &["began"])?,
        &Rfc3339,
    )?)
}

fn took(operation: &Value) -> Result<Duration> {
    let took = operation["took_ms"].as_i64();
    Ok(Duration::milliseconds(took.ok_or("it has no end")?))
}

/// How many were under way at the same time, at most.
pub fn at_once(spans: &[Span]) -> usize {
    let under_way = |at: OffsetDateTime| {
        let all = spans.iter();
        all.filter(|it| it.began <= at && at < it.ended).count()
    };
    spans
        .iter()
        .map(|it| under_way(it.began))
        .max()
        .unwrap_or(0)
}

/// How many workers they were released by.
pub fn workers_of(spans: &[Span]) -> usize {
    let all: BTreeSet<u64> = spans.iter().map(|it| it.worker).collect();
    all.len()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn operation(command: &str, tag: &str, second: u8) -> Value {
        json!({
            "command": command, "tag": tag, "outcome": "done", "took_ms": 900,
            "began": format!("2026-01-01T12:00:{second:02}.5Z"), "who": { "pid": 7 },
        })
    }

    fn upload(tag: &str) -> Value {
        json!({ "tag": tag, "end": { "outcome": "complete" } })
    }

    /// Of two uploads, the second of which begins in that second.
    fn history(second: u8) -> Value {
        json!({
            "uploads": [upload("b"), upload("a")],
            "operations": [
                operation("promote", "b", second + 1), operation("deploy", "b", second),
                operation("promote", "a", 11), operation("deploy", "a", 10),
            ],
        })
    }

    fn read(history: &Value) -> Result<Vec<Span>> {
        spans(history, &["a".to_owned(), "b".to_owned()])
    }

    fn why(history: &Value) -> String {
        read(history).unwrap_err().to_string()
    }

    #[test]
    fn a_release_goes_from_its_deploy_to_the_end_of_its_promotion() {
        let spans = read(&history(13)).unwrap();
        let took = spans[0].ended - spans[0].began;
        assert_eq!((took, spans.len()), (Duration::milliseconds(1900), 2));
        assert_eq!((at_once(&spans), workers_of(&spans)), (1, 1));
    }

    #[test]
    fn two_apps_are_released_at_once_where_both_are_under_way() {
        let spans = [read(&history(13)), read(&history(20))].map(Result::unwrap);
        assert_eq!(at_once(&spans.concat()), 2);
    }

    #[test]
    fn what_is_lost_doubled_or_reordered_is_found() {
        assert_eq!(why(&history(11)), "tag b began before tag a had ended");
        assert_eq!(why(&history(8)), "tag b began before tag a had ended");
        let mut lost = history(13);
        lost["uploads"] = json!([upload("a")]);
        assert!(why(&lost).starts_with("0 of the uploads"), "{}", why(&lost));
        let mut twice = history(13);
        twice["operations"][0]["tag"] = json!("a");
        assert!(why(&twice).starts_with("2 of the operations"));
        let mut failed = history(13);
        failed["uploads"][0]["end"]["outcome"] = json!("failed");
        assert!(why(&failed).contains("tag b is not complete"));
        let mut undone = history(13);
        undone["operations"][2]["outcome"] = json!("undone");
        assert!(why(&undone).contains("the promote of tag a did not end well"));
        let mut handed_over = history(13);
        handed_over["operations"][0]["who"]["pid"] = json!(8);
        assert!(why(&handed_over).contains("released by Some(7) and Some(8)"));
    }
}
