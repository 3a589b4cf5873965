//! Static addresses that lead to instances: TCP, at some ports.
//!
//! An address listens while it leads to an instance and at no other time, so that a
//! connection is refused then. When it leads elsewhere, the connections to where it
//! led are cut: the other instance would know nothing of them.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Nothing tells when an address may be listened at (again).
const BETWEEN_TRIES: Duration = Duration::from_millis(10);

/// Where an address leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    pub to: Ipv4Addr,
    /// From when on it does.
    pub opens: Instant,
}

#[derive(Debug)]
pub struct Plane {
    ports: Vec<u16>,
    /// By address. Whoever serves one ends when this is dropped.
    served: BTreeMap<Ipv4Addr, watch::Sender<Option<Route>>>,
}

impl Plane {
    pub fn new(ports: Vec<u16>) -> Self {
        Self {
            ports,
            served: BTreeMap::new(),
        }
    }

    /// Serves these addresses and no others, in the present runtime.
    pub fn follow(&mut self, routes: &BTreeMap<Ipv4Addr, Option<Route>>) {
        self.served
            .retain(|address, _| routes.contains_key(address));
        for (address, route) in routes {
            let ports = &self.ports;
            let served = self.served.entry(*address);
            let served = served.or_insert_with(|| begin(*address, ports));
            served.send_if_modified(|now| std::mem::replace(now, *route) != *route);
        }
    }
}

fn begin(address: Ipv4Addr, ports: &[u16]) -> watch::Sender<Option<Route>> {
    let (sender, _) = watch::channel(None);
    for port in ports {
        let place = SocketAddr::from((address, *port));
        tokio::spawn(serve(place, sender.subscribe()));
    }
    sender
}

/// Until nobody says any more where it leads.
async fn serve(place: SocketAddr, mut routes: watch::Receiver<Option<Route>>) {
    let mut listener = None;
    loop {
        let route = *routes.borrow_and_update();
        tokio::select! {
            biased;
            changed = routes.changed() => if changed.is_err() { return },
            () = lead(place, route, &mut listener) => {}
        }
    }
}

/// Never ends by itself. It leaves the listener to the next, who may need it: an address
/// that moves in no time refuses nobody.
async fn lead(place: SocketAddr, route: Option<Route>, listener: &mut Option<TcpListener>) {
    let Some(Route { to, opens }) = route else {
        *listener = None;
        return std::future::pending().await;
    };
    if opens > Instant::now() {
        *listener = None;
        tokio::time::sleep_until(opens.into()).await;
    }
    let listener = match listener {
        Some(listener) => listener,
        None => listener.insert(listen(place).await),
    };
    let to = SocketAddr::from((to, place.port()));
    // What is in here ends with this.
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((client, _)) => drop(connections.spawn(connect(client, to))),
            Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn listen(place: SocketAddr) -> TcpListener {
    loop {
        match TcpListener::bind(place).await {
            Ok(listener) => return listener,
            Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
        }
    }
}

/// A client of an instance that does not answer is left without an answer too.
async fn connect(mut client: TcpStream, to: SocketAddr) {
    let Ok(mut instance) = TcpStream::connect(to).await else {
        return;
    };
    // Only a matter of speed.
    let _ = (client.set_nodelay(true), instance.set_nodelay(true));
    // Either may leave when it likes.
    let _ = tokio::io::copy_bidirectional(&mut client, &mut instance).await;
}
