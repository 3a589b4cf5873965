//! Addresses: of networks, of hosts, of registries.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
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

    /// The first four sixteenths of a network.
    pub fn subnets(self) -> [Self; 4] {
        let prefix = self.prefix + 4;
        [0, 1, 2, 3].map(|n: u32| Self {
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
        let mask = u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0);
        let network = Ipv4Addr::from_bits(address.to_bits() & mask);
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

/// Where to open a connection: `HOST:PORT`, an IPv6 address in brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostPort {
    /// Without brackets.
    pub host: String,
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl FromStr for HostPort {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parsed = text.rsplit_once(':').and_then(|(host, port)| {
            let port: u16 = port.parse().ok().filter(|port| *port > 0)?;
            let host = match host.strip_prefix('[') {
                Some(rest) => {
                    let address: Ipv6Addr = rest.strip_suffix(']')?.parse().ok()?;
                    address.to_string()
                }
                None if is_host_name(host) => host.to_owned(),
                None => return None,
            };
            Some(Self { host, port })
        });
        parsed.ok_or_else(|| {
            format!("`{text}` is not HOST:PORT, such as localhost:4566 or [::1]:4566")
        })
    }
}

/// `HOST[:PORT]` of a registry.
///
/// Docker takes the first part of an image's name for a registry only if it
/// has a dot or a port or is `localhost`
/// (<https://pkg.go.dev/github.com/distribution/reference>); anything else
/// would be pushed to Docker Hub.
pub(super) fn registry(text: &str) -> Result<String, String> {
    if text.contains("://") || text.contains('/') {
        return Err(
            "write HOST or HOST:PORT alone, without https:// and without a path".to_owned(),
        );
    }
    let is_address = match text.rsplit_once(':') {
        Some(_) => text.parse::<HostPort>().is_ok(),
        None => is_host_name(text) && (text.contains('.') || text == "localhost"),
    };
    if is_address {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "`{text}` is not a registry, such as localhost:4566 or registry.example.com"
        ))
    }
}

fn is_host_name(text: &str) -> bool {
    text.len() <= 253
        && text.split('.').all(|label| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}
