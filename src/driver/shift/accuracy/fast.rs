//! How much load the probe and its statistics can take.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Run;
use crate::engine::seen::Changed;
use crate::model::{Answer, Unexpected};

const RATE: u32 = 20_000;
/// How many dots are kept, and how many failures and transitions.
const DOTS: usize = 32_768;
const KEPT: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_20_000_a_second_every_request_has_its_time_and_its_end() {
    let mut run = Run::start(f64::from(RATE)).await;
    // A second's worth, however long this machine takes.
    for _ in 0..RATE {
        run.next().await.unwrap();
    }
    let ended = run.end().await;
    let start = ended.samples[0].scheduled_at;
    let due = |n: usize| start + Duration::from_micros(50) * u32::try_from(n).unwrap();
    for (n, sample) in ended.samples.iter().enumerate() {
        assert_eq!(sample.n, n as u64);
        assert_eq!(sample.scheduled_at, due(n), "request {n}");
        assert!(sample.late <= sample.latency, "{sample:?}");
    }
    let sent = ended.samples.len();
    assert_eq!(ended.report.sent, sent as u64);
    // Nothing is left pending.
    assert_eq!(ended.pending, due(sent));
    // How many are answered in time depends on this machine.
    assert!(!ended.noted().is_empty(), "none of {sent} was answered");

    // Failing and changing over all the time: what is kept stays small.
    let mut seen = ended.seen;
    let length = due(sent) - start;
    let new = Arc::new(Answer::Http {
        status: 503,
        release: Some("2".to_owned()),
        body: String::new(),
    });
    for round in 1..10 {
        for sample in &ended.samples {
            let mut later = sample.clone();
            later.scheduled_at += length * round;
            // Each lane has one of six.
            if sample.n % 12 < 6 {
                later.answer = Arc::clone(&new);
                later.unexpected = Some(Unexpected::Status);
            }
            seen.add(&later, Changed::default());
        }
    }
    let report = seen.report(f64::from(RATE), Some(start), 0);
    assert_eq!(
        (report.failures.len(), report.transitions.len()),
        (KEPT, KEPT)
    );
    assert_eq!(report.sent, 10 * sent as u64);
    let timeline = seen.timeline(None);
    let dots: Vec<_> = timeline.lanes.iter().flat_map(|lane| &lane.dots).collect();
    assert!(dots.len() <= DOTS, "{}", dots.len());
    let counted: u64 = dots.iter().map(|dot| u64::from(dot.count)).sum();
    assert_eq!(counted, report.sent);
    let kinds: BTreeSet<_> = timeline.lanes.iter().map(|lane| lane.connection).collect();
    assert_eq!(kinds.len(), 2);
}
