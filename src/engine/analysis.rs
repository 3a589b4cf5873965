//! Judges one watched stretch of a shift, release by release: what the new one
//! did there, and whether requests were split as they should have been.
//!
//! - **Failures**: no more than are tolerated of the answers that the new release
//!   is to give in the stretch. An answer of which nobody knows whose it is counts
//!   as the new release's.
//! - **Latency**: the nearest-rank quantile of the good answers, which is definition
//!   1 of Hyndman & Fan, "Sample Quantiles in Statistical Packages", The American
//!   Statistician 50 (1996): the smallest time that at least p of all answers are
//!   within. Of fewer than 100 answers p99 is therefore the slowest one, and a
//!   single slow answer breaks the limit.
//! - **Comparison**: Fisher's exact test ([`chance::fisher`]), at the end of the
//!   stretch alone, as its level holds for one look. Only of answers whose release
//!   is known: failures of nobody, all counted against the new release, would make
//!   it look worse where the two are alike.
//! - **Observed share**: an exact binomial test ([`share::ObservedShare`]).
//!
//! No clock, no I/O: answers come as values.

mod chance;
mod complaint;
mod share;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use complaint::Complaint;

use super::seen::times::Times;
use crate::model::LatencyLimit;
use share::ObservedShare;

/// With fewer answers of either release the two are not compared. From 100 of
/// each on, 7 failures against none are found; with much fewer, only what would
/// be far beyond any tolerance is.
const COMPARED_FROM: u64 = 100;
/// How often two releases that fail alike are taken for different ones.
const LEVEL: f64 = 0.01;

/// Who gave an answer, as far as can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answerer {
    Old,
    New,
    /// Judged as the new release, but for what needs to know.
    Unknown,
}

/// An answer, or none, as far as it is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    pub who: Answerer,
    pub is_good: bool,
    pub latency: Duration,
    /// Not where the split that the request met is not certain.
    pub counts_for_share: bool,
}

/// What is asked of the new release over a stretch.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Limits {
    pub failures: Tolerance,
    pub latency: Vec<LatencyLimit>,
}

/// How many failures are tolerated: the larger of the two.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tolerance {
    pub count: u64,
    /// 0 to 1, of all requests.
    pub share: f64,
}

impl Tolerance {
    /// How many of so many requests may fail.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "rounded down, of what is not negative"
    )]
    pub fn of(self, requests: u64) -> u64 {
        // A hair more, as a tenth of a percent of 1000 is to be one.
        let share = (requests as f64 * self.share + 1e-6) as u64;
        self.count.max(share)
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct GoodAndBad {
    good: u64,
    bad: u64,
}

impl GoodAndBad {
    fn all(self) -> u64 {
        self.good + self.bad
    }
}

/// What was heard in one stretch. It takes no more room however long it lasts.
#[derive(Debug, Clone)]
pub struct Stretch {
    limits: Limits,
    /// How many answers the new release is to give in it.
    expected: u64,
    old: GoodAndBad,
    new: GoodAndBad,
    unknown: GoodAndBad,
    /// For each limit, how many good answers took longer.
    slower: Vec<u64>,
    /// The latencies of the good answers that are judged.
    times: Times,
    share: ObservedShare,
}

impl Stretch {
    /// `share` is the new release's, in basis points.
    pub fn new(limits: Limits, expected: u64, share: u16) -> Self {
        Self {
            slower: vec![0; limits.latency.len()],
            limits,
            expected,
            old: GoodAndBad::default(),
            new: GoodAndBad::default(),
            unknown: GoodAndBad::default(),
            times: Times::default(),
            share: ObservedShare::of(share),
        }
    }

    pub fn add(&mut self, heard: Heard) {
        let of = match heard.who {
            Answerer::Old => &mut self.old,
            Answerer::New => &mut self.new,
            Answerer::Unknown => &mut self.unknown,
        };
        match heard.is_good {
            true => of.good += 1,
            false => of.bad += 1,
        }
        if heard.counts_for_share {
            self.share.add(heard.who);
        }
        if heard.who == Answerer::Old || !heard.is_good || self.slower.is_empty() {
            return;
        }
        self.times.add(heard.latency);
        for (slower, limit) in self.slower.iter_mut().zip(&self.limits.latency) {
            *slower += u64::from(heard.latency > limit.limit);
        }
    }

    /// What cannot become good any more, if anything: to be asked at any answer.
    pub fn so_far(&self) -> Option<Complaint> {
        self.failures()
            .or_else(|| self.latency(self.judged().good.max(self.expected)))
            .or_else(|| self.share.so_far().cloned())
    }

    /// What is to be said of the whole of it.
    pub fn at_the_end(&self) -> Option<Complaint> {
        self.failures()
            .or_else(|| self.latency(self.judged().good))
            .or_else(|| self.comparison())
            .or_else(|| self.share.at_the_end())
    }

    /// What is held against the new release.
    fn judged(&self) -> GoodAndBad {
        GoodAndBad {
            good: self.new.good + self.unknown.good,
            bad: self.new.bad + self.unknown.bad,
        }
    }

    fn failures(&self) -> Option<Complaint> {
        let judged = self.judged();
        let tolerated = self.limits.failures.of(judged.all().max(self.expected));
        (judged.bad > tolerated).then(|| Complaint::Failures {
            failed: judged.bad,
            answers: judged.all(),
            tolerated,
        })
    }

    /// Held to what the limits allow of so many answers.
    fn latency(&self, of: u64) -> Option<Complaint> {
        let slower = self.slower.iter().zip(&self.limits.latency);
        let mut broken = slower.filter(|(slower, limit)| **slower > limit.quantile.beyond(of));
        let (slower, limit) = broken.next()?;
        Some(Complaint::Slower {
            limit: *limit,
            seen_ms: self.times.percentile_ms(limit.quantile.percent()),
            slower: *slower,
            answers: self.judged().good,
            allowed: limit.quantile.beyond(of),
            of,
        })
    }

    fn comparison(&self) -> Option<Complaint> {
        let (old, new) = (self.old, self.new);
        if old.all().min(new.all()) < COMPARED_FROM {
            return None;
        }
        let p = chance::fisher(new.bad, new.all(), old.bad, old.all());
        (p <= LEVEL).then(|| Complaint::WorseThanOld {
            new: (new.bad, new.all()),
            old: (old.bad, old.all()),
            p,
        })
    }
}
