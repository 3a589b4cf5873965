//! The drawings of a report: pure functions from the evidence to SVG. They know
//! what the evidence means and how it looks, not in what file it ends.

mod axis;
mod bands;
mod canvas;
mod ink;
mod latency;
mod legend;
mod marks;
mod set;
mod sheet;
mod stages;
mod strand;
mod stretch;
mod ticks;
mod timeline;
mod ways;

pub use axis::{instant, span};
pub use canvas::Picture;
#[cfg(test)]
pub use ink::Ink;
pub use ink::style_sheet;
pub use latency::{over_time, rows as latencies, spread};
pub use legend::name;
pub use set::{moves_of_set, whole_of_set};
pub use sheet::{set_sheet, sheet};
pub use stages::shares;
pub use timeline::{closeup, whole};
pub use ways::ways;

use time::OffsetDateTime;
use time::macros::format_description;

use crate::engine::evidence::Evidence;

/// For how wide a place a drawing is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Width {
    Wide,
    /// A telephone.
    Narrow,
}

/// Whether there is anything to draw: a release that is refused by a check asks
/// nothing.
pub fn is_worthwhile(evidence: &Evidence) -> bool {
    let lanes = &evidence.timeline.lanes;
    lanes.iter().any(|lane| !lane.dots.is_empty())
}

/// For people, to the second; None only for a year that nobody writes.
pub fn when(at: OffsetDateTime) -> Option<String> {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    at.to_offset(time::UtcOffset::UTC).format(&form).ok()
}
