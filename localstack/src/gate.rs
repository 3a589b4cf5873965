//! The gate: what stands between a client of AWS and an emulator, and behaves
//! like AWS where the emulator does not.
//!
//! A client is given the gate's endpoint instead of the emulator's. Each request
//! that arrives there is
//!
//! - for a load balancer, by its Host header: then the [`crate::balancer`]
//!   serves it, which listens on real ports as well;
//! - for the gate itself (`control`): its record, its faults, its load balancers;
//! - a call of AWS's API: [`request`] names it, and `call` carries it out;
//! - anything else, such as the image registry: passed through as it comes.
//!
//! `front` takes connections (`wire` speaks over them) and tells these apart. What
//! `call` does with a call: [`rates`] may throttle it, [`faults`] may spoil it, `refusal` words an error as AWS
//! does, `past` answers a read as it was, [`elb`] and `ecs` correct what the emulator
//! says of health checks, weights and rollouts, [`dns`] and [`cdn`] give changes of
//! names and distributions their time and serve them, `api_domains` adds what it lacks
//! of API Gateway's domains, [`lightsail`] and `autoscaling` are there instead of an emulator, [`upstream`]
//! forwards it, and [`record`] has it all written down; [`crash`] kills a client at a
//! write that is held. `services` puts them in their places; `sockets` is where the gate
//! itself is
//! reached; `body` and `cbor` read and write what goes over the wire.
//!
//! It speaks the AWS protocols only, to either side, so that it can stand before
//! any emulator. It must not know the insides of one.

mod api_domains;
pub mod autoscaling;
mod body;
mod call;
mod cbor;
pub mod cdn;
mod control;
pub mod crash;
pub mod dns;
mod ecs;
pub mod elb;
pub mod faults;
mod front;
pub mod lightsail;
mod past;
pub mod rates;
pub mod record;
mod refusal;
pub mod request;
mod services;
mod sockets;
#[cfg(test)]
mod tests;
pub mod upstream;
mod wire;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::balancer::{Balancer, Ports};
use crate::emulator::{REGION, environment};
use crate::{Error, Result, http};
use elb::Elb;
use faults::Faults;
use front::Front;
use rates::Rates;
use record::Calls;
use services::{Corrected, Services};
use upstream::Upstream;

/// Who waits for a load balancer leaves the emulator time for others.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How a gate is to be.
#[derive(Debug, Clone)]
pub struct Options {
    /// On 127.0.0.1; a free one unless it is given.
    pub port: Option<u16>,
    /// The access key of the gate's own calls, which emulators take for the
    /// account.
    pub account: String,
    /// The region of the gate's own calls: whose load balancers take traffic.
    pub region: String,
    /// How many addresses each load balancer has: from 127.0.0.1 on, which only
    /// Linux has more than one of by itself.
    pub nodes: u32,
    /// Which ports the listeners have.
    pub ports: Ports,
    /// Where the gate itself answers.
    pub addresses: Addresses,
    /// How names of Route 53 are resolved; none leaves that to others.
    pub dns: Option<dns::Options>,
    /// An account of Lightsail that the gate keeps; none leaves that to the emulator.
    pub lightsail: Option<lightsail::Options>,
    /// How distributions of CloudFront are served; none leaves them to the emulator.
    pub cdn: Option<cdn::Options>,
    /// Whether calls are held to the rates that AWS publishes, from the start.
    pub rates: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// At 127.0.0.1 alone: connections to a load balancer meet its nodes in turn.
    One,
    /// At as many as a load balancer has nodes, from 127.0.0.1 on, all at one
    /// port: a connection meets the node of its address, as with the addresses
    /// that a load balancer's name has.
    EachNode,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: None,
            account: "test".to_owned(),
            region: REGION.to_owned(),
            nodes: if cfg!(target_os = "linux") { 2 } else { 1 },
            ports: Ports::Free,
            addresses: Addresses::One,
            dns: None,
            lightsail: None,
            cdn: None,
            rates: false,
        }
    }
}

/// A gate that runs, on threads of its own, so that it answers whatever the
/// thread that made it does. Dropping it stops it, without waiting for that.
#[derive(Debug)]
pub struct Gate {
    endpoint: String,
    addresses: Vec<SocketAddr>,
    calls: Calls,
    faults: Faults,
    rates: Rates,
    account: String,
    corrected: Option<Corrected>,
    dns: Option<dns::Dns>,
    cdn: Option<cdn::Cdn>,
    lightsail: Option<lightsail::Lightsail>,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    runtime: Runtime,
    servers: Vec<JoinHandle<Infallible>>,
}

impl Gate {
    /// Starts one before the emulator at that endpoint, `http://HOST:PORT`.
    ///
    /// # Errors
    /// If that is no endpoint, the port is taken, this machine has not the
    /// addresses, or threads cannot be had.
    pub fn before(endpoint: &str, options: &Options) -> Result<Self> {
        Self::with(endpoint, options, |upstream| {
            services::start(upstream, options)
        })
    }

