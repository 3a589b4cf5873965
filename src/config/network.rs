//! Addresses of hosts and registries.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

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
