//! `[router]` with `kind = "route53"`: a record, and whom the probe asks for it.

use std::net::IpAddr;

use super::Result;
use crate::config::document::Section;

/// As short as makes a move seen within a minute, and long enough for a resolver to
/// be of use.
const DEFAULT_TTL: u32 = 60;

/// <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>
const LONGEST_TTL: u32 = 2_147_483_647;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordKeys {
    /// In lower case, without a last dot.
    pub record: String,
    /// The id of its hosted zone; none is the one that serves the name.
    pub zone: Option<String>,
    /// In seconds.
    pub ttl: u32,
    /// Whom the probe asks, each `IP` or `IP:PORT`; empty is this machine's and the
    /// zone's own.
    pub resolvers: Vec<Resolver>,
}

/// A resolver's address.
pub type Resolver = std::net::SocketAddr;

pub(super) fn record(section: &mut Section<'_>) -> Result<RecordKeys> {
    let record = section.optional("record", |entry| entry.checked(dns_name))?;
    let record = record.ok_or_else(|| {
        section.missing(
            "record",
            "it is missing: it is the name that users type, such as www.example.com",
        )
    })?;
    let resolvers = section.optional("resolvers", |entry| {
        let all = entry.strings()?;
        let all = all.iter().map(|text| resolver(text));
        all.collect::<std::result::Result<_, _>>()
            .map_err(|why| entry.invalid(why))
    })?;
    Ok(RecordKeys {
        record,
        zone: section.optional("zone", |entry| entry.checked(zone_id))?,
        ttl: section.or("ttl", DEFAULT_TTL, |entry| entry.number(1..=LONGEST_TTL))?,
        resolvers: resolvers.unwrap_or_default(),
    })
}

/// A host name, as DNS has it.
pub(super) fn dns_name(text: &str) -> std::result::Result<String, String> {
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        let is_plain = bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        is_plain && (1..=63).contains(&label.len())
    };
    match name.len() <= 253 && name.contains('.') && name.split('.').all(is_label) {
        true => Ok(name),
        false => Err(format!(
            "`{text}` is not a full DNS name, such as www.example.com"
        )),
    }
}

pub(super) fn zone_id(text: &str) -> std::result::Result<String, String> {
    let id = text.trim_start_matches("/hostedzone/");
    match !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    {
        true => Ok(id.to_owned()),
        false => Err(format!(
            "`{text}` is not the id of a hosted zone, which looks like Z1D633PJN98FT9"
        )),
    }
}

/// The port that goes without saying is DNS's.
pub fn resolver(text: &str) -> std::result::Result<Resolver, String> {
    let bare = text.parse::<IpAddr>().map(|ip| Resolver::new(ip, 53));
    bare.or_else(|_| text.parse::<Resolver>()).map_err(|_| {
        format!("`{text}` is not a resolver: give IP or IP:PORT, such as 1.1.1.1 or [::1]:5353")
    })
}
