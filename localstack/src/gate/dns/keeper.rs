//! A resolver: it asks the name server, and keeps what it was answered for as long
//! as it may; or for longer, as some do.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::authority::Authority;
use super::serve::Mind;
use super::zones::Said;

#[derive(Debug)]
pub struct Keeper {
    authority: Arc<Authority>,
    /// It keeps an answer for so long at least.
    least: Duration,
    kept: Mutex<HashMap<(String, String), Kept>>,
}

#[derive(Debug, Clone)]
struct Kept {
    said: Vec<Said>,
    until: Instant,
}

impl Keeper {
    pub fn new(authority: Arc<Authority>, least: Duration) -> Self {
        Self {
            authority,
            least,
            kept: Mutex::default(),
        }
    }

    fn known(&self, key: &(String, String), now: Instant) -> Option<Vec<Said>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = kept.get(key).filter(|kept| kept.until > now)?;
        let left = u32::try_from((kept.until - now).as_secs()).unwrap_or(u32::MAX);
        let aged = |said: &Said| Said {
            ttl: said.ttl.min(left),
            ..said.clone()
        };
        Some(kept.said.iter().map(aged).collect())
    }
}

impl Mind for Keeper {
    fn is_authority(&self) -> bool {
        false
    }

    fn say<'a>(&'a self, name: &'a str, kind: &'a str) -> BoxFuture<'a, Option<Vec<Said>>> {
        async move {
            let key = (name.to_owned(), kind.to_owned());
            let now = Instant::now();
            if let Some(said) = self.known(&key, now) {
                return Some(said);
            }
            let said = self.authority.say(name, kind).await?;
            let shortest = said.iter().map(|said| said.ttl).min();
            if let Some(ttl) = shortest {
                let ttl = Duration::from_secs(u64::from(ttl)).max(self.least);
                let kept = Kept {
                    said: said.clone(),
                    until: now + ttl,
                };
                let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
                all.insert(key, kept);
            }
            Some(said)
        }
        .boxed()
    }
}
