//! Follows a log: returns each of its lines once.

use std::collections::HashSet;

use time::Duration;

use crate::aws::{Aws, AwsError, LogLine, LogQuery};

/// CloudWatch receives lines a little late and out of order, so each look goes back this
/// far.
const OVERLAP: Duration = Duration::seconds(30);

#[derive(Debug)]
pub struct LogFollower {
    query: LogQuery,
    /// By their ids.
    seen: HashSet<String>,
}

impl LogFollower {
    pub fn of(query: LogQuery) -> Self {
        Self {
            query,
            seen: HashSet::new(),
        }
    }

    /// The lines since the last look, oldest first.
    ///
    /// # Errors
    /// CloudWatch's own.
    pub async fn new_lines(&mut self, aws: &Aws) -> Result<Vec<LogLine>, AwsError> {
        let mut lines = aws.lines_since(&self.query).await?;
        if let Some(newest) = lines.iter().filter_map(|line| line.at).max() {
            self.query.since = self.query.since.max(newest - OVERLAP);
        }
        lines.retain(|line| {
            let id = line.id.as_ref();
            id.is_none_or(|id| self.seen.insert(id.clone()))
        });
        Ok(lines)
    }
}
