//! Whether the new release gets the share of requests that it should.
//!
//! A share is doubted where it is outside the exact interval of Clopper & Pearson,
//! "The use of confidence or fiducial limits illustrated in the case of the
//! binomial", Biometrika 26 (1934): where chance alone brings so few, or so many,
//! with less than half of the level.
//!
//! It is looked at again and again, and each look may err, so that the looks share
//! one level: the k-th has 1/(k(k+1)) of it. These add up to 1 at most, however
//! many they are (the union bound, as in alpha spending), and all looks together
//! doubt a load balancer that does what it says in one stretch of a thousand at
//! most. They are far apart, at 8, 16, 32, … answers and at the end, as many close
//! ones would leave each with too little.
//!
//! An answer of which nobody knows whose it is may be either's, and a share is
//! doubted only if it is wrong both ways: a release that fails without its name,
//! or that never gives one, is not the load balancer's fault.

use super::{Answerer, Complaint, chance};

/// The level of all looks together.
const LEVEL: f64 = 0.001;
/// From how many answers on; then at each power of two.
const FIRST_LOOK: u64 = 8;
const WHOLE: u16 = 10_000;

#[derive(Debug, Clone)]
pub struct ObservedShare {
    /// The new release's share, in basis points.
    asked: u16,
    new: u64,
    old: u64,
    unknown: u64,
    looks: u32,
    /// Of the first look that found something.
    doubt: Option<Complaint>,
}

impl ObservedShare {
    pub fn of(asked: u16) -> Self {
        Self {
            asked,
            new: 0,
            old: 0,
            unknown: 0,
            looks: 0,
            doubt: None,
        }
    }

    pub fn add(&mut self, who: Answerer) {
        match who {
            Answerer::New => self.new += 1,
            Answerer::Old => self.old += 1,
            Answerer::Unknown => self.unknown += 1,
        }
        let answers = self.answers();
        if answers >= FIRST_LOOK && answers.is_power_of_two() {
            self.looks += 1;
            self.doubt = self.doubt.take().or_else(|| self.look(self.looks));
        }
    }

    /// What any look found by now.
    pub fn so_far(&self) -> Option<&Complaint> {
        self.doubt.as_ref()
    }

    /// The same, and one look more.
    pub fn at_the_end(&self) -> Option<Complaint> {
        self.doubt.clone().or_else(|| self.look(self.looks + 1))
    }

    fn answers(&self) -> u64 {
        self.new + self.old + self.unknown
    }

    /// The k-th look. A split that is whole has nothing to do with chance: what
    /// answers beside it is for the shift's own patience.
    fn look(&self, k: u32) -> Option<Complaint> {
        if self.asked == 0 || self.asked >= WHOLE {
            return None;
        }
        let answers = self.answers();
        let is_doubted = |new: &u64| is_doubted(k, *new, answers, self.asked);
        // Whoever gave the others: the share is wrong only if both ends are.
        let (fewest, most) = (self.new, self.new + self.unknown);
        let is_above = |new: u64| new * u64::from(WHOLE) > answers * u64::from(self.asked);
        let seen = match is_above(fewest) {
            true => Some(fewest),
            false => (!is_above(most)).then_some(most),
        };
        Some(Complaint::Share {
            asked: self.asked,
            seen: seen.filter(is_doubted)?,
            answers,
        })
    }
}

/// Whether at the k-th look so many of the new release's answers are too few or too
/// many.
pub fn is_doubted(k: u32, new: u64, answers: u64, share: u16) -> bool {
    let level = LEVEL / (f64::from(k) * f64::from(k + 1));
    let share = f64::from(share) / f64::from(WHOLE);
    chance::at_least(new, answers, share).min(chance::at_most(new, answers, share)) <= level / 2.0
}
