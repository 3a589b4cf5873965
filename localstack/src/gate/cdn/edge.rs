//! An edge: an address, what it goes by, and what it has kept.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Collected};
use hyper::body::Incoming;
use hyper::header::HOST;
use hyper::{Method, Request, Response, StatusCode, Uri};
use rustls::ServerConfig;
use tokio::net::TcpListener;

use super::cache::{self, Cache, Kept, Key};
use super::distribution::{Behaviour, Distribution, World};
use super::origin::{Origins, Unreached};
use super::page::{self, Source};
use super::spread::{self, Shared};
use super::{OWN_NAMES, route};
use crate::balancer::config::{Arn, Certificate, Tls};
use crate::gate::body::{self, Body};
use crate::gate::elb::Elb;
use crate::gate::wire;

/// How long to wait when the system has no socket left for a connection.
const RESPITE: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub struct Edge {
    number: usize,
    spread: Shared,
    origins: Origins,
    cache: Mutex<Cache>,
}

/// Who asks, and how.
#[derive(Debug, Clone, Copy)]
struct Visit {
    viewer: IpAddr,
    is_secured: bool,
}

impl Edge {
    pub fn new(number: usize, spread: Shared, elb: Elb) -> Self {
        Self {
            number,
            spread,
            origins: Origins::new(elb),
            cache: Mutex::default(),
        }
    }

