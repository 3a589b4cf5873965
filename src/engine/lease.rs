//! Whether the lease may be taken, judged by the journal, the time, and what is known
//! about the holder.

use time::OffsetDateTime;

use crate::model::journal::{Head, Lease};
use crate::spoken_time::{clock, in_words};

/// What stands against taking the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing: nobody holds it.
    Free,
    /// Nothing any more.
    Abandoned {
        by: Lease,
        why: Abandoned,
    },
    Held(Lease),
}

/// Why a lease may be taken from its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abandoned {
    /// It was not renewed in time.
    Expired,
    /// The process that held it is gone.
    Gone,
}

impl Abandoned {
    /// Whose it was, and why nobody has to respect it.
    pub fn sentence(self, lease: &Lease) -> String {
        let why = match self {
            Self::Expired => "has expired",
            Self::Gone => "belongs to a process that is gone",
        };
        format!("the lease of {} {why}", lease.holder)
    }
}

/// `is_gone`: the holder's process is known to have ended.
pub fn judge(head: &Head, now: OffsetDateTime, is_gone: bool) -> Verdict {
    let Some(lease) = head.lease.clone() else {
        return Verdict::Free;
    };
    if is_gone {
        return Verdict::Abandoned {
            by: lease,
            why: Abandoned::Gone,
        };
    }
    if lease.until < now {
        return Verdict::Abandoned {
            by: lease,
            why: Abandoned::Expired,
        };
    }
    Verdict::Held(lease)
}

impl Lease {
    /// Who holds it and until when, in one sentence.
    pub fn sentence(&self, now: OffsetDateTime) -> String {
        let left = self.until - now;
        let when = if left.is_negative() {
            format!("expired {} ago", in_words(-left))
        } else {
            format!("expires in {}", in_words(left))
        };
        format!(
            "{}, has been running `{}` since {}; the lease {when} unless it is renewed",
            self.holder.who,
            self.holder.command,
            clock(self.holder.since)
        )
    }
}

#[cfg(test)]
mod tests;
