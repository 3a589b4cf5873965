//! What a colour's release has been through: whether users were ever on it, and
//! how it came that they are not.

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

/// Of a colour that is not live.
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
