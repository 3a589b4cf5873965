//! How far what was changed has spread: each edge hears of it after a delay of its
//! own, and goes on as before until then. Pure: the time is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::distribution::{World, pattern};

/// Edges are numbered from 0 on.
#[derive(Debug)]
pub struct Spread {
    /// One for each edge.
    delays: Vec<Duration>,
    /// The oldest first; none that no edge goes by any more.
    worlds: Vec<Sent<Arc<World>>>,
    invalidations: Vec<Sent<Invalidation>>,
}

/// What was sent to every edge.
#[derive(Debug)]
struct Sent<T> {
    what: T,
    /// At each edge.
    arrives: Vec<Instant>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalidation {
    pub id: String,
    pub distribution: String,
    pub paths: Vec<String>,
}

impl Invalidation {
    /// "The * wildcard must be the last character in the path", and stands for
    /// anything:
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html>.
    fn is_of(&self, distribution: &str, path: &str) -> bool {
        let is_it = |given: &String| {
            let given = pattern(given);
            match given.strip_suffix('*') {
                Some(start) => path.starts_with(start),
                None => path == given,
            }
        };
        self.distribution == distribution && self.paths.iter().any(is_it)
    }
}

impl<T> Sent<T> {
    fn is_at(&self, edge: usize, now: Instant) -> bool {
        self.arrives.get(edge).is_some_and(|at| *at <= now)
    }

    fn is_everywhere(&self, now: Instant) -> bool {
        self.arrives.iter().all(|at| *at <= now)
    }
}

impl Spread {
    pub fn new(delays: Vec<Duration>) -> Self {
        Self {
            delays,
            worlds: Vec::new(),
            invalidations: Vec::new(),
        }
    }

    /// Of what is changed from now on; what is on its way arrives no later either.
    pub fn set_delay(&mut self, edge: usize, delay: Duration, now: Instant) {
        let worlds = self.worlds.iter_mut().map(|sent| &mut sent.arrives);
        let others = self.invalidations.iter_mut().map(|sent| &mut sent.arrives);
        for at in worlds
            .chain(others)
            .filter_map(|arrives| arrives.get_mut(edge))
        {
            *at = (*at).min(now + delay);
        }
        if let Some(known) = self.delays.get_mut(edge) {
            *known = delay;
        }
    }

    /// The world is that now. What there was at first is everywhere at once.
    pub fn send(&mut self, world: World, now: Instant) {
        let arrives = match self.worlds.last() {
            Some(newest) if *newest.what == world => return,
            Some(_) => self.arrivals(now),
            None => vec![now; self.delays.len()],
        };
        self.worlds.push(Sent {
            what: Arc::new(world),
            arrives,
        });
        let known = self.worlds.iter().rposition(|sent| sent.is_everywhere(now));
        self.worlds.drain(..known.unwrap_or(0));
    }

    pub fn newest(&self) -> Arc<World> {
        let newest = self.worlds.last().map(|sent| sent.what.clone());
        newest.unwrap_or_default()
    }

    /// What an edge goes by.
    pub fn seen_by(&self, edge: usize, now: Instant) -> Arc<World> {
        let mut all = self.worlds.iter().rev();
        let newest = all.find(|sent| sent.is_at(edge, now));
        newest.map(|sent| sent.what.clone()).unwrap_or_default()
    }

    /// Whether an edge goes by something else of a distribution than its newest.
    pub fn is_underway(&self, distribution: &str, now: Instant) -> bool {
        let newest = self.newest();
        (0..self.delays.len())
            .any(|edge| self.seen_by(edge, now).of_id(distribution) != newest.of_id(distribution))
    }

    /// One that is repeated is the same.
    pub fn invalidate(&mut self, invalidation: Invalidation, now: Instant) {
        if self
            .invalidations
            .iter()
            .all(|sent| sent.what.id != invalidation.id)
        {
            let arrives = self.arrivals(now);
            self.invalidations.push(Sent {
                what: invalidation,
                arrives,
            });
        }
    }

    /// Whether an invalidation is not everywhere yet.
    pub fn is_invalidating(&self, id: &str, now: Instant) -> bool {
        let mut all = self.invalidations.iter();
        all.any(|sent| sent.what.id == id && !sent.is_everywhere(now))
    }

    /// Whether an edge may not serve any more what an origin was asked for then.
    pub fn is_invalid(
        &self,
        (edge, now): (usize, Instant),
        (distribution, path): (&str, &str),
        asked: Instant,
    ) -> bool {
        self.invalidations.iter().any(|sent| {
            let came_after = sent.arrives.get(edge).is_some_and(|at| *at >= asked);
            came_after && sent.is_at(edge, now) && sent.what.is_of(distribution, path)
        })
    }

    fn arrivals(&self, now: Instant) -> Vec<Instant> {
        self.delays.iter().map(|delay| now + *delay).collect()
    }
}

/// Shared by the edges and those who change what they serve.
pub type Shared = Arc<Mutex<Spread>>;

pub fn lock(shared: &Shared) -> MutexGuard<'_, Spread> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
