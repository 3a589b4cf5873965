//! Who is asked for a name's addresses: this machine's resolver, or one by its
//! address. Nothing is kept between two questions: what a resolver keeps, and for
//! how long, is what is to be seen.

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

/// For one question, its tries included.
const PATIENCE: Duration = Duration::from_secs(2);
const TRIES: usize = 2;
/// A name may lead to another so often.
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

/// As people know it.
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
    /// This machine's.
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

    /// One by its address; `name` is what people know it by.
    ///
    /// # Errors
    /// In words: what the library will not take.
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

    /// Where it says that the name leads. Who answers for a zone alone leaves names of
    /// others to this machine's resolver.
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

    /// What it says of a name, and the name that it leads to.
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

    /// It may have an answer to the name alone, and none to where that leads.
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

    /// The names of a zone's name servers, as it is told, in lower case and without the
    /// last dot.
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

/// No search list is gone through for it.
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
