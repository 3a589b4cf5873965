//! The stages of a gradual shift along the time axis, and the share of the new
//! release that was asked for and seen.

use std::collections::BTreeMap;
use std::ops::Range;

use super::axis::{Across, Frame, LABELS, span};
use super::bands::RIGHT;
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::{Width, legend, marks, strand, stretch};
use crate::engine::evidence::Evidence;
use crate::engine::seen::timeline::Dot;
use crate::engine::seen::{NEW, OLD, StageReport};

/// The height of the stages' labels.
pub const ROW: i32 = 20;
/// So many answers say something of a share.
const ENOUGH: u64 = 20;
/// Narrower bars are not told apart.
const NARROWEST: i32 = 5;

/// Where an instant lies, from the left to the right.
pub fn x(ms: f64, shown: &Range<f64>, (left, right): (i32, i32)) -> i32 {
    let share = (ms - shown.start) / (shown.end - shown.start);
    left + (share.clamp(0.0, 1.0) * f64::from(right - left)).round() as i32
}

/// A band for each, every other one tinted, with its share at the top where there
/// is room for it.
pub fn draw(canvas: &Canvas<'_>, evidence: &Evidence, frame: Frame, shown: &Range<f64>) -> Drawn {
    for (number, stage) in evidence.stages.iter().enumerate() {
        let across = (frame.left, frame.right);
        let (from, until) = (
            x(stage.from_ms, shown, across),
            x(stage.until_ms, shown, across),
        );
        if number.is_multiple_of(2) {
            canvas.block((from, frame.top), (until, frame.bottom), Ink::StageWash)?;
        }
        let label = format!("{}%", stage.share);
        let lettering = Lettering {
            is_bold: true,
            ..Lettering::LABEL
        };
        if from + lettering.width(&label) + 6 <= until {
            canvas.text(&label, (from + 4, frame.top + ROW / 2), lettering)?;
        }
    }
    Ok(())
}

/// The share of the new release over time. None where users went over at once.
pub fn shares(evidence: &Evidence, width: Width) -> Option<Picture> {
    if evidence.stages.is_empty() {
        return None;
    }
    let shown = stretch::whole(evidence);
    let height = 180;
    let frame = Frame {
        // So that an instant is below itself in the timeline.
        left: width.left_of_bands(&strand::names(evidence)).max(56),
        top: 2 * ROW + 8,
        right: width.pixels() - RIGHT,
        bottom: height - LABELS,
    };
    let strip = Strip {
        evidence,
        frame,
        shown,
    };
    let size = (width.pixels(), height);
    let title = "Share of the new release";
    Some(Picture::draw(size, title, &described(evidence), |canvas| {
        strip.draw(canvas)
    }))
}

fn described(evidence: &Evidence) -> String {
    let stages = evidence.stages.iter().map(|stage| {
        let seen = stage.seen_share.map_or_else(
            || "none can be told".to_owned(),
            |seen| format!("{seen:.1}% seen"),
        );
        let time = span(stage.until_ms - stage.from_ms);
        format!("{}% asked for, for {time}: {seen}.", stage.share)
    });
    stages.collect::<Vec<_>>().join(" ")
}

struct Strip<'a> {
    evidence: &'a Evidence,
    frame: Frame,
    shown: Range<f64>,
}

