//! All cases against an emulator, at once.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::join_all;

use crate::api::Outcome;
use crate::subject::Subject;

use super::{Case, changes, health, routing, transfer};

#[tokio::test]
async fn every_case_holds_on_the_emulator_that_is_named() {
    let Ok(endpoint) = std::env::var("BGECS_E2E_ENDPOINT") else {
        return;
    };
    let cases = [
        health::all(),
        routing::all(),
        changes::all(),
        transfer::all(),
    ]
    .concat();
    let outcomes = join_all(cases.iter().map(|case| holds(&endpoint, case))).await;
    let mut failed = Vec::new();
    for ((name, _), outcome) in cases.iter().zip(outcomes) {
        match outcome {
            Ok(()) => say(&format!("holds: {name}")),
            Err(error) => {
                say(&format!("DOES NOT HOLD: {name}: {error}"));
                failed.push(name);
            }
        }
    }
    let count = cases.len();
    assert!(
        failed.is_empty(),
        "of {count} cases these do not hold at {endpoint}: {failed:#?}"
    );
}

/// A case that panics does not hold either. What it made is deleted anyway.
async fn holds(endpoint: &str, (_, case): &Case) -> Outcome {
    let subject = Arc::new(Subject::emulator(endpoint).await?);
    let held = AssertUnwindSafe(case(subject.clone())).catch_unwind().await;
    let cleaned = subject.clean().await;
    held.map_err(said)??;
    cleaned
}

/// What a panic says.
fn said(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or_else(|| "it panicked".to_owned(), |text| (*text).to_owned()),
    }
}

#[expect(
    clippy::print_stderr,
    reason = "cargo shows it with --nocapture, or if it fails"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
