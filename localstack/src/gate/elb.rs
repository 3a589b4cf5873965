//! Load balancing, corrected: the emulator keeps what was asked for, the gate
//! does it and says what came of it.
//!
//! The emulator's word on listeners, rules, target groups and who is registered
//! holds, whoever told it (a client, CloudFormation, ECS); its word on health
//! does not, and what it drops of actions is kept here. The gate learns of it by
//! AWS's API only.
//!
//! - `describe`, `actions`: what the emulator says, typed (pure).
//! - `overlay`: actions that the emulator accepts and drops (pure); `sni`:
//!   certificates that it has no calls for.
//! - `known`: all that is known, and what it means for a load balancer (pure).
//! - `refuse`, `report`, `splice`: what is answered (pure).
//! - `look`, `answer`: the conversation with the emulator.
//! - `fleet`: the load balancers that run here.
//! - `pace`: when to look (pure).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::balancer::Balancer;
use crate::balancer::config::{Arn, Target, Tls};
use crate::balancer::health::Health;

use super::request::{Answer, Request};
use super::upstream::{Failed, Upstream};
use answer::Written;
use fleet::Fleet;
use look::Lookout;
use pace::{Depth, Since};

pub use describe::LoadBalancer;
pub(super) use sites::Sites;

mod actions;
mod answer;
mod describe;
mod fleet;
mod form;
mod known;
mod look;
mod overlay;
mod pace;
mod refuse;
mod report;
mod sites;
mod sni;
mod splice;
pub(super) mod xml;

/// However often it is nudged, the emulator is left alone for so long between
/// two looks, and for as long as a look takes.
const BREATH: Duration = Duration::from_millis(20);

/// ELBv2 as the gate answers it, and the load balancers behind it.
#[derive(Debug, Clone)]
pub struct Elb(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    lookout: Lookout,
    /// How many looks were asked for.
    asked: AtomicU64,
    /// Held by the look that is under way; up to which asking looks have seen.
    seen: tokio::sync::Mutex<u64>,
    times: Mutex<Times>,
    nudged: Notify,
    trouble: Mutex<Option<String>>,
}

#[derive(Debug, Default)]
struct Times {
    write: Option<Instant>,
    structure: Option<Instant>,
    attributes: Option<Instant>,
}

impl Elb {
    /// Nothing is read until it is asked to [`Self::look`] or [`Self::watch`].
    pub(super) fn new(upstream: Upstream, sites: Sites) -> Self {
        Self(Arc::new(Inner {
            lookout: Lookout::new(upstream, Fleet::new(sites)),
            asked: AtomicU64::new(0),
            seen: tokio::sync::Mutex::new(0),
            times: Mutex::default(),
            nudged: Notify::new(),
            trouble: Mutex::default(),
        }))
    }

    /// Answers a call of ELBv2; the emulator is asked as far as need be.
    ///
    /// A write that succeeds is known to the load balancers when it is answered.
    /// What was begun is finished even if the caller goes away: half of a write
    /// would leave them behind.
    ///
    /// # Errors
    /// If the emulator gives no answer, or none that can be read. An error that
    /// the emulator answers is an answer.
    pub(super) async fn answer(&self, request: &Request) -> Result<Answer, Failed> {
        let (elb, owned) = (self.clone(), request.clone());
        let task = tokio::spawn(async move {
            if owned.operation.is_read() {
                elb.0.lookout.answer_read(&owned).await
            } else {
                elb.write(&owned).await
            }
        });
        task.await.unwrap_or_else(|error| {
            Err(Failed::NoAnswer {
                authority: self.0.lookout.upstream.authority().to_owned(),
                what: request.operation.name.clone(),
                reason: error.to_string(),
            })
        })
    }

    /// Reads everything that the emulator says of load balancers, and has them
    /// do it. Several who ask at once share one look that began after they asked.
    ///
    /// # Errors
    /// If the emulator cannot be read.
    pub async fn look(&self) -> Result<(), Failed> {
        let mine = self.0.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let mut seen = self.0.seen.lock().await;
        if *seen >= mine {
            return Ok(());
        }
        let upto = self.0.asked.load(Ordering::SeqCst);
        self.look_at(Depth::ALL).await?;
        *seen = upto;
        Ok(())
    }

