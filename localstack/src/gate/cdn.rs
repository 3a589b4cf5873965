//! CloudFront for the distributions that an emulator stores: edges that serve them,
//! each of which hears of a change after a delay of its own.
//!
//! The emulator's word on distributions holds. What it lacks is time: "When you save
//! changes to your distribution configuration, CloudFront starts to propagate the
//! changes to all edge locations. Until your configuration is updated in an edge
//! location, CloudFront continues to serve your content from that location based on the
//! previous configuration"
//! (<https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToUpdateDistribution.html>).
//! Nor has it continuous deployment, whose policies are kept here, and it may lack the
//! move of an alias.
//!
//! - `distribution`: what the emulator says, typed; `route`: what a request is for;
//!   `spread`: what has reached which edge; `cache`: what an edge keeps; `deploy`:
//!   continuous deployment policies; `call`, `edit`, `refuse`, `tell`: what is asked,
//!   changed and answered (all pure).
//! - `look`, `answer`, `change`, `policy`: the conversation with the emulator and its
//!   clients.
//! - `edge`, `origin`, `page`: what viewers get.

mod answer;
mod cache;
mod call;
mod change;
mod deploy;
mod distribution;
mod edge;
mod edit;
mod look;
mod origin;
mod page;
mod policy;
mod refuse;
mod route;
mod spread;
mod tell;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, RwLock};

use super::call::Correct;
use super::elb::Elb;
use super::request::{Answer, Operation, Request};
use super::sockets;
use super::upstream::{Failed, Upstream};
use crate::Error;
use deploy::Policies;
use distribution::World;
use edge::Edge;
use spread::{Shared, Spread};

const SERVICE: &str = "cloudfront";
/// Of the API, ahead of every path.
const VERSION: &str = "2020-05-31";
const NAMESPACE: &str = "http://cloudfront.amazonaws.com/doc/2020-05-31/";
/// CloudFront's own names.
const OWN_NAMES: &str = "*.cloudfront.net";

/// A stack may have changed a distribution within the emulator.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// How distributions are served, on this machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// One for each edge: until it serves what was changed.
    pub delays: Vec<Duration>,
    /// Of the first edge; each has the next.
    pub first: Ipv4Addr,
    /// That of all edges. None is any free one.
    pub port: Option<u16>,
    /// Whether `UpdateDomainAssociation` is denied, as it is to who may only call
    /// `AssociateAlias`.
    pub refuses_domain_association: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delays: [300, 1500].map(Duration::from_millis).to_vec(),
            first: Ipv4Addr::new(127, 0, 4, 1),
            port: None,
            refuses_domain_association: false,
        }
    }
}

/// Where it answers.
#[derive(Debug, Clone)]
pub struct Cdn {
    /// In the order of the options, for HTTP and HTTPS.
    pub edges: Vec<SocketAddr>,
    cloudfront: CloudFront,
}

impl Cdn {
    /// The edge hears of what is changed from now on after that delay, and of what is
    /// on its way after that at the latest.
    pub fn set_delay(&self, edge: usize, delay: Duration) {
        let mut spread = self.cloudfront.spread();
        spread.set_delay(edge, delay, Instant::now());
    }

    /// What kept the edges from what the emulator says, when last looked; None if
    /// nothing did.
    pub fn trouble(&self) -> Option<String> {
        self.cloudfront.trouble().clone()
    }

    /// Those of the edges, if that is the domain name of a distribution.
    pub(super) fn addresses(&self, domain: &str) -> Vec<IpAddr> {
        match self.cloudfront.newest().of_domain(domain) {
            Some(_) => self.edges.iter().map(SocketAddr::ip).collect(),
            None => Vec::new(),
        }
    }
}

/// The calls of CloudFront.
#[derive(Debug, Clone)]
pub(super) struct CloudFront(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    upstream: Upstream,
    refuses_domain_association: bool,
    /// Held by who talks with the emulator of distributions; by who changes one, alone.
    turn: RwLock<()>,
    policies: Mutex<Policies>,
    spread: Shared,
    nudged: Notify,
    trouble: Mutex<Option<String>>,
}

/// Starts all of it, in the present runtime, with which it ends.
///
/// # Errors
/// If the port is taken, or this machine has not the addresses.
pub(super) fn start(
    upstream: &Upstream,
    elb: &Elb,
    options: &Options,
) -> Result<(Cdn, CloudFront), Error> {
    let count = u32::try_from(options.delays.len()).unwrap_or(u32::MAX);
    let sockets = sockets::at_each(options.first, count, options.port)?;
    let edges = sockets.iter().map(|socket| socket.address).collect();
    let spread: Shared = Arc::new(Mutex::new(Spread::new(options.delays.clone())));
    for (number, socket) in sockets.into_iter().enumerate() {
        let edge = Edge::new(number, spread.clone(), elb.clone());
        tokio::spawn(Arc::new(edge).serve(socket.listener()?));
    }
    let cloudfront = CloudFront(Arc::new(Inner {
        upstream: upstream.clone(),
        refuses_domain_association: options.refuses_domain_association,
        turn: RwLock::default(),
        policies: Mutex::default(),
        spread,
        nudged: Notify::new(),
        trouble: Mutex::default(),
    }));
    tokio::spawn(cloudfront.clone().watch());
    let cdn = Cdn {
        edges,
        cloudfront: cloudfront.clone(),
    };
    Ok((cdn, cloudfront))
}

impl CloudFront {
    /// Looks again and again. A look that fails is the trouble, and tried again.
    async fn watch(self) -> Infallible {
        loop {
            {
                let _alone = self.0.turn.write().await;
                let _ = self.look().await;
            }
            let nudged = self.0.nudged.notified();
            // Either is a reason to look again.
            let _ = tokio::time::timeout(BETWEEN_LOOKS, nudged).await;
        }
    }

    /// Reads what distributions there are, and tells the edges.
    async fn look(&self) -> Result<(), Failed> {
        let deployments = self.policies().deployments();
        let looked = look::look(&self.0.upstream, deployments).await;
        *self.trouble() = looked.as_ref().err().map(ToString::to_string);
        self.spread().send(looked?, Instant::now());
        Ok(())
    }

    fn trouble(&self) -> MutexGuard<'_, Option<String>> {
        self.0
            .trouble
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn newest(&self) -> Arc<World> {
        self.spread().newest()
    }

    fn spread(&self) -> MutexGuard<'_, Spread> {
        spread::lock(&self.0.spread)
    }

    fn policies(&self) -> MutexGuard<'_, Policies> {
        self.0
            .policies
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Correct for CloudFront {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.service == SERVICE
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        self.answered(request).boxed()
    }

    fn wrote(&self, operation: &Operation) {
        // Its own are looked at when they are made.
        if operation.service != SERVICE {
            self.0.nudged.notify_one();
        }
    }
}
