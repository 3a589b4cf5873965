//! The header that a load balancer behind a CDN insists on: its name, and where its value
//! is kept. The value itself does not belong in a file or on a command line.

use std::str::FromStr;

use hyper::header::HeaderName;

use super::ConfigError;
use super::document::Section;
use super::entry::KeyValue;
use super::secret::{SecretKind, SecretRef};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHeader {
    /// In lower case.
    pub name: String,
    pub kept: SecretPlace,
}

/// Where a secret value is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In that environment variable.
    Variable(String),
    /// In Secrets Manager.
    Manager {
        arn: String,
        /// Whose value it is, where the secret is a JSON object.
        key: Option<String>,
        /// What it is encrypted with, where that is not AWS's own key.
        kms_key: Option<String>,
    },
}

const WHERE: &str = "it takes { name = \"x-origin-verify\", env = \"VARIABLE\" }, or `secret = \"arn:aws:secretsmanager:…\"` instead of `env`";

impl FromStr for SecretHeader {
    type Err = String;

    /// `NAME=env:VARIABLE`, or `NAME=ARN` with `:KEY::` behind it or not. What is
    /// none of these may be the value: it is not repeated.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, kept) = text
            .split_once('=')
            .ok_or("it takes NAME=env:VARIABLE, or NAME=ARN of a Secrets Manager secret")?;
        Ok(Self {
            name: header_name(name)?,
            kept: match kept.strip_prefix("env:") {
                Some(name) => SecretPlace::Variable(variable(name)?),
                None => of_manager(kept, None, None)?,
            },
        })
    }
}

/// `kms_key` and `key` as a file has them.
fn of_manager(
    arn: &str,
    key: Option<String>,
    kms_key: Option<String>,
) -> Result<SecretPlace, String> {
    let secret: SecretRef = arn.parse()?;
    if secret.kind() != SecretKind::SecretsManager {
        return Err("it is not the ARN of a Secrets Manager secret".to_owned());
    }
    let behind = secret.value_from()[secret.arn().len()..].split(':');
    let behind: Vec<&str> = behind.filter(|part| !part.is_empty()).collect();
    let key = match (behind.as_slice(), key) {
        ([], key) => key,
        ([one], None) if secret.value_from().ends_with("::") => Some((*one).to_owned()),
        ([_], Some(_)) => return Err("its key is said twice: keep `key`".to_owned()),
        _ => {
            return Err(
                "the newest version is what is sent: leave stage and version out".to_owned(),
            );
        }
    };
    Ok(SecretPlace::Manager {
        arn: secret.arn().to_owned(),
        key,
        kms_key,
    })
}

fn header_name(text: &str) -> Result<String, String> {
    let name: Result<HeaderName, _> = text.trim().parse();
    match name {
        Ok(name) => Ok(name.to_string()),
        Err(_) => Err("it has no name that a header can have".to_owned()),
    }
}

/// One that every shell can set.
fn variable(text: &str) -> Result<String, String> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let begins_well = text.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    match begins_well && text.bytes().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err("`env` takes the name of an environment variable".to_owned()),
    }
}

fn kms_key(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split(':').collect();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-/".contains(&b);
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    match parts.as_slice() {
        ["arn", partition, "kms", region, account, key]
            if partition.starts_with("aws")
                && [*region, *account].into_iter().all(is_plain)
                && key.strip_prefix("key/").is_some_and(is_plain) =>
        {
            Ok(text.to_owned())
        }
        _ => Err(
            "a key is named by its whole ARN: arn:aws:kms:<region>:<account>:key/<id>".to_owned(),
        ),
    }
}

pub(super) fn secret_header(
    section: &mut Section<'_>,
) -> Result<Option<SecretHeader>, ConfigError> {
    let Some(entry) = section.take("secret_header") else {
        return Ok(None);
    };
    let (mut name, mut env, mut secret, mut key, mut kms) = (None, None, None, None, None);
    for entry in entry.table()? {
        let place = match entry.name.as_str() {
            "name" => &mut name,
            "env" => &mut env,
            "secret" => &mut secret,
            "key" => &mut key,
            "kms_key" => &mut kms,
            "value" => {
                return Err(entry.misplaced(
                    "a secret does not belong in a file: name where it is kept, with `env` or `secret`",
                ));
            }
            _ => return Err(entry.misplaced(WHERE)),
        };
        *place = Some(entry);
    }
    let missing = || section.missing("secret_header", WHERE);
    let name = name.ok_or_else(missing)?.checked(header_name)?;
    let kept = match (env, secret) {
        (Some(env), None) => {
            if let Some(entry) = key.or(kms) {
                return Err(entry.misplaced("it goes with `secret` alone"));
            }
            SecretPlace::Variable(env.checked(variable)?)
        }
        (None, Some(secret)) => {
            let key = key.as_ref().map(json_key).transpose()?;
            let kms = kms.map(|entry| entry.checked(kms_key)).transpose()?;
            secret.checked(|arn| of_manager(arn, key, kms))?
        }
        (Some(_), Some(secret)) => {
            return Err(secret.misplaced("`env` says where it is kept, too: keep one of them"));
        }
        (None, None) => return Err(missing()),
    };
    Ok(Some(SecretHeader { name, kept }))
}

