//! The listener writes and what else happened along the time axis, and where their labels go so that
//! none covers another. Pure.

use std::ops::Range;

use super::ink::Ink;
use crate::engine::evidence::{Evidence, LandmarkKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    Sent,
    ReadBack,
    /// Beside the moves.
    Landmark {
        failed: bool,
    },
}

impl MarkKind {
    pub fn ink(self) -> Ink {
        match self {
            Self::Sent => Ink::Sent,
            Self::ReadBack => Ink::ReadBack,
            Self::Landmark { failed: false } => Ink::Landmark,
            Self::Landmark { failed: true } => Ink::Failed,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    pub at_ms: f64,
    pub kind: MarkKind,
    pub label: String,
}

/// The writes and their read-backs, by time.
fn writes(evidence: &Evidence) -> Vec<Mark> {
    let sent = evidence.writes.iter().map(|write| Mark {
        at_ms: write.sent_ms,
        kind: MarkKind::Sent,
        label: format!("{} → {} sent", write.endpoint, write.to),
    });
    let read_back = evidence.writes.iter().filter_map(|write| {
        Some(Mark {
            at_ms: write.seen_ms?,
            kind: MarkKind::ReadBack,
            label: "read back".to_owned(),
        })
    });
    by_time(sent.chain(read_back))
}

/// All of them, by time.
pub fn marks(evidence: &Evidence) -> Vec<Mark> {
    let landmarks = landmarks(evidence, |_| true);
    by_time(writes(evidence).into_iter().chain(landmarks))
}

/// What else happened: all that failed, and those kinds of what went well.
pub fn landmarks(
    evidence: &Evidence,
    is_told: impl Fn(LandmarkKind) -> bool,
) -> impl Iterator<Item = Mark> {
    let all = evidence.marks.iter();
    let told = all.filter(move |mark| mark.failed || is_told(mark.kind));
    told.map(|mark| Mark {
        at_ms: mark.at_ms,
        kind: MarkKind::Landmark {
            failed: mark.failed,
        },
        label: shortened(&mark.text),
    })
}

pub fn by_time(marks: impl Iterator<Item = Mark>) -> Vec<Mark> {
    let mut all: Vec<Mark> = marks.collect();
    all.sort_by(|a, b| a.at_ms.total_cmp(&b.at_ms));
    all
}

/// The tables have all of it.
fn shortened(text: &str) -> String {
    const MOST: usize = 32;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// From the first write to the last that is known of any.
pub fn swap(evidence: &Evidence) -> Option<Range<f64>> {
    let marks = writes(evidence);
    Some(marks.first()?.at_ms..marks.last()?.at_ms)
}

/// Where a label stands: in which row from above, and on which side of its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LabelPlace {
    pub row: usize,
    pub is_left: bool,
}

/// Between a line and its label, and between two labels.
pub const PAD: i32 = 5;

/// Places for labels of lines at these points, by `x`, of these widths. A line
/// goes down from its label's row, through no label of an earlier line: each
/// stands below the earlier ones that it would touch.
pub fn places(lines: &[(i32, i32)], right: i32) -> Vec<LabelPlace> {
    let mut out: Vec<(LabelPlace, Range<i32>)> = Vec::new();
    for &(x, width) in lines {
        let is_left = x + PAD + width > right;
        let covers = if is_left {
            x - PAD - width..x
        } else {
            x..x + PAD + width
        };
        let row = out
            .iter()
            .filter(|(_, other)| other.end + PAD > covers.start)
            .map(|(place, _)| place.row + 1)
            .max()
            .unwrap_or(0);
        out.push((LabelPlace { row, is_left }, covers));
    }
    out.into_iter().map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[(i32, i32)]) -> Vec<usize> {
        places(lines, 1000).iter().map(|place| place.row).collect()
    }

    #[test]
    fn labels_that_would_touch_go_down_in_steps() {
        assert_eq!(rows(&[(100, 80), (110, 80), (120, 80)]), [0, 1, 2]);
        assert_eq!(rows(&[(100, 80), (300, 80), (500, 80)]), [0, 0, 0]);
        assert_eq!(rows(&[(100, 80), (110, 80), (300, 80)]), [0, 1, 0]);
    }

    #[test]
    fn a_line_passes_through_no_earlier_label() {
        // The third would fit into the first row, but its line would cross the
        // second's label.
        assert_eq!(rows(&[(100, 20), (110, 200), (150, 20)]), [0, 1, 2]);
    }

    #[test]
    fn at_the_edge_a_label_stands_left_of_its_line() {
        let places = places(&[(950, 80)], 1000);
        assert_eq!(
            places,
            [LabelPlace {
                row: 0,
                is_left: true
            }]
        );
    }
}
