//! Every answer over time: a band for each node and kind of connection, a mark
//! for each answer, a line for each listener write and its read-back, and the
//! stages of a gradual shift behind all of it.

use std::ops::Range;

use super::axis::{Across, Frame, LABELS, span};
use super::bands::{Band, Bands, RIGHT};
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::legend;
use super::marks::{self, LabelPlace, Mark, MarkKind, PAD};
use super::stages::{self, AnswerColumn};
use super::ticks::{self, Tick, TickLook};
use super::{Width, stretch};
use crate::engine::evidence::Evidence;
use crate::engine::seen::timeline::{Dot, Lane};
use crate::engine::seen::{NEW, OLD};

/// Of a label beside a line.
const ROW: i32 = 16;
/// Failures of a band that lie closer than this have one flag, at the first.
const FLAGS_APART: i32 = 10;
/// Where more happened than that, only what failed is named; the tables name all.
const LABELLED: usize = 12;

/// The whole time, with the meaning of each colour above.
pub fn whole(evidence: &Evidence, width: Width) -> Picture {
    let says_stage = |mark: &Mark| {
        let stages = &mut evidence.stages.iter();
        stages.any(|stage| (stage.from_ms - mark.at_ms).abs() < f64::EPSILON)
    };
    let view = View {
        evidence,
        shown: stretch::whole(evidence),
        // Between the writes is little time: each read-back is near its write. And
        // a stage says itself where production goes.
        marks: marks::marks(evidence)
            .into_iter()
            .map(|mark| match mark.kind {
                MarkKind::Sent if !says_stage(&mark) => Mark {
                    label: mark.label.trim_end_matches(" sent").to_owned(),
                    ..mark
                },
                MarkKind::Landmark { failed } if failed || evidence.marks.len() <= LABELLED => mark,
                MarkKind::Landmark { .. } | MarkKind::Sent | MarkKind::ReadBack => Mark {
                    label: String::new(),
                    ..mark
                },
            })
            .collect(),
        has_legend: true,
        changeover: None,
        width,
    };
    view.draw("Every answer over time")
}

/// The time around the listener writes, where there were any and they are but a
/// small part of the whole.
pub fn closeup(evidence: &Evidence, width: Width) -> Option<Picture> {
    let view = View {
        evidence,
        shown: stretch::changing(evidence)?,
        marks: marks::marks(evidence),
        has_legend: false,
        changeover: evidence.probe.changeover_ms,
        width,
    };
    Some(view.draw("The changeover, close up"))
}

struct View<'a> {
    evidence: &'a Evidence,
    shown: Range<f64>,
    marks: Vec<Mark>,
    has_legend: bool,
    changeover: Option<i64>,
    width: Width,
}

