//! Lightsail, as far as a release needs it: instances, and static IPs that are
//! moved between them. MiniStack has none of it, so all of it is the gate's own: the state
//! as well as the addresses, which are this machine's (`127.0.5.1` and so on, which
//! only Linux has by itself).
//!
//! It never ran against AWS. What is known is the shape of the calls
//! (<https://docs.aws.amazon.com/lightsail/2016-11-28/api-reference/Welcome.html>);
//! nowhere is it written whether `AttachStaticIp` moves an address that is attached
//! elsewhere, or how long an address is unreachable meanwhile. So [`Attach`] has
//! both ways, and [`Options::gap`] any time.
//!
//! - `account`: what there is, and what each call does to it (pure); `refused`: the
//!   calls that it refuses; `describe`: how it is told in JSON (pure).
//! - `plane`: static addresses that lead to instances, by TCP.

mod account;
mod describe;
mod plane;
mod refused;

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::StatusCode;
use serde_json::Value;

use super::call::Correct;
use super::refusal::wrong;
use super::request::{Answer, Operation, Request};
use super::upstream::Failed;
use account::{Account, Now};
use plane::Plane;
use refused::Refused;

const SERVICE: &str = "lightsail";
const JSON: &str = "application/x-amz-json-1.1";

/// What an account has to begin with, and how it behaves.
#[derive(Debug, Clone)]
pub struct Options {
    pub attach: Attach,
    /// Until an address that was attached leads to its instance. Connections to it
    /// are refused until then.
    pub gap: Duration,
    /// Those at which a static address leads to its instance; what is to be an
    /// instance serves at the same port of the instance's own address.
    pub ports: Vec<u16>,
    /// Instances that are there from the beginning, and their own addresses.
    pub instances: Vec<(String, Ipv4Addr)>,
    /// The first address that an instance may be given; others have the next.
    pub own: Ipv4Addr,
    /// The first static address; others have the next.
    pub fixed: Ipv4Addr,
}

/// What `AttachStaticIp` does with an address that is attached already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attach {
    /// It is moved.
    Moves,
    /// The call is refused: `DetachStaticIp` has to come first.
    Refuses,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            attach: Attach::Moves,
            gap: Duration::ZERO,
            ports: Vec::new(),
            instances: Vec::new(),
            own: Ipv4Addr::new(127, 0, 5, 1),
            fixed: Ipv4Addr::new(127, 0, 6, 1),
        }
    }
}

/// Answers every call of Lightsail.
#[derive(Debug, Clone)]
pub struct Lightsail(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    account: Account,
    plane: Plane,
}

impl Lightsail {
    pub(super) fn new(options: &Options) -> Self {
        Self(Arc::new(Mutex::new(State {
            account: Account::new(options, now()),
            plane: Plane::new(options.ports.clone()),
        })))
    }

    /// Attachments from now on are made so; see [`Options`].
    pub fn set_attach(&self, attach: Attach, gap: Duration) {
        self.state().account.set_attach(attach, gap);
    }

    fn answered(&self, request: &Request) -> Answer {
        let input = serde_json::from_slice(&request.body).unwrap_or_default();
        match self.obey(&request.operation.name, &input) {
            Ok(output) => Answer::json(StatusCode::OK, JSON, &output),
            Err(refused) => wrong::in_json(request, refused.code(), &refused.to_string()),
        }
    }

    fn obey(&self, operation: &str, input: &Value) -> Result<Value, Refused> {
        let mut state = self.state();
        let output = state.account.obey(operation, input, now())?;
        let routes = state.account.routes();
        state.plane.follow(&routes);
        Ok(output)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> Now {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    Now {
        at: Instant::now(),
        epoch: since.unwrap_or_default().as_secs_f64(),
    }
}

impl Correct for Lightsail {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.service == SERVICE
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        async move { Ok(self.answered(request)) }.boxed()
    }
}
