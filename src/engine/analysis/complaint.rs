//! Objections to a shift, in words.

use std::fmt;

use crate::counted::counted;
use crate::model::LatencyLimit;

/// Why a stretch is no reason to go on.
#[derive(Debug, Clone, PartialEq)]
pub enum Complaint {
    /// More than are tolerated.
    Failures {
        failed: u64,
        answers: u64,
        tolerated: u64,
    },
    /// Too many good answers of the new release took too long.
    Slower {
        limit: LatencyLimit,
        /// The quantile of those so far.
        seen_ms: f64,
        slower: u64,
        answers: u64,
        /// How many of how many may.
        allowed: u64,
        of: u64,
    },
    /// By more than chance: of each, how many failed of how many.
    WorseThanOld {
        new: (u64, u64),
        old: (u64, u64),
        /// How often chance alone does that.
        p: f64,
    },
    /// The load balancer does not do what it was told.
    Share {
        /// In basis points.
        asked: u16,
        /// Of how many answers how many were the new release's.
        seen: u64,
        answers: u64,
    },
}

/// A part of a sentence.
impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failures {
                failed,
                answers,
                tolerated,
            } => {
                let answers = counted(answers, "answer");
                write!(f, "{failed} of {answers} of the new release failed")?;
                match tolerated {
                    0 => Ok(()),
                    tolerated => write!(f, ", and {tolerated} may"),
                }
            }
            Self::Slower {
                limit,
                seen_ms,
                slower,
                answers,
                allowed,
                of,
            } => {
                let (quantile, most) = (limit.quantile, limit.limit.as_secs_f64() * 1000.0);
                let answers = counted(answers, "good answer");
                write!(
                    f,
                    "{slower} of {answers} of the new release took longer than {most} ms, where \
                     {quantile} allows {allowed} of {of} ({quantile} so far: {seen_ms} ms)"
                )
            }
            Self::WorseThanOld { new, old, p } => write!(
                f,
                "the new release failed {} of {} answers and the old one {} of {}, which chance \
                 alone does once in {:.0} times (Fisher's exact test)",
                new.0,
                new.1,
                old.0,
                old.1,
                (1.0 / p).min(1e9)
            ),
            Self::Share {
                asked,
                seen,
                answers,
            } => {
                let percent = f64::from(*asked) / 100.0;
                let answers = counted(answers, "answer");
                write!(
                    f,
                    "{seen} of {answers} came from the new release, where {percent}% should: the \
                     load balancer does not do what its listener says"
                )
            }
        }
    }
}
