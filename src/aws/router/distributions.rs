//! What is known of distributions of CloudFront from one call to the next, and how long
//! they are waited for: the same by whatever of them users are moved.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cloudfront_origin::SharePolicy;
use crate::aws::cloudfront::CloudfrontDistribution;
use crate::model::{Found, Move, Patience, PerRoute};

/// "about 5 minutes" are usual, and nothing is promised.
const LONGEST_DEPLOYMENT: Duration = Duration::from_secs(1_800);

#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct LastDistributions(Arc<Mutex<LastSeen>>);

#[derive(Debug, Default)]
pub(super) struct LastSeen {
    /// As they were last read, by their ids: a write is made of exactly that.
    pub(super) all: BTreeMap<String, CloudfrontDistribution>,
    /// The policy, with its ETag.
    pub(super) policy: Option<SharePolicy>,
    /// What was found ahead of the last write of ours, until it is everywhere.
    before: Option<Found>,
}

impl LastDistributions {
    pub(super) fn locked(&self) -> MutexGuard<'_, LastSeen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastSeen {
    /// Until that is everywhere, it is read as it was.
    pub(super) fn expect(&mut self, it: Move) {
        self.before = it.from.map(Found::Split).or(self.before.take());
    }

    /// What the routes do, by these distributions, which do that once every edge has
    /// them.
    pub(super) fn saw(
        &mut self,
        all: impl IntoIterator<Item = CloudfrontDistribution>,
        found: Found,
    ) -> PerRoute<Found> {
        let mut is_everywhere = true;
        for it in all {
            is_everywhere &= it.is_deployed;
            self.all.insert(it.id.clone(), it);
        }
        if is_everywhere {
            self.before = None;
        }
        PerRoute {
            production: self.before.clone().unwrap_or(found),
            test: Found::ByRequest,
        }
    }
}

/// For a write that is everywhere after minutes.
pub(super) fn patience() -> Patience {
    Patience {
        confirm: LONGEST_DEPLOYMENT,
        visible: Duration::ZERO,
        spread: Duration::ZERO,
        stale: Duration::from_secs(5),
        stale_pause: Duration::from_secs(2),
        resend: LONGEST_DEPLOYMENT,
        unreadable: Duration::from_secs(60),
        pause: Duration::from_secs(2),
        late: Duration::from_secs(5),
        gap: Duration::ZERO,
    }
}