impl View<'_> {
    fn draw(&self, title: &str) -> Picture {
        let names = names(self.evidence);
        let left = self.width.left_of_bands(&names);
        let right = self.width.pixels() - RIGHT;
        let legend = if self.has_legend {
            legend::height(self.evidence, self.width.pixels())
        } else {
            0
        };
        let places = self.places(left, right);
        let rows = places.iter().map(|place| place.row + 1).max().unwrap_or(0);
        let rows = i32::try_from(rows).unwrap_or(0) + i32::from(self.changeover.is_some());
        let labels = match self.evidence.stages.is_empty() {
            true => legend,
            false => legend + stages::ROW,
        };
        let head = labels + rows * ROW + 8;
        let bands = Bands::below(head, self.lanes(), self.width);
        let frame = Frame {
            left,
            top: head,
            right,
            bottom: bands.bottom,
        };
        let size = (self.width.pixels(), bands.bottom + LABELS);
        Picture::draw(size, title, &self.described(), |canvas| {
            if self.has_legend {
                legend::draw(canvas, self.evidence, self.width.pixels())?;
            }
            let of_stages = Frame {
                top: legend,
                ..frame
            };
            stages::draw(canvas, self.evidence, of_stages, &self.shown)?;
            let time = Across::time(canvas, frame, &self.shown)?;
            self.washes(canvas, frame, &time)?;
            for (lane, band) in self.lanes().iter().zip(&bands.all) {
                self.band(canvas, frame, &time, lane, band)?;
            }
            self.draw_marks(canvas, frame, &time, labels, &places)?;
            self.draw_changeover(canvas, frame, &time)?;
            for (name, band) in names.iter().zip(&bands.all) {
                self.width.label(canvas, name, (left, right), band)?;
            }
            Ok(())
        })
    }

    fn lanes(&self) -> &[Lane] {
        &self.evidence.timeline.lanes
    }

    /// For those who cannot see it.
    fn described(&self) -> String {
        let probe = &self.evidence.probe;
        format!(
            "{} requests, {} of them failed, in {} bands, from {} to {} after the start of \
             the time axis. {}",
            probe.sent,
            probe.failed,
            self.lanes().len(),
            span(self.shown.start),
            span(self.shown.end),
            self.evidence.sentence
        )
    }

    fn dots<'b>(&self, lane: &'b Lane) -> impl Iterator<Item = &'b Dot> + Clone {
        let shown = self.shown.clone();
        lane.dots
            .iter()
            .filter(move |dot| dot.at_ms <= shown.end && dot.at_ms + dot.for_ms >= shown.start)
    }

    /// From top to bottom: each write until it was read back, and each failure.
    fn washes(&self, canvas: &Canvas<'_>, frame: Frame, time: &Across) -> Drawn {
        for write in &self.evidence.writes {
            let until = time.x(write.seen_ms.unwrap_or(write.sent_ms));
            let from = time.x(write.sent_ms);
            canvas.block((from, frame.top), (until, frame.bottom), Ink::SwapWash)?;
        }
        let failed = self
            .lanes()
            .iter()
            .flat_map(|lane| self.dots(lane))
            .filter(|dot| dot.failed);
        for tick in ticks::ticks(failed, 9, |ms| time.x(ms)) {
            let from = tick.from.max(frame.left);
            let until = tick.until.min(frame.right);
            canvas.block((from, frame.top), (until, frame.bottom), Ink::FailedWash)?;
        }
        Ok(())
    }

    fn band(
        &self,
        canvas: &Canvas<'_>,
        frame: Frame,
        time: &Across,
        lane: &Lane,
        band: &Band,
    ) -> Drawn {
        let base = (frame.left, band.bottom);
        canvas.block(base, (frame.right, band.bottom + 1), Ink::Track)?;
        let width = ticks::width(self.dots(lane), |ms| time.x(ms));
        let ticks = ticks::ticks(self.dots(lane), width, |ms| time.x(ms));
        let columns = match self.evidence.stages.is_empty() {
            true => None,
            false => stages::columns(self.dots(lane), (frame.left, frame.right), |ms| time.x(ms)),
        };
        for column in columns.iter().flatten() {
            self.column(canvas, band, *column)?;
        }
        let mut flagged = None;
        for tick in ticks {
            // They are in the columns.
            if columns.is_some() && matches!(tick.look, TickLook::Release(_)) {
                continue;
            }
            self.tick(canvas, frame, band, tick)?;
            if tick.look == TickLook::Failed {
                if flagged.is_none_or(|until| tick.from > until + FLAGS_APART) {
                    flag(
                        canvas,
                        band,
                        tick.from + (tick.until - tick.from).min(8) / 2,
                    )?;
                }
                flagged = Some(tick.until);
            }
        }
        Ok(())
    }

    /// The new release's answers, and on them the old one's, each as high as it
    /// would be alone, times its share.
    fn column(&self, canvas: &Canvas<'_>, band: &Band, column: AnswerColumn) -> Drawn {
        let height = f64::from(band.bottom - band.top);
        let mut base = band.bottom;
        for (release, share) in [(NEW, column.new), (OLD, 1.0 - column.new)] {
            let (ink, whole) = legend::look(self.evidence, TickLook::Release(release));
            let top = base - (height * whole * share).round() as i32;
            if top < base {
                canvas.block((column.from, top), (column.until, base), ink)?;
            }
            base = top;
        }
        Ok(())
    }

    fn tick(&self, canvas: &Canvas<'_>, frame: Frame, band: &Band, tick: Tick) -> Drawn {
        let height = f64::from(band.bottom - band.top);
        let (ink, share) = legend::look(self.evidence, tick.look);
        let top = band.bottom - (height * share).round() as i32;
        canvas.block(
            (tick.from.max(frame.left), top),
            (tick.until.min(frame.right), band.bottom),
            ink,
        )
    }

    /// Of the labels. Needed ahead of the time axis, which stands below them.
    fn places(&self, left: i32, right: i32) -> Vec<LabelPlace> {
        let lines: Vec<(i32, i32)> = self
            .labelled()
            .map(|mark| {
                let x = stages::x(mark.at_ms, &self.shown, (left, right));
                (x, Lettering::LABEL.width(&mark.label))
            })
            .collect();
        marks::places(&lines, right)
    }

    fn labelled(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(|mark| !mark.label.is_empty())
    }

    fn draw_marks(
        &self,
        canvas: &Canvas<'_>,
        frame: Frame,
        time: &Across,
        head: i32,
        places: &[LabelPlace],
    ) -> Drawn {
        let unlabelled = self.marks.iter().filter(|mark| mark.label.is_empty());
        for mark in unlabelled {
            let x = time.x(mark.at_ms);
            canvas.line((x, frame.top), (x, frame.bottom), mark.kind.ink(), 1)?;
        }
        for (mark, place) in self.labelled().zip(places) {
            let x = time.x(mark.at_ms);
            let row = i32::try_from(place.row).unwrap_or(0);
            let y = head + row * ROW + ROW / 2;
            canvas.line((x, y - 6), (x, frame.bottom), mark.kind.ink(), 1)?;
            let lettering = Lettering {
                ink: match mark.kind {
                    MarkKind::Sent => Ink::Text,
                    MarkKind::ReadBack => Ink::Soft,
                    MarkKind::Landmark { .. } => mark.kind.ink(),
                },
                ..Lettering::LABEL
            };
            if place.is_left {
                canvas.text(&mark.label, (x - PAD, y), lettering.to_the_left())?;
            } else {
                canvas.text(&mark.label, (x + PAD, y), lettering)?;
            }
        }
        Ok(())
    }

    /// A measure above the bands, from the first write to its end.
    fn draw_changeover(&self, canvas: &Canvas<'_>, frame: Frame, time: &Across) -> Drawn {
        let Some(ms) = self.changeover else {
            return Ok(());
        };
        let (from, until) = (time.x(0.0), time.x(ms as f64));
        let y = frame.top - ROW / 2 - 4;
        canvas.line((from, y), (until, y), Ink::Text, 2)?;
        for x in [from, until] {
            canvas.line((x, y - 4), (x, y + 4), Ink::Text, 2)?;
        }
        let text = format!("changeover {ms} ms");
        let lettering = Lettering {
            is_bold: true,
            ..Lettering::LABEL
        };
        if until + PAD + lettering.width(&text) < frame.right {
            canvas.text(&text, (until + PAD + 2, y), lettering)
        } else {
            canvas.text(&text, (from - PAD - 2, y), lettering.to_the_left())
        }
    }
}

/// Above a failure, so that its shape tells it too.
fn flag(canvas: &Canvas<'_>, band: &Band, x: i32) -> Drawn {
    let top = band.top;
    canvas.shape(
        &[(x - 5, top - 8), (x + 5, top - 8), (x, top - 1)],
        Ink::Failed,
    )
}

/// What the bands are called.
pub fn names(evidence: &Evidence) -> Vec<String> {
    evidence.timeline.lanes.iter().map(name).collect()
}

fn name(lane: &Lane) -> String {
    let node = lane
        .node
        .map_or_else(|| "no address".to_owned(), |node| short(&node.to_string()));
    format!("{node} · {}", lane.connection)
}

/// The tables have whole addresses.
fn short(address: &str) -> String {
    const MOST: usize = 21;
    let length = address.len();
    if length <= MOST {
        return address.to_owned();
    }
    // Of an address each character is a byte.
    let (start, end) = (&address[..9], &address[length - 9..]);
    format!("{start}…{end}")
}
