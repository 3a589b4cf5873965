//! The history of a colour's release: whether users were ever on it, and why they no
//! longer are.

use crate::model::journal::Left;
use crate::model::{Color, Observed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is deployed there.
    Nothing,
    /// It has not been live, for all that is known.
    New,
    Was(Left),
}

/// The standing of a colour that is not live.
pub fn standing(observed: &Observed, color: Color) -> Standing {
    if !observed.color(color).is_there() {
        return Standing::Nothing;
    }
    match observed.previous() {
        Some(previous)
            if previous.release.color == color && previous.release.runs_still(observed) =>
        {
            Standing::Was(previous.left)
        }
        _ => Standing::New,
    }
}
