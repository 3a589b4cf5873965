//! The text of each event, one line each.

use super::ReportEvent;
use super::style::Style;
use crate::counted::counted;
use crate::engine::serving::Counts;
use crate::model::Color;
use crate::model::{Progress, StepState};

/// How an event is shown.
#[derive(Debug)]
pub(super) enum ShownLine {
    /// Printed, and stays.
    Stays(String),
    /// Under way: the line that a terminal keeps moving.
    Moves(String),
    Nothing,
}

impl ShownLine {
    pub(super) fn map(self, change: impl FnOnce(String) -> String) -> Self {
        match self {
            Self::Stays(text) => Self::Stays(change(text)),
            Self::Moves(text) => Self::Moves(change(text)),
            Self::Nothing => Self::Nothing,
        }
    }
}

pub(super) fn line(event: &ReportEvent<'_>, style: Style) -> ShownLine {
    let detail = |text: String| ShownLine::Stays(format!("    {}", style.dim(text)));
    match event {
        ReportEvent::Note(text) => ShownLine::Stays(format!("{} {text}", style.dim("·"))),
        ReportEvent::Done(text) => ShownLine::Stays(format!("{} {text}", style.good("✓"))),
        ReportEvent::Warning(text) => {
            ShownLine::Stays(format!("{} {text}", style.warn("warning:")))
        }
        ReportEvent::Doing(text) => ShownLine::Moves(text.clone()),
        ReportEvent::Hook(text) => detail((*text).to_owned()),
        ReportEvent::Command(text) => ShownLine::Stays((*text).to_owned()),
        ReportEvent::Docker(progress) => docker(progress, style),
        ReportEvent::Stack(event) => {
            let mut text = format!(
                "{:<22} {:<40} {}",
                event.status, event.resource_type, event.resource
            );
            if let Some(reason) = &event.reason {
                text += &format!(": {reason}");
            }
            if event.status.contains("FAILED") || event.status.contains("ROLLBACK") {
                return ShownLine::Stays(format!("    {}", style.bad(text)));
            }
            detail(text)
        }
        ReportEvent::Service(event) => detail(event.message.clone()),
        ReportEvent::Waiting {
            color,
            counts,
            trouble,
            minutes,
        } => ShownLine::Moves(waiting(*color, *counts, trouble.as_deref(), *minutes)),
        ReportEvent::Check(check) => {
            let mark = if check.ok {
                style.good("✓")
            } else {
                style.bad("✗")
            };
            ShownLine::Stays(format!(
                "{mark} {:<15} {}",
                check.name,
                style.dim(&check.detail)
            ))
        }
        // Drawn as a row of blocks on a terminal; elsewhere the result has it.
        ReportEvent::Probing { .. } | ReportEvent::Answered(_) | ReportEvent::Probed => {
            ShownLine::Nothing
        }
        ReportEvent::Body {
            at_ms,
            status,
            body,
        } => ShownLine::Stays(format!(
            "    {} {status} {}",
            style.dim(at_ms.map_or_else(|| "   before".to_owned(), |at| format!("{at:>+6} ms"))),
            shortened(body)
        )),
    }
}

fn waiting(color: Color, counts: Counts, trouble: Option<&str>, minutes: u64) -> String {
    let trouble = trouble.map(|it| format!(": {it}")).unwrap_or_default();
    // In a pipe each minute is a sign of life.
    let so_far = match minutes {
        0 => String::new(),
        minutes => format!(" ({minutes} min so far)"),
    };
    format!(
        "waiting for {color}: {} of {} running, {} healthy, {}{trouble}{so_far}",
        counts.running,
        counted(counts.desired, "task"),
        counted(counts.healthy, "target"),
        counted(counts.good_answers, "good answer")
    )
}

fn docker(progress: &Progress, style: Style) -> ShownLine {
    match progress {
        Progress::Step { name, state, .. } => match state {
            StepState::Started => ShownLine::Moves(name.clone()),
            StepState::Cached => {
                ShownLine::Stays(format!("    {}", style.dim(format!("{name} (cached)"))))
            }
            StepState::Done => ShownLine::Stays(step(name, style)),
            StepState::Failed => {
                ShownLine::Stays(format!("    {}", style.bad(format!("{name} (failed)"))))
            }
        },
        Progress::Log { line, .. } => ShownLine::Stays(format!("      {}", style.dim(line))),
        Progress::ContextSent { bytes } => ShownLine::Moves(format!(
            "sent {} of build context",
            indicatif::HumanBytes(*bytes)
        )),
        // Layers are bars on a terminal; in a pipe only their end matters.
        Progress::Layer { id, status, .. } if is_final(status) => {
            ShownLine::Stays(format!("    {}", style.dim(format!("{id}: {status}"))))
        }
        Progress::Layer { .. } => ShownLine::Nothing,
        Progress::Retry { id, seconds } => ShownLine::Stays(format!(
            "    {}",
            style.warn(format!("{id}: broke off; trying again in {seconds} s"))
        )),
    }
}

/// A step of a build as it stays.
pub(super) fn step(name: &str, style: Style) -> String {
    format!("    {}", style.dim(name))
}

pub(super) fn is_final(status: &str) -> bool {
    matches!(
        status,
        "Pushed" | "Layer already exists" | "Pull complete" | "Already exists"
    ) || status.starts_with("Mounted from")
}

/// A body on one line, cut where it gets long.
pub(super) fn shortened(body: &str) -> String {
    let one_line = body.split_whitespace().collect::<Vec<_>>().join(" ");
    match one_line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &one_line[..end]),
        None => one_line,
    }
}

#[cfg(test)]
mod tests;
