//! IPv4 networks.

use std::fmt;
use std::net::Ipv4Addr;
use std::str::FromStr;

/// An IPv4 network such as `10.1.0.0/16`, as a security group's rule takes it
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpRange.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ipv4Cidr {
    network: Ipv4Addr,
    prefix: u8,
}

impl Ipv4Cidr {
    pub const ANYWHERE: Self = Self {
        network: Ipv4Addr::UNSPECIFIED,
        prefix: 0,
    };
    /// Of an app that says nothing of it.
    pub const NETWORK: Self = Self {
        network: Ipv4Addr::new(10, 64, 0, 0),
        prefix: 16,
    };

    /// # Errors
    /// A VPC cannot have it, or a sixteenth of it is too small for a load balancer: a VPC has
    /// /16 at the most
    /// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>), a load
    /// balancer's subnet /27 at the least
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer>).
    pub fn of_a_network(self) -> Result<Self, String> {
        let first = self.network;
        let is_no_networks = first.is_loopback()
            || first.is_link_local()
            || first.is_multicast()
            || matches!(first.octets()[0], 0 | 240..);
        match self.prefix {
            _ if is_no_networks => Err(format!(
                "{self} is set apart for something else: a network is of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, or of addresses of yours"
            )),
            16..=23 => Ok(self),
            prefix => Err(format!(
                "a network is from /16 to /23, since each of its subnets is a sixteenth of it, and this is /{prefix}"
            )),
        }
    }

    /// Whether all of that network is in this one.
    pub fn contains(self, other: Self) -> bool {
        self.prefix <= other.prefix && self.around(other.network) == self
    }

    /// The smallest that has both.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        let shared = (self.network.to_bits() ^ other.network.to_bits()).leading_zeros();
        let shared = u8::try_from(shared).unwrap_or(32);
        let prefix = self.prefix.min(other.prefix).min(shared);
        Self { prefix, ..self }.around(self.network)
    }

    /// The one of this size that the address is in.
    fn around(self, address: Ipv4Addr) -> Self {
        Self {
            network: Ipv4Addr::from_bits(address.to_bits() & mask(self.prefix)),
            ..self
        }
    }

    /// The first six sixteenths of a network.
    pub fn subnets(self) -> [Self; 6] {
        let prefix = self.prefix + 4;
        [0, 1, 2, 3, 4, 5].map(|n: u32| Self {
            network: Ipv4Addr::from_bits(self.network.to_bits() + (n << (32 - prefix))),
            prefix,
        })
    }
}

impl fmt::Display for Ipv4Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.network, self.prefix)
    }
}

impl FromStr for Ipv4Cidr {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.split_once('/').and_then(|(address, prefix)| {
            let address: Ipv4Addr = address.parse().ok()?;
            let is_plain = prefix.bytes().all(|b| b.is_ascii_digit())
                && (prefix == "0" || !prefix.starts_with('0'));
            let prefix: u8 = prefix.parse().ok().filter(|_| is_plain)?;
            (prefix <= 32).then_some((address, prefix))
        });
        let Some((address, prefix)) = parsed else {
            return Err(format!(
                "`{text}` is not an IPv4 network, such as 203.0.113.0/24, or 203.0.113.7/32 for one address"
            ));
        };
        let network = Ipv4Addr::from_bits(address.to_bits() & mask(prefix));
        // EC2 would quietly take the whole network, which is seldom what the
        // writer of one host's address meant to open.
        if network == address {
            Ok(Self { network, prefix })
        } else {
            Err(format!(
                "{address} is one address within {network}/{prefix}: write {network}/{prefix} for all of them, or {address}/32"
            ))
        }
    }
}

fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_in_networks() {
        let cidr = |text: &str| text.parse::<Ipv4Cidr>().unwrap();
        for (outer, inner, is_in) in [
            ("10.0.0.0/16", "10.0.3.0/24", true),
            ("10.0.0.0/16", "10.0.0.0/16", true),
            ("10.0.0.0/16", "10.1.0.0/24", false),
            ("10.0.3.0/24", "10.0.0.0/16", false),
            ("0.0.0.0/0", "192.0.2.7/32", true),
        ] {
            let found = cidr(outer).contains(cidr(inner));
            assert_eq!(found, is_in, "{inner} in {outer}");
        }
        for (one, other, both) in [
            ("10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/23"),
            ("10.0.0.0/16", "10.0.1.0/24", "10.0.0.0/16"),
            ("10.0.0.0/16", "100.64.0.0/16", "0.0.0.0/1"),
            ("10.0.0.0/16", "192.168.0.0/16", "0.0.0.0/0"),
            ("192.0.2.7/32", "192.0.2.7/32", "192.0.2.7/32"),
        ] {
            assert_eq!(cidr(one).with(cidr(other)), cidr(both), "{one} and {other}");
            assert_eq!(cidr(other).with(cidr(one)), cidr(both), "{other} and {one}");
        }
    }
}
