//! The release of a set on one time axis: a strand for each module, in the order in which
//! they were moved, with the moves of all counted through.

use std::ops::Range;

use super::axis::{Across, Frame, LABELS, instant, span};
use super::bands::RIGHT;
use super::canvas::{Canvas, Drawn, Lettering, Picture};
use super::ink::Ink;
use super::legend::{self, Legend};
use super::marks::{self, Mark, MarkKind, PAD};
use super::strand::{Strand, StrandPlace, names};
use super::{Width, stretch};
use crate::engine::evidence::{
    Evidence, LandmarkKind, ModuleEvidence, ModuleSeen, SetEvidence, SetMove,
};
use crate::engine::seen::{NEW, OLD};

/// Between two modules.
const GAP: i32 = 14;
/// The height of a line of a module's heading.
const LINE: i32 = 18;
const NAME: Lettering = Lettering {
    size: 14.0,
    is_bold: true,
    ..Lettering::LABEL
};

/// All of it, with the meaning of each colour above. None where nothing was tried.
pub fn whole_of_set(set: &SetEvidence, width: Width) -> Option<Picture> {
    let drawn = drawn(set);
    let stretches = drawn.iter().map(|it| stretch::whole(&it.evidence));
    let shown = stretches.reduce(|a, b| a.start.min(b.start)..a.end.max(b.end))?;
    let view = SetView {
        set,
        drawn,
        shown,
        is_whole: true,
        width,
    };
    Some(view.draw("Every answer over time"))
}

/// The time in which modules were moved, where it is but a small part of the whole, and
/// they were moved at once.
pub fn moves_of_set(set: &SetEvidence, width: Width) -> Option<Picture> {
    let drawn = drawn(set);
    let shown = stretch::changing_of_all(drawn.iter().map(|it| &it.evidence))?;
    let view = SetView {
        set,
        drawn,
        shown,
        is_whole: false,
        width,
    };
    Some(view.draw("The moves, close up"))
}

/// A module of which there is something to draw, on the axis of all.
struct DrawnModule<'a> {
    module: &'a ModuleEvidence,
    evidence: Evidence,
}

fn drawn(set: &SetEvidence) -> Vec<DrawnModule<'_>> {
    let modules = set.modules.iter().filter_map(|module| {
        let seen = module.seen.as_ref().filter(is_drawn)?;
        let evidence = on_axis_of_all(seen);
        Some(DrawnModule { module, evidence })
    });
    modules.collect()
}

fn is_drawn(seen: &&ModuleSeen) -> bool {
    super::is_worthwhile(&seen.report) || !seen.report.writes.is_empty()
}

/// As far as it is drawn.
fn on_axis_of_all(seen: &ModuleSeen) -> Evidence {
    let ms = seen.zero_ms;
    let mut evidence = seen.report.clone();
    let writes = evidence.writes.iter().map(|write| write.later(ms));
    evidence.writes = writes.collect();
    let timeline = &mut evidence.timeline;
    timeline.from_ms += ms;
    timeline.until_ms += ms;
    for dot in timeline.lanes.iter_mut().flat_map(|lane| &mut lane.dots) {
        dot.at_ms += ms;
    }
    for stage in &mut evidence.stages {
        stage.from_ms += ms;
        stage.until_ms += ms;
    }
    for mark in &mut evidence.marks {
        mark.at_ms += ms;
    }
    evidence
}

struct SetView<'a> {
    set: &'a SetEvidence,
    drawn: Vec<DrawnModule<'a>>,
    shown: Range<f64>,
    is_whole: bool,
    width: Width,
}

