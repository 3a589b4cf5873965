//! DNS for the zones of Route 53 that an emulator stores and nobody serves: one
//! name server for all of them, and resolvers in front of it that keep what they
//! were answered.
//!
//! The emulator's word on record sets holds. What it lacks is time: "Route 53
//! propagates changes to all Route 53 authoritative DNS servers within 60 seconds
//! under normal conditions"
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>).
//! So a change that comes through the gate is served after a delay, and is `PENDING`
//! until then.
//!
//! - `zones`: what the emulator says, typed, and what is answered of it (pure).
//! - `authority`: the name server's mind; `keeper`: a resolver's.
//! - `serve`: sockets and messages, by hickory-server.

mod authority;
mod keeper;
mod serve;
mod zones;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::Method;

use super::call::Correct;
use super::cdn::Cdn;
use super::elb::Elb;
use super::request::{Answer, Operation, Request};
use super::upstream::{Failed, Upstream};
use authority::Authority;
use keeper::Keeper;

const SERVICE: &str = "route53";

/// What names are resolved by, on this machine.
#[derive(Debug, Clone)]
pub struct Options {
    /// Until a change is served, and in sync.
    pub delay: Duration,
    /// That of the name server; each resolver has the next. None is any free one.
    pub port: Option<u16>,
    /// One for each resolver: for how long it keeps an answer at least, whatever its
    /// TTL.
    pub resolvers: Vec<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delay: Duration::from_millis(500),
            port: None,
            resolvers: vec![Duration::ZERO],
        }
    }
}

/// Where it answers.
#[derive(Debug, Clone)]
pub struct Dns {
    /// The name server of every zone: it keeps nothing.
    pub authority: SocketAddr,
    /// In the order of the options.
    pub resolvers: Vec<SocketAddr>,
}

/// Changes of Route 53, which take their time.
#[derive(Debug, Clone)]
pub(super) struct Route53 {
    authority: Arc<Authority>,
    upstream: Upstream,
}

/// Starts all of it, in the present runtime, with which it ends.
///
/// # Errors
/// If this machine has no free port.
pub(super) fn start(
    upstream: &Upstream,
    (elb, cdn): (&Elb, Option<&Cdn>),
    options: &Options,
) -> std::io::Result<(Dns, Route53)> {
    let authority = Arc::new(Authority::new(
        upstream.clone(),
        (elb.clone(), cdn.cloned()),
        options.delay,
    ));
    let here = Ipv4Addr::LOCALHOST;
    let mut ports = options.port.into_iter().flat_map(|first| first..);
    let mut place = || (here, ports.next().unwrap_or(0));
    let first = serve::start(place(), Arc::clone(&authority))?;
    let mut resolvers = Vec::new();
    for least in &options.resolvers {
        let keeper = Keeper::new(Arc::clone(&authority), *least);
        resolvers.push(serve::start(place(), Arc::new(keeper))?);
    }
    let dns = Dns {
        authority: first,
        resolvers,
    };
    let route53 = Route53 {
        authority,
        upstream: upstream.clone(),
    };
    Ok((dns, route53))
}

/// `/2013-04-01/hostedzone/ZONE/rrset`
fn zone_of(request: &Request) -> Option<&str> {
    let path = request.head.uri.path().trim_end_matches('/');
    let zone = path.strip_suffix("/rrset")?;
    zone.rsplit('/').next()
}

/// `/2013-04-01/change/ID`
fn change_of(request: &Request) -> Option<&str> {
    let path = request.head.uri.path();
    path.contains("/change/")
        .then(|| path.rsplit('/').next())
        .flatten()
}

impl Route53 {
    async fn answered(&self, request: &Request) -> Result<Answer, Failed> {
        if request.head.method == Method::GET {
            let answer = self.upstream.forward(request).await?;
            let change = change_of(request).unwrap_or_default();
            return Ok(match self.authority.is_pending(change) {
                true => pending(answer),
                false => answer,
            });
        }
        let zone = zone_of(request).unwrap_or_default();
        let before = self.authority.zone(zone).await?;
        let answer = self.upstream.forward(request).await?;
        if !answer.status.is_success() {
            return Ok(answer);
        }
        let change = zones::change_id(&String::from_utf8_lossy(&answer.body));
        self.authority.changed(before, change.unwrap_or_default());
        Ok(pending(answer))
    }
}

/// The same answer, of a change that is not everywhere yet.
fn pending(answer: Answer) -> Answer {
    let body = String::from_utf8_lossy(&answer.body);
    let body = body.replace("<Status>INSYNC<", "<Status>PENDING<");
    Answer {
        body: body.into_bytes().into(),
        ..answer
    }
}

impl Correct for Route53 {
    fn corrects(&self, operation: &Operation) -> bool {
        let name = &operation.name;
        operation.service == SERVICE
            && (name.starts_with("GET ") && name.contains("/change/")
                || name.starts_with("POST ") && name.trim_end_matches('/').ends_with("/rrset"))
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        self.answered(request).boxed()
    }
}