impl Strip<'_> {
    fn draw(&self, canvas: &Canvas<'_>) -> Drawn {
        let (frame, evidence) = (self.frame, self.evidence);
        self.legend(canvas)?;
        let of_stages = Frame { top: ROW, ..frame };
        draw(canvas, evidence, of_stages, &self.shown)?;
        let time = Across::time(canvas, frame, &self.shown)?;
        for percent in [0.0, 50.0, 100.0] {
            let y = self.y(percent);
            canvas.line((frame.left, y), (frame.right, y), Ink::Grid, 1)?;
            let label = Lettering::SOFT.to_the_left();
            canvas.text(&format!("{percent}%"), (frame.left - 8, y), label)?;
        }
        let ink = Ink::of_release(evidence, NEW);
        for seen in seen(evidence, |ms| time.x(ms)) {
            let top = self.y(seen.percent);
            // Without a seam between two.
            let until = (seen.until + 1).min(frame.right);
            canvas.block((seen.from, top), (until, frame.bottom), ink)?;
        }
        for mark in marks::marks(evidence) {
            let x = time.x(mark.at_ms);
            canvas.line((x, frame.top), (x, frame.bottom), mark.kind.ink(), 1)?;
        }
        self.asked(canvas, &time)
    }

    fn y(&self, percent: f64) -> i32 {
        let height = f64::from(self.frame.bottom - self.frame.top);
        self.frame.bottom - (percent / 100.0 * height).round() as i32
    }

    /// As a line with steps, from nothing on.
    fn asked(&self, canvas: &Canvas<'_>, time: &Across) -> Drawn {
        let (mut x, mut y) = (self.frame.left, self.y(0.0));
        for stage in &self.evidence.stages {
            let (from, until) = (time.x(stage.from_ms), time.x(stage.until_ms));
            let top = self.y(stage.share);
            canvas.line((x, y), (from, y), Ink::Sent, 2)?;
            canvas.line((from, y), (from, top), Ink::Sent, 2)?;
            canvas.line((from, top), (until, top), Ink::Sent, 2)?;
            (x, y) = (until, top);
        }
        Ok(())
    }

    fn legend(&self, canvas: &Canvas<'_>) -> Drawn {
        let y = ROW / 2;
        let left = self.frame.left;
        canvas.line((left, y), (left + 14, y), Ink::Sent, 2)?;
        canvas.text("asked", (left + 20, y), Lettering::LABEL)?;
        let x = left + 20 + Lettering::LABEL.width("asked") + 20;
        let ink = Ink::of_release(self.evidence, NEW);
        canvas.block((x, y - 6), (x + 12, y + 6), ink)?;
        let name = self.evidence.releases.get(NEW).map(legend::name);
        let text = format!("seen of {}", name.unwrap_or_default());
        canvas.text(&text, (x + 18, y), Lettering::LABEL)
    }
}

/// A stretch of time, in pixels, and how much of its answers the new release gave.
#[derive(Debug, Clone, Copy, PartialEq)]
struct SeenShare {
    from: i32,
    until: i32,
    percent: f64,
}

/// Of each stage, and of the time ahead of them, as many stretches as there are
/// answers and pixels for. None lies in two stages.
fn seen(evidence: &Evidence, x: impl Fn(f64) -> i32) -> Vec<SeenShare> {
    let from = evidence.timeline.from_ms;
    let first = evidence.stages.first().map_or(from, |stage| stage.from_ms);
    let of_stage = |stage: &StageReport| (stage.from_ms, stage.until_ms);
    let stages = evidence.stages.iter().map(of_stage);
    let known: Vec<(f64, u64, bool)> = evidence
        .timeline
        .lanes
        .iter()
        .flat_map(|lane| &lane.dots)
        .filter_map(told)
        .collect();
    let times = std::iter::once((from, first)).chain(stages);
    times
        .flat_map(|(from, until)| stretches(&known, (from, until), &x))
        .collect()
}

/// When it was, how many they are, and whether it was the new release.
fn told(dot: &Dot) -> Option<(f64, u64, bool)> {
    let at = dot.at_ms + dot.for_ms / 2.0;
    let is_known = matches!(dot.release, Some(OLD | NEW));
    is_known.then_some((at, dot.count.into(), dot.release == Some(NEW)))
}

