//! One task for one client token, which the emulator does not look at.
//!
//! "If you retry a request that completed successfully using the same client token and
//! the same parameters, the retry succeeds without performing any further actions"; with
//! other parameters it is a `ConflictException`. A token is of a cluster
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/ECS_Idempotency.html>).
//! That it is forgotten, an hour after the task's end or after a day, is not imitated.

use std::collections::BTreeMap;

use hyper::StatusCode;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::gate::request::{Answer, Request};
use crate::gate::upstream::{Failed, Upstream};

/// What was asked with each token, and what was answered; by the cluster and the token.
#[derive(Debug, Default)]
pub struct Tokens(Mutex<BTreeMap<(String, String), (Value, Answer)>>);

impl Tokens {
    /// Answers `RunTask`.
    ///
    /// # Errors
    /// If the emulator gives no answer.
    pub async fn run(&self, upstream: &Upstream, request: &Request) -> Result<Answer, Failed> {
        let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let Some(token) = asked["clientToken"].as_str() else {
            return upstream.forward(request).await;
        };
        let cluster = asked["cluster"].as_str().unwrap_or("default");
        let key = (cluster.to_owned(), token.to_owned());
        // Held while the emulator is asked: of two at once, the second is told of the first.
        let mut known = self.0.lock().await;
        match known.get(&key) {
            Some((before, answer)) if *before == asked => return Ok(answer.clone()),
            Some(_) => return Ok(conflict()),
            None => {}
        }
        let answer = upstream.forward(request).await?;
        if answer.status.is_success() {
            known.insert(key, (asked, answer.clone()));
        }
        Ok(answer)
    }
}

fn conflict() -> Answer {
    let body = json!({
        "__type": "ConflictException",
        "message": "The RunTask request could not be processed due to conflicts. The provided clientToken is already in use \
                    with a different RunTask request.",
        "resourceIds": [],
    });
    Answer::json(StatusCode::BAD_REQUEST, "application/x-amz-json-1.1", &body)
}
