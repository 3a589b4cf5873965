//! `bgecs history`

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use crate::cli::History;
use crate::engine::lease;
use crate::error::{Exit, Result};
use crate::model::journal::{Command, Operation, OperationId, Outcome as Ending, Who};
use crate::model::{Color, Digest, Tag};
use crate::report::{Outcome, Style};
use crate::session::Session;

#[derive(Debug, Serialize)]
struct Listed {
    app: String,
    operations: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    id: OperationId,
    command: Command,
    /// `unfinished`, or how it ended.
    outcome: Option<Ending>,
    reason: Option<String>,
    #[serde(with = "rfc3339")]
    began: OffsetDateTime,
    took_ms: Option<i128>,
    tag: Option<Tag>,
    digest: Option<Digest>,
    from: Option<Color>,
    color: Option<Color>,
    requests: Option<u64>,
    failed: Option<u64>,
    changeover_ms: Option<i64>,
    who: Who,
    taken_up_by: Vec<Who>,
}

impl Line {
    fn of(operation: Operation) -> Self {
        let ending = operation.ending;
        let watched = ending.as_ref().and_then(|ending| ending.watched);
        Self {
            id: operation.id,
            command: operation.command,
            outcome: ending.as_ref().map(|ending| ending.outcome),
            reason: ending.as_ref().and_then(|ending| ending.reason.clone()),
            began: operation.began,
            took_ms: ending
                .as_ref()
                .map(|ending| (ending.at - operation.began).whole_milliseconds()),
            tag: operation.tag,
            digest: operation.digest,
            from: operation.from,
            color: operation.color,
            requests: watched.map(|watched| watched.requests),
            failed: watched.map(|watched| watched.failed),
            changeover_ms: watched.and_then(|watched| watched.changeover_ms),
            who: operation.who,
            taken_up_by: operation.taken_up_by,
        }
    }

    fn colors(&self) -> String {
        match (self.from, self.color) {
            (Some(from), Some(to)) if from != to && self.command.moves_traffic() => {
                format!("{from} -> {to}")
            }
            (_, Some(color)) => color.to_string(),
            (_, None) => "-".to_owned(),
        }
    }

    fn cells(&self) -> [String; 9] {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        [
            lease::clock(self.began),
            self.command.to_string(),
            or_none(self.tag.as_ref().map(ToString::to_string)),
            self.colors(),
            self.outcome.map_or("unfinished", Ending::as_str).to_owned(),
            or_none(
                self.requests
                    .zip(self.failed)
                    .map(|(requests, failed)| format!("{failed} of {requests}")),
            ),
            or_none(self.changeover_ms.map(|ms| format!("{ms} ms"))),
            or_none(self.took_ms.map(took)),
            self.who.name.clone(),
        ]
    }
}

#[expect(clippy::cast_precision_loss, reason = "shown to a tenth of a second")]
fn took(ms: i128) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}

const HEADINGS: [&str; 9] = [
    "began",
    "command",
    "tag",
    "colours",
    "outcome",
    "failed",
    "changeover",
    "took",
    "who",
];

impl Outcome for Listed {
    fn human(&self, style: &Style) -> String {
        if self.operations.is_empty() {
            return format!("nothing was done to {} yet", self.app);
        }
        let rows: Vec<[String; 9]> = self.operations.iter().map(Line::cells).collect();
        let widths: Vec<usize> = (0..HEADINGS.len())
            .map(|n| {
                let cells = rows.iter().map(|row| row[n].chars().count());
                cells.max().unwrap_or(0).max(HEADINGS[n].len())
            })
            .collect();
        let line = |cells: Vec<&str>| {
            let cells = cells.iter().zip(&widths);
            let padded: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:<width$}"))
                .collect();
            padded.join("  ").trim_end().to_owned()
        };
        let mut lines = vec![style.strong(line(HEADINGS.to_vec()))];
        lines.extend(
            rows.iter()
                .map(|row| line(row.iter().map(String::as_str).collect())),
        );
        lines.join("\n")
    }
}

pub async fn run(session: &Session, args: &History) -> Result<Exit> {
    let table = session.infrastructure().await?.journal_table;
    let (head, ended) = futures_util::try_join!(
        session.aws.read_head(&table),
        session.aws.read_history(&table, i32::from(args.limit)),
    )?;
    let operations = head
        .operation
        .into_iter()
        .chain(ended)
        .take(usize::from(args.limit))
        .map(Line::of)
        .collect();
    session.report.result(&Listed {
        app: session.app().to_owned(),
        operations,
    });
    Ok(Exit::Done)
}
