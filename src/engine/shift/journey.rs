//! One route on its way to another split: look, write, read back, and what
//! a reading means: ahead of the first write whether anybody else was here, and
//! after one whether it succeeded, was refused, or got lost.

use std::time::Duration;

use super::{Policy, WriteEffect, WriteFault};
use crate::model::{Endpoint, Found, Move, Patience, Route, Split};

/// How often a write whose answer was lost is sent anew on the way forward.
const MOST_WRITES: u32 = 5;
/// The pause ahead of the third and each further write of the way back.
const RESEND_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub it: Move,
    endpoint: Endpoint,
    patience: Patience,
    way: Way,
    began: Duration,
    /// When it began, until there is a write. Then: when the last write was answered, or given up.
    written_at: Duration,
    writes: u32,
    fault: Option<WriteFault>,
    /// Whether the answer of any write was lost.
    was_ambiguous: bool,
    /// Since when it shows what nobody here did.
    strange_since: Option<Duration>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    /// Ahead of the first write it must be where it was found. Where nobody is
    /// served, it may be where the write is to bring it as well.
    Forward { found: Found, may_be_there: bool },
    /// From anywhere on the strategy's way: getting there is what counts. Another
    /// write may still come, so that one is sent even to a route that is there.
    Back {
        may_be_overtaken: bool,
        known: Vec<Split>,
    },
}

/// What a reading of the listener means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Arrived,
    Again(Duration),
    /// Nobody else was here, or what was written never happened.
    Write,
    /// Somebody else changed it, ahead of the first write.
    Drifted(String),
    /// Somebody else changed it, after it.
    Strange(String),
    Refused(String),
    /// The write was refused, since somebody else made one meanwhile that the route does
    /// not show.
    Overtaken(String),
    /// AWS refused to move one of its ways in, and another was moved.
    HalfWay(String),
    /// It does not show what was written, or cannot be read.
    Unseen {
        reason: String,
        /// Whether AWS confirmed the write, and nothing that was read denies it.
        is_confirmed: bool,
    },
}

impl Journey {
    pub(super) fn forward(
        at: Duration,
        it: Move,
        policy: &Policy,
        found: Found,
        may_be_there: bool,
    ) -> Self {
        let way = Way::Forward {
            found,
            may_be_there,
        };
        Self::new(at, it, policy, way)
    }

    /// `known`: what the way forward may have brought about. `is_strange`: it was
    /// last seen at what nobody here did.
    pub(super) fn back(
        at: Duration,
        it: Move,
        policy: &Policy,
        known: Vec<Split>,
        may_be_overtaken: bool,
        is_strange: bool,
    ) -> Self {
        let way = Way::Back {
            may_be_overtaken,
            known,
        };
        Self {
            strange_since: is_strange.then_some(at),
            ..Self::new(at, it, policy, way)
        }
    }

    fn new(at: Duration, it: Move, policy: &Policy, way: Way) -> Self {
        Self {
            it,
            endpoint: policy.endpoints.get(it.route).clone(),
            patience: policy.patience,
            way,
            began: at,
            written_at: at,
            writes: 0,
            fault: None,
            was_ambiguous: false,
            strange_since: None,
        }
    }

    pub(super) fn written(&mut self, at: Duration, result: Result<(), WriteFault>) {
        self.written_at = at;
        self.writes += 1;
        self.fault = result.err();
        self.was_ambiguous |= self.may_have_been_lost();
    }

    pub(super) fn has_written(&self) -> bool {
        self.writes > 0
    }

    /// Whether a write of it may still take effect that nobody waits for.
    pub(super) fn may_land_late(&self) -> bool {
        self.was_ambiguous
    }

    pub(super) fn is_strange(&self) -> bool {
        self.strange_since.is_some()
    }

    fn may_have_been_lost(&self) -> bool {
        self.fault.as_ref().is_some_and(WriteFault::is_ambiguous)
    }

    fn is_back(&self) -> bool {
        matches!(self.way, Way::Back { .. })
    }

    /// Ahead of the reading that follows a write. The way back is tried again and
    /// again, and no faster than AWS takes it.
    pub(super) fn pause(&self) -> Duration {
        match self.is_back() && self.writes > 1 {
            true => RESEND_PAUSE,
            false => Duration::ZERO,
        }
    }

    pub(super) fn read(&mut self, at: Duration, result: Result<Found, String>) -> Reading {
        let seen = match result {
            Ok(seen) => seen,
            Err(reason) => return self.unreadable(at, &reason),
        };
        if !self.is_explained(&seen) {
            return self.strange(at, &seen);
        }
        self.strange_since = None;
        let is_there = seen.split() == Some(self.it.to);
        match (self.has_written(), &self.way) {
            (false, way) => ahead_of_the_write(way, is_there),
            (true, _) if is_there => Reading::Arrived,
            (true, Way::Forward { found, .. }) => {
                let is_half_way = seen != *found;
                self.does_not_show(at, is_half_way)
            }
            (true, Way::Back { .. }) => self.does_not_show_back(at),
        }
    }