fn json_key(entry: &KeyValue<'_>) -> Result<String, ConfigError> {
    entry.checked(super::names::not_empty)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const ARN: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:cdn-AbCdEf";
    const KMS: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn read(header: &str) -> Result<SecretHeader, String> {
        let text = format!("app = 'hello'\n[probe]\nsecret_header = {{ {header} }}");
        let config = Config::parse(&text, Path::new("/srv/bgecs.toml"));
        let config = config.map_err(|error| error.to_string())?;
        Ok(config.probe.secret_header.expect("it is there"))
    }

    fn manager(key: Option<&str>, kms_key: Option<&str>) -> SecretPlace {
        SecretPlace::Manager {
            arn: ARN.to_owned(),
            key: key.map(str::to_owned),
            kms_key: kms_key.map(str::to_owned),
        }
    }

    #[test]
    fn the_file_and_the_flag_say_where_it_is_kept() {
        let variable = SecretPlace::Variable("ORIGIN_VERIFY".to_owned());
        for (file, flag, expected) in [
            (
                "name = 'X-Origin-Verify', env = 'ORIGIN_VERIFY'".to_owned(),
                Some("X-Origin-Verify=env:ORIGIN_VERIFY".to_owned()),
                variable,
            ),
            (
                format!("name = 'x-origin-verify', secret = '{ARN}'"),
                Some(format!("x-origin-verify={ARN}")),
                manager(None, None),
            ),
            (
                format!("name = 'x-origin-verify', secret = '{ARN}', key = 'header'"),
                Some(format!("x-origin-verify={ARN}:header::")),
                manager(Some("header"), None),
            ),
            (
                format!("name = 'x-origin-verify', secret = '{ARN}:header::', kms_key = '{KMS}'"),
                None,
                manager(Some("header"), Some(KMS)),
            ),
        ] {
            let header = read(&file).unwrap();
            assert_eq!(
                (&*header.name, &header.kept),
                ("x-origin-verify", &expected)
            );
            if let Some(flag) = flag {
                assert_eq!(flag.parse(), Ok(header));
            }
        }
    }

    /// What stands there instead may be the secret itself.
    #[test]
    fn what_is_no_place_is_refused_and_not_repeated() {
        for (header, part) in [
            (
                "name = 'x-a', value = 'hunter22'".to_owned(),
                "does not belong in a file",
            ),
            ("name = 'x-a', secret = 'hunter22'".to_owned(), "whole ARN"),
            (
                "name = 'x-a', env = 'hunter 22'".to_owned(),
                "secret_header",
            ),
            ("name = 'x-a', hunter22 = 'x'".to_owned(), "it takes"),
            (
                "name = 'x a', env = 'A'".to_owned(),
                "no name that a header",
            ),
            ("env = 'A'".to_owned(), "it takes"),
            ("name = 'x-a'".to_owned(), "it takes"),
            (
                "name = 'x-a', env = 'A', key = 'b'".to_owned(),
                "`secret` alone",
            ),
            (
                format!("name = 'x-a', env = 'A', secret = '{ARN}'"),
                "keep one",
            ),
            (
                format!("name = 'x-a', secret = '{ARN}', kms_key = 'b'"),
                "arn:aws:kms",
            ),
            (
                format!("name = 'x-a', secret = '{ARN}:a::', key = 'b'"),
                "twice",
            ),
            (
                format!("name = 'x-a', secret = '{ARN}::AWSPREVIOUS:'"),
                "newest version",
            ),
            (
                "name = 'x-a', secret = 'arn:aws:ssm:eu-west-1:123456789012:parameter/a'"
                    .to_owned(),
                "Secrets Manager",
            ),
            (
                "name = 'x-a', env = 'A' }\nheaders = { X-A = 'b'".to_owned(),
                "keep one",
            ),
        ] {
            let error = read(&header).unwrap_err();
            assert!(error.contains(part), "{header}: {error}");
            assert!(
                !error.contains("hunter 22") && !error.contains("= 'hunter22'"),
                "{error}"
            );
        }
        for flag in ["hunter22", "x-a=hunter22", "x-a=env:hunter 22", "=env:A"] {
            let why = flag.parse::<SecretHeader>().unwrap_err();
            assert!(!why.contains("hunter"), "{why}");
        }
    }
}
