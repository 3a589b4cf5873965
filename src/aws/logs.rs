//! The tasks' log lines, from CloudWatch Logs.

use serde::{Deserialize, Serialize};
use serde_json::json;
use time::OffsetDateTime;

use super::Aws;
use super::error::{AwsError, AwsErrorKind, Named};

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LogLine {
    #[serde(skip)]
    pub id: Option<String>,
    #[serde(with = "time::serde::rfc3339::option")]
    pub at: Option<OffsetDateTime>,
    pub stream: String,
    pub message: String,
}

#[derive(Debug, Clone)]
pub struct LogQuery {
    pub group: String,
    /// Streams are named `<colour>/<container>/<task id>`.
    pub stream_prefix: String,
    pub since: OffsetDateTime,
}

impl Aws {
    /// The last `count` lines of one stream, oldest first. A stream that does
    /// not exist yet has none.
    pub async fn last_lines(
        &self,
        group: &str,
        stream: &str,
        count: i32,
    ) -> Result<Vec<LogLine>, AwsError> {
        let asked = json!({
            "logGroupName": group,
            "logStreamName": stream,
            "startFromHead": false,
            "limit": count,
        });
        let answer = self.logs.json("GetLogEvents", &asked).await;
        match answer.named("logs:GetLogEvents", format!("{group}:{stream}")) {
            Ok(LogPage { events, .. }) => {
                Ok(events.into_iter().map(|it| it.line(stream)).collect())
            }
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether the group exists.
    pub async fn has_log_group(&self, group: &str) -> Result<bool, AwsError> {
        let asked = json!({ "logGroupName": group, "limit": 1 });
        let answer = self.logs.json("FilterLogEvents", &asked).await;
        match answer.named("logs:FilterLogEvents", group) {
            Ok(LogPage { .. }) => Ok(true),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All lines since a moment, oldest first, across the streams with a prefix.
    pub async fn lines_since(&self, query: &LogQuery) -> Result<Vec<LogLine>, AwsError> {
        let mut lines = Vec::new();
        let mut asked = json!({
            "logGroupName": query.group,
            "logStreamNamePrefix": query.stream_prefix,
            "startTime": millis(query.since),
        });
        loop {
            let page = self.logs.json("FilterLogEvents", &asked).await;
            let page: LogPage = page.named("logs:FilterLogEvents", &query.group)?;
            for event in page.events {
                let stream = event.log_stream_name.clone().unwrap_or_default();
                // Some emulators return those of all streams.
                if stream.starts_with(&query.stream_prefix) {
                    lines.push(event.line(&stream));
                }
            }
            match page.next_token {
                Some(token) => asked["nextToken"] = token.into(),
                None => return Ok(lines),
            }
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogPage {
    events: Vec<LogEvent>,
    next_token: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct LogEvent {
    event_id: Option<String>,
    /// Milliseconds since the epoch.
    timestamp: Option<i64>,
    log_stream_name: Option<String>,
    message: String,
}

impl LogEvent {
    fn line(self, stream: &str) -> LogLine {
        LogLine {
            id: self.event_id,
            at: self.timestamp.and_then(moment),
            stream: stream.to_owned(),
            message: self.message.trim_end().to_owned(),
        }
    }
}

fn millis(at: OffsetDateTime) -> i64 {
    at.unix_timestamp() * 1000 + i64::from(at.millisecond())
}

fn moment(millis: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000).ok()
}

#[cfg(test)]
mod tests;