    /// Whether it shows what this journey's own doing can have brought about.
    fn is_explained(&self, seen: &Found) -> bool {
        match &self.way {
            Way::Forward {
                found,
                may_be_there,
            } => {
                let mut known = vec![self.it.to];
                // Of several ways in, some may be there.
                known.extend(found.splits().into_iter().filter(|_| self.has_written()));
                let may_be_there = *may_be_there || self.has_written();
                seen == found || (may_be_there && seen.is_among(&known))
            }
            Way::Back { known, .. } => {
                let is_unused = self.it.route == Route::Test && seen.is_nowhere();
                is_unused || seen.is_among(&[known.as_slice(), &[self.it.to]].concat())
            }
        }
    }

    /// Eventual consistency gets a second look.
    fn strange(&mut self, at: Duration, seen: &Found) -> Reading {
        self.strange_since.get_or_insert(at);
        if self.is_to_be_looked_at_again(at) {
            return Reading::Again(self.patience.stale_pause);
        }
        let sentence = format!("{} {}", self.endpoint, seen.deed());
        match &self.way {
            _ if self.has_written() => {
                Reading::Strange(format!("{sentence}: something else changed it meanwhile"))
            }
            Way::Forward {
                found: found @ (Found::Nowhere | Found::Split(_) | Found::Apart(_)),
                ..
            } => Reading::Drifted(format!(
                "{sentence}, and to {found} when this began: something else changed it"
            )),
            _ => Reading::Drifted(format!("{sentence}: something else changed it")),
        }
    }

    fn is_to_be_looked_at_again(&self, at: Duration) -> bool {
        self.strange_since
            .is_some_and(|since| at < since + self.patience.stale)
    }

    /// Forward: it shows what was there before still, at least in part.
    fn does_not_show(&self, at: Duration, is_half_way: bool) -> Reading {
        let is_late = at > self.written_at + self.patience.confirm;
        match &self.fault {
            Some(fault) if fault.is_ambiguous() && self.writes < MOST_WRITES => Reading::Write,
            // A write whose answer was lost may be about to show.
            Some(_) if self.was_ambiguous && !is_late => Reading::Again(self.patience.pause),
            // Whatever it shows, which may be stale.
            Some(fault) if is_half_way || fault.effect == WriteEffect::InPart => {
                Reading::HalfWay(fault.message.clone())
            }
            Some(fault) if fault.effect == WriteEffect::Overtaken => {
                Reading::Overtaken(format!("somebody else changed it: {}", fault.message))
            }
            Some(fault) => Reading::Refused(fault.message.clone()),
            None if is_late => self.unshown(),
            None => Reading::Again(self.patience.pause),
        }
    }

    fn does_not_show_back(&self, at: Duration) -> Reading {
        let is_over = at > self.began + self.patience.unreadable;
        match &self.fault {
            Some(fault) if !fault.is_ambiguous() && at > self.began + self.patience.confirm => {
                Reading::Refused(fault.message.clone())
            }
            Some(fault) if is_over => Reading::Unseen {
                reason: format!(
                    "{} could not be pointed back: {}",
                    self.endpoint, fault.message
                ),
                is_confirmed: false,
            },
            Some(_) => Reading::Write,
            None if is_over => self.unshown(),
            None if at > self.written_at + self.patience.resend => Reading::Write,
            None => Reading::Again(self.patience.pause),
        }
    }

    fn unshown(&self) -> Reading {
        Reading::Unseen {
            reason: format!(
                "AWS confirmed the change of {}, and it does not show",
                self.endpoint
            ),
            is_confirmed: false,
        }
    }

    fn unreadable(&self, at: Duration, reason: &str) -> Reading {
        match (self.is_back(), self.has_written()) {
            (true, _) if self.is_to_be_looked_at_again(at) => {
                Reading::Again(self.patience.stale_pause)
            }
            (true, _) if self.is_strange() => Reading::Drifted(format!(
                "{} cannot be read, and something else changed it: {reason}",
                self.endpoint
            )),
            // Users see failures: the way back does not wait for a reading.
            (true, false) => Reading::Write,
            (true, true) => self.unreadable_back(at, reason),
            (false, _) if at <= self.written_at + self.patience.unreadable => {
                Reading::Again(self.patience.pause)
            }
            (false, false) => {
                Reading::Refused(format!("{} cannot be read: {reason}", self.endpoint))
            }
            (false, true) => self.cannot_be_read_back(reason),
        }
    }

    /// It may be there or not: what AWS did not confirm is sent again.
    fn unreadable_back(&self, at: Duration, reason: &str) -> Reading {
        match self.fault {
            None if at <= self.written_at + self.patience.confirm => {
                Reading::Again(self.patience.pause)
            }
            Some(_) if at <= self.began + self.patience.unreadable => Reading::Write,
            _ => self.cannot_be_read_back(reason),
        }
    }

    fn cannot_be_read_back(&self, reason: &str) -> Reading {
        Reading::Unseen {
            reason: format!("{} cannot be read back: {reason}", self.endpoint),
            is_confirmed: self.fault.is_none(),
        }
    }
}

fn ahead_of_the_write(way: &Way, is_there: bool) -> Reading {
    let must_write = matches!(way, Way::Back { may_be_overtaken, .. } if *may_be_overtaken);
    match is_there && !must_write {
        true => Reading::Arrived,
        false => Reading::Write,
    }
}
