//! A target group at work: who is registered, who is draining, who is checked
//! and who gets the next request.
//!
//! <https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#deregistration-delay>
//!
//! A request reads one published list and one counter. All else is behind a lock
//! that only changes and checks take, and that nobody holds across an await.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::checker;
use super::choose;
use super::config::{HealthCheck, Target, TargetGroup};
use super::health::{Health, Outcome, State, Thresholds, Track, usable};
use super::member::{Member, Ticket};
use super::tasks::Tasks;

#[derive(Debug)]
pub struct Group {
    tasks: Tasks,
    roster: Mutex<Roster>,
    published: RwLock<Arc<Published>>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Roster {
    told: TargetGroup,
    registered: BTreeMap<Target, Entry>,
    draining: BTreeMap<Target, Arc<Member>>,
}

#[derive(Debug)]
struct Entry {
    member: Arc<Member>,
    track: Track,
    checks: CancellationToken,
}

/// What requests go by.
#[derive(Debug)]
struct Published {
    stickiness: Option<Duration>,
    usable: Vec<Arc<Member>>,
}

/// A request's place in a group.
#[derive(Debug)]
pub struct Seat {
    pub ticket: Ticket,
    /// How long the client shall stay with this target.
    pub stickiness: Option<Duration>,
}

impl Group {
    /// A target group whose targets are registered now.
    pub fn new(told: &TargetGroup, tasks: &Tasks) -> Arc<Self> {
        let nobody = TargetGroup {
            targets: BTreeSet::new(),
            ..told.clone()
        };
        let group = Arc::new(Self {
            tasks: tasks.clone(),
            published: RwLock::new(Arc::new(Published {
                stickiness: nobody.stickiness,
                usable: Vec::new(),
            })),
            roster: Mutex::new(Roster {
                told: nobody,
                registered: BTreeMap::new(),
                draining: BTreeMap::new(),
            }),
            turn: AtomicUsize::new(0),
        });
        group.tell(told);
        group
    }

    /// Takes in new settings and registrations. Targets that stay keep their
    /// health and their connections.
    pub fn tell(self: &Arc<Self>, told: &TargetGroup) {
        let mut roster = self.roster();
        if roster.told == *told {
            return;
        }
        let new_checks = roster.told.health_check != told.health_check;
        roster.told = told.clone();
        let removed = roster.remove_all_but_told();
        if new_checks {
            for (target, entry) in &mut roster.registered {
                entry.checks.cancel();
                entry.track.restart(told.health_check.enabled);
                entry.checks = self.begin_checks(*target, &entry.member, &told.health_check);
            }
        }
        for target in &told.targets {
            if !roster.registered.contains_key(target) {
                let entry = self.register(*target, told);
                roster.registered.insert(*target, entry);
            }
        }
        // First no request finds them any more, then they end.
        self.publish(&roster);
        for member in removed {
            self.drain(&mut roster, member);
        }
    }

    /// No listener names this group any more: it is not checked. A node that has
    /// not heard of it yet goes on with the targets as they are.
    pub fn detach(&self) {
        for entry in self.roster().registered.values() {
            entry.checks.cancel();
        }
    }

    /// Of all registered and draining targets, in the order of their addresses.
    pub fn health(&self) -> Vec<(Target, Health)> {
        let roster = self.roster();
        let mut all: BTreeMap<Target, Health> = roster
            .draining
            .keys()
            .map(|target| (*target, Health::draining()))
            .collect();
        for (target, entry) in &roster.registered {
            all.insert(*target, entry.track.health());
        }
        all.into_iter().collect()
    }

    /// A place at the client's own target, named by its cookie, or at the next
    /// one. None if no target is registered.
    pub fn seat(&self, cookie: Option<&str>) -> Option<Seat> {
        loop {
            let published = self.published();
            let stuck = cookie.filter(|_| published.stickiness.is_some());
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            let marks = published.usable.iter().map(|member| member.mark());
            let chosen = choose::target(marks, stuck, turn)?;
            // One that was deregistered since this list was read admits nobody;
            // the next list is without it.
            if let Some(ticket) = published.usable[chosen].admit() {
                return Some(Seat {
                    ticket,
                    stickiness: published.stickiness,
                });
            }
        }
    }

    fn register(self: &Arc<Self>, target: Target, told: &TargetGroup) -> Entry {
        let member = Member::new(&told.arn, target, &self.tasks);
        let checks = self.begin_checks(target, &member, &told.health_check);
        Entry {
            member,
            track: Track::new(told.health_check.enabled),
            checks,
        }
    }

    fn begin_checks(
        self: &Arc<Self>,
        target: Target,
        member: &Arc<Member>,
        check: &HealthCheck,
    ) -> CancellationToken {
        let end = self.tasks.part();
        if check.enabled {
            let (group, member, check) = (self.clone(), member.clone(), check.clone());
            self.tasks.spawn_until(end.clone(), async move {
                group.note(&member, Track::begin);
                let thresholds = Thresholds {
                    healthy: check.healthy_threshold,
                    unhealthy: check.unhealthy_threshold,
                };
                let report = |outcome: Outcome| {
                    group.note(&member, |track| track.observe(outcome, thresholds));
                };
                checker::run(check, target, report).await;
            });
        }
        end
    }

    fn note(&self, member: &Arc<Member>, change: impl FnOnce(&mut Track)) {
        let mut roster = self.roster();
        let Some(entry) = roster
            .registered
            .get_mut(&member.target())
            .filter(|entry| Arc::ptr_eq(&entry.member, member))
        else {
            return;
        };
        let before = entry.track.state();
        change(&mut entry.track);
        if entry.track.state() != before {
            self.publish(&roster);
        }
    }

    fn drain(self: &Arc<Self>, roster: &mut Roster, member: Arc<Member>) {
        member.retire();
        roster.draining.insert(member.target(), member.clone());
        let (group, delay) = (self.clone(), roster.told.deregistration_delay);
        self.tasks.spawn(async move {
            tokio::time::sleep(delay).await;
            member.cut();
            group.roster().forget(&member);
        });
    }

    fn publish(&self, roster: &Roster) {
        let entries: Vec<&Entry> = roster.registered.values().collect();
        let states: Vec<State> = entries.iter().map(|entry| entry.track.state()).collect();
        let published = Published {
            stickiness: roster.told.stickiness,
            usable: usable(&states)
                .into_iter()
                .map(|place| entries[place].member.clone())
                .collect(),
        };
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Arc::new(published);
    }

    fn published(&self) -> Arc<Published> {
        self.published
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn roster(&self) -> MutexGuard<'_, Roster> {
        self.roster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Roster {
    /// Those that are no longer to be registered; their checks end.
    fn remove_all_but_told(&mut self) -> Vec<Arc<Member>> {
        let told = &self.told.targets;
        let removed: BTreeMap<Target, Entry> = self
            .registered
            .extract_if(.., |target, _| !told.contains(target))
            .collect();
        removed
            .into_values()
            .map(|entry| {
                entry.checks.cancel();
                entry.member
            })
            .collect()
    }

    /// The delay of one that was draining is over. A later registration of the
    /// same address is another's.
    fn forget(&mut self, member: &Arc<Member>) {
        let same = self
            .draining
            .get(&member.target())
            .is_some_and(|draining| Arc::ptr_eq(draining, member));
        if same {
            self.draining.remove(&member.target());
        }
    }
}
