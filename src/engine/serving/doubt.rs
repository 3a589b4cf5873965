//! What one reading says against a deploy, until others have said it too: a
//! reading can be of a moment from before.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use super::ServingFault;

/// For how long, and in how many readings in a row, the same must be seen.
const PATIENCE: Duration = Duration::from_secs(5);
const READINGS: u32 = 3;

#[derive(Debug, Clone, Default)]
pub struct Doubt(Option<RepeatedFault>);

#[derive(Debug, Clone)]
struct RepeatedFault {
    kind: Discriminant<ServingFault>,
    since: Duration,
    readings: u32,
}

impl Doubt {
    /// Whether the reading of that moment, which says this, settles it.
    pub fn is_over(&mut self, at: Duration, cause: &ServingFault) -> bool {
        let kind = discriminant(cause);
        let seen = self.0.take().filter(|seen| seen.kind == kind);
        let mut seen = seen.unwrap_or(RepeatedFault {
            kind,
            since: at,
            readings: 0,
        });
        seen.readings += 1;
        let is_over = seen.readings >= READINGS && at >= seen.since + PATIENCE;
        self.0 = Some(seen);
        is_over
    }
}
