//! The addresses behind a name: a load balancer has one in each zone, and they change
//! when it grows.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{sleep, timeout};

use super::address::Address;
use super::dns::Dns;

/// How often the name is looked up again: a load balancer's answers are valid for 60 s
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html>).
const EVERY: Duration = Duration::from_secs(10);
/// With a given resolver, to see when its answer changes.
const EVERY_BY_RESOLVER: Duration = Duration::from_secs(1);
/// While there is no address.
const EVERY_WHILE_LOST: Duration = Duration::from_secs(1);
/// How long an address of one family may take before the other family is tried.
const TRIAL: Duration = Duration::from_millis(300);

/// The nodes as last looked up, or why there are none.
pub(super) type Found = Result<Arc<[SocketAddr]>, String>;

/// Shared between the lookups and the requests.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    names: Arc<[String]>,
    dns: Option<Dns>,
    found: Arc<Mutex<Found>>,
}

impl Nodes {
    /// Looks the names up, and keeps the family of addresses that can be reached from
    /// here.
    pub async fn of(address: &Address) -> Self {
        let (names, dns) = (address.through.as_slice(), address.dns.clone());
        let found = match look_up(names, dns.as_ref()).await {
            Ok(all) => Ok(reachable(&all).await.into()),
            Err(error) => Err(error),
        };
        Self {
            names: names.into(),
            dns,
            found: Arc::new(Mutex::new(found)),
        }
    }

    pub fn now(&self) -> Found {
        self.found
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Looks the names up again and again. An address stays until another replaces it: if
    /// a resolver is down for a moment, that is not the load balancer's fault.
    pub async fn follow(self) {
        loop {
            let before = self.now();
            sleep(match (&before, &self.dns) {
                (Err(_), _) => EVERY_WHILE_LOST,
                (Ok(_), None) => EVERY,
                (Ok(_), Some(_)) => EVERY_BY_RESOLVER,
            })
            .await;
            let Ok(all) = look_up(&self.names, self.dns.as_ref()).await else {
                continue;
            };
            let found: Arc<[SocketAddr]> = match &before {
                Ok(before) => same_family(&all, before).into(),
                Err(_) => reachable(&all).await.into(),
            };
            if !found.is_empty() {
                *self.found.lock().unwrap_or_else(PoisonError::into_inner) = Ok(found);
            }
        }
    }
}

/// Every address of every name, in order and without duplicates.
async fn look_up(names: &[String], dns: Option<&Dns>) -> Result<Vec<SocketAddr>, String> {
    let mut all = Vec::new();
    for name in names {
        let found: Vec<SocketAddr> = match dns {
            Some(dns) => by(dns, name).await?,
            None => {
                let found = lookup_host(name.as_str()).await;
                found.map_err(|error| unknown(name, &error))?.collect()
            }
        };
        for address in found {
            if !all.contains(&address) {
                all.push(address);
            }
        }
    }
    if all.is_empty() {
        return Err(format!("{} has no address", names.join(", ")));
    }
    Ok(all)
}

/// `HOST:PORT`, looked up by that resolver.
async fn by(dns: &Dns, name: &str) -> Result<Vec<SocketAddr>, String> {
    let (host, port) = name.rsplit_once(':').unwrap_or((name, "80"));
    let port = port.parse().unwrap_or(80);
    let found = dns.addresses(host.trim_matches(['[', ']'])).await?;
    let found = found.into_iter().map(|ip| SocketAddr::new(ip, port));
    Ok(found.collect())
}

fn unknown(name: &str, error: &io::Error) -> String {
    format!("no address of {name}: {error}")
}

/// The family whose first address accepts a connection; the resolver's choice if neither
/// does.
async fn reachable(all: &[SocketAddr]) -> Vec<SocketAddr> {
    let first = all.first().copied();
    let other = all
        .iter()
        .copied()
        .find(|address| first.is_some_and(|first| address.is_ipv4() != first.is_ipv4()));
    let (Some(first), Some(other)) = (first, other) else {
        return all.to_vec();
    };
    for candidate in [first, other] {
        if let Ok(Ok(_)) = timeout(TRIAL, TcpStream::connect(candidate)).await {
            return same_family(all, &[candidate]);
        }
    }
    same_family(all, &[first])
}

fn same_family(all: &[SocketAddr], like: &[SocketAddr]) -> Vec<SocketAddr> {
    let is_v4 = like.first().is_some_and(SocketAddr::is_ipv4);
    let of_family = all.iter().filter(|address| address.is_ipv4() == is_v4);
    of_family.copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn nodes(through: &[String]) -> Nodes {
        let address = Address::parse("http://lb.example/").unwrap();
        Nodes::of(&address.through(through)).await
    }

    #[test]
    fn the_other_family_is_left_out() {
        let all: Vec<SocketAddr> = ["[::1]:80", "10.0.0.1:80", "10.0.0.2:80"]
            .map(|address| address.parse().unwrap())
            .to_vec();
        assert_eq!(same_family(&all, &all[1..2]), all[1..]);
        assert_eq!(same_family(&all, &all[..1]), all[..1]);
    }

    #[tokio::test]
    async fn the_family_that_answers_is_asked() {
        // Many machines name themselves `::1` first, and listen on 127.0.0.1.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let nobody: SocketAddr = format!("[::1]:{}", there.port()).parse().unwrap();
        assert_eq!(reachable(&[nobody, there]).await, [there]);
        assert_eq!(reachable(&[there, nobody]).await, [there]);
    }

    #[tokio::test]
    async fn several_names_are_several_nodes() {
        let names = ["127.0.0.2:80", "127.0.0.1:80", "127.0.0.2:80"].map(str::to_owned);
        let expected: Vec<SocketAddr> = vec![
            "127.0.0.2:80".parse().unwrap(),
            "127.0.0.1:80".parse().unwrap(),
        ];
        let nodes = nodes(&names).await;
        assert_eq!(nodes.now().unwrap().to_vec(), expected);
    }

    #[tokio::test]
    async fn a_name_without_an_address_says_so() {
        let names = ["nobody.invalid:80".to_owned()];
        let why = nodes(&names).await.now().unwrap_err();
        assert!(why.contains("nobody.invalid"), "{why}");
    }
}
