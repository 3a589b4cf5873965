//! What is known about CloudFront distributions from one call to the next, and how long
//! they are waited for; the same for origins and aliases.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::cloudfront_origin::SharePolicy;
use crate::aws::cloudfront::CloudfrontDistribution;
use crate::model::{Found, Move, Patience, PerRoute};

/// "about 5 minutes" is usual, and nothing is promised.
const LONGEST_DEPLOYMENT: Duration = Duration::from_secs(1_800);

#[derive(Debug, Clone, Default)]
pub(in crate::aws) struct LastDistributions(Arc<Mutex<LastSeen>>);

#[derive(Debug, Default)]
pub(super) struct LastSeen {
    /// By id, as they were last read: a write is based on exactly that.
    pub(super) all: BTreeMap<String, CloudfrontDistribution>,
    /// The policy, with its ETag.
    pub(super) policy: Option<SharePolicy>,
    /// What the routes did before our last write, until that is everywhere.
    before: Option<Found>,
}

impl LastDistributions {
    pub(super) fn locked(&self) -> MutexGuard<'_, LastSeen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LastSeen {
    /// Until that move is everywhere, the routes are read as before it.
    pub(super) fn expect(&mut self, it: Move) {
        self.before = it.from.map(Found::Split).or(self.before.take());
    }

    /// What the routes do according to these distributions, once every edge has them.
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

/// For a write that takes minutes to be everywhere.
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
