//! What is done to calls on purpose, so that a test can see what a client makes
//! of it.
//!
//! ```
//! use std::time::Duration;
//! use localstack::gate::faults::Fault;
//!
//! let lost = Fault::on("elasticloadbalancing", "ModifyListener").nth(2).drop_after();
//! let slow = Fault::on_service("ecs").delay(Duration::from_millis(200));
//! ```

mod plan;
mod wire;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use super::request::{Operation, Request};
use plan::Plan;

pub(super) use plan::{Fate, Spoilt};

/// One thing that is done to some calls.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default)]
    pub on: Match,
    #[serde(default)]
    pub when: When,
    pub what: What,
}

/// Which calls are meant: all, unless something is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// As in the signature's scope: `ecs`, `elasticloadbalancing`.
    pub service: Option<String>,
    /// `UpdateService`; for a REST call `GET /path`.
    pub operation: Option<String>,
    /// Must be in [`Request::resource`]; an ARN is shortened as it is there.
    pub resource: Option<String>,
    /// Only calls that may change something.
    pub writes: bool,
}

/// Which of the calls that match, counted from 1. Nothing is ever the 0th.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// That one only.
    Nth(u32),
    /// So many from the first on.
    First(u32),
    /// Each whose number is a multiple of that.
    Every(u32),
    /// That one and all after it.
    From(u32),
    #[default]
    Always,
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The call lies so long before anything else is done with it.
    #[serde(rename = "delay_ms")]
    Delay(#[serde(with = "wire::millis")] Duration),
    /// It is refused for being one too many. It has no effect.
    Throttle,
    /// It is answered with the service's own 500. It has no effect.
    InternalError,
    /// The connection ends without an answer. The call has no effect.
    DropBefore,
    /// The call has its effect, then the connection ends without an answer.
    DropAfter,
    /// The call lies until the fault is removed; then the connection ends
    /// without an answer. The call never has an effect.
    HoldBefore,
    /// The call has its effect, and its answer lies until the fault is removed;
    /// then the connection ends without it.
    HoldAfter,
    /// A read is answered as it would have been so long ago, at most ten
    /// minutes. Calls that change something pass as they are.
    #[serde(rename = "stale_ms")]
    StaleBy(#[serde(with = "wire::millis")] Duration),
}

impl Fault {
    /// On one operation, such as `("ecs", "UpdateService")`.
    pub fn on(service: &str, operation: &str) -> On {
        let mut on = Self::on_service(service);
        on.on.operation = Some(operation.to_owned());
        on
    }

    /// On every call of one service.
    pub fn on_service(service: &str) -> On {
        let mut on = Self::on_any();
        on.on.service = Some(service.to_owned());
        on
    }

    /// On every call that may change something, of whatever service.
    pub fn on_writes() -> On {
        let mut on = Self::on_any();
        on.on.writes = true;
        on
    }

    /// On every call.
    pub fn on_any() -> On {
        On {
            on: Match::default(),
            when: When::Always,
        }
    }
}

/// A fault of which it is not said yet what it does.
#[derive(Debug, Clone)]
#[must_use = "say what is done: delay, throttle, drop_after and so on"]
pub struct On {
    on: Match,
    when: When,
}

impl On {
    /// Only calls about what has this in its name, or about this ARN.
    pub fn resource(mut self, part: &str) -> Self {
        self.on.resource = Some(part.to_owned());
        self
    }

    /// [`When::Nth`]
    pub fn nth(self, number: u32) -> Self {
        self.when(When::Nth(number))
    }

    /// [`When::First`]
    pub fn first(self, count: u32) -> Self {
        self.when(When::First(count))
    }

    /// [`When::Every`]
    pub fn every(self, count: u32) -> Self {
        self.when(When::Every(count))
    }

    /// [`When::From`]
    pub fn from(self, number: u32) -> Self {
        self.when(When::From(number))
    }

    fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// [`What::Delay`]
    pub fn delay(self, time: Duration) -> Fault {
        self.does(What::Delay(time))
    }

    /// [`What::Throttle`]
    pub fn throttle(self) -> Fault {
        self.does(What::Throttle)
    }

    /// [`What::InternalError`]
    pub fn internal_error(self) -> Fault {
        self.does(What::InternalError)
    }

    /// [`What::DropBefore`]
    pub fn drop_before(self) -> Fault {
        self.does(What::DropBefore)
    }

    /// [`What::DropAfter`]
    pub fn drop_after(self) -> Fault {
        self.does(What::DropAfter)
    }

    /// [`What::HoldBefore`]
    pub fn hold_before(self) -> Fault {
        self.does(What::HoldBefore)
    }

    /// [`What::HoldAfter`]
    pub fn hold_after(self) -> Fault {
        self.does(What::HoldAfter)
    }

    /// [`What::StaleBy`]
    pub fn stale_by(self, time: Duration) -> Fault {
        self.does(What::StaleBy(time))
    }

    fn does(self, what: What) -> Fault {
        Fault {
            on: self.on,
            when: self.when,
            what,
        }
    }
}

/// Names a fault that was added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultId(u32);

impl FaultId {
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl fmt::Display for FaultId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fault {}", self.0)
    }
}

