//! An Application Load Balancer on this machine: listeners on real ports,
//! health checks that are really made, requests that are really forwarded.
//!
//! It is told what to do as AWS would be ([`Config`]: listeners, rules, target
//! groups, registered targets) and does it as AWS documents it. It knows nothing
//! of AWS's API, of emulators or of ECS: whoever owns it translates.
//!
//! Decisions, all pure:
//! - [`config`]: what it is told.
//! - `route`: which actions a request gets.
//! - `choose`: which target group and target a forward means.
//! - [`health`]: what a run of checks says of a target.
//! - `headers`, `answers`: what goes on, and what it answers itself.
//!
//! Effects:
//! - `authority`: the certificates of HTTPS listeners.
//! - `node`: a listener's socket on a node; `entrance`: what happens to a
//!   request there.
//! - `targets`: a target group at work; `member`: one target's connections;
//!   `checker`: the checks.
//! - `proxy`, `body`, `tunnel`, `pulse`: one exchange.
//!
//! # What it stands on
//! HTTP is hyper's. The pool of connections to a target is hyper-util's, which
//! already tells a request that was never sent from one that may have been, and
//! repeats only the former; it is used once for each registration, with an
//! executor that can end all its connections. The accept loop treats errors as
//! axum's does: one connection's are skipped, the system's are waited out. From
//! pingora's load balancer are the counting of checks in a row against the
//! present state, new connections for checks, the health of unchanged targets
//! being carried over to a new set of them, and a published list that requests
//! read without a lock.

mod answers;
mod authority;
mod body;
mod checker;
mod choose;
pub mod config;
mod entrance;
mod headers;
pub mod health;
mod member;
mod node;
mod proxy;
mod pulse;
mod route;
mod targets;
mod tasks;
mod tunnel;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpListener;

pub use authority::Authority;
pub use body::{Body, Cut};
pub use config::Config;
use config::{Arn, Listener, Target};
use entrance::{Entrance, View};
use health::Health;
use node::Door;
pub(crate) use route::is_of_pattern;
use targets::Group;
use tasks::Tasks;

/// A load balancer at work. Clones are the same one; when the last is dropped,
/// all ends as with [`Balancer::stop`].
#[derive(Debug, Clone)]
pub struct Balancer(Arc<Inner>);

/// Where a load balancer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The address of each node: as an Application Load Balancer has one in each
    /// of its zones.
    pub nodes: Vec<IpAddr>,
    pub ports: Ports,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ports {
    /// Any free port for each listener on each node; it stays while the listener
    /// lives. See [`Balancer::door`].
    Free,
    /// The listener's own port.
    Own,
}

/// A listener's port cannot be had. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for a listener of the load balancer: {source}; {}", hint(.source))]
pub struct Unbound {
    pub address: SocketAddr,
    pub source: io::Error,
}

#[derive(Debug)]
struct Inner {
    site: Site,
    authority: Arc<Authority>,
    tasks: Tasks,
    /// Held while a configuration is taken in, and its number.
    applying: tokio::sync::Mutex<u64>,
    config: RwLock<Arc<Config>>,
    lags: Mutex<Vec<Duration>>,
    doors: RwLock<BTreeMap<Place, Door>>,
    groups: RwLock<Arc<Groups>>,
}

pub(crate) type Groups = HashMap<Arn, Arc<Group>>;

type Secured = HashMap<u16, Arc<rustls::ServerConfig>>;

/// A listener on a node: the node's number and the listener's port.
type Place = (usize, u16);

impl Drop for Inner {
    fn drop(&mut self) {
        self.tasks.cancel();
    }
}

impl Balancer {
    /// A load balancer without a listener. It does its work in the runtime that
    /// [`Balancer::apply`] is called in.
    pub fn new(site: Site) -> Self {
        Self::certified_by(Arc::default(), site)
    }

    /// The same; its certificates are made by that authority.
    pub fn certified_by(authority: Arc<Authority>, site: Site) -> Self {
        let lags = Mutex::new(vec![Duration::ZERO; site.nodes.len()]);
        Self(Arc::new(Inner {
            site,
            authority,
            tasks: Tasks::new(),
            applying: tokio::sync::Mutex::new(0),
            config: RwLock::default(),
            lags,
            doors: RwLock::default(),
            groups: RwLock::default(),
        }))
    }

