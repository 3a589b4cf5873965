//! `[tls]`: the certificates with which the load balancer that `init` makes serves HTTPS.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use crate::model::CertificateArn;

type Result<T> = std::result::Result<T, ConfigError>;

/// What AWS recommends, and its console chooses: TLS 1.3 and 1.2, and key exchanges
/// that withstand quantum computers for clients that know them
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/describe-ssl-policies.html>).
pub const DEFAULT_POLICY: &str = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09";

/// As many as the template has parameters for.
const MOST_CERTIFICATES: usize = 5;

/// `[tls]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSection {
    /// At least one. The first one is for clients that name no host, too.
    pub certificates: Vec<CertificateArn>,
    /// A predefined security policy.
    pub policy: String,
}

/// None without a certificate.
pub(super) fn tls(section: &mut Section<'_>) -> Result<Option<TlsSection>> {
    let certificates = section.optional("certificate", certificates)?;
    let policy = section.take("policy");
    let Some(certificates) = certificates else {
        return match policy {
            None => Ok(None),
            Some(entry) => Err(entry.misplaced("there is no `certificate` beside it")),
        };
    };
    Ok(Some(TlsSection {
        certificates,
        policy: match policy {
            Some(entry) => entry.checked(policy_name)?,
            None => DEFAULT_POLICY.to_owned(),
        },
    }))
}

/// One, or a list of some.
fn certificates(entry: &KeyValue<'_>) -> Result<Vec<CertificateArn>> {
    if entry.string().is_ok() {
        return Ok(vec![entry.checked(CertificateArn::from_str)?]);
    }
    let texts = entry.strings()?;
    if texts.is_empty() {
        return Err(entry.invalid("it is empty; leave [tls] out for plain HTTP"));
    }
    let arns = texts.iter().map(|text| text.parse());
    let arns: std::result::Result<Vec<CertificateArn>, String> = arns.collect();
    let arns = arns.map_err(|why| entry.invalid(why))?;
    if arns.iter().collect::<BTreeSet<_>>().len() < arns.len() {
        return Err(entry.invalid("it names one certificate twice"));
    }
    match arns.len() > MOST_CERTIFICATES {
        true => Err(entry.invalid(format!(
            "bgecs has room for {MOST_CERTIFICATES} certificates: one may have several names"
        ))),
        false => Ok(arns),
    }
}

fn policy_name(text: &str) -> std::result::Result<String, String> {
    let rest = text.strip_prefix("ELBSecurityPolicy-").unwrap_or_default();
    let is_plain = rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match is_plain && !rest.is_empty() {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "`{text}` is not a security policy of a load balancer, which looks like {DEFAULT_POLICY}"
        )),
    }
}
