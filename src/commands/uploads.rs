//! How uploads ended, as `status` and other commands show it.

use serde::Serialize;
use time::OffsetDateTime;

use crate::model::{UploadOutcome, UploadRecord};
use crate::report::Style;
use crate::spoken_time;

/// How many are shown beside something else.
pub const FEW: i32 = 5;

/// The newest first.
#[derive(Debug, Default, Serialize)]
#[serde(transparent)]
pub struct ListedUploads(pub Vec<UploadRecord>);

impl ListedUploads {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Below a heading, where there are some.
    pub fn lines(&self, now: OffsetDateTime, style: &Style) -> Vec<String> {
        let mut lines = Vec::new();
        if !self.is_empty() {
            lines.push(style.strong("uploads"));
        }
        lines.extend(self.0.iter().map(|it| line(it, now, style)));
        lines
    }
}

fn line(it: &UploadRecord, now: OffsetDateTime, style: &Style) -> String {
    let name = it.upload.file_name();
    let outcome = it.end.as_ref().map(|end| end.outcome);
    let (outcome, reason) = match (outcome, &it.end) {
        (Some(UploadOutcome::Complete), _) => (style.good(UploadOutcome::Complete), None),
        (Some(outcome), Some(end)) => (style.bad(outcome), end.reason.as_ref()),
        _ => (style.dim("begun"), None),
    };
    let mut line = format!("  {name}: {outcome}, {}", spoken_time::ago(now - it.at));
    if let Some(first) = reason.and_then(|reason| reason.lines().next()) {
        line += &format!("\n    {}", style.dim(first));
    }
    line
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::model::{Upload, UploadEnd};

    #[test]
    fn each_says_what_became_of_it_when_and_why() {
        let at = datetime!(2026-01-01 12:00 UTC);
        let record =
            |key: &str, outcome: Option<UploadOutcome>, reason: Option<&str>| UploadRecord {
                upload: Upload {
                    bucket: "releases".to_owned(),
                    key: format!("in/{key}"),
                    version: "v1".to_owned(),
                },
                uploaded: at,
                sequencer: None,
                releases: None,
                tag: None,
                at,
                end: outcome.map(|outcome| UploadEnd {
                    outcome,
                    reason: reason.map(str::to_owned),
                    traffic: Vec::new(),
                    exit_code: 0,
                }),
            };
        let all = ListedUploads(vec![
            record("shop-9.zip", None, None),
            record("shop-8.zip", Some(UploadOutcome::Failed), Some("no\nwhy")),
            record("shop-7.zip", Some(UploadOutcome::Complete), None),
        ]);
        let lines = all.lines(at + time::Duration::minutes(5), &Style::plain());
        insta::assert_snapshot!(lines.join("\n"), @r"
        uploads
          shop-9.zip: begun, 5 min ago
          shop-8.zip: failed, 5 min ago
            no
          shop-7.zip: complete, 5 min ago
        ");
        assert!(
            ListedUploads::default()
                .lines(at, &Style::plain())
                .is_empty()
        );
    }
}
