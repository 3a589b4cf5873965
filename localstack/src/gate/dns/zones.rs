//! Zones and their record sets, as the emulator's XML has them, and what a name
//! server answers of them. Pure.

use std::net::IpAddr;

use roxmltree::{Document, Node};

use crate::gate::elb::xml::{child, find, text};

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    pub id: String,
    /// In lower case, without the last dot, as are all names here.
    pub name: String,
    pub sets: Vec<Set>,
}

/// A record set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Set {
    pub name: String,
    pub kind: String,
    pub weight: Option<u64>,
    pub ttl: u32,
    pub values: Vec<String>,
    /// The name that it is an alias of.
    pub alias: Option<String>,
}

/// What is said of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub name: String,
    pub kind: String,
    pub ttl: u32,
    pub value: String,
}

/// That of an alias to a load balancer
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html>).
const ALIAS_TTL: u32 = 60;

pub fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Of a list of hosted zones: their ids and names.
pub fn zones(xml: &str) -> Vec<(String, String)> {
    let Ok(document) = Document::parse(xml) else {
        return Vec::new();
    };
    elements(&document, "HostedZone")
        .filter_map(|zone| {
            let id = text(zone, "Id")?.rsplit('/').next()?.to_owned();
            Some((id, plain(text(zone, "Name")?)))
        })
        .collect()
}

/// Of a list of record sets.
pub fn sets(xml: &str) -> Vec<Set> {
    let Ok(document) = Document::parse(xml) else {
        return Vec::new();
    };
    elements(&document, "ResourceRecordSet")
        .filter_map(set)
        .collect()
}

fn set(node: Node<'_, '_>) -> Option<Set> {
    let records = child(node, "ResourceRecords");
    let records = records.into_iter().flat_map(|list| list.children());
    let values = records.filter_map(|record| text(record, "Value").map(str::to_owned));
    Some(Set {
        name: plain(text(node, "Name")?),
        kind: text(node, "Type")?.to_owned(),
        weight: text(node, "Weight").and_then(|weight| weight.parse().ok()),
        ttl: text(node, "TTL")
            .and_then(|ttl| ttl.parse().ok())
            .unwrap_or(ALIAS_TTL),
        values: values.collect(),
        alias: text(node, "AliasTarget.DNSName").map(plain),
    })
}

/// `/change/ID`, or the id alone.
pub fn change_id(xml: &str) -> Option<String> {
    let document = Document::parse(xml).ok()?;
    let info = find(&document, "ChangeInfo")?;
    Some(text(info, "Id")?.rsplit('/').next()?.to_owned())
}

fn elements<'a, 'i>(
    document: &'a Document<'i>,
    name: &'a str,
) -> impl Iterator<Item = Node<'a, 'i>> {
    document
        .descendants()
        .filter(move |node| node.is_element() && node.tag_name().name() == name)
}

/// The zone that a name is in: the nearest.
pub fn zone_of<'a>(zones: &'a [Zone], name: &str) -> Option<&'a Zone> {
    let holds = |zone: &&Zone| name == zone.name || name.ends_with(&format!(".{}", zone.name));
    zones
        .iter()
        .filter(holds)
        .max_by_key(|zone| zone.name.len())
}

/// What is said of a name and a type: an alias is followed, and a CNAME said ahead of
/// what it leads to. `pick` chooses among weights of that sum, and `balancer` knows the
/// addresses of load balancers and distributions, which are in no zone. None where nobody serves the name.
pub fn answer(
    zones: &[Zone],
    (name, kind): (&str, &str),
    pick: &mut dyn FnMut(u64) -> u64,
    balancer: &dyn Fn(&str) -> Vec<IpAddr>,
) -> Option<Vec<Said>> {
    let mut said = Vec::new();
    let mut name = name.to_owned();
    for _ in 0..8 {
        let Some(zone) = zone_of(zones, &name) else {
            let values = of_kind(&balancer(&name), kind);
            said.extend(values.into_iter().map(|value| Said {
                name: name.clone(),
                kind: kind.to_owned(),
                ttl: ALIAS_TTL,
                value,
            }));
            return (!said.is_empty()).then_some(said);
        };
        let of = |kind: &str| -> Vec<&Set> {
            let all = zone.sets.iter();
            all.filter(|set| set.name == name && set.kind == kind)
                .collect()
        };
        if let Some(set) = chosen(&of(kind), pick) {
            match &set.alias {
                None => said.extend(set.values.iter().map(|value| Said {
                    name: name.clone(),
                    kind: kind.to_owned(),
                    ttl: set.ttl,
                    value: value.clone(),
                })),
                Some(alias) => {
                    said.extend(of_alias(zones, (&name, kind, alias), pick, balancer));
                }
            }
            return Some(said);
        }
        let Some(set) = chosen(&of("CNAME"), pick) else {
            return Some(said);
        };
        let Some(leads) = set.values.first().map(|value| plain(value)) else {
            return Some(said);
        };
        said.push(Said {
            name,
            kind: "CNAME".to_owned(),
            ttl: set.ttl,
            value: leads.clone(),
        });
        if kind == "CNAME" {
            return Some(said);
        }
        name = leads;
    }
    Some(said)
}

/// "Route 53 sums the values for Weight for the record sets that have the same
/// combination of DNS name and type", and each is chosen by its part of it; where all
/// are 0, all alike.
fn chosen<'a>(sets: &[&'a Set], pick: &mut dyn FnMut(u64) -> u64) -> Option<&'a Set> {
    let weight = |set: &Set| set.weight.unwrap_or(1);
    let sum: u64 = sets.iter().map(|set| weight(set)).sum();
    let count = u64::try_from(sets.len()).unwrap_or(0);
    if count < 2 {
        return sets.first().copied();
    }
    if sum == 0 {
        let at = usize::try_from(pick(count)).unwrap_or(0);
        return sets.get(at).copied();
    }
    let mut at = pick(sum);
    sets.iter().copied().find(|set| {
        let is_it = at < weight(set);
        at = at.saturating_sub(weight(set));
        is_it
    })
}

/// The addresses that are told of that type.
fn of_kind(addresses: &[IpAddr], kind: &str) -> Vec<String> {
    let is_of_kind = |address: &IpAddr| match address {
        IpAddr::V4(_) => kind == "A",
        IpAddr::V6(_) => kind == "AAAA",
    };
    let all = addresses.iter().filter(|it| is_of_kind(it));
    all.map(ToString::to_string).collect()
}

fn of_alias(
    zones: &[Zone],
    (name, kind, alias): (&str, &str, &str),
    pick: &mut dyn FnMut(u64) -> u64,
    balancer: &dyn Fn(&str) -> Vec<IpAddr>,
) -> Vec<Said> {
    let addresses = balancer(alias.strip_prefix("dualstack.").unwrap_or(alias));
    let values = match addresses.is_empty() {
        false => of_kind(&addresses, kind),
        true => answer(zones, (alias, kind), pick, balancer)
            .unwrap_or_default()
            .into_iter()
            .filter(|said| said.kind == kind)
            .map(|said| said.value)
            .collect(),
    };
    let said = |value| Said {
        name: name.to_owned(),
        kind: kind.to_owned(),
        ttl: ALIAS_TTL,
        value,
    };
    values.into_iter().map(said).collect()
}

#[cfg(test)]
mod tests;
