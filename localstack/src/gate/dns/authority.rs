//! The name server of every zone: what the emulator has stored, as it was before
//! the changes that are not everywhere yet.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::serve::Mind;
use super::zones::{self, Said, Zone};
use crate::gate::cdn::Cdn;
use crate::gate::elb::Elb;
use crate::gate::upstream::{Failed, Upstream};

/// The ports at which a load balancer may have an address.
const PORTS: [u16; 2] = [80, 443];

#[derive(Debug)]
pub struct Authority {
    upstream: Upstream,
    elb: Elb,
    cdn: Option<Cdn>,
    delay: Duration,
    pending: Mutex<Vec<Pending>>,
}

/// A change that is not served yet.
#[derive(Debug)]
struct Pending {
    change: String,
    until: Instant,
    /// As its zone was.
    before: Zone,
}

impl Authority {
    pub fn new(upstream: Upstream, (elb, cdn): (Elb, Option<Cdn>), delay: Duration) -> Self {
        Self {
            upstream,
            elb,
            cdn,
            delay,
            pending: Mutex::default(),
        }
    }

    /// The zone was that ahead of that change, which was just made.
    pub fn changed(&self, before: Zone, change: String) {
        let until = Instant::now() + self.delay;
        self.pending().push(Pending {
            change,
            until,
            before,
        });
    }

    pub fn is_pending(&self, change: &str) -> bool {
        self.pending().iter().any(|it| it.change == change)
    }

    /// A zone as it is stored now.
    pub async fn zone(&self, id: &str) -> Result<Zone, Failed> {
        let path = format!("/2013-04-01/hostedzone/{id}/rrset?maxitems=300");
        let sets = self.upstream.rest("route53", &path).await?;
        let all = self.names().await?;
        let name = all.into_iter().find(|(other, _)| other == id);
        Ok(Zone {
            id: id.to_owned(),
            name: name.map(|(_, name)| name).unwrap_or_default(),
            sets: zones::sets(&sets),
        })
    }

    async fn names(&self) -> Result<Vec<(String, String)>, Failed> {
        let xml = self
            .upstream
            .rest("route53", "/2013-04-01/hostedzone")
            .await?;
        Ok(zones::zones(&xml))
    }

    /// What of the zones is served: the oldest that is still on its way holds.
    async fn served(&self) -> Result<Vec<Zone>, Failed> {
        let mut all = Vec::new();
        for (id, _) in self.names().await? {
            let before = {
                let pending = self.pending();
                let mut of_it = pending.iter().filter(|it| it.before.id == id);
                of_it.next().map(|it| it.before.clone())
            };
            all.push(match before {
                Some(before) => before,
                None => self.zone(&id).await?,
            });
        }
        Ok(all)
    }

    fn pending(&self) -> MutexGuard<'_, Vec<Pending>> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        pending.retain(|it| it.until > now);
        pending
    }

    /// Those of a load balancer or of a distribution.
    fn addresses(&self, name: &str) -> Vec<IpAddr> {
        let cdn = self.cdn.as_ref();
        let mut all = cdn.map_or_else(Vec::new, |cdn| cdn.addresses(name));
        let Some((balancer, _)) = self.elb.balancer_of(name) else {
            return all;
        };
        for address in PORTS.iter().flat_map(|port| balancer.doors(*port)) {
            if !all.contains(&address.ip()) {
                all.push(address.ip());
            }
        }
        all
    }
}

impl Mind for Authority {
    fn is_authority(&self) -> bool {
        true
    }

    fn say<'a>(&'a self, name: &'a str, kind: &'a str) -> BoxFuture<'a, Option<Vec<Said>>> {
        async move {
            let zones = self.served().await.ok()?;
            let mut pick = |sum| fastrand::u64(..sum);
            zones::answer(&zones, (name, kind), &mut pick, &|name| {
                self.addresses(name)
            })
        }
        .boxed()
    }
}
