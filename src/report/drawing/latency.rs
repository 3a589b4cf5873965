//! How long answers took: over time, and as a distribution ahead of the swap,
//! during it and after it.

use std::ops::Range;

use super::axis::{Across, Frame, LABELS, TimeAndLatency, span};
use super::bands::RIGHT;
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::legend;
use super::ticks::TickLook;
use super::{Width, marks, strand, stretch};
use crate::engine::evidence::Evidence;
use crate::engine::seen::{Bucket, Distribution};

/// The longest of each stretch, by what answered.
pub fn over_time(evidence: &Evidence, width: Width) -> Option<Picture> {
    let slowest = slowest(evidence, width.pixels() / 2);
    let latencies = range(slowest.iter().map(|(_, _, latency)| *latency))?;
    let shown = stretch::whole(evidence);
    let height = 190;
    let frame = Frame {
        // So that an instant is below itself in the timeline.
        left: width.left_of_bands(&strand::names(evidence)).max(56),
        top: 8,
        right: width.pixels() - RIGHT,
        bottom: height - LABELS,
    };
    let title = "Latency over time";
    let description = format!(
        "How long each answer took, between {} and {}.",
        span(latencies.start),
        span(latencies.end)
    );
    let size = (width.pixels(), height);
    Some(Picture::draw(size, title, &description, |canvas| {
        let plane = TimeAndLatency::draw(canvas, frame, &shown, &latencies)?;
        for mark in marks::marks(evidence) {
            let (x, _) = plane.at(mark.at_ms, latencies.start);
            canvas.line((x, frame.top), (x, frame.bottom), mark.kind.ink(), 1)?;
        }
        for (look, ms, latency) in &slowest {
            let (x, y) = plane.at(*ms, *latency);
            let (ink, _) = legend::look(evidence, *look);
            let half = if *look == TickLook::Failed { 3 } else { 2 };
            canvas.block((x - half, y - half), (x + half, y + half), ink)?;
        }
        Ok(())
    }))
}

/// For each of so many stretches of time and each look the longest latency, with
/// when it was; failures last, on top.
fn slowest(evidence: &Evidence, stretches: i32) -> Vec<(TickLook, f64, f64)> {
    use std::collections::BTreeMap;
    let timeline = &evidence.timeline;
    let whole = (timeline.until_ms - timeline.from_ms).max(1.0);
    let mut all: BTreeMap<(TickLook, i64), (f64, f64)> = BTreeMap::new();
    for dot in timeline.lanes.iter().flat_map(|lane| &lane.dots) {
        let share = (dot.at_ms - timeline.from_ms) / whole;
        let stretch = (share * f64::from(stretches)) as i64;
        let slowest = all
            .entry((TickLook::of(dot), stretch))
            .or_insert((dot.at_ms, dot.latency_ms));
        if dot.latency_ms > slowest.1 {
            *slowest = (dot.at_ms, dot.latency_ms);
        }
    }
    all.into_iter()
        .map(|((look, _), (at, latency))| (look, at, latency))
        .collect()
}

/// What holds all of these, with some room; at least some doublings, so that
/// noise does not look like a mountain.
fn range(latencies: impl Iterator<Item = f64>) -> Option<Range<f64>> {
    const LEAST: f64 = 0.05;
    let (low, high) = latencies
        .filter(|ms| ms.is_finite())
        .map(|ms| ms.max(LEAST))
        .fold((f64::INFINITY, 0.0_f64), |(low, high), ms| {
            (low.min(ms), high.max(ms))
        });
    (high > 0.0).then(|| {
        let (low, high) = (low / 1.3, high * 1.3);
        let middle = (low * high).sqrt();
        low.min(middle / 2.5)..high.max(middle * 2.5)
    })
}

