//! One registered target: the connections to it, the requests that it has in
//! hand, and how both end when it is deregistered.
//!
//! The pool is hyper-util's, one for each registration. Its executor runs every
//! connection only until the member is cut, so that cutting needs no list of
//! connections. The pool repeats a request by itself only if an idle connection
//! turned out to be closed before a byte of it was sent; nothing else here
//! repeats one.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hyper::Uri;
use hyper::http::uri::{PathAndQuery, Scheme};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioTimer;
use tokio_util::sync::CancellationToken;

use super::body::Upload;
use super::choose;
use super::config::{Arn, Target};
use super::tasks::Tasks;

/// AWS gives a connection to a target 10 s.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an idle connection is kept, whatever the load balancer's idle timeout:
/// AWS's default of it, as a pool cannot be told another while it lives.
const KEEP_IDLE: Duration = Duration::from_secs(60);

pub type Pool = Client<HttpConnector, Upload>;

#[derive(Debug)]
pub struct Member {
    target: Target,
    /// `IP:PORT`.
    authority: String,
    /// Its name in a cookie.
    mark: String,
    pool: Pool,
    in_flight: AtomicUsize,
    retired: AtomicBool,
    cut: CancellationToken,
}

impl Member {
    pub fn new(group: &Arn, target: Target, tasks: &Tasks) -> Arc<Self> {
        let cut = tasks.part();
        let leash = Leash {
            tasks: tasks.clone(),
            cut: cut.clone(),
        };
        Arc::new(Self {
            target,
            authority: target.address().to_string(),
            mark: choose::target_mark(group, target),
            pool: pool(leash),
            in_flight: AtomicUsize::new(0),
            retired: AtomicBool::new(false),
            cut,
        })
    }

    pub fn target(&self) -> Target {
        self.target
    }

    pub fn mark(&self) -> &str {
        &self.mark
    }

    /// Leave to send one request. None once it is retired.
    pub fn admit(self: &Arc<Self>) -> Option<Ticket> {
        // The count goes up before the look, and `retire` looks after it has
        // said so: one of both always sees the other.
        self.in_flight.fetch_add(1, Ordering::SeqCst);
        let ticket = Ticket(self.clone());
        (!self.retired.load(Ordering::SeqCst)).then_some(ticket)
    }

    /// No new request from now on. Connections are closed as soon as none is in
    /// hand: "if a deregistering target has no in-flight requests and no active
    /// connections, Elastic Load Balancing immediately completes the
    /// deregistration".
    pub fn retire(&self) {
        self.retired.store(true, Ordering::SeqCst);
        if self.in_flight.load(Ordering::SeqCst) == 0 {
            self.cut();
        }
    }

    /// Closes all connections, with whatever is in hand.
    pub fn cut(&self) {
        self.cut.cancel();
    }
}

/// One request in hand of a member.
#[derive(Debug)]
pub struct Ticket(Arc<Member>);

impl Ticket {
    /// The member's name in a cookie.
    pub fn mark(&self) -> &str {
        &self.0.mark
    }

    pub fn pool(&self) -> &Pool {
        &self.0.pool
    }

    /// Where the member has that path.
    ///
    /// # Errors
    /// If the parts make no URI.
    pub fn uri(&self, path: Option<PathAndQuery>) -> Result<Uri, hyper::http::Error> {
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.0.authority.as_str())
            .path_and_query(path.unwrap_or_else(|| PathAndQuery::from_static("/")))
            .build()
    }

    /// Waits until the member's connections are cut.
    pub async fn cut(&self) {
        self.0.cut.cancelled().await;
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let last = self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1;
        if last && self.0.retired.load(Ordering::SeqCst) {
            self.0.cut();
        }
    }
}

fn pool(leash: Leash) -> Pool {
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    connector.set_connect_timeout(Some(CONNECT_TIMEOUT));
    Client::builder(leash)
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(KEEP_IDLE)
        .build(connector)
}

/// Runs a pool's connections until their member is cut.
#[derive(Debug, Clone)]
struct Leash {
    tasks: Tasks,
    cut: CancellationToken,
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Leash {
    fn execute(&self, connection: F) {
        self.tasks.spawn_until(self.cut.clone(), connection);
    }
}