    /// Answers what comes there. Never ends by itself.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) -> Infallible {
        loop {
            let Ok((stream, viewer)) = listener.accept().await else {
                tokio::time::sleep(RESPITE).await;
                continue;
            };
            let (edge, certifying) = (self.clone(), self.clone());
            let answer = move |is_secured, request| {
                let edge = edge.clone();
                let visit = Visit {
                    viewer: viewer.ip(),
                    is_secured,
                };
                async move { Ok::<_, Infallible>(edge.answer(visit, request).await) }
            };
            let tls = move || certifying.certificates();
            tokio::spawn(wire::converse(stream, tls, answer));
        }
    }

    /// One for each distribution; who asks for no name of theirs gets that of
    /// CloudFront itself.
    fn certificates(&self) -> Option<Arc<ServerConfig>> {
        let own = Certificate {
            arn: Arn::new("cloudfront"),
            names: vec![OWN_NAMES.to_owned()],
        };
        let world = self.world(Instant::now());
        let others = world.0.iter().map(|one| Certificate {
            arn: Arn::new(one.id.as_str()),
            names: one.aliases.clone(),
        });
        let others = others.filter(|one| !one.names.is_empty());
        self.origins.elb.certified(&Tls {
            certificates: [own].into_iter().chain(others).collect(),
            ..Tls::default()
        })
    }

    fn world(&self, now: Instant) -> Arc<World> {
        spread::lock(&self.spread).seen_by(self.number, now)
    }

    async fn answer(&self, visit: Visit, request: Request<Incoming>) -> Response<Body> {
        let world = self.world(Instant::now());
        let host = request.headers().get(HOST);
        let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
        let primary = route::distribution(&world, host);
        let Some(primary) = primary.filter(|one| one.is_enabled) else {
            let reason = "Bad request. We can't connect to the server for this app or website.";
            return self.refused(StatusCode::FORBIDDEN, reason);
        };
        let chance = fastrand::f64();
        let distribution = route::taken(&world, primary, request.headers(), chance);
        let Some(behaviour) = route::behaviour(distribution, request.uri().path()) else {
            return self.unreached(Unreached::NotThere);
        };
        if let Some(mut answer) = not_by(behaviour, visit.is_secured, host, &request) {
            page::signed(answer.headers_mut(), Source::Error, self.number);
            return answer;
        }
        self.content((distribution, behaviour), visit, request)
            .await
    }

    /// From what is kept, or from the origin.
    async fn content(
        &self,
        by: (&Distribution, &Behaviour),
        visit: Visit,
        mut request: Request<Incoming>,
    ) -> Response<Body> {
        let root = by.0.root_object.as_deref();
        *request.uri_mut() = rooted(request.uri(), root);
        let path = request.uri().path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let key = (by.0.id.clone(), path.to_owned());
        let may_be_kept = [Method::GET, Method::HEAD].contains(request.method());
        if may_be_kept && let Some(kept) = self.kept(&key) {
            return kept;
        }
        let mut answer = match self.fetched(by, visit, request, key).await {
            Ok(answer) => answer,
            Err(unreached) => return self.unreached(unreached),
        };
        let source = match answer.status().as_u16() {
            101 => return answer,
            400.. => Source::Error,
            _ => Source::Miss,
        };
        page::signed(answer.headers_mut(), source, self.number);
        answer
    }

    /// From the origin; kept, if it may be.
    async fn fetched(
        &self,
        by: (&Distribution, &Behaviour),
        visit: Visit,
        request: Request<Incoming>,
        key: Key,
    ) -> Result<Response<Body>, Unreached> {
        let (distribution, behaviour) = by;
        let mut origins = distribution.origins.iter();
        let origin = origins.find(|origin| origin.id == behaviour.origin);
        let origin = origin.ok_or(Unreached::NotThere)?;
        let is_whole = request.method() == Method::GET;
        let asked = Instant::now();
        let viewer = (visit.viewer, visit.is_secured);
        let mut answer = self
            .origins
            .ask((origin, behaviour), viewer, request)
            .await?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            return Ok(answer);
        }
        body::end_to_end(answer.headers_mut());
        let ttl = behaviour.ttls.of(answer.headers());
        match is_whole && cache::is_kept(&answer) && !ttl.is_zero() {
            true => self.keep(key, answer, asked, ttl).await,
            false => Ok(answer),
        }
    }

    fn kept(&self, key: &Key) -> Option<Response<Body>> {
        let now = Instant::now();
        let spread = spread::lock(&self.spread);
        let cache = self.cache();
        let kept = cache.get(key, now, |asked| {
            spread.is_invalid((self.number, now), (&key.0, &key.1), asked)
        })?;
        let mut answer = Response::new(body::whole(kept.body.clone()));
        *answer.status_mut() = kept.status;
        *answer.headers_mut() = kept.headers.clone();
        page::aged(answer.headers_mut(), (now - kept.asked).as_secs());
        page::signed(answer.headers_mut(), Source::Hit, self.number);
        Some(answer)
    }

    async fn keep(
        &self,
        key: Key,
        answer: Response<Body>,
        asked: Instant,
        ttl: Duration,
    ) -> Result<Response<Body>, Unreached> {
        let (head, body) = answer.into_parts();
        let body = body.collect().await.map(Collected::to_bytes);
        let body = body.map_err(|_| Unreached::NotThere)?;
        let kept = Kept {
            status: head.status,
            headers: head.headers.clone(),
            body: body.clone(),
            asked,
            until: asked + ttl,
        };
        self.cache().keep(key, kept);
        Ok(Response::from_parts(head, body::whole(body)))
    }

    fn unreached(&self, unreached: Unreached) -> Response<Body> {
        self.refused(unreached.status(), &unreached.to_string())
    }

    fn refused(&self, status: StatusCode, reason: &str) -> Response<Body> {
        let mut answer = page::error(status, reason);
        page::signed(answer.headers_mut(), Source::Error, self.number);
        answer
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a behaviour has answered to a request that it is not for, whatever the origin
/// would say.
fn not_by<B>(
    behaviour: &Behaviour,
    is_secured: bool,
    host: &str,
    request: &Request<B>,
) -> Option<Response<Body>> {
    match behaviour.viewers.as_str() {
        "redirect-to-https" if !is_secured => {
            let path = request.uri().path_and_query();
            let path = path.map_or("/", |path| path.as_str());
            return Some(page::to_https(host, path));
        }
        "https-only" if !is_secured => {
            return Some(page::error(StatusCode::FORBIDDEN, "Bad request."));
        }
        _ => {}
    }
    let method = request.method().as_str();
    let is_allowed = behaviour.methods.iter().any(|it| it == method);
    let reason = "This distribution is not configured to allow the HTTP request method that was \
                  used for this request.";
    (!is_allowed).then(|| page::error(StatusCode::FORBIDDEN, reason))
}

/// The root is the default root object:
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DefaultRootObject.html>.
fn rooted(uri: &Uri, root: Option<&str>) -> Uri {
    let Some(root) = root.filter(|_| uri.path() == "/") else {
        return uri.clone();
    };
    let query = uri.query().map(|query| format!("?{query}"));
    let rooted = format!("/{root}{}", query.unwrap_or_default());
    rooted.parse().unwrap_or_else(|_| uri.clone())
}

#[cfg(test)]
mod tests;
