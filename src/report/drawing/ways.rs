//! Which release each way in showed, from when and until when: for users of a slow
//! resolver a move is over when that has forgotten the answer from before.

use super::axis::{Across, Frame, LABELS, instant};
use super::bands::RIGHT;
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::{Width, stretch};
use crate::engine::evidence::{Evidence, Upshot};
use crate::engine::seen::{NEW, OLD, WayReport};

const HEIGHT: i32 = 28;

/// None where there is one way in, or users did not stay where they were moved: until
/// when a release was met that was taken back, is not known of each way.
pub fn ways(evidence: &Evidence, width: Width) -> Option<Picture> {
    let ways = &evidence.probe.ways;
    if ways.is_empty() || evidence.outcome != Upshot::Committed {
        return None;
    }
    let names: Vec<String> = ways.iter().map(|way| way.way.clone()).collect();
    let (left, above) = match width {
        Width::Wide => (width.left_of_bands(&names), 10),
        Width::Narrow => (14, 24),
    };
    let count = i32::try_from(ways.len()).unwrap_or(0);
    let frame = Frame {
        left,
        top: 0,
        right: width.pixels() - RIGHT,
        bottom: count * (HEIGHT + above) + 4,
    };
    let size = (width.pixels(), frame.bottom + LABELS);
    let shown = stretch::whole(evidence);
    let told: Vec<String> = ways.iter().map(|way| told(way, &shown)).collect();
    let title = "Each way in";
    Some(Picture::draw(size, title, &told.join(" "), |canvas| {
        let time = Across::time(canvas, frame, &shown)?;
        for (row, way) in (0..).zip(ways) {
            let top = row * (HEIGHT + above) + above;
            band(canvas, evidence, &time, way, (frame, top))?;
            match width {
                Width::Wide => {
                    let at = (left - 10, top + HEIGHT / 2);
                    canvas.text(&way.way, at, Lettering::LABEL.to_the_left())?;
                }
                Width::Narrow => canvas.text(&way.way, (left, top - 10), Lettering::LABEL)?,
            }
        }
        Ok(())
    }))
}

/// The old release below and the new one above: while users of that way may have
/// either, both are seen.
fn band(
    canvas: &Canvas<'_>,
    evidence: &Evidence,
    time: &Across<'_>,
    way: &WayReport,
    (frame, top): (Frame, i32),
) -> Drawn {
    let (middle, bottom) = (top + HEIGHT / 2, top + HEIGHT);
    canvas.block((frame.left, top), (frame.right, bottom), Ink::Track)?;
    let timeline = &evidence.timeline;
    if let Some(last) = way.seen.last_old_ms {
        let (from, until) = (time.x(timeline.from_ms), time.x(last as f64));
        let old = Ink::of_release(evidence, OLD);
        canvas.block((from, middle), (until.max(from + 2), bottom), old)?;
    }
    if let Some(first) = way.seen.first_new_ms {
        let (from, until) = (time.x(first as f64), time.x(timeline.until_ms));
        let new = Ink::of_release(evidence, NEW);
        canvas.block((from, top), (until.max(from + 2), middle), new)?;
    }
    Ok(())
}

/// For those who cannot see it.
fn told(way: &WayReport, shown: &std::ops::Range<f64>) -> String {
    let whole = shown.end - shown.start;
    let at = |ms: Option<i64>| ms.map(|ms| instant(ms as f64, whole));
    let new = at(way.seen.first_new_ms).map_or_else(
        || "never the new release".to_owned(),
        |at| format!("the new release from {at} on"),
    );
    let old = at(way.seen.last_old_ms).map_or_else(
        || "never the old one".to_owned(),
        |at| format!("the old one until {at}"),
    );
    format!("{}: {new}, {old}.", way.way)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::seen::KindReport;
    use crate::report::testing::{promotion, taken_back};

    fn by_resolvers(mut evidence: Evidence) -> Evidence {
        let way = |way: &str, first_new_ms, last_old_ms| WayReport {
            way: way.to_owned(),
            seen: KindReport {
                sent: 60,
                first_new_ms,
                last_old_ms,
                ..KindReport::default()
            },
        };
        evidence.probe.ways = vec![
            way("by 1.1.1.1:53", Some(300), Some(200)),
            way("by 8.8.8.8:53", None, Some(14_000)),
        ];
        evidence
    }

    #[test]
    fn each_resolver_has_a_band_with_what_it_gave_and_when() {
        let evidence = by_resolvers(promotion());
        for width in [Width::Wide, Width::Narrow] {
            let picture = ways(&evidence, width).unwrap().inline("").into_string();
            for told in [
                "by 1.1.1.1:53: the new release from +0.3 s on, the old one until +0.2 s.",
                "by 8.8.8.8:53: never the new release, the old one until +14 s.",
            ] {
                assert!(picture.contains(told), "{picture}");
            }
            let count = |ink: Ink| picture.matches(&ink.light()).count();
            assert_eq!(count(Ink::of_release(&evidence, OLD)), 2);
            assert_eq!(count(Ink::of_release(&evidence, NEW)), 1);
        }
    }

    #[test]
    fn what_was_taken_back_or_has_one_way_has_no_such_drawing() {
        assert!(ways(&promotion(), Width::Wide).is_none());
        assert!(ways(&by_resolvers(taken_back()), Width::Wide).is_none());
    }
}