fn stretches(
    known: &[(f64, u64, bool)],
    (from, until): (f64, f64),
    x: &impl Fn(f64) -> i32,
) -> Vec<SeenShare> {
    let within = known.iter().filter(|(at, ..)| (from..until).contains(at));
    let answers: u64 = within.clone().map(|(_, count, _)| count).sum();
    let pixels = x(until) - x(from);
    let most = u64::try_from(pixels / NARROWEST).unwrap_or(0);
    let number = (answers / ENOUGH).min(most).max(1) as usize;
    let each = (until - from) / number as f64;
    let mut counts = vec![(0, 0); number];
    for (at, count, is_new) in within {
        let place = ((at - from) / each) as usize;
        let (new, all) = &mut counts[place.min(number - 1)];
        *new += if *is_new { *count } else { 0 };
        *all += count;
    }
    let answered = counts.iter().enumerate().filter(|(_, (_, all))| *all > 0);
    answered
        .map(|(n, (new, all))| SeenShare {
            from: x(from + each * n as f64),
            until: x(from + each * (n + 1) as f64),
            percent: *new as f64 / *all as f64 * 100.0,
        })
        .collect()
}

/// Answers of a stretch of time, in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerColumn {
    pub from: i32,
    pub until: i32,
    /// The new release's share of them, 0 to 1.
    pub new: f64,
}

/// A lane's answers in columns, where there are so many of both releases that
/// marks would cover each other.
pub fn columns<'a>(
    dots: impl Iterator<Item = &'a Dot>,
    (left, right): (i32, i32),
    x: impl Fn(f64) -> i32,
) -> Option<Vec<AnswerColumn>> {
    let known: Vec<(f64, u64, bool)> = dots.filter_map(told).collect();
    let answers: u64 = known.iter().map(|(_, count, _)| count).sum();
    let pixels = u64::try_from(right - left).unwrap_or(0);
    if answers * 2 < pixels {
        return None;
    }
    let each = i32::try_from(ENOUGH * pixels / answers.max(1)).unwrap_or(0);
    let each = each.max(NARROWEST);
    let mut counts: BTreeMap<i32, (u64, u64)> = BTreeMap::new();
    for (at, count, is_new) in known {
        let (new, all) = counts.entry((x(at) - left) / each).or_default();
        *new += if is_new { count } else { 0 };
        *all += count;
    }
    let mut columns: Vec<AnswerColumn> = Vec::new();
    for (place, (new, all)) in counts {
        let from = left + place * each;
        let (until, new) = ((from + each).min(right), new as f64 / all as f64);
        match columns.last_mut() {
            Some(last) if last.until == from && (last.new - new).abs() < f64::EPSILON => {
                last.until = until;
            }
            _ => columns.push(AnswerColumn { from, until, new }),
        }
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::testing::{canary, caught};

    #[test]
    fn no_bar_lies_in_two_stages() {
        let evidence = canary();
        let shown = stretch::whole(&evidence);
        let x = |ms| x(ms, &shown, (0, 900));
        let bars = seen(&evidence, x);
        assert!(bars.len() > 20);
        for stage in &evidence.stages {
            let (from, until) = (x(stage.from_ms), x(stage.until_ms));
            let of_stage = bars
                .iter()
                .filter(|bar| bar.from >= from && bar.until <= until);
            for bar in of_stage.clone() {
                assert!(
                    (bar.percent - stage.share).abs() < 20.0,
                    "{bar:?}, {stage:?}"
                );
            }
            assert!(of_stage.count() > 0, "{stage:?}");
        }
    }

    #[test]
    fn many_answers_are_columns_and_few_are_marks() {
        let of = |evidence: &Evidence| {
            let shown = stretch::whole(evidence);
            let dots = evidence.timeline.lanes[0].dots.iter();
            columns(dots, (0, 900), |ms| x(ms, &shown, (0, 900)))
        };
        assert_eq!(of(&caught()), None);
        let many = of(&canary()).unwrap();
        assert_eq!(many.last().unwrap().new, 1.0);
        assert!(
            many.iter()
                .any(|column| column.new > 0.0 && column.new < 0.5)
        );
        assert!(many.is_sorted_by_key(|column| column.from));
    }
}
