//! `[router]` whose kind is a pointer: a thing of AWS that leads all users to one
//! place.

use std::time::Duration;

use super::Result;
use super::record::dns_name;
use crate::config::document::Section;
use crate::config::names::not_empty;
use crate::config::shift::time;
use crate::model::{Pointer, is_distribution_id};

/// A static address that has to be detached first is nobody's for a few seconds.
const DEFAULT_GAP: Duration = Duration::from_secs(10);

/// None where it is no such kind.
pub(super) fn pointer(kind: &str, section: &mut Section<'_>) -> Result<Option<Pointer>> {
    Ok(Some(match kind {
        "api-mapping" => api_mapping(section)?,
        "cloudfront-alias" => Pointer::CloudfrontAlias {
            alias: named(
                section,
                "alias",
                "it is the name that users type, such as www.example.com",
            )?,
        },
        "cloudfront-origin" => cloudfront_origin(section)?,
        "static-ip" => static_ip(section)?,
        _ => return Ok(None),
    }))
}

fn api_mapping(section: &mut Section<'_>) -> Result<Pointer> {
    let domain = named(
        section,
        "domain",
        "it is the custom domain that users type, such as api.example.com",
    )?;
    let path = section.optional("path", |entry| entry.checked(base_path))?;
    Ok(Pointer::ApiMapping {
        domain,
        path: path.unwrap_or_default(),
    })
}

fn cloudfront_origin(section: &mut Section<'_>) -> Result<Pointer> {
    let distribution = section.optional("distribution", |entry| entry.checked(distribution_id))?;
    let distribution = distribution.ok_or_else(|| {
        section.missing(
            "distribution",
            "it is missing: it is the distribution's id, such as E2QWRUHAPOMQZL",
        )
    })?;
    let invalidate = section.optional("invalidate", |entry| {
        let paths = entry.strings()?;
        match paths.iter().find(|path| !path.starts_with('/')) {
            None => Ok(paths),
            Some(other) => Err(entry.invalid(format!(
                "`{other}` is not a path that edges can invalidate: it begins with a slash, as /* does"
            ))),
        }
    })?;
    Ok(Pointer::CloudfrontOrigin {
        distribution,
        behavior: section.optional("behavior", |entry| entry.checked(not_empty))?,
        staging: section.optional("staging", |entry| entry.checked(distribution_id))?,
        invalidate: invalidate.unwrap_or_default(),
    })
}

fn distribution_id(text: &str) -> std::result::Result<String, String> {
    match is_distribution_id(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not the id of a distribution, which looks like E2QWRUHAPOMQZL"
        )),
    }
}

fn base_path(text: &str) -> std::result::Result<String, String> {
    let bare = text.trim_matches('/');
    let is_part = |part: &str| {
        let mut bytes = part.bytes();
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"$-_.+!*'()".contains(&b);
        !part.is_empty() && bytes.all(is_plain)
    };
    match bare.split('/').all(is_part) {
        true => Ok(bare.to_owned()),
        false => Err(format!(
            "`{text}` is not the path of a mapping, such as orders or orders/v2"
        )),
    }
}

fn static_ip(section: &mut Section<'_>) -> Result<Pointer> {
    let name = required(
        section,
        "name",
        "it is what Lightsail calls the static address, such as StaticIp-1",
    )?;
    let gap = section.or("gap", DEFAULT_GAP, time)?;
    Ok(Pointer::StaticIp {
        name,
        gap: u32::try_from(gap.as_secs()).unwrap_or(u32::MAX),
    })
}

/// A name of DNS.
fn named(section: &mut Section<'_>, key: &'static str, what: &str) -> Result<String> {
    let given = section.optional(key, |entry| entry.checked(dns_name))?;
    given.ok_or_else(|| section.missing(key, format!("it is missing: {what}")))
}

fn required(section: &mut Section<'_>, key: &'static str, what: &str) -> Result<String> {
    let given = section.optional(key, |entry| entry.checked(not_empty))?;
    given.ok_or_else(|| section.missing(key, format!("it is missing: {what}")))
}
