//! Users without an answer while a route moves, where the router cannot help it: a
//! static address that leads nowhere for a moment. It is measured, and only what is
//! longer than it may be is held against the release.

use std::time::Duration;

/// Times are those at which requests were due.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Gap {
    /// The last good answer ahead of it.
    last_good: Option<Duration>,
    since: Option<Duration>,
    /// The first good answer after it.
    over: Option<Duration>,
}

impl Gap {
    pub(super) fn hear_good(&mut self, due: Duration) {
        match self.since {
            Some(since) if due > since => {
                self.over = Some(self.over.map_or(due, |over| over.min(due)));
            }
            _ => self.last_good = self.last_good.max(Some(due)),
        }
    }

    /// Whether a request that got no answer is a part of it; `left` is when the move
    /// did.
    pub(super) fn takes(&mut self, due: Duration, left: Duration, longest: Duration) -> bool {
        let is_of_it = due <= left + longest && self.over.is_none_or(|over| due < over);
        if is_of_it {
            self.since = Some(self.since.map_or(due, |since| since.min(due)));
        }
        is_of_it
    }

    /// From the last good answer ahead of it to the first after it; none where there
    /// was none, or it is not over.
    pub(super) fn length(&self) -> Option<Duration> {
        let since = self.last_good.or(self.since)?;
        self.since.and(self.over)?.checked_sub(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(tenths: u64) -> Duration {
        Duration::from_millis(tenths * 100)
    }

    #[test]
    fn it_is_from_the_last_good_answer_to_the_next_one() {
        let mut gap = Gap::default();
        assert_eq!(gap.length(), None);
        gap.hear_good(at(9));
        gap.hear_good(at(10));
        assert!(gap.takes(at(11), at(10), at(20)));
        // Heard of late.
        gap.hear_good(at(8));
        assert!(gap.takes(at(12), at(10), at(20)));
        assert_eq!(gap.length(), None, "not over");
        gap.hear_good(at(34));
        gap.hear_good(at(33));
        assert_eq!(gap.length(), Some(at(23)));
    }

    #[test]
    fn what_comes_after_a_good_answer_or_too_late_is_none_of_it() {
        let mut gap = Gap::default();
        gap.hear_good(at(9));
        assert!(gap.takes(at(11), at(10), at(5)));
        assert!(!gap.takes(at(16), at(10), at(5)));
        gap.hear_good(at(13));
        assert!(!gap.takes(at(14), at(10), at(5)));
        // One that is heard of late and was due ahead of it.
        assert!(gap.takes(at(12), at(10), at(5)));
    }
}
