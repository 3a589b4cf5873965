//! The tasks' log lines, from CloudWatch Logs.

use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, OutputLogEvent};
use serde::Serialize;
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
        let answer = self
            .logs
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(stream)
            .start_from_head(false)
            .limit(count)
            .send()
            .await
            .named("logs:GetLogEvents", format!("{group}:{stream}"));
        match answer {
            Ok(answer) => Ok(answer
                .events()
                .iter()
                .map(|event| line(stream, event))
                .collect()),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Whether there is such a group.
    pub async fn has_log_group(&self, group: &str) -> Result<bool, AwsError> {
        let answer = self
            .logs
            .filter_log_events()
            .log_group_name(group)
            .limit(1)
            .send()
            .await
            .named("logs:FilterLogEvents", group);
        match answer {
            Ok(_) => Ok(true),
            Err(error) if error.kind == AwsErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// All lines since a moment, oldest first, across the streams of a prefix.
    pub async fn lines_since(&self, query: &LogQuery) -> Result<Vec<LogLine>, AwsError> {
        let mut lines = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .logs
                .filter_log_events()
                .log_group_name(&query.group)
                .log_stream_name_prefix(&query.stream_prefix)
                .start_time(millis(query.since))
                .set_next_token(token)
                .send()
                .await
                .named("logs:FilterLogEvents", &query.group)?;
            // Some emulators give those of all streams.
            let is_asked_for = |event: &&FilteredLogEvent| {
                let stream = event.log_stream_name();
                stream.is_some_and(|name| name.starts_with(&query.stream_prefix))
            };
            let events = page.events().iter().filter(is_asked_for);
            lines.extend(events.map(|event| LogLine {
                id: event.event_id().map(str::to_owned),
                at: event.timestamp().and_then(moment),
                stream: event.log_stream_name().unwrap_or_default().to_owned(),
                message: event.message().unwrap_or_default().trim_end().to_owned(),
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(lines);
            }
        }
    }
}

fn line(stream: &str, event: &OutputLogEvent) -> LogLine {
    LogLine {
        id: None,
        at: event.timestamp().and_then(moment),
        stream: stream.to_owned(),
        message: event.message().unwrap_or_default().trim_end().to_owned(),
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
