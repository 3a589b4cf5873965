//! Where the parts meet: what the pipeline and the front ask of others, answered
//! by the ones that know. It decides nothing but which node of a load balancer
//! a connection meets.

use std::net::Ipv4Addr;
use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hyper::body::Incoming;
use hyper::{Response, StatusCode};

use super::Options;
use super::api_domains::ApiDomains;
use super::autoscaling::Autoscaling;
use super::body::{self, Body};
use super::call::Correct;
use super::cdn;
use super::dns;
use super::ecs::Ecs;
use super::elb::{Elb, Sites};
use super::front::{Traffic, Visitor};
use super::lightsail::{self, Lightsail};
use super::request::{Answer, Operation, Request};
use super::upstream::{Failed, Upstream};
use crate::Error;

/// What makes an emulator behave like AWS.
#[derive(Default)]
pub struct Services {
    /// The first that corrects an operation is asked.
    pub correctors: Vec<Arc<dyn Correct>>,
    /// None if the emulator serves load balancers by itself.
    pub traffic: Option<Arc<dyn Traffic>>,
    /// None if the gate corrects nothing.
    pub corrected: Option<Corrected>,
}

impl Services {
    /// Serves distributions as well, and has changes of theirs take their time.
    ///
    /// # Errors
    /// If the port is taken, or this machine has not the addresses.
    pub(super) fn add_cdn(
        &mut self,
        upstream: &Upstream,
        options: Option<&cdn::Options>,
    ) -> Result<Option<cdn::Cdn>, Error> {
        let (Some(options), Some(corrected)) = (options, &self.corrected) else {
            return Ok(None);
        };
        let (cdn, cloudfront) = cdn::start(upstream, &corrected.elb, options)?;
        self.correctors.push(Arc::new(cloudfront));
        Ok(Some(cdn))
    }

    /// Serves names as well, those of the distributions included, and has changes of theirs take their time.
    ///
    /// # Errors
    /// If this machine has no free port.
    pub(super) fn add_dns(
        &mut self,
        upstream: &Upstream,
        cdn: Option<&cdn::Cdn>,
        options: Option<&dns::Options>,
    ) -> std::io::Result<Option<dns::Dns>> {
        let (Some(options), Some(corrected)) = (options, &self.corrected) else {
            return Ok(None);
        };
        let (dns, route53) = dns::start(upstream, (&corrected.elb, cdn), options)?;
        self.correctors.push(Arc::new(route53));
        Ok(Some(dns))
    }

    /// Keeps an account of Lightsail as well.
    pub(super) fn add_lightsail(
        &mut self,
        options: Option<&lightsail::Options>,
    ) -> Option<Lightsail> {
        let lightsail = Lightsail::new(options?);
        self.correctors.push(Arc::new(lightsail.clone()));
        Some(lightsail)
    }
}

/// The services that the gate corrects, to be shown.
#[derive(Debug, Clone)]
pub struct Corrected {
    pub elb: Elb,
    pub autoscaling: Autoscaling,
    ecs: Ecs,
}

impl Corrected {
    /// What keeps them from their work, if anything does.
    pub fn trouble(&self) -> Option<String> {
        let all = [self.elb.trouble(), self.ecs.trouble()];
        all.into_iter()
            .flatten()
            .reduce(|one, other| one + "; " + &other)
    }
}

/// Starts them, in the present runtime, with which they end.
pub fn start(upstream: &Upstream, options: &Options) -> Services {
    let elb = Elb::new(
        upstream.clone(),
        Sites {
            first: Ipv4Addr::LOCALHOST,
            nodes: options.nodes,
            ports: options.ports,
        },
    );
    let healths = {
        let elb = elb.clone();
        Arc::new(move |group: &_| elb.health_of(group))
    };
    let ecs = Ecs::new(upstream.clone(), healths);
    tokio::spawn(elb.clone().watch());
    tokio::spawn(ecs.clone().watch());
    let autoscaling = Autoscaling::new(upstream.clone());
    let domains = Arc::new(ApiDomains::new(upstream.clone(), Arc::new(elb.clone())));
    Services {
        correctors: vec![
            Arc::new(elb.clone()),
            Arc::new(ecs.clone()),
            domains.clone(),
            Arc::new(autoscaling.clone()),
        ],
        traffic: Some(domains),
        corrected: Some(Corrected {
            elb,
            autoscaling,
            ecs,
        }),
    }
}

impl Correct for Elb {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.service == "elasticloadbalancing"
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        self.answer(request).boxed()
    }

    fn wrote(&self, _: &Operation) {
        self.nudge();
    }
}

impl Correct for Ecs {
    fn corrects(&self, operation: &Operation) -> bool {
        operation.service == "ecs"
    }

    fn answer<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<Answer, Failed>> {
        self.answer(request).boxed()
    }
}

impl Traffic for Elb {
    fn tls(&self) -> Option<Arc<rustls::ServerConfig>> {
        Self::tls(self)
    }

    fn takes(&self, host: &str) -> bool {
        self.balancer_of(host).is_some()
    }

    fn serve(
        &self,
        visitor: Visitor,
        host: String,
        request: hyper::Request<Incoming>,
    ) -> BoxFuture<'_, Response<Body>> {
        let found = self.balancer_of(&host);
        async move {
            let Some((balancer, port)) = found else {
                // It went between the two questions.
                return gone();
            };
            // As with a name that stands for all nodes: a connection meets one
            // of them, and stays with it.
            let node = visitor.node % balancer.nodes().max(1);
            let response = balancer.serve(node, port, visitor.client, request).await;
            response.map(body::streamed)
        }
        .boxed()
    }
}

fn gone() -> Response<Body> {
    let mut response = Response::new(body::whole("the load balancer is gone\n"));
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
