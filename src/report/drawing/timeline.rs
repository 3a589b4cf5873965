//! Every answer over time: a band for each node and kind of connection, a mark
//! for each answer, a line for each listener write and its read-back, and the
//! stages of a gradual shift behind all of it.

use std::ops::Range;

use super::axis::{Across, Frame, LABELS, span};
use super::bands::RIGHT;
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::legend::Legend;
use super::marks::{self, Mark, MarkKind, PAD};
use super::strand::{ROW, Strand, names};
use super::{Width, stretch};
use crate::engine::evidence::Evidence;

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
        let left = self.width.left_of_bands(&names(self.evidence));
        let right = self.width.pixels() - RIGHT;
        let legend = self.has_legend.then(|| Legend::of(self.evidence));
        let top = legend.as_ref().map_or(0, |it| it.height(self.width));
        let strand = Strand {
            evidence: self.evidence,
            shown: &self.shown,
            marks: &self.marks,
            width: self.width,
        };
        let lanes = self.evidence.timeline.lanes.len();
        let more = i32::from(self.changeover.is_some());
        let laid = strand.laid(top, (left, right), more, lanes);
        let size = (self.width.pixels(), laid.frame.bottom + LABELS);
        Picture::draw(size, title, &self.described(), |canvas| {
            if let Some(legend) = &legend {
                legend.draw(canvas, self.width)?;
            }
            strand.draw_stages(canvas, &laid)?;
            let time = Across::time(canvas, laid.frame, &self.shown)?;
            strand.draw(canvas, &laid, &time)?;
            self.draw_changeover(canvas, laid.frame, &time)
        })
    }

    /// For those who cannot see it.
    fn described(&self) -> String {
        let probe = &self.evidence.probe;
        format!(
            "{} requests, {} of them failed, in {} bands, from {} to {} after the start of \
             the time axis. {}",
            probe.sent,
            probe.failed,
            self.evidence.timeline.lanes.len(),
            span(self.shown.start),
            span(self.shown.end),
            self.evidence.sentence
        )
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
