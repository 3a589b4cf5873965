//! Which releases of two modules users can meet side by side.

use super::order::is_after;
use crate::model::SetName;

/// Which releases of two modules users can meet side by side while those are moved.
pub fn mixtures(
    names: &[&SetName],
    after: &[&[usize]],
    moving: &[bool],
    how: Passage,
) -> Vec<String> {
    let movers: Vec<usize> = (0..names.len()).filter(|&n| moving[n]).collect();
    let mut told = Vec::new();
    for (at, &one) in movers.iter().enumerate() {
        for &other in &movers[at + 1..] {
            let after = |n: usize| after[n];
            let (first, second) = match is_after(&after, one, other) {
                true => (other, one),
                false => (one, other),
            };
            let is_ordered = is_after(&after, second, first);
            told.extend(mixture(names[first], names[second], is_ordered, how));
        }
    }
    told
}

/// How users of a set go over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    AtOnce,
    Gradual,
    Back,
}

fn mixture(first: &SetName, second: &SetName, is_ordered: bool, how: Passage) -> Vec<String> {
    let last = match how {
        Passage::Back => first,
        Passage::AtOnce | Passage::Gradual => second,
    };
    match (is_ordered, how) {
        (_, Passage::Gradual) => vec![format!(
            "new {second} with old {first}, and old {second} with new {first}: from the first step to the last, as each gives the new release a share of its own requests"
        )],
        (true, Passage::AtOnce | Passage::Back) => vec![
            format!("old {second} with new {first}: until {last} is moved, too"),
            format!(
                "new {second} with old {first}: never, unless {first} itself fails: it goes back at once, and {second} with it"
            ),
        ],
        (false, Passage::AtOnce | Passage::Back) => vec![format!(
            "new {second} with old {first}, and old {second} with new {first}: until both are moved, as neither comes after the other"
        )],
    }
}
