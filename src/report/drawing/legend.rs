//! What each colour and shape of a timeline means.

use super::axis::LABELS;
use super::canvas::{Canvas, Drawn, Lettering};
use super::ink::Ink;
use super::ticks::TickLook;
use crate::engine::evidence::{Answering, Evidence};

const ROW: i32 = 20;
/// Of a swatch.
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
    Answer(TickLook),
    Line(Ink),
}

fn items(evidence: &Evidence) -> Vec<(Swatch, String)> {
    let mut items: Vec<(Swatch, String)> = evidence
        .releases
        .iter()
        .enumerate()
        .map(|(n, release)| (Swatch::Answer(TickLook::Release(n)), name(release)))
        .collect();
    let unknown = Swatch::Answer(TickLook::Unknown);
    if evidence.releases.is_empty() {
        items.push((unknown, "answer".to_owned()));
    } else if evidence.probe.unknown > 0 {
        items.push((unknown, "release unknown".to_owned()));
    }
    items.push((Swatch::Answer(TickLook::Failed), "failed".to_owned()));
    if !evidence.writes.is_empty() {
        items.push((Swatch::Line(Ink::Sent), "listener write sent".to_owned()));
        items.push((Swatch::Line(Ink::ReadBack), "read back".to_owned()));
    }
    if !evidence.marks.is_empty() {
        items.push((Swatch::Line(Ink::Landmark), "what else happened".to_owned()));
    }
    items
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

/// Where each item stands, in rows of this width.
fn placed(evidence: &Evidence, width: i32) -> Vec<(i32, i32, Swatch, String)> {
    let (mut x, mut y) = (0, 0);
    let mut out = Vec::new();
    for (swatch, text) in items(evidence) {
        let takes = SIDE + 6 + Lettering::LABEL.width(&text) + BETWEEN;
        if x > 0 && x + takes > width + BETWEEN {
            x = 0;
            y += ROW;
        }
        out.push((x, y, swatch, text));
        x += takes;
    }
    out
}

/// With some room below.
pub fn height(evidence: &Evidence, width: i32) -> i32 {
    let last = placed(evidence, width).last().map_or(0, |(_, y, ..)| *y);
    last + ROW + LABELS / 2
}

pub fn draw(canvas: &Canvas<'_>, evidence: &Evidence, width: i32) -> Drawn {
    for (x, y, swatch, text) in placed(evidence, width) {
        let (top, bottom) = (y + 2, y + 2 + SIDE);
        match swatch {
            Swatch::Answer(TickLook::Failed) => {
                canvas.shape(
                    &[(x + 2, top), (x + 12, top), (x + 7, top + 6)],
                    Ink::Failed,
                )?;
                canvas.block((x + 5, top + 6), (x + 9, bottom), Ink::Failed)?;
            }
            Swatch::Answer(of) => {
                let (ink, share) = look(evidence, of);
                let top = bottom - (f64::from(SIDE) * share).round() as i32;
                canvas.block((x + 1, top), (x + 6, bottom), ink)?;
                canvas.block((x + 8, top), (x + 13, bottom), ink)?;
            }
            Swatch::Line(ink) => canvas.line((x + 7, top - 1), (x + 7, bottom + 1), ink, 1)?,
        }
        canvas.text(&text, (x + SIDE + 6, y + 2 + SIDE / 2), Lettering::LABEL)?;
    }
    Ok(())
}
