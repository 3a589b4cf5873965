//! How short a gap the probe finds.

use std::ops::Range;
use std::time::Duration;

use super::{Ended, Run, left, ms};
use crate::probe::testing::balancer::Plan;
use crate::probe::testing::soon;

const GAP: Duration = ms(5);
const GAPS: u32 = 20;

/// Opens gaps at instants unrelated to the probe's, and returns when the last one ends.
fn open_gaps(now: Duration, plan: &mut Plan) -> Duration {
    let mut random = fastrand::Rng::with_seed(42);
    let gap = |n: u32| {
        let opens = now + ms(50) * (n + 1) + Duration::from_micros(random.u64(0..40_000));
        opens..opens + GAP
    };
    plan.gaps.extend((0..GAPS).map(gap));
    plan.gaps.last().map_or(now, |gap| gap.end)
}

impl Ended {
    /// Whether a request failed in it.
    fn has_found(&self, gap: &Range<Duration>) -> bool {
        let mut noted = self.noted().into_iter();
        noted.any(|(sample, note)| gap.contains(&note.came) && !sample.is_good())
    }

    /// Whether the probe itself shows that it could not have found it: each request that
    /// was due then was sent late, or was answered only after the gap.
    fn was_held_up(&self, gap: &Range<Duration>) -> bool {
        let mut due = self.samples.iter();
        due.all(|sample| {
            !gap.contains(&sample.scheduled_at)
                || sample.late > ms(1)
                || sample.answered_at() >= gap.end
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_1000_a_second_a_gap_of_5_ms_is_found() {
    let mut run = Run::start(1000.0).await;
    run.until_each_lane_was_asked(1, Duration::ZERO).await;
    // If all gaps are missed because this machine is busy, more are opened.
    while run.seen.failed() == 0 {
        let end = run.balancer.plan(open_gaps);
        run.until_each_lane_was_asked(1, end).await;
    }
    let ended = run.end().await;
    for gap in &ended.plan.gaps {
        let due = ended.samples.iter();
        let due = due.filter(|sample| gap.contains(&sample.scheduled_at));
        assert_eq!(due.count(), 5, "{gap:?}");
        assert!(ended.has_found(gap) || ended.was_held_up(gap), "{gap:?}");
    }
    // Exactly those requests failed that were under way during a gap.
    for sample in &ended.samples {
        let mut gaps = ended.plan.gaps.iter();
        let (from, until) = (left(sample), sample.answered_at());
        match sample.is_good() {
            true => assert!(!gaps.any(|gap| gap.start <= from && until < gap.end)),
            false => assert!(gaps.any(|gap| gap.start <= until && from < gap.end)),
        }
    }
    let failed = ended.notes.iter().filter(|note| note.is_down).count() as u64;
    assert_eq!((ended.seen.failed(), ended.report.failed), (failed, failed));
    let timeline = ended.seen.timeline(None);
    let dots = timeline.lanes.iter().flat_map(|lane| &lane.dots);
    let failed_dots = dots
        .filter(|dot| dot.failed)
        .map(|dot| u64::from(dot.count));
    assert_eq!(failed_dots.sum::<u64>(), failed);
}

/// Why a fast probe is worth its requests.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_10_a_second_a_gap_of_5_ms_between_two_requests_goes_unseen() {
    let pace = ms(100);
    let mut run = Run::start(10.0).await;
    soon(async {
        let mut gap = None;
        while gap.is_none() {
            let sample = run.next().await.unwrap();
            let next = sample.scheduled_at + pace;
            let is_last = run.probe.oldest_pending() == next;
            gap = run.balancer.plan(|now, plan| {
                let fits = is_last && now + GAP < next;
                fits.then(|| plan.gaps.push(now..now + GAP))
            });
        }
    })
    .await;
    run.next().await.unwrap();
    let ended = run.end().await;
    let gap = &ended.plan.gaps[0];
    assert!(ended.samples.iter().any(|sample| left(sample) >= gap.end));
    assert_eq!((ended.report.failed, ended.has_found(gap)), (0, false));
}
