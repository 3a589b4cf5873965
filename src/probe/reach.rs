//! Connections without a request: whether this machine can reach an address at all.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::nodes::Nodes;
use crate::model::{Knock, Unreached};

/// Between two rounds over nodes that refuse.
const PAUSE: Duration = Duration::from_millis(100);

/// Set if no node accepted a connection in all of that time. Refusals come fast, so two
/// of them must not count against a listener that is only late. A name without an address
/// does not count as unreachable yet.
pub async fn unreached(address: &Address, patience: Duration) -> Option<Unreached> {
    let nodes = Nodes::of(address).await.now().ok()?;
    let deadline = Instant::now() + patience;
    loop {
        let knocks = knock_at(&nodes, patience).await;
        let unreached = Unreached::of(address.to_string(), patience, knocks)?;
        if Instant::now() >= deadline {
            return Some(unreached);
        }
        sleep(PAUSE).await;
    }
}

/// Tries all at once, until one accepts the connection.
async fn knock_at(nodes: &[SocketAddr], patience: Duration) -> Vec<(SocketAddr, Knock)> {
    let knock = |node: SocketAddr| async move { (node, knock(node, patience).await) };
    let mut knocking: FuturesUnordered<_> = nodes.iter().copied().map(knock).collect();
    let mut knocks = Vec::new();
    while let Some(next) = knocking.next().await {
        knocks.push(next);
        if next.1 == Knock::Taken {
            break;
        }
    }
    knocks.sort_by_key(|(node, _)| *node);
    knocks
}

async fn knock(node: SocketAddr, patience: Duration) -> Knock {
    match timeout(patience, TcpStream::connect(node)).await {
        Ok(Ok(_)) => Knock::Taken,
        Ok(Err(error)) => of_error(error.kind()),
        Err(_) => Knock::Silent,
    }
}

fn of_error(kind: io::ErrorKind) -> Knock {
    match kind {
        io::ErrorKind::ConnectionRefused => Knock::Refused,
        io::ErrorKind::TimedOut => Knock::Silent,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Knock::NoWay,
        _ => Knock::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::testing::{Reply, Server, soon, with_status};

    const PATIENCE: Duration = Duration::from_millis(300);

    async fn free() -> SocketAddr {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    }

    fn at(nodes: &[SocketAddr]) -> Address {
        let nodes: Vec<String> = nodes.iter().map(ToString::to_string).collect();
        let address = Address::parse("http://lb.example:81/health").unwrap();
        address.through(&nodes)
    }

    #[tokio::test]
    async fn what_is_refused_for_all_of_the_time_is_unreached() {
        let (node, began) = (free().await, Instant::now());
        let told = unreached(&at(&[node]), PATIENCE).await.unwrap().to_string();
        let expected = format!("http://lb.example:81/health within 300 ms: {node} refuses it");
        assert_eq!(told, expected);
        assert!(began.elapsed() >= PATIENCE);
    }

    /// Whatever it answers, and even if another node does not exist.
    #[tokio::test]
    async fn one_node_that_takes_a_connection_is_enough() {
        let server = Server::start(|_| Reply::Send(with_status(503, ""))).await;
        let nodes = [free().await, server.address()];
        assert_eq!(unreached(&at(&nodes), PATIENCE).await, None);
    }

    #[tokio::test]
    async fn a_listener_that_is_late_is_reached() {
        let node = free().await;
        let late = tokio::spawn(async move {
            sleep(PAUSE * 2).await;
            let listener = tokio::net::TcpListener::bind(node).await.unwrap();
            listener.accept().await.unwrap();
        });
        let patience = Duration::from_secs(30);
        assert_eq!(soon(unreached(&at(&[node]), patience)).await, None);
        soon(late).await.unwrap();
    }

    #[tokio::test]
    async fn a_name_without_an_address_is_not_barred() {
        let address = Address::parse("http://nobody.invalid/").unwrap();
        assert_eq!(unreached(&address, PATIENCE).await, None);
    }

    #[test]
    fn trouble_of_this_machine_s_own_says_nothing_of_the_way() {
        for (kind, expected) in [
            (io::ErrorKind::ConnectionRefused, Knock::Refused),
            (io::ErrorKind::TimedOut, Knock::Silent),
            (io::ErrorKind::HostUnreachable, Knock::NoWay),
            (io::ErrorKind::NetworkUnreachable, Knock::NoWay),
            (io::ErrorKind::AddrNotAvailable, Knock::Unknown),
            (io::ErrorKind::PermissionDenied, Knock::Unknown),
        ] {
            assert_eq!(of_error(kind), expected, "{kind:?}");
        }
    }
}
