//! The resolvers that the probe uses: those that were named, else this machine's and
//! those of the name's own zone.

use std::net::SocketAddr;

use crate::config::{Resolver, RouterKeys};
use crate::model::EdgeInfrastructure;
use crate::probe::Dns;
use crate::report::ReportEvent;
use crate::session::Session;

const DNS_PORT: u16 = 53;

/// The first named resolver, or this machine's.
///
/// # Errors
/// In words: there is none.
pub fn first(named: &[Resolver]) -> Result<Dns, String> {
    match named.first() {
        Some(address) => Dns::at(*address, address.to_string()),
        None => Dns::of_this_machine(),
    }
}

/// All resolvers that the probe uses. One that cannot be asked is left out with a
/// warning; if none can, the probe's results will tell. Empty if users are not routed by
/// names.
pub async fn all(session: &Session, edge: &EdgeInfrastructure) -> Vec<Dns> {
    let Some(record) = edge.router.record() else {
        return Vec::new();
    };
    let named = named(session);
    if !named.is_empty() {
        let all = named.iter().map(|it| Dns::at(*it, it.to_string()));
        return told(session, all);
    }
    let here = Dns::of_this_machine();
    let zones = match session.aws.name_servers_of(&record.zone).await {
        Ok(names) => of_the_zone(&here, names).await,
        Err(error) => vec![Err(format!(
            "the name servers of {}'s zone are not known: {error}",
            record.name
        ))],
    };
    told(session, std::iter::once(here).chain(zones))
}

fn named(session: &Session) -> &[Resolver] {
    if !session.resolvers.is_empty() {
        return &session.resolvers;
    }
    match session.config.edge.as_ref().map(|edge| &edge.router) {
        Some(RouterKeys::Route53(record)) => &record.resolvers,
        Some(RouterKeys::Pointer(_)) | None => &[],
    }
}

/// One server answers for all: they have the same records.
async fn of_the_zone(here: &Result<Dns, String>, names: Vec<String>) -> Vec<Result<Dns, String>> {
    let Ok(here) = here else {
        return Vec::new();
    };
    let mut failed = None;
    for name in names {
        match here.addresses(&name).await {
            Ok(addresses) => {
                let address = addresses.first().map(|ip| SocketAddr::new(*ip, DNS_PORT));
                return address.into_iter().map(|it| Dns::at(it, &name)).collect();
            }
            Err(why) => failed = Some(why),
        }
    }
    failed.into_iter().map(Err).collect()
}

fn told(session: &Session, all: impl IntoIterator<Item = Result<Dns, String>>) -> Vec<Dns> {
    let mut good = Vec::new();
    for one in all {
        match one {
            Ok(dns) => good.push(dns),
            Err(why) => session.report.tell(&ReportEvent::Warning(format!(
                "the probe goes without one resolver: {why}"
            ))),
        }
    }
    good
}