    /// `services` is called in the gate's runtime, so that it may spawn tasks
    /// there; they end with the gate.
    pub(crate) fn with(
        endpoint: &str,
        options: &Options,
        services: impl FnOnce(&Upstream) -> Services,
    ) -> Result<Self> {
        let upstream =
            Upstream::new(http::authority(endpoint)?, &options.account).in_region(&options.region);
        let sockets = sockets::open(options)?;
        let addresses: Vec<_> = sockets.iter().map(|socket| socket.address).collect();
        let runtime = runtime().map_err(|source| Error::GateThreads { source })?;
        let entered = runtime.enter();
        let (calls, faults, rates) = (Calls::new(), Faults::default(), Rates::default());
        if options.rates {
            rates.hold();
        }
        let mut services = services(&upstream);
        let cdn = services.add_cdn(&upstream, options.cdn.as_ref())?;
        let dns = services.add_dns(&upstream, cdn.as_ref(), options.dns.as_ref());
        let dns = dns.map_err(|source| Error::GateThreads { source })?;
        let lightsail = services.add_lightsail(options.lightsail.as_ref());
        let front = Arc::new(Front {
            pipeline: call::Pipeline {
                upstream,
                correctors: std::mem::take(&mut services.correctors),
                calls: calls.clone(),
                faults: faults.clone(),
                rates: rates.clone(),
                past: Mutex::default(),
            },
            traffic: services.traffic.take(),
            corrected: services.corrected.clone(),
        });
        let servers = sockets.into_iter().map(|socket| {
            let (node, listener) = (socket.node, socket.listener()?);
            let server = front::serve(listener, node, Arc::clone(&front));
            Ok(tokio::spawn(server))
        });
        let servers = servers.collect::<Result<Vec<_>>>()?;
        drop(entered);
        Ok(Self {
            endpoint: format!("http://{}", addresses[0]),
            addresses,
            calls,
            faults,
            rates,
            account: options.account.clone(),
            corrected: services.corrected.take(),
            dns,
            cdn,
            lightsail,
            running: Some(Running { runtime, servers }),
        })
    }

    /// `http://127.0.0.1:PORT`, to be used instead of the emulator's.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Everywhere that it answers, in the order of the nodes; the endpoint's is
    /// the first.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// As [`crate::Emulator::env`], for this endpoint.
    pub fn env(&self) -> Vec<(String, String)> {
        environment(&self.endpoint, &self.account)
    }

    /// ELBv2 as the gate knows it. None for a gate that leaves load balancers
    /// to the emulator.
    pub fn load_balancing(&self) -> Option<&Elb> {
        self.corrected.as_ref().map(|corrected| &corrected.elb)
    }

    /// What scales services, if the gate keeps that.
    pub fn autoscaling(&self) -> Option<&autoscaling::Autoscaling> {
        self.corrected
            .as_ref()
            .map(|corrected| &corrected.autoscaling)
    }

    /// Where names of Route 53 are resolved, if they are.
    pub fn dns(&self) -> Option<&dns::Dns> {
        self.dns.as_ref()
    }

    /// Where distributions of CloudFront are served, if they are.
    pub fn cdn(&self) -> Option<&cdn::Cdn> {
        self.cdn.as_ref()
    }

    /// The account of Lightsail, if one is kept.
    pub fn lightsail(&self) -> Option<&lightsail::Lightsail> {
        self.lightsail.as_ref()
    }

    /// The load balancer of that DNS name, if there is one by now.
    pub fn balancer(&self, dns_name: &str) -> Option<Balancer> {
        let (balancer, _) = self.load_balancing()?.balancer_of(dns_name)?;
        Some(balancer)
    }

    /// The load balancer of that DNS name once it listens on that port. One that
    /// a stack has just made is known only after the next look at the emulator:
    /// who is about to use it waits for that here. None if it is not there by then.
    pub async fn listening(
        &self,
        dns_name: &str,
        port: u16,
        patience: Duration,
    ) -> Option<Balancer> {
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            let there = self.balancer(dns_name);
            let there = there.filter(|balancer| !balancer.doors(port).is_empty());
            if there.is_some() {
                return there;
            }
            tokio::time::timeout_at(deadline, self.look()).await.ok()?;
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Has the emulator looked at anew. In the gate's own runtime: load balancers
    /// that begin with it live as long as the gate.
    async fn look(&self) {
        let (Some(elb), Some(running)) = (self.load_balancing(), &self.running) else {
            return;
        };
        let elb = elb.clone();
        // What fails of it is the gate's `trouble`, and is tried again.
        let _ = running.runtime.spawn(async move { elb.look().await }).await;
    }

    /// What keeps load balancers, rollouts and edges from being as the emulator says,
    /// if anything does.
    pub fn trouble(&self) -> Option<String> {
        let corrected = self.corrected.as_ref().and_then(Corrected::trouble);
        let cdn = self.cdn().and_then(cdn::Cdn::trouble);
        [corrected, cdn]
            .into_iter()
            .flatten()
            .reduce(|one, other| one + "; " + &other)
    }

    /// Every call of AWS's API that came, until now and from now on.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// What is done to calls on purpose.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// How often calls may come.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Stops it. Its port is free after that; calls under way are cut off.
    pub async fn stop(mut self) {
        if let Some(running) = self.running.take() {
            for server in running.servers {
                server.abort();
                // It was aborted, which is all that there is to learn.
                let _ = server.await;
            }
            running.runtime.shutdown_background();
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            // Unlike a dropped runtime, this may be done in an async context.
            running.runtime.shutdown_background();
        }
    }
}

fn runtime() -> std::io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("gate")
        .enable_all()
        .build()
}
