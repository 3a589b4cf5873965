//! The resolver for a name's addresses: this machine's, or one at an address. Nothing is
//! cached between two lookups, because what a resolver caches, and for how long, is what
//! should be seen.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ProtocolConfig, ResolverConfig, ResolverOpts,
};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, RecordType};

/// For one lookup, including its retries.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// How often a name may lead to another.
const LONGEST_CHAIN: usize = 8;

/// A resolver.
#[derive(Clone)]
pub struct Dns {
    name: String,
    resolver: TokioResolver,
}

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Dns").field(&self.name).finish()
    }
}

/// Its name for people.
impl fmt::Display for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl PartialEq for Dns {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Dns {}

impl Dns {
    /// This machine's resolver.
    ///
    /// # Errors
    /// In words: it has none.
    pub fn of_this_machine() -> Result<Self, String> {
        let builder = TokioResolver::builder_tokio().map_err(|error| error.to_string())?;
        let resolver = builder.with_options(options()).build();
        Ok(Self {
            name: "this machine's resolver".to_owned(),
            resolver: resolver.map_err(|error| error.to_string())?,
        })
    }

    /// The resolver at an address; `name` is its name for people.
    ///
    /// # Errors
    /// In words: what the library rejects.
    pub fn at(address: SocketAddr, name: impl Into<String>) -> Result<Self, String> {
        let connection = |protocol| {
            let mut connection = ConnectionConfig::new(protocol);
            connection.port = address.port();
            connection
        };
        let both = [ProtocolConfig::Udp, ProtocolConfig::Tcp].map(connection);
        let server = NameServerConfig::new(address.ip(), true, both.to_vec());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder.with_options(options()).build();
        Ok(Self {
            name: name.into(),
            resolver: resolver.map_err(|error| error.to_string())?,
        })
    }

    /// The addresses of a name according to this resolver. A server that answers only for
    /// its own zone leaves names in other zones to this machine's resolver.
    ///
    /// # Errors
    /// In words: it does not answer, or knows no address.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, String> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let mut name = whole(host);
        for _ in 0..LONGEST_CHAIN {
            let (found, next) = self.step(&name).await?;
            match next {
                _ if !found.is_empty() => return Ok(found),
                Some(next) => name = next,
                None => break,
            }
        }
        Err(format!("{self} knows no address of {host}"))
    }

    /// The addresses that it gives for a name, and the name that it leads to.
    async fn step(&self, name: &str) -> Result<(Vec<IpAddr>, Option<String>), String> {
        let (four, six) = tokio::join!(
            self.resolver.lookup(name, RecordType::A),
            self.resolver.lookup(name, RecordType::AAAA)
        );
        let (mut found, mut next, mut failed) = (Vec::new(), None, None);
        for answer in [four, six] {
            match answer {
                Ok(lookup) => {
                    for record in lookup.answers() {
                        match &record.data {
                            RData::A(address) => found.push(IpAddr::V4(address.0)),
                            RData::AAAA(address) => found.push(IpAddr::V6(address.0)),
                            RData::CNAME(leads) => next = Some(leads.0.to_string()),
                            _ => {}
                        }
                    }
                }
                Err(error) if error.is_no_records_found() => {}
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) if found.is_empty() && next.is_none() => self.elsewhere(name, error).await,
            _ => Ok((found, next)),
        }
    }

    /// It may answer only for the name itself, but not for the name that it leads to.
    async fn elsewhere(
        &self,
        name: &str,
        failed: NetError,
    ) -> Result<(Vec<IpAddr>, Option<String>), String> {
        let failed = |_| format!("{self} gives no address of {name}: {failed}");
        let alias = self.resolver.lookup(name, RecordType::CNAME).await;
        let alias = alias.map_err(failed)?;
        let leads = alias
            .answers()
            .iter()
            .find_map(|record| match &record.data {
                RData::CNAME(leads) => Some(leads.0.to_string()),
                _ => None,
            });
        let Some(leads) = leads else {
            return Ok((Vec::new(), None));
        };
        let here = Self::of_this_machine()?;
        let found = here.resolver.lookup_ip(leads.as_str()).await;
        let found = found.map_err(|error| format!("{leads}, where {name} leads: {error}"))?;
        Ok((found.iter().collect(), None))
    }

    /// The names of a zone's name servers according to this resolver, in lower case and
    /// without the final dot.
    ///
    /// # Errors
    /// In words: it does not answer.
    pub async fn name_servers(&self, zone: &str) -> Result<Vec<String>, String> {
        let answer = match self.resolver.lookup(whole(zone), RecordType::NS).await {
            Ok(answer) => answer,
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(format!("{self} gives no name servers of {zone}: {error}")),
        };
        let names = answer
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::NS(name) => Some(name.0.to_string()),
                _ => None,
            });
        let plain = |name: String| name.trim_end_matches('.').to_ascii_lowercase();
        Ok(names.map(plain).collect())
    }
}

/// With a final dot, so that no search list is used.
fn whole(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.'))
}

fn options() -> ResolverOpts {
    let mut options = ResolverOpts::default();
    options.cache_size = 0;
    options.timeout = PATIENCE;
    options.attempts = TRIES;
    options.num_concurrent_reqs = 1;
    options
}

#[cfg(test)]
mod tests;
