//! What an edge keeps of origins' answers, and for how long. Pure: the time is told.
//!
//! <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html>

use std::collections::HashMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, HeaderMap};
use hyper::{Response, StatusCode};
use roxmltree::Node;

use crate::gate::elb::xml::text;

/// The bounds of a behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ttls {
    pub min: Duration,
    pub default: Duration,
    pub max: Duration,
}

impl Ttls {
    /// That of the managed policy `CachingDisabled`.
    pub const NONE: Self = Self {
        min: Duration::ZERO,
        default: Duration::ZERO,
        max: Duration::ZERO,
    };

    /// Those of a behaviour, or of a cache policy.
    pub fn read(node: Node<'_, '_>) -> Self {
        let seconds = |name| text(node, name)?.parse().ok().map(Duration::from_secs);
        let least = Self::default();
        Self {
            min: seconds("MinTTL").unwrap_or(least.min),
            default: seconds("DefaultTTL").unwrap_or(least.default),
            max: seconds("MaxTTL").unwrap_or(least.max),
        }
    }

    /// For how long an answer with these headers is kept.
    ///
    /// "Minimum TTL = 0 Seconds: CloudFront and browsers respect the headers", and
    /// greater than 0: "CloudFront caches objects for the value of the CloudFront
    /// minimum TTL" whatever `no-cache`, `no-store` and `private` say.
    pub fn of(&self, headers: &HeaderMap) -> Duration {
        let lines = headers.get_all(CACHE_CONTROL).into_iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        let directives = || lines.iter().flat_map(|line| line.split(',')).map(str::trim);
        let is = |name: &str| directives().any(|it| it.eq_ignore_ascii_case(name));
        if ["no-store", "no-cache", "private"].into_iter().any(is) {
            return self.min;
        }
        let seconds = |wanted: &str| {
            directives().find_map(|directive| {
                let (name, value) = directive.split_once('=')?;
                let is_it = name.trim().eq_ignore_ascii_case(wanted);
                is_it.then(|| value.trim().parse().ok())?
            })
        };
        match seconds("s-maxage").or_else(|| seconds("max-age")) {
            Some(age) => Duration::from_secs(age).min(self.max).max(self.min),
            None => self.default.max(self.min),
        }
    }
}

/// Those of a behaviour, or of a cache policy, that says nothing.
impl Default for Ttls {
    fn default() -> Self {
        Self {
            min: Duration::ZERO,
            default: Duration::from_secs(86_400),
            max: Duration::from_secs(31_536_000),
        }
    }
}

/// The distribution, and path and query. Where it came from is no part of it: who
/// changes the origin does not clear what is kept.
pub type Key = (String, String);

/// What one edge has kept.
#[derive(Debug, Default)]
pub struct Cache(HashMap<Key, Kept>);

#[derive(Debug, Clone)]
pub struct Kept {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// When the origin was asked.
    pub asked: Instant,
    pub until: Instant,
}

impl Cache {
    pub fn keep(&mut self, key: Key, kept: Kept) {
        self.0.insert(key, kept);
    }

    /// What is kept under that key, if it may still be served.
    pub fn get(
        &self,
        key: &Key,
        now: Instant,
        is_invalid: impl Fn(Instant) -> bool,
    ) -> Option<&Kept> {
        let kept = self.0.get(key)?;
        (kept.until > now && !is_invalid(kept.asked)).then_some(kept)
    }
}

/// Whether an answer of that status is kept.
pub fn is_kept<B>(response: &Response<B>) -> bool {
    matches!(
        response.status().as_u16(),
        200 | 203 | 300 | 301 | 302 | 307 | 308
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTLS: Ttls = Ttls {
        min: Duration::ZERO,
        default: Duration::from_secs(50),
        max: Duration::from_secs(100),
    };

    fn seconds(ttls: &Ttls, cache_control: &[&str]) -> u64 {
        let mut headers = HeaderMap::new();
        for line in cache_control {
            headers.append(CACHE_CONTROL, line.parse().unwrap());
        }
        ttls.of(&headers).as_secs()
    }

    #[test]
    fn an_answer_is_kept_for_as_long_as_it_says_within_bounds() {
        for (said, kept) in [
            (&[][..], 50),
            (&["public, max-age=10"], 10),
            (&["Max-Age=10", "s-maxage=20"], 20),
            (&["max-age=1000"], 100),
            (&["max-age=0"], 0),
            (&["no-store"], 0),
            (&["max-age=10, no-cache"], 0),
            (&["private"], 0),
        ] {
            assert_eq!(seconds(&TTLS, said), kept, "{said:?}");
        }
    }

    #[test]
    fn the_least_time_holds_whatever_the_origin_says() {
        let min = Duration::from_secs(60);
        let ttls = Ttls { min, ..TTLS };
        for said in [&[][..], &["max-age=1"], &["no-store"], &["private"]] {
            assert_eq!(seconds(&ttls, said), 60, "{said:?}");
        }
        assert_eq!(seconds(&Ttls::NONE, &["max-age=10"]), 0);
    }

    #[test]
    fn what_is_over_or_invalid_is_not_served() {
        let asked = Instant::now();
        let key = ("E1".to_owned(), "/a".to_owned());
        let mut cache = Cache::default();
        let kept = Kept {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            asked,
            until: asked + TTLS.max,
        };
        cache.keep(key.clone(), kept);
        assert!(cache.get(&key, asked, |_| false).is_some());
        assert!(cache.get(&key, asked, |at| at == asked).is_none());
        assert!(cache.get(&key, asked + TTLS.max, |_| false).is_none());
        let other = ("E2".to_owned(), "/a".to_owned());
        assert!(cache.get(&other, asked, |_| false).is_none());
    }
}
