//! All cases against an emulator, one after the other.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::api::Outcome;
use crate::subject::Subject;

use super::{Case, changes, health, routing, transfer};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_case_holds_on_the_emulator_that_is_named() -> Outcome {
    let Ok(endpoint) = std::env::var("BGECS_E2E_ENDPOINT") else {
        return Ok(());
    };
    let cases = [
        health::all(),
        routing::all(),
        changes::all(),
        transfer::all(),
    ]
    .concat();
    let count = cases.len();
    let mut failed = Vec::new();
    for (name, case) in cases {
        match holds(&endpoint, (name, case)).await {
            Ok(()) => say(&format!("holds: {name}")),
            Err(error) => {
                say(&format!("DOES NOT HOLD: {name}: {error}"));
                failed.push(name);
            }
        }
    }
    assert!(
        failed.is_empty(),
        "of {count} cases these do not hold at {endpoint}: {failed:#?}"
    );
    Ok(())
}

/// A case that panics does not hold either.
async fn holds(endpoint: &str, (_, case): Case) -> Outcome {
    let subject = Subject::emulator(endpoint).await?;
    let subject = AssertUnwindSafe(case(subject))
        .catch_unwind()
        .await
        .map_err(|_| "it panicked, as said above")??;
    subject.clean().await
}

#[expect(
    clippy::print_stderr,
    reason = "cargo shows it with --nocapture, or if it fails"
)]
fn say(line: &str) {
    eprintln!("{line}");
}
