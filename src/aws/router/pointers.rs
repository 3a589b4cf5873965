//! What a resource with a single value does, and what it should do.

use crate::aws::error::AwsError;
use crate::model::{Color, Foreign, Found, Move, PerColor, RoutedPointer};

/// What the route does if the resource leads to `target`; None is nowhere.
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

/// The value that it should have for that move.
///
/// # Errors
/// A move to both colours: it has a single value.
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
