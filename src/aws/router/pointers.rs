//! What a thing with one value does, and is to do.

use crate::aws::error::AwsError;
use crate::model::{Color, Foreign, Found, Move, PerColor, RoutedPointer};

/// What it does that leads there; none is nowhere.
pub(super) fn found(it: &RoutedPointer, target: Option<&str>) -> Found {
    let Some(target) = target else {
        return Found::Nowhere;
    };
    let mut colors = Color::BOTH.into_iter();
    match colors.find(|color| it.targets.get(*color) == target) {
        Some(color) => color.into(),
        None => Found::Foreign(Foreign {
            verb: "leads to",
            what: target.to_owned(),
            reaches: PerColor::default(),
        }),
    }
}

/// What it is to lead to for that move.
///
/// # Errors
/// Both colours: it has one value.
pub(super) fn whole<'a>(
    it: &'a RoutedPointer,
    to: Move,
    action: &'static str,
) -> Result<&'a str, AwsError> {
    match to.to.only() {
        Some(color) => Ok(it.targets.get(color)),
        None => Err(AwsError::unusable(
            action,
            &it.pointer.to_string(),
            format!("it cannot be shared out: {}", to.to),
        )),
    }
}
