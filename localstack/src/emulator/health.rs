//! Waiting until an emulator answers.

use std::time::{Duration, Instant};

use crate::http;

/// LocalStack's health page, which MiniStack has too.
pub(super) const PATH: &str = "/_localstack/health";

const POLL: Duration = Duration::from_millis(50);
const ONE_TRY: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(super) enum Outcome {
    Answers,
    /// It has ended before it answered.
    Ended,
    /// It runs, but with this last reason for not being up.
    Silent(String),
}

/// Asks until the answer has `mark` in it: on a port that another process has
/// taken in between, that other one answers, and must not be taken for ours.
pub(super) async fn wait<F: Future<Output = bool>>(
    endpoint: &str,
    mark: &str,
    patience: Duration,
    mut is_running: impl FnMut() -> F,
) -> Outcome {
    let start = Instant::now();
    loop {
        let reason = match ask(endpoint, mark).await {
            Ok(()) => return Outcome::Answers,
            Err(reason) => reason,
        };
        if !is_running().await {
            return Outcome::Ended;
        }
        if start.elapsed() > patience {
            return Outcome::Silent(reason);
        }
        tokio::time::sleep(POLL).await;
    }
}

async fn ask(endpoint: &str, mark: &str) -> Result<(), String> {
    let answer = tokio::time::timeout(ONE_TRY, http::get(endpoint, PATH))
        .await
        .map_err(|_| format!("nothing within {ONE_TRY:?}"))?
        .map_err(|error| error.to_string())?;
    match answer.status {
        200 if answer.body.contains(mark) => Ok(()),
        200 => Err("another emulator answers there".to_owned()),
        status => Err(format!("it answered {status}")),
    }
}
