//! The gate's own sockets: at 127.0.0.1 alone, or at one address for each node of
//! a load balancer.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use super::{Addresses, Options};
use crate::{Error, Result};

/// What is free at one address may be taken at another: then the next free port
/// is tried.
const TRIES: u32 = 16;

/// A socket that is bound, and not accepted from yet.
pub struct Socket {
    pub address: SocketAddr,
    /// The node that stands behind this address, if one does.
    pub node: Option<usize>,
    listener: TcpListener,
}

impl Socket {
    /// Of the present runtime.
    ///
    /// # Errors
    /// If the runtime does not take it.
    pub fn listener(self) -> Result<tokio::net::TcpListener> {
        let address = self.address;
        tokio::net::TcpListener::from_std(self.listener)
            .map_err(|source| Error::GatePort { address, source })
    }
}

/// At least one, the first at 127.0.0.1, all at one port.
///
/// # Errors
/// If the port is taken, or this machine has not the addresses.
pub fn open(options: &Options) -> Result<Vec<Socket>> {
    let nodes = match options.addresses {
        Addresses::One => None,
        Addresses::EachNode => Some(options.nodes),
    };
    at((Ipv4Addr::LOCALHOST, nodes), options.port)
}

/// One at each of so many addresses, all at one port.
///
/// # Errors
/// As [`open`].
pub fn at_each(first: Ipv4Addr, count: u32, port: Option<u16>) -> Result<Vec<Socket>> {
    at((first, Some(count)), port)
}

fn at(sites: Sites, port: Option<u16>) -> Result<Vec<Socket>> {
    match port {
        Some(port) => at_port(port, sites, bind),
        None => at_a_free_port(sites, bind),
    }
}

/// The first address, and how many nodes there are, if each has one.
type Sites = (Ipv4Addr, Option<u32>);

fn at_a_free_port(
    sites: Sites,
    bind: impl Fn(SocketAddr) -> io::Result<TcpListener>,
) -> Result<Vec<Socket>> {
    for _ in 1..TRIES {
        match at_port(0, sites, &bind) {
            Err(Error::GatePort { source, .. }) if source.kind() == ErrorKind::AddrInUse => {}
            opened => return opened,
        }
    }
    at_port(0, sites, bind)
}

/// Port 0 is a free one of the first address, which the others have to have too.
fn at_port(
    mut port: u16,
    sites: Sites,
    bind: impl Fn(SocketAddr) -> io::Result<TcpListener>,
) -> Result<Vec<Socket>> {
    let (first, nodes) = sites;
    let first = u32::from(first);
    let places = 0..nodes.unwrap_or(1).max(1);
    let mut sockets = Vec::new();
    for place in places {
        let ip = Ipv4Addr::from(first.wrapping_add(place));
        let address = SocketAddr::from((ip, port));
        let refused = |source| Error::GatePort { address, source };
        let listener = bind(address).map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        port = address.port();
        sockets.push(Socket {
            address,
            node: nodes.map(|_| sockets.len()),
            listener,
        });
    }
    Ok(sockets)
}

fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Only Linux has more than one address of its own by itself.
#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn here(nodes: u32) -> Sites {
        (Ipv4Addr::LOCALHOST, Some(nodes))
    }

    fn options(port: Option<u16>, addresses: Addresses) -> Options {
        Options {
            port,
            addresses,
            nodes: 3,
            ..Options::default()
        }
    }

    #[test]
    fn a_socket_for_each_node_is_at_an_address_of_its_own_and_at_the_port_of_all() {
        let sockets = open(&options(None, Addresses::EachNode)).unwrap();
        let port = sockets[0].address.port();
        let places: Vec<_> = sockets
            .iter()
            .map(|socket| (socket.address.to_string(), socket.node))
            .collect();
        let place = |n: usize| (format!("127.0.0.{}:{port}", n + 1), Some(n));
        assert_eq!(places, [place(0), place(1), place(2)]);
    }

    #[test]
    fn one_address_stands_for_all_nodes() {
        let sockets = open(&options(None, Addresses::One)).unwrap();
        assert_eq!((sockets.len(), sockets[0].node), (1, None));
    }

    #[test]
    fn a_free_port_is_one_that_is_free_at_every_address() {
        let refusals = Cell::new(0);
        let bind_late = |address: SocketAddr| {
            if address.ip() != Ipv4Addr::LOCALHOST && refusals.get() < 2 {
                refusals.set(refusals.get() + 1);
                return Err(ErrorKind::AddrInUse.into());
            }
            bind(address)
        };
        assert_eq!(at_a_free_port(here(3), bind_late).unwrap().len(), 3);
        assert_eq!(refusals.get(), 2);
    }

    #[test]
    fn a_port_that_is_free_nowhere_is_given_up() {
        let tries = Cell::new(0);
        let never = |_| {
            tries.set(tries.get() + 1);
            Err(ErrorKind::AddrInUse.into())
        };
        assert!(at_a_free_port(here(3), never).is_err());
        assert_eq!(tries.get(), TRIES);
    }

    #[test]
    fn a_given_port_that_is_taken_at_one_address_is_an_error_that_names_it() {
        let taken = bind(SocketAddr::from(([127, 0, 0, 2], 0))).unwrap();
        let port = taken.local_addr().unwrap().port();
        let each_node = options(Some(port), Addresses::EachNode);
        let text = open(&each_node).map(drop).unwrap_err().to_string();
        assert!(text.contains(&format!("127.0.0.2:{port}")), "{text}");
        assert!(text.contains("give the gate another port"), "{text}");
    }

    #[test]
    fn addresses_that_a_machine_has_not_are_an_error_that_says_what_to_do() {
        let only_the_first = |address: SocketAddr| match address.ip() == Ipv4Addr::LOCALHOST {
            true => bind(address),
            false => Err(ErrorKind::AddrNotAvailable.into()),
        };
        let error = at_a_free_port(here(2), only_the_first).map(drop);
        let text = error.unwrap_err().to_string();
        assert!(text.contains("127.0.0.2:"), "{text}");
        assert!(text.contains("give this machine that address"), "{text}");
    }
}