    /// Takes in a configuration; an equal one again costs nothing.
    ///
    /// At once: listeners are opened and closed, targets are registered and
    /// deregistered, health checks begin and end. Targets that stay keep their
    /// health and their connections; new settings of checks begin them anew.
    ///
    /// What a listener that stays *does*, and the idle timeout, changes on each
    /// node after that node's lag.
    ///
    /// # Errors
    /// If a port cannot be had, or a certificate not be made; nothing is changed
    /// then.
    pub async fn apply(&self, config: Config) -> Result<(), Unbound> {
        let mut number = self.0.applying.lock().await;
        if *self.config() == config {
            return Ok(());
        }
        let secured = self.0.secured(&config)?;
        let sockets = self.0.bind_new(&config).await?;
        *number += 1;
        // From here to the end of the changes there is no await: who gives up
        // waiting for this does not leave it half done.
        let groups = Arc::new(self.0.tell_groups(&config));
        let removed = self.0.close_removed(&config);
        let views = views(&config, &groups, &secured, *number);
        self.0.show_changed(&views);
        self.0.open_new(sockets, &views);
        *write(&self.0.groups) = groups;
        *write(&self.0.config) = Arc::new(config);
        for door in removed {
            door.closed().await;
        }
        Ok(())
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> usize {
        self.0.site.nodes.len()
    }

    /// How long a node takes to hear of later changes of listeners; at first
    /// none. Does nothing for a node that there is not.
    pub fn set_lag(&self, node: usize, lag: Duration) {
        if let Some(place) = lock(&self.0.lags).get_mut(node) {
            *place = lag;
        }
    }

    /// What it was told last.
    pub fn config(&self) -> Arc<Config> {
        read(&self.0.config).clone()
    }

    /// Of all registered and draining targets, in the order of their addresses.
    /// Empty for a group that no listener names.
    pub fn health(&self, group: &Arn) -> Vec<(Target, Health)> {
        let group = read(&self.0.groups).get(group).cloned();
        group.map(|group| group.health()).unwrap_or_default()
    }

    /// Where a listener's port is on a node. None if there is no such listener.
    pub fn door(&self, node: usize, port: u16) -> Option<SocketAddr> {
        read(&self.0.doors).get(&(node, port)).map(Door::address)
    }

    /// Where a listener's port is, on all nodes in their order.
    pub fn doors(&self, port: u16) -> Vec<SocketAddr> {
        read(&self.0.doors)
            .iter()
            .filter(|((_, own), _)| *own == port)
            .map(|(_, door)| door.address())
            .collect()
    }

    /// Serves a request that came another way than by the listener's port. 502
    /// if there is no such listener, as if its port had refused the connection.
    pub async fn serve(
        &self,
        node: usize,
        port: u16,
        client: IpAddr,
        request: Request<Incoming>,
    ) -> Response<Body> {
        let entrance = read(&self.0.doors)
            .get(&(node, port))
            .map(|door| door.entrance().clone());
        match entrance {
            Some(entrance) => entrance.serve(client, request).await,
            None => answers::page(StatusCode::BAD_GATEWAY),
        }
    }

    /// Closes all ports and connections, ends all checks, and waits until that
    /// is done. A stopped load balancer does not start again.
    pub async fn stop(&self) {
        let _done_applying = self.0.applying.lock().await;
        self.0.tasks.end().await;
        write(&self.0.doors).clear();
        *write(&self.0.groups) = Arc::default();
    }
}

impl Inner {
    /// Sockets for the listeners that are new.
    async fn bind_new(&self, config: &Config) -> Result<Vec<Socket>, Unbound> {
        let mut sockets = Vec::new();
        for place in self.places(config) {
            if read(&self.doors).contains_key(&place) {
                continue;
            }
            let (node, port) = place;
            let port = match self.site.ports {
                Ports::Free => 0,
                Ports::Own => port,
            };
            let address = SocketAddr::new(self.site.nodes[node], port);
            let socket = bind(place, address)
                .await
                .map_err(|source| Unbound { address, source })?;
            sockets.push(socket);
        }
        Ok(sockets)
    }

