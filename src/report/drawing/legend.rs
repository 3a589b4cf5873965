//! What each colour and shape of a timeline means.

use super::Width;
use super::axis::LABELS;
use super::canvas::{Canvas, Drawn, Lettering};
use super::ink::Ink;
use super::ticks::TickLook;
use crate::engine::evidence::{Answering, Evidence};
use crate::engine::seen::{NEW, OLD};

const ROW: i32 = 20;
/// The side of a swatch, in pixels.
const SIDE: i32 = 14;
const BETWEEN: i32 = 20;

/// The ink of an answer, and how high it is drawn, as a share of its band. Of two
/// releases the old one is about half as high as the new one, so that they differ
/// without colour too.
pub fn look(evidence: &Evidence, look: TickLook) -> (Ink, f64) {
    let releases = evidence.releases.len();
    match look {
        TickLook::Failed => (Ink::Failed, 1.0),
        TickLook::Unknown if releases == 0 => (Ink::Bar, 1.0),
        TickLook::Unknown => (Ink::Unknown, 0.4),
        TickLook::Release(release) => {
            let share = match releases {
                0 | 1 => 1.0,
                count => 0.45 + 0.55 * release.min(count - 1) as f64 / (count - 1) as f64,
            };
            (Ink::of_release(evidence, release), share)
        }
    }
}

enum Swatch {
    /// Answers of either ink, so high.
    Answers([Ink; 2], f64),
    Failure,
    Line(Ink),
}

/// What stands above a timeline.
pub struct Legend(Vec<(Swatch, String)>);

impl Legend {
    /// Each release has its own colour.
    pub fn of(evidence: &Evidence) -> Self {
        let answers = |of| {
            let (ink, share) = look(evidence, of);
            Swatch::Answers([ink; 2], share)
        };
        let releases = evidence.releases.iter().enumerate();
        let mut items: Vec<(Swatch, String)> = releases
            .map(|(n, release)| (answers(TickLook::Release(n)), name(release)))
            .collect();
        if evidence.releases.is_empty() {
            items.push((answers(TickLook::Unknown), "answer".to_owned()));
        } else if evidence.probe.unknown > 0 {
            items.push((answers(TickLook::Unknown), "release unknown".to_owned()));
        }
        items.extend(lines(std::iter::once(evidence)));
        Self(items)
    }

    /// Which colour is the new release's differs from module to module.
    pub fn of_set<'a>(modules: impl Iterator<Item = &'a Evidence> + Clone) -> Self {
        let mut items = Vec::new();
        if let Some(one) = modules.clone().find(|it| it.releases.len() == 2) {
            for (release, name) in [(OLD, "release before"), (NEW, "new release")] {
                let (_, share) = look(one, TickLook::Release(release));
                let swatch = Swatch::Answers([Ink::Blue, Ink::Green], share);
                items.push((swatch, name.to_owned()));
            }
            if modules.clone().any(|it| it.probe.unknown > 0) {
                let (ink, share) = look(one, TickLook::Unknown);
                let swatch = Swatch::Answers([ink; 2], share);
                items.push((swatch, "release unknown".to_owned()));
            }
        }
        items.extend(lines(modules));
        Self(items)
    }

    /// Where each item stands, in rows of this width.
    fn placed(&self, width: i32) -> Vec<(i32, i32, &Swatch, &str)> {
        let (mut x, mut y) = (0, 0);
        let mut out = Vec::new();
        for (swatch, text) in &self.0 {
            let takes = SIDE + 6 + Lettering::LABEL.width(text) + BETWEEN;
            if x > 0 && x + takes > width + BETWEEN {
                x = 0;
                y += ROW;
            }
            out.push((x, y, swatch, text.as_str()));
            x += takes;
        }
        out
    }

    /// With some room below.
    pub fn height(&self, width: Width) -> i32 {
        let placed = self.placed(width.pixels());
        placed.last().map_or(0, |(_, y, ..)| *y) + ROW + LABELS / 2
    }

    pub fn draw(&self, canvas: &Canvas<'_>, width: Width) -> Drawn {
        for (x, y, swatch, text) in self.placed(width.pixels()) {
            swatch.draw(canvas, (x, y + 2))?;
            canvas.text(text, (x + SIDE + 6, y + 2 + SIDE / 2), Lettering::LABEL)?;
        }
        Ok(())
    }
}

/// The entries for what any of them contains, besides answers.
fn lines<'a>(mut all: impl Iterator<Item = &'a Evidence> + Clone) -> Vec<(Swatch, String)> {
    let mut items = vec![(Swatch::Failure, "failed".to_owned())];
    if all.clone().any(|it| !it.writes.is_empty()) {
        items.push((Swatch::Line(Ink::Sent), "listener write sent".to_owned()));
        items.push((Swatch::Line(Ink::ReadBack), "read back".to_owned()));
    }
    if all.any(|it| !it.marks.is_empty()) {
        items.push((Swatch::Line(Ink::Landmark), "what else happened".to_owned()));
    }
    items
}

impl Swatch {
    fn draw(&self, canvas: &Canvas<'_>, (x, top): (i32, i32)) -> Drawn {
        let bottom = top + SIDE;
        match self {
            Self::Failure => {
                canvas.shape(
                    &[(x + 2, top), (x + 12, top), (x + 7, top + 6)],
                    Ink::Failed,
                )?;
                canvas.block((x + 5, top + 6), (x + 9, bottom), Ink::Failed)
            }
            Self::Answers([left, right], share) => {
                let top = bottom - (f64::from(SIDE) * share).round() as i32;
                canvas.block((x + 1, top), (x + 6, bottom), *left)?;
                canvas.block((x + 8, top), (x + 13, bottom), *right)
            }
            Self::Line(ink) => canvas.line((x + 7, top - 1), (x + 7, bottom + 1), *ink, 1),
        }
    }
}

/// A release as it is called beside a swatch.
pub fn name(release: &Answering) -> String {
    const MOST: usize = 34;
    let name = match release.name.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &release.name[..end]),
        None => release.name.clone(),
    };
    match release.color {
        Some(color) => format!("{name} ({color})"),
        // What a header said may be as short as `2`.
        None if !name.contains(' ') => format!("release {name}"),
        None => name,
    }
}