/// One row each for before, during and after, on one axis.
pub fn spread(evidence: &Evidence, width: Width) -> Option<Picture> {
    let rows = rows(evidence);
    let buckets = rows.iter().flat_map(|(_, row)| &row.buckets);
    let bounds = buckets.flat_map(|bucket| [lower(bucket), bucket.up_to_ms]);
    let shown = range(bounds)?;
    let (left, above) = match width {
        Width::Wide => (110, 24),
        Width::Narrow => (14, 42),
    };
    let height = 56;
    let count = i32::try_from(rows.len()).unwrap_or(0);
    let bottom = count * (height + above) + 4;
    let frame = Frame {
        left,
        top: 0,
        right: width.pixels() - RIGHT,
        bottom,
    };
    let description: Vec<String> = rows.iter().map(|(name, row)| told(name, row)).collect();
    let size = (width.pixels(), bottom + LABELS);
    let title = "Latency distribution";
    Some(Picture::draw(
        size,
        title,
        &description.join(" "),
        |canvas| {
            let axis = Across::latency(canvas, frame, &shown)?;
            let mut y = 0;
            for (name, row) in &rows {
                let (top, base) = (y + above, y + above + height);
                canvas.block((frame.left, base), (frame.right, base + 1), Ink::Track)?;
                bars(canvas, &axis, row, (top, base))?;
                percentiles(canvas, &axis, row, (top, base))?;
                match width {
                    Width::Wide => {
                        let label = Lettering::LABEL.to_the_left();
                        let middle = i32::midpoint(top, base);
                        canvas.text(name, (left - 10, middle - 8), label)?;
                        let count = format!("{} answers", row.count);
                        canvas.text(
                            &count,
                            (left - 10, middle + 9),
                            Lettering::SOFT.to_the_left(),
                        )?;
                    }
                    Width::Narrow => {
                        let name = format!("{name}: {} answers", row.count);
                        canvas.text(&name, (left, top - 28), Lettering::LABEL)?;
                    }
                }
                y = base;
            }
            Ok(())
        },
    ))
}

/// The distributions that there are, each with its name.
pub fn rows(evidence: &Evidence) -> Vec<(&'static str, &Distribution)> {
    let latencies = &evidence.latencies;
    let rows = if evidence.writes.is_empty() {
        vec![("all", &latencies.before)]
    } else {
        vec![
            ("before", &latencies.before),
            ("during", &latencies.during),
            ("after", &latencies.after),
        ]
    };
    rows.into_iter().filter(|(_, row)| row.count > 0).collect()
}

fn told(name: &str, row: &Distribution) -> String {
    format!(
        "{name}: {} answers, half of them within {}, 99 % within {}, the longest {}.",
        row.count,
        span(row.p50),
        span(row.p99),
        span(row.max)
    )
}

/// The bounds grow by about a tenth from bucket to bucket.
fn lower(bucket: &Bucket) -> f64 {
    bucket.up_to_ms / 1.1
}

fn bars(canvas: &Canvas<'_>, axis: &Across, row: &Distribution, (top, base): (i32, i32)) -> Drawn {
    let most = row.buckets.iter().map(|bucket| bucket.count).max();
    let most = most.unwrap_or(1).max(1) as f64;
    for bucket in &row.buckets {
        let share = bucket.count as f64 / most;
        // Also one among a million is seen.
        let height = (share * f64::from(base - top)).ceil().max(2.0) as i32;
        let (from, until) = (axis.x(lower(bucket)), axis.x(bucket.up_to_ms));
        let until = until.max(from + 2);
        canvas.block((from, base - height), (until - 1, base), Ink::Bar)?;
    }
    Ok(())
}

fn percentiles(
    canvas: &Canvas<'_>,
    axis: &Across,
    row: &Distribution,
    (top, base): (i32, i32),
) -> Drawn {
    for (name, ms) in [("p50", row.p50), ("p99", row.p99)] {
        let x = axis.x(ms);
        canvas.line((x, top), (x, base), Ink::Text, 1)?;
        let text = format!("{name} {}", span(ms));
        // Those of close ones stand on either side.
        if name == "p50" {
            let x = (x + 2).max(Lettering::SOFT.width(&text));
            canvas.text(&text, (x, top - 9), Lettering::SOFT.to_the_left())?;
        } else {
            let right = canvas.area().dim_in_pixel().0 as i32;
            let x = (x - 2).min(right - Lettering::SOFT.width(&text));
            canvas.text(&text, (x, top - 9), Lettering::SOFT)?;
        }
    }
    Ok(())
}