    /// What HTTPS listeners answer with, by their ports.
    fn secured(&self, config: &Config) -> Result<Secured, Unbound> {
        let all = config.listeners.iter();
        let all = all.filter_map(|one| Some((one.port, one.tls.as_ref()?)));
        all.map(|(port, tls)| match self.authority.config(tls) {
            Ok(config) => Ok((port, config)),
            Err(error) => Err(Unbound {
                address: SocketAddr::new(self.site.nodes[0], port),
                source: io::Error::other(error),
            }),
        })
        .collect()
    }

    fn places(&self, config: &Config) -> BTreeSet<Place> {
        let nodes = 0..self.site.nodes.len();
        nodes
            .flat_map(|node| config.listeners.iter().map(move |one| (node, one.port)))
            .collect()
    }

    fn tell_groups(&self, config: &Config) -> Groups {
        let mut before = Groups::clone(&read(&self.groups));
        let mut groups = HashMap::new();
        for told in &config.target_groups {
            let group = match before.remove(&told.arn) {
                Some(group) => {
                    group.tell(told);
                    group
                }
                None => Group::new(told, &self.tasks),
            };
            groups.insert(told.arn.clone(), group);
        }
        for group in before.values() {
            group.detach();
        }
        groups
    }

    /// Gives the doors of listeners that are no more, closed.
    fn close_removed(&self, config: &Config) -> Vec<Door> {
        let wanted = self.places(config);
        write(&self.doors)
            .extract_if(.., |place, _| !wanted.contains(place))
            .map(|(_, door)| door)
            .inspect(Door::close)
            .collect()
    }

    fn show_changed(&self, views: &HashMap<u16, Arc<View>>) {
        let lags = lock(&self.lags).clone();
        for ((node, port), door) in read(&self.doors).iter() {
            if let Some(view) = views.get(port) {
                self.show_after(lags[*node], door, view.clone());
            }
        }
    }

    fn show_after(&self, lag: Duration, door: &Door, view: Arc<View>) {
        if lag.is_zero() {
            return door.entrance().show(view);
        }
        let entrance = door.entrance().clone();
        self.tasks.spawn_until(door.closing(), async move {
            tokio::time::sleep(lag).await;
            entrance.show(view);
        });
    }

    fn open_new(&self, sockets: Vec<Socket>, views: &HashMap<u16, Arc<View>>) {
        for socket in sockets {
            let (_, port) = socket.place;
            let Some(view) = views.get(&port) else {
                continue;
            };
            let entrance = Entrance::new(view.clone(), &self.tasks);
            let door = Door::open(socket.listener, socket.address, entrance, &self.tasks);
            write(&self.doors).insert(socket.place, door);
        }
    }
}

/// A port that is had and not yet answered at.
struct Socket {
    place: Place,
    address: SocketAddr,
    listener: TcpListener,
}

async fn bind(place: Place, address: SocketAddr) -> io::Result<Socket> {
    let listener = TcpListener::bind(address).await?;
    Ok(Socket {
        place,
        address: listener.local_addr()?,
        listener,
    })
}

/// Of each listener, by its port.
fn views(
    config: &Config,
    groups: &Arc<Groups>,
    secured: &Secured,
    number: u64,
) -> HashMap<u16, Arc<View>> {
    let view = |listener: &Listener| View {
        tls: secured.get(&listener.port).cloned(),
        number,
        listener: listener.clone(),
        groups: groups.clone(),
        idle_timeout: config.idle_timeout,
    };
    config
        .listeners
        .iter()
        .map(|listener| (listener.port, Arc::new(view(listener))))
        .collect()
}

fn hint(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for root: run it as root, or let it take free ports"
        }
        io::ErrorKind::AddrInUse => "end the program that listens there, or let it take free ports",
        io::ErrorKind::AddrNotAvailable => "give it an address that this machine has",
        _ => "give it another address or port",
    }
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}

fn lock<T>(lock: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
