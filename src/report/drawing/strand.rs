//! What is drawn of one operation along a time axis: its stages, a band for each node and
//! kind of connection with a mark for each answer, and a line for each listener write. Where
//! the axis is, and what stands around it, is the drawing's.

use std::ops::Range;

use super::Width;
use super::axis::{Across, Frame};
use super::bands::{Band, Bands};
use super::canvas::{Canvas, Drawn, Lettering};
use super::ink::Ink;
use super::legend;
use super::marks::{self, LabelPlace, Mark, MarkKind, PAD};
use super::stages::{self, AnswerColumn};
use super::ticks::{self, Tick, TickLook};
use crate::engine::evidence::Evidence;
use crate::engine::seen::timeline::{Dot, Lane};
use crate::engine::seen::{NEW, OLD};

/// The height of a label beside a line.
pub const ROW: i32 = 16;
/// Failures of a band that lie closer than this have one flag, at the first.
const FLAGS_APART: i32 = 10;

pub struct Strand<'a> {
    pub evidence: &'a Evidence,
    pub shown: &'a Range<f64>,
    pub marks: &'a [Mark],
    pub width: Width,
}

/// Where the parts of a strand are.
pub struct StrandPlace {
    /// Its bands, from the left to the right.
    pub frame: Frame,
    /// Where its stages begin, and all of it.
    pub top: i32,
    /// Where the labels of its marks begin.
    labels: i32,
    places: Vec<LabelPlace>,
    bands: Vec<Band>,
}

impl Strand<'_> {
    /// Below that, with so many rows of labels more; as high as suits a drawing of so many
    /// bands.
    pub fn laid(
        &self,
        top: i32,
        (left, right): (i32, i32),
        more: i32,
        of_bands: usize,
    ) -> StrandPlace {
        let places = self.places(left, right);
        let rows = places.iter().map(|place| place.row + 1).max().unwrap_or(0);
        let rows = i32::try_from(rows).unwrap_or(0) + more;
        let labels = match self.evidence.stages.is_empty() {
            true => top,
            false => top + stages::ROW,
        };
        let head = labels + rows * ROW + 8;
        let bands = Bands::below(head, self.lanes(), self.width, of_bands);
        StrandPlace {
            frame: Frame {
                left,
                top: head,
                right,
                bottom: bands.bottom,
            },
            top,
            labels,
            places,
            bands: bands.all,
        }
    }

    /// What is behind the lines of the axis.
    pub fn draw_stages(&self, canvas: &Canvas<'_>, laid: &StrandPlace) -> Drawn {
        let frame = Frame {
            top: laid.top,
            ..laid.frame
        };
        stages::draw(canvas, self.evidence, frame, self.shown)
    }

    /// All the rest.
    pub fn draw(&self, canvas: &Canvas<'_>, laid: &StrandPlace, time: &Across<'_>) -> Drawn {
        self.washes(canvas, laid.frame, time)?;
        for (lane, band) in self.lanes().iter().zip(&laid.bands) {
            self.band(canvas, laid.frame, time, lane, band)?;
        }
        self.draw_marks(canvas, laid, time)?;
        let across = (laid.frame.left, laid.frame.right);
        for (name, band) in names(self.evidence).iter().zip(&laid.bands) {
            self.width.label(canvas, name, across, band)?;
        }
        Ok(())
    }

    fn lanes(&self) -> &[Lane] {
        &self.evidence.timeline.lanes
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

    /// The places of the labels. Needed before the time axis, which is below them.
    fn places(&self, left: i32, right: i32) -> Vec<LabelPlace> {
        let lines: Vec<(i32, i32)> = self
            .labelled()
            .map(|mark| {
                let x = stages::x(mark.at_ms, self.shown, (left, right));
                (x, Lettering::LABEL.width(&mark.label))
            })
            .collect();
        marks::places(&lines, right)
    }

    fn labelled(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter().filter(|mark| !mark.label.is_empty())
    }

    fn draw_marks(&self, canvas: &Canvas<'_>, laid: &StrandPlace, time: &Across<'_>) -> Drawn {
        let frame = laid.frame;
        let unlabelled = self.marks.iter().filter(|mark| mark.label.is_empty());
        for mark in unlabelled {
            let x = time.x(mark.at_ms);
            canvas.line((x, frame.top), (x, frame.bottom), mark.kind.ink(), 1)?;
        }
        for (mark, place) in self.labelled().zip(&laid.places) {
            let x = time.x(mark.at_ms);
            let row = i32::try_from(place.row).unwrap_or(0);
            let y = laid.labels + row * ROW + ROW / 2;
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
    // Each character of an address is one byte.
    let (start, end) = (&address[..9], &address[length - 9..]);
    format!("{start}…{end}")
}