impl SetView<'_> {
    fn draw(&self, title: &str) -> Picture {
        let legend = Legend::of_set(self.drawn.iter().map(|it| &it.evidence));
        let marks: Vec<Vec<Mark>> = self.marks();
        let strands: Vec<Strand<'_>> = self
            .drawn
            .iter()
            .zip(&marks)
            .map(|(it, marks)| Strand {
                evidence: &it.evidence,
                shown: &self.shown,
                marks,
                width: self.width,
            })
            .collect();
        let top = match self.is_whole {
            true => legend.height(self.width),
            false => 0,
        };
        let laid = self.laid(&strands, top);
        let bottom = laid.last().map_or(top, |laid| laid.frame.bottom);
        let size = (self.width.pixels(), self.below(bottom + LABELS));
        Picture::draw(size, title, &self.described(), |canvas| {
            if self.is_whole {
                legend.draw(canvas, self.width)?;
            }
            for (strand, laid) in strands.iter().zip(&laid) {
                strand.draw_stages(canvas, laid)?;
            }
            let Some(first) = laid.first() else {
                return Ok(());
            };
            let frame = Frame {
                bottom,
                ..first.frame
            };
            let time = Across::time(canvas, frame, &self.shown)?;
            for ((it, strand), laid) in self.drawn.iter().zip(&strands).zip(&laid) {
                self.draw_heading(canvas, it.module, laid.top)?;
                strand.draw(canvas, laid, &time)?;
            }
            self.draw_others(canvas, bottom + LABELS)
        })
    }

    /// Each below the one before it.
    fn laid(&self, strands: &[Strand<'_>], top: i32) -> Vec<StrandPlace> {
        let names: Vec<String> = strands.iter().flat_map(|it| names(it.evidence)).collect();
        let across = (
            self.width.left_of_bands(&names),
            self.width.pixels() - RIGHT,
        );
        let mut y = top;
        let mut all = Vec::new();
        for strand in strands {
            let laid = strand.laid(y + self.heading(), across, 0, names.len());
            y = laid.frame.bottom + GAP;
            all.push(laid);
        }
        all
    }

    /// The marks of each module: its own, and its moves by their numbers.
    fn marks(&self) -> Vec<Vec<Mark>> {
        let moves = self.set.moves();
        // On one side of its line a label has so much.
        let room = (self.width.pixels() - RIGHT) / 2 - 2 * PAD;
        let all = self.drawn.iter().map(|it| {
            let own = moves.iter().filter(|its| *its.module == it.module.name);
            let landmarks = marks::landmarks(&it.evidence, |kind| kind != LandmarkKind::Turn);
            let mut all: Vec<Mark> = own.flat_map(|its| told(its, &it.evidence)).collect();
            all.extend(landmarks);
            all.retain(|mark| self.shown.contains(&mark.at_ms));
            for mark in &mut all {
                mark.label = shortened(&mark.label, Lettering::LABEL, room);
            }
            marks::by_time(all.into_iter())
        });
        all.collect()
    }

    /// How high a module's heading is.
    fn heading(&self) -> i32 {
        match self.width {
            Width::Wide => LINE + 4,
            Width::Narrow => 2 * LINE + 4,
        }
    }

    /// A module's, which ends there: its name, how it ended, and what its users met.
    fn draw_heading(&self, canvas: &Canvas<'_>, module: &ModuleEvidence, bottom: i32) -> Drawn {
        let wide = self.width.pixels();
        let top = bottom - self.heading();
        // Nothing of the axis is behind it.
        canvas.block((0, top - GAP + 8), (wide, bottom), Ink::Paper)?;
        canvas.line((0, top - 2), (wide, top - 2), Ink::Grid, 1)?;
        let y = top + LINE / 2;
        let name = module.name.as_str();
        canvas.text(name, (0, y), NAME)?;
        let (x, y) = match self.width {
            Width::Wide => (NAME.width(name) + 12, y),
            Width::Narrow => (0, y + LINE),
        };
        let outcome = Lettering {
            ink: match module.is_bad() {
                true => Ink::Failed,
                false => Ink::Text,
            },
            is_bold: true,
            ..Lettering::LABEL
        };
        let words = module.outcome.in_words();
        canvas.text(words, (x, y), outcome)?;
        let x = x + outcome.width(words) + 10;
        let text = shortened(&figures(module), Lettering::SOFT, wide - x);
        canvas.text(&text, (x, y), Lettering::SOFT)
    }

    /// Those of which nothing is drawn.
    fn others(&self) -> impl Iterator<Item = &ModuleEvidence> {
        let all = self.set.modules.iter();
        all.filter(|it| !it.seen.as_ref().is_some_and(|seen| is_drawn(&seen)))
    }

    /// Where the drawing ends whose axis ends there.
    fn below(&self, axis: i32) -> i32 {
        match self.is_whole {
            true => axis + self.others().map(|_| GAP + self.heading()).sum::<i32>(),
            false => axis,
        }
    }

    fn draw_others(&self, canvas: &Canvas<'_>, axis: i32) -> Drawn {
        if !self.is_whole {
            return Ok(());
        }
        for (n, module) in (1..).zip(self.others()) {
            self.draw_heading(canvas, module, axis + n * (GAP + self.heading()))?;
        }
        Ok(())
    }

    /// For those who cannot see it.
    fn described(&self) -> String {
        let whole = self.shown.end - self.shown.start;
        let moves = self.set.moves().into_iter().map(|it| {
            let at = instant(it.write.sent_ms, whole);
            format!("{}: {}, {} at {at}.", it.number, it.module, words(&it))
        });
        let moves: Vec<String> = moves.collect();
        format!(
            "{} modules, from {} to {} after the start of the time axis. {} {}",
            self.set.modules.len(),
            span(self.shown.start),
            span(self.shown.end),
            self.set.sentence,
            moves.join(" ")
        )
    }
}

