//! Events as JSON objects, one per line, for log collectors: when, how severe, which app,
//! what.

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ReportEvent;
use super::human::{self, ShownLine};
use super::style::Style;

/// None for what only moves on a terminal.
pub(super) fn line(event: &ReportEvent<'_>, module: Option<&str>) -> Option<String> {
    let (level, text) = match event {
        ReportEvent::Warning(text) => ("warning", text.clone()),
        ReportEvent::Note(text) | ReportEvent::Done(text) | ReportEvent::Doing(text) => {
            ("info", text.clone())
        }
        ReportEvent::Probing { .. } | ReportEvent::Answered(_) | ReportEvent::Probed => {
            return None;
        }
        other => match human::line(other, Style::plain()) {
            ShownLine::Stays(text) => ("info", text.trim().to_owned()),
            ShownLine::Moves(_) | ShownLine::Nothing => return None,
        },
    };
    let at = OffsetDateTime::now_utc().format(&Rfc3339);
    let mut line = json!({ "at": at.unwrap_or_default(), "level": level, "text": text });
    let module = module.map(str::trim).filter(|module| !module.is_empty());
    if let Some(module) = module {
        line["module"] = module.into();
    }
    Some(line.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_line_is_an_object_whatever_it_says() {
        let event = ReportEvent::Warning("it says \"no\"\nand ends".to_owned());
        let line = line(&event, Some("backend  ")).unwrap();
        assert!(!line.contains('\n'), "{line}");
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["level"], "warning");
        assert_eq!(line["text"], "it says \"no\"\nand ends");
        assert_eq!(line["module"], "backend");
        assert!(line["at"].as_str().is_some_and(|at| at.ends_with('Z')));
    }

    #[test]
    fn what_only_moves_is_no_line() {
        let event = ReportEvent::Probing {
            sent: 1,
            failed: 0,
            share: 0.5,
            stage: None,
        };
        assert_eq!(line(&event, None), None);
    }
}
