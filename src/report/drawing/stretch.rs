//! Which stretch of time a drawing shows. Pure.

use std::ops::Range;

use super::marks;
use crate::engine::evidence::Evidence;

/// All that was seen, and all writes.
pub fn whole(evidence: &Evidence) -> Range<f64> {
    let seen = &evidence.timeline;
    let swap = marks::swap(evidence).unwrap_or(seen.from_ms..seen.until_ms);
    let whole = swap.start.min(seen.from_ms)..swap.end.max(seen.until_ms);
    padded(&whole, 0.01)
}

/// A close-up of more than that share of the whole shows nothing new.
const MOST: f64 = 0.6;

/// From the first listener write to the last one's read-back, and on to the last
/// change of what answers.
pub fn changing(evidence: &Evidence) -> Option<Range<f64>> {
    // There users are meant to be on both.
    if !evidence.stages.is_empty() {
        return None;
    }
    let swap = marks::swap(evidence)?;
    let transitions = &evidence.probe.transitions;
    let until = transitions
        .iter()
        .map(|transition| transition.at_ms as f64)
        .chain(evidence.probe.changeover_ms.map(|ms| ms as f64))
        .fold(swap.end, f64::max);
    // A few answers of each band ahead of it and after it.
    let bands = evidence.timeline.lanes.len().max(1) as f64;
    let few_answers = 2.5 * bands * 1000.0 / evidence.probe.rate.max(0.1);
    let margin = few_answers.clamp(50.0, 1500.0) / (until - swap.start).max(1.0);
    let shown = padded(&(swap.start..until), margin.max(0.25));
    let timeline = &evidence.timeline;
    let whole = timeline.until_ms - timeline.from_ms;
    (shown.end - shown.start < MOST * whole).then_some(shown)
}

/// From the first listener write of all to the last one's read-back.
pub fn changing_of_all<'a>(
    mut all: impl Iterator<Item = &'a Evidence> + Clone,
) -> Option<Range<f64>> {
    let joined = |a: Range<f64>, b: Range<f64>| a.start.min(b.start)..a.end.max(b.end);
    let whole = all.clone().map(whole).reduce(joined)?;
    let swap = all.clone().filter_map(marks::swap).reduce(joined)?;
    let shown = padded(&swap, 0.25);
    let is_small = shown.end - shown.start < MOST * (whole.end - whole.start);
    // There users are meant to be on both.
    let is_at_once = all.all(|it| it.stages.is_empty());
    (is_small && is_at_once).then_some(shown)
}

/// With that share more at both ends, and never empty.
fn padded(range: &Range<f64>, share: f64) -> Range<f64> {
    let is_sane = range.start.is_finite() && range.end.is_finite() && range.start <= range.end;
    let range = if is_sane { range.clone() } else { 0.0..0.0 };
    let more = (range.end - range.start).max(1.0) * share;
    range.start - more..range.end + more
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{probe, promotion, taken_back};

    #[test]
    fn the_whole_has_all_that_was_seen_and_all_writes() {
        let mut evidence = promotion();
        evidence.timeline.until_ms = 50.0;
        let shown = whole(&evidence);
        assert!(shown.contains(&evidence.timeline.from_ms));
        assert!(shown.contains(&97.0), "the last read-back");
    }

    #[test]
    fn the_close_up_has_every_write_and_the_last_change() {
        let mut evidence = promotion();
        evidence.probe.transitions.last_mut().unwrap().at_ms = 640;
        let shown = changing(&evidence).unwrap();
        assert!(shown.contains(&0.0) && shown.contains(&640.0));
        assert!(shown.end - shown.start < 3_000.0, "{shown:?}");
    }

    #[test]
    fn what_is_nearly_the_whole_has_no_close_up() {
        assert_eq!(changing(&taken_back()), None);
        assert_eq!(changing(&probe()), None, "nothing was written");
    }

    #[test]
    fn a_stretch_is_never_empty() {
        for range in [5.0..5.0, 7.0..3.0, f64::NAN..1.0, 0.0..f64::INFINITY] {
            let shown = padded(&range, 0.01);
            assert!(
                shown.start < shown.end && shown.end.is_finite(),
                "{range:?}"
            );
        }
    }
}