fn words(it: &SetMove<'_>) -> String {
    format!("{} → {}", it.write.endpoint, it.write.to)
}

/// A move of that module, and its reading back. A stage says itself where production goes.
fn told(it: &SetMove<'_>, of: &Evidence) -> impl Iterator<Item = Mark> + use<> {
    let sent = it.write.sent_ms;
    let says_stage = |from: f64| (from - sent).abs() < 0.02;
    let label = match of.stages.iter().any(|stage| says_stage(stage.from_ms)) {
        true => it.number.to_string(),
        false => format!("{}: {}", it.number, words(it)),
    };
    let sent = Mark {
        at_ms: sent,
        kind: MarkKind::Sent,
        label,
    };
    let read_back = it.write.seen_ms.map(|at_ms| Mark {
        at_ms,
        kind: MarkKind::ReadBack,
        label: String::new(),
    });
    std::iter::once(sent).chain(read_back)
}

/// Beside a module's name.
fn figures(module: &ModuleEvidence) -> String {
    let mut parts = Vec::new();
    match (&module.seen, module.probe()) {
        (_, Some(probe)) => parts.push(probe.in_a_sentence()),
        (Some(seen), None) if seen.report.blind => {
            parts.push("blind: nobody asked production".to_owned());
        }
        _ => parts.push(module.reason.as_ref().unwrap_or(&module.traffic).clone()),
    }
    if let Some(seen) = &module.seen
        && let releases = &seen.report.releases
        && let (Some(old), Some(new)) = (releases.get(OLD), releases.get(NEW))
    {
        parts.push(format!("{} → {}", legend::name(old), legend::name(new)));
    }
    parts.join(" · ")
}

/// What of a text has room there.
fn shortened(text: &str, lettering: Lettering, width: i32) -> String {
    if lettering.width(text) <= width {
        return text.to_owned();
    }
    let mut short = String::new();
    for character in text.chars() {
        if lettering.width(&short) + lettering.width("……") > width {
            break;
        }
        short.push(character);
    }
    format!("{}…", short.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_room_is_cut() {
        let cut = |width| shortened("none of 40 requests failed", Lettering::SOFT, width);
        assert_eq!(cut(400), "none of 40 requests failed");
        assert_eq!(cut(80), "none of 4…");
        assert_eq!(cut(0), "…");
    }
}