    /// Looks again and again, until it is dropped. A look that fails is tried
    /// again; see [`Self::trouble`].
    pub(super) async fn watch(self) {
        loop {
            let began = Instant::now();
            {
                let _look = self.0.seen.lock().await;
                // Its failure is kept as the trouble.
                let _ = self.look_at(pace::depth(&self.since())).await;
            }
            let took = began.elapsed();
            let any = !self.balancers().is_empty();
            let pause = pace::pause(&self.since(), took, any);
            let breath = BREATH.max(took);
            tokio::time::sleep(breath).await;
            tokio::select! {
                () = tokio::time::sleep(pause.saturating_sub(breath)) => {}
                () = self.0.nudged.notified() => {}
            }
        }
    }

    /// Says that something was written, to whatever service: a stack or a
    /// service may have changed a load balancer, or may soon.
    pub(super) fn nudge(&self) {
        self.times().write = Some(Instant::now());
        self.0.nudged.notify_one();
    }

    /// The load balancer that a Host header names, whatever its case, and the
    /// listener's port: `NAME` is port 80, `NAME:81` port 81.
    pub fn balancer_of(&self, host: &str) -> Option<(Balancer, u16)> {
        self.0.lookout.fleet.balancer_of(host)
    }

    /// What HTTPS is answered with at the gate's own port, if it is spoken there.
    pub(super) fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        self.0.lookout.fleet.tls()
    }

    /// What HTTPS is answered with for names that no listener is for, by the same
    /// authority; none if a certificate cannot have such a name.
    pub(super) fn certified(&self, tls: &Tls) -> Option<Arc<rustls::ServerConfig>> {
        self.0.lookout.fleet.authority().config(tls).ok()
    }

    /// The certificate of the authority that makes those of HTTPS listeners.
    ///
    /// # Errors
    /// The system's own, in words.
    pub fn authority(&self) -> Result<String, String> {
        let pem = self.0.lookout.fleet.authority().pem();
        pem.map_err(|error| error.to_string())
    }

    /// All load balancers that run, such as to set a node's lag.
    pub fn balancers(&self) -> Vec<(LoadBalancer, Balancer)> {
        self.0.lookout.fleet.balancers()
    }

    /// What `DescribeTargetHealth` would say of a target group, as of the last
    /// look: draining targets included, and those of a group that no load
    /// balancer uses as unused.
    pub fn health_of(&self, group: &Arn) -> Vec<(Target, Health)> {
        self.0.lookout.fleet.health_of(group)
    }

    /// What kept the load balancers from being as the emulator says, when last
    /// looked; None if nothing did.
    pub fn trouble(&self) -> Option<String> {
        self.0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn write(&self, request: &Request) -> Result<Answer, Failed> {
        let Written { answer, troubles } = self.0.lookout.answer_write(request).await?;
        self.remember(&troubles);
        Ok(answer)
    }

    async fn look_at(&self, depth: Depth) -> Result<(), Failed> {
        let began = Instant::now();
        match self.0.lookout.look(depth).await {
            Ok(troubles) => self.remember(&troubles),
            Err(failed) => {
                self.remember(&[failed.to_string()]);
                return Err(failed);
            }
        }
        let mut times = self.times();
        if depth.structure {
            times.structure = Some(began);
        }
        if depth.attributes {
            times.attributes = Some(began);
        }
        Ok(())
    }

    fn remember(&self, troubles: &[String]) {
        *self
            .0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner) =
            (!troubles.is_empty()).then(|| troubles.join("; "));
    }

    fn since(&self) -> Since {
        let times = self.times();
        let ago = |at: Option<Instant>| at.map(|at| at.elapsed());
        Since {
            write: ago(times.write),
            structure: ago(times.structure),
            attributes: ago(times.attributes),
        }
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.0.times.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt;

    use super::*;
    use crate::balancer::Ports;
    use crate::gate::call::Correct;
    use crate::gate::request::{Operation, Protocol};

    /// What follows of it is in [`pace`].
    #[tokio::test]
    async fn a_write_of_any_service_has_the_watch_look_again() {
        let sites = Sites {
            first: Ipv4Addr::LOCALHOST,
            nodes: 1,
            ports: Ports::Free,
        };
        let elb = Elb::new(Upstream::new("127.0.0.1:1", "test"), sites);
        assert!(elb.since().write.is_none());
        assert!(elb.0.nudged.notified().now_or_never().is_none());
        elb.wrote(&Operation {
            protocol: Protocol::Query,
            service: "cloudformation".to_owned(),
            name: "CreateStack".to_owned(),
        });
        assert!(elb.since().write.is_some());
        assert!(elb.0.nudged.notified().now_or_never().is_some());
    }
}
