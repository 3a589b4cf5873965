//! What the gate has written down of ECS: the services it knows, and which of its
//! own calls are under way. No effects.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use super::condition::Look;
use super::rollout::{Act, Memory};
use super::service::{Door, Phase, Seconds, Service};

/// How often a service is looked at of which nothing is expected.
const CALM: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Books {
    since: Seconds,
    /// By their ARNs.
    pub services: BTreeMap<String, Known>,
    /// Of services that are gone: their tasks can still be described.
    past: BTreeMap<String, String>,
    /// Acts that are being performed, by the service's ARN.
    under_way: BTreeSet<(String, Act)>,
    /// Acts that the emulator has accepted, and that are done once.
    done: BTreeSet<Act>,
    /// Why the gate's own calls failed when they were last made, by operation.
    failures: BTreeMap<&'static str, String>,
}

/// A service that is watched.
#[derive(Debug)]
pub struct Known {
    pub cluster: String,
    pub memory: Memory,
    /// Tasks that were seen stopped and need not be described again.
    pub ended: BTreeSet<String>,
    pub doors: Vec<Door>,
    is_open: bool,
    looked_at: Option<Instant>,
}

impl Books {
    pub fn new(since: Seconds) -> Self {
        Self {
            since,
            services: BTreeMap::new(),
            past: BTreeMap::new(),
            under_way: BTreeSet::new(),
            done: BTreeSet::new(),
            failures: BTreeMap::new(),
        }
    }

    /// The service's entry, made where there is none.
    pub fn meet(&mut self, service: &Service) -> &mut Known {
        let since = self.since;
        let known = self
            .services
            .entry(service.arn.clone())
            .or_insert_with(|| Known {
                cluster: service.cluster.clone(),
                memory: Memory::new(since),
                ended: BTreeSet::new(),
                doors: Vec::new(),
                is_open: true,
                looked_at: None,
            });
        known.doors.clone_from(&service.doors);
        known.is_open = known.memory.is_open(service);
        known
    }

    /// What follows from a look, unless the service was forgotten meanwhile.
    pub fn judge(&mut self, look: &Look<'_>) -> Vec<Act> {
        let Some(known) = self.services.get_mut(&look.service.arn) else {
            return Vec::new();
        };
        let ended = look
            .tasks
            .iter()
            .filter(|task| matches!(task.phase, Phase::Stopped { .. }));
        known.ended.extend(ended.map(|task| task.arn.clone()));
        let acts = known.memory.judge(look);
        known.is_open = known.memory.is_open(look.service);
        acts
    }

    pub fn forget(&mut self, service: Option<&str>) {
        if let Some(known) = service.and_then(|arn| self.services.remove(arn)) {
            self.past.extend(known.memory.into_stops());
        }
    }

    pub fn stop_reason(&self, task: &str) -> Option<&str> {
        self.services
            .values()
            .find_map(|known| known.memory.stop_reason(task))
            .or_else(|| self.past.get(task).map(String::as_str))
    }

    /// Notes how a call of the gate's own ended: why it failed, if it did.
    pub fn note(&mut self, operation: &'static str, failure: Option<String>) {
        match failure {
            Some(reason) => self.failures.insert(operation, reason),
            None => self.failures.remove(operation),
        };
    }

    pub fn trouble(&self) -> Option<String> {
        let reasons: Vec<&str> = self.failures.values().map(String::as_str).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }

    /// Whether the act is to be performed now; then it is under way. A look that
    /// began before an act was done may still ask for it.
    pub fn begin(&mut self, service: &str, act: &Act) -> bool {
        !self.done.contains(act) && self.under_way.insert((service.to_owned(), act.clone()))
    }

    pub fn end(&mut self, service: &str, act: &Act, is_accepted: bool) {
        self.under_way.remove(&(service.to_owned(), act.clone()));
        if is_accepted && act.is_done_once() {
            self.done.insert(act.clone());
        }
    }
}

impl Known {
    /// Whether it is to be looked at now, given whether a target is unhealthy.
    pub fn is_due(&self, has_unhealthy: bool, now: Instant) -> bool {
        let is_calm = !self.is_open && !has_unhealthy;
        self.looked_at
            .is_none_or(|at| !is_calm || now.duration_since(at) >= CALM)
    }

    pub fn looked(&mut self, at: Instant) {
        self.looked_at = Some(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_act_is_begun_once_at_a_time_and_done_once() {
        let roll_back = Act::RollBack {
            of: "ecs-svc/2".to_owned(),
            to: "td:1".to_owned(),
        };
        for (act, is_repeatable) in [(roll_back, false), (Act::Replace, true)] {
            let mut books = Books::new(0.0);
            assert!(books.begin("one", &act));
            assert!(!books.begin("one", &act), "it is under way");
            books.end("one", &act, false);
            assert!(books.begin("one", &act), "it was refused");
            books.end("one", &act, true);
            assert_eq!(books.begin("one", &act), is_repeatable);
        }
    }

    #[test]
    fn a_service_of_which_nothing_is_expected_is_looked_at_seldom() {
        let start = Instant::now();
        let known = |is_open| Known {
            cluster: String::new(),
            memory: Memory::new(0.0),
            ended: BTreeSet::new(),
            doors: Vec::new(),
            is_open,
            looked_at: None,
        };
        for (is_open, has_unhealthy, passed, is_due) in [
            (false, false, CALM / 2, false),
            (false, false, CALM, true),
            (true, false, CALM / 2, true),
            (false, true, CALM / 2, true),
        ] {
            let mut known = known(is_open);
            assert!(known.is_due(has_unhealthy, start), "it was never looked at");
            known.looked(start);
            assert_eq!(known.is_due(has_unhealthy, start + passed), is_due);
        }
    }
}
