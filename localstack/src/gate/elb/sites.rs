//! Which addresses a load balancer's nodes have. Pure.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::balancer::config::Arn;
use crate::balancer::{Ports, Site};

/// How load balancers are laid out on this machine. Each gets nodes of its own,
/// one address after the other.
#[derive(Debug, Clone, Copy)]
pub struct Sites {
    /// The first node of the first load balancer, such as 127.0.0.1.
    pub first: Ipv4Addr,
    /// How many nodes each load balancer has; AWS has one in each zone.
    pub nodes: u32,
    pub ports: Ports,
}

/// Who lives where. A load balancer keeps its place while it lives; then the
/// next new one takes it.
#[derive(Debug, Default)]
pub struct Places(BTreeMap<Arn, u32>);

impl Places {
    pub fn of(&mut self, arn: &Arn, sites: &Sites) -> Site {
        let place = self.0.get(arn).copied().unwrap_or_else(|| self.free());
        self.0.insert(arn.clone(), place);
        let first = u32::from(sites.first).wrapping_add(place.wrapping_mul(sites.nodes));
        Site {
            nodes: (0..sites.nodes)
                .map(|node| IpAddr::V4(Ipv4Addr::from(first.wrapping_add(node))))
                .collect(),
            ports: sites.ports,
        }
    }

    pub fn leave(&mut self, arn: &Arn) {
        self.0.remove(arn);
    }

    fn free(&self) -> u32 {
        (0..u32::MAX)
            .find(|place| self.0.values().all(|taken| taken != place))
            .unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_load_balancer_has_nodes_of_its_own_while_it_lives() {
        let sites = Sites {
            first: Ipv4Addr::LOCALHOST,
            nodes: 2,
            ports: Ports::Free,
        };
        let mut places = Places::default();
        let (one, two, three) = (Arn::new("1"), Arn::new("2"), Arn::new("3"));
        let nodes = |places: &mut Places, arn: &Arn| {
            let nodes = places.of(arn, &sites).nodes;
            nodes.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(nodes(&mut places, &one), ["127.0.0.1", "127.0.0.2"]);
        assert_eq!(nodes(&mut places, &two), ["127.0.0.3", "127.0.0.4"]);
        places.leave(&one);
        assert_eq!(nodes(&mut places, &two), ["127.0.0.3", "127.0.0.4"]);
        assert_eq!(nodes(&mut places, &three), ["127.0.0.1", "127.0.0.2"]);
    }
}