/// A fault that struck a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Struck {
    pub id: FaultId,
    pub what: What,
}

/// A fault that is planned, and what came of it until now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planned {
    pub id: FaultId,
    #[serde(flatten)]
    pub fault: Fault,
    /// How many calls matched.
    pub seen: u32,
    /// How many of them it struck.
    pub struck: u32,
    /// How many it holds now.
    pub held: u32,
}

/// All faults that are planned. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Arc<Mutex<Plan>>,
    /// Wakes the calls that are held, and who waits for one to be.
    changed: Arc<Notify>,
}

impl Faults {
    /// From the next call on. Several may strike the same call: their delays
    /// add up, and the one that leaves the least of the call wins.
    pub fn add(&self, fault: Fault) -> FaultId {
        self.locked().add(fault)
    }

    /// None if there is no such fault; otherwise what came of it. Calls that it
    /// held end.
    pub fn remove(&self, id: FaultId) -> Option<Planned> {
        let removed = self.locked().remove(id);
        self.changed.notify_waiters();
        removed
    }

    /// Calls that were held end.
    pub fn clear(&self) {
        self.locked().clear();
        self.changed.notify_waiters();
    }

    /// How often it has struck; 0 if there is no such fault.
    pub fn struck(&self, id: FaultId) -> u32 {
        self.locked().find(id).map_or(0, |one| one.struck)
    }

    /// How many calls it holds now; 0 if there is no such fault.
    pub fn held(&self, id: FaultId) -> u32 {
        self.locked().find(id).map_or(0, |one| one.held)
    }

    /// Returns when it holds a call, or is no more.
    pub async fn until_held(&self, id: FaultId) {
        self.until(|plan| plan.find(id).is_none_or(|one| one.held > 0))
            .await;
    }

    pub fn all(&self) -> Vec<Planned> {
        self.locked().all().to_vec()
    }

    pub(super) fn strike(&self, operation: &Operation, resource: &str) -> Vec<Struck> {
        self.locked().strike(operation, resource)
    }

    /// Holds a call at that point for as long as any of the faults that struck
    /// it for this is there.
    pub(super) async fn hold(&self, struck: &[Struck], point: What) {
        for Struck { id, .. } in struck.iter().filter(|one| one.what == point) {
            self.locked().holds(*id);
            self.changed.notify_waiters();
            self.until(|plan| plan.find(*id).is_none()).await;
        }
    }

    /// Whether any read may yet have to be answered with the past.
    pub(super) fn may_make_any_stale(&self) -> bool {
        self.locked().may_make_any_stale()
    }

    /// Whether that read may yet have to be answered with the past.
    pub(super) fn may_make_stale(&self, read: &Request) -> bool {
        self.locked()
            .may_make_stale(&read.operation, &read.resource())
    }

    async fn until(&self, is_so: impl Fn(&Plan) -> bool) {
        loop {
            // Before the look, so that no change after it is missed.
            let changed = self.changed.notified();
            if is_so(&self.locked()) {
                return;
            }
            changed.await;
        }
    }

    fn locked(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
