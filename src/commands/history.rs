//! `bgecs history`

use serde::Serialize;
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::uploads::ListedUploads;
use crate::cli::History;
use crate::driver::turn;
use crate::error::{Exit, Result};
use crate::model::journal::{Command, Head, Operation, OperationId, OperationOutcome, Who};
use crate::model::{Color, Digest, SetName, Tag};
use crate::report::{CommandResult, Style};
use crate::session::Session;
use crate::spoken_time;

#[derive(Debug, Serialize)]
struct Listed {
    #[serde(skip)]
    now: OffsetDateTime,
    app: String,
    operations: Vec<HistoryLine>,
    /// What a worker was given.
    #[serde(skip_serializing_if = "ListedUploads::is_empty")]
    uploads: ListedUploads,
}

#[derive(Debug, Serialize)]
struct HistoryLine {
    id: OperationId,
    command: Command,
    /// How it ended, if it has.
    outcome: Option<OperationOutcome>,
    #[serde(skip)]
    is_under_way: bool,
    reason: Option<String>,
    #[serde(with = "rfc3339")]
    began: OffsetDateTime,
    took_ms: Option<i128>,
    /// The release of a set that it is a part of.
    #[serde(skip_serializing_if = "Option::is_none")]
    set: Option<SetPart>,
    tag: Option<Tag>,
    digest: Option<Digest>,
    from: Option<Color>,
    color: Option<Color>,
    /// Whether nobody asked the release.
    blind: bool,
    requests: Option<u64>,
    failed: Option<u64>,
    changeover_ms: Option<i64>,
    who: Who,
    taken_up_by: Vec<Who>,
}

#[derive(Debug, Serialize)]
struct SetPart {
    set: SetName,
    /// The same in all modules.
    id: OperationId,
    module: SetName,
}

impl HistoryLine {
    fn of(operation: Operation) -> Self {
        let ending = operation.ending;
        let watched = ending.as_ref().and_then(|ending| ending.watched);
        Self {
            id: operation.id,
            command: operation.command,
            outcome: ending.as_ref().map(|ending| ending.outcome),
            is_under_way: false,
            reason: ending.as_ref().and_then(|ending| ending.reason.clone()),
            began: operation.began,
            took_ms: ending
                .as_ref()
                .map(|ending| (ending.at - operation.began).whole_milliseconds()),
            set: operation.set.map(|mark| SetPart {
                set: mark.set,
                id: mark.id,
                module: mark.module,
            }),
            tag: operation.tag,
            digest: operation.digest,
            from: operation.from.map(|from| from.color),
            color: operation.color,
            blind: operation.blind,
            requests: watched.map(|watched| watched.requests),
            failed: watched.map(|watched| watched.failed),
            changeover_ms: watched.and_then(|watched| watched.changeover_ms),
            who: operation.who,
            taken_up_by: operation.taken_up_by,
        }
    }

    /// When, what, how it ended; who last, for names are long.
    fn cells(&self, now: OffsetDateTime) -> [String; 8] {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let took = |ms: i64| spoken_time::in_words(time::Duration::milliseconds(ms));
        [
            spoken_time::ago(now - self.began),
            match &self.set {
                Some(part) => format!("{} in {}", self.command, part.set),
                None => self.command.to_string(),
            },
            or_none(self.tag.as_ref().map(ToString::to_string)),
            or_none(self.color.map(|color| color.to_string())),
            self.ending().to_owned(),
            match self.requests.zip(self.failed) {
                Some((requests, failed)) => format!("{failed} of {requests}"),
                None if self.blind => "blind".to_owned(),
                None => "-".to_owned(),
            },
            or_none(self.took_ms.and_then(|ms| i64::try_from(ms).ok()).map(took)),
            self.who.name.clone(),
        ]
    }

    fn ending(&self) -> &'static str {
        match self.outcome {
            Some(outcome) => outcome.as_str(),
            None if self.is_under_way => "under way",
            None => "unfinished",
        }
    }

    /// Why it did not end well.
    fn why(&self) -> Option<String> {
        Some(format!("    {}", self.reason.as_ref()?.lines().next()?))
    }
}

const HEADINGS: [&str; 8] = [
    "began", "command", "tag", "colour", "outcome", "failed", "took", "who",
];

impl CommandResult for Listed {
    fn human(&self, style: &Style) -> String {
        let uploads = self.uploads.lines(self.now, style);
        if self.operations.is_empty() {
            let nothing = format!("nothing has been done to {} yet", self.app);
            return [vec![nothing], uploads].concat().join("\n");
        }
        let rows: Vec<_> = self
            .operations
            .iter()
            .map(|operation| operation.cells(self.now))
            .collect();
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
        for (operation, row) in self.operations.iter().zip(&rows) {
            lines.push(line(row.iter().map(String::as_str).collect()));
            lines.extend(operation.why().map(|why| style.dim(why)));
        }
        lines.extend(uploads);
        lines.join("\n")
    }
}

pub async fn run(session: &Session, args: &History) -> Result<Exit> {
    let infrastructure = session.infrastructure().await?;
    let table = infrastructure.journal_table();
    let limit = i32::from(args.limit);
    let (head, ended, uploads) = futures_util::try_join!(
        session.aws.read_head(table),
        session.aws.read_history(table, limit),
        session.aws.last_uploads(table, limit),
    )?;
    let now = session.aws.journal_time();
    session.report.result(&Listed {
        now,
        app: session.app().to_owned(),
        operations: lines(head, ended, now, usize::from(args.limit)),
        uploads: ListedUploads(uploads),
    });
    Ok(Exit::Done)
}

/// The unfinished one first. One that died between its record and the head is in
/// both, and what the head says counts.
fn lines(head: Head, ended: Vec<Operation>, now: OffsetDateTime, limit: usize) -> Vec<HistoryLine> {
    let is_under_way = turn::held(&head, now).is_some();
    let unfinished = head.operation;
    let id = unfinished.as_ref().map(|operation| operation.id.clone());
    let unfinished = unfinished.map(|operation| HistoryLine {
        is_under_way,
        ..HistoryLine::of(operation)
    });
    let ended = ended
        .into_iter()
        .filter(|operation| Some(&operation.id) != id.as_ref());
    let lines = unfinished.into_iter().chain(ended.map(HistoryLine::of));
    lines.take(limit).collect()
}

#[cfg(test)]
mod tests;
