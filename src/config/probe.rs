//! `[probe]`: what is requested of production, how often, and what counts as a good
//! answer. Flags win over it.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use regex_lite::Regex;

use super::document::Section;
use super::entry::KeyValue;
use super::names::{not_empty, request_path};
use super::secret_header::secret_header;
use super::sections::{seconds, table};
use super::{ConfigError, ProbeSection, QuestionKeys, SecretHeader};
use crate::hidden::Hidden;
use crate::model::{Share, Statuses};

type Result<T> = std::result::Result<T, ConfigError>;

/// As the flags spell them.
pub const CONNECTIONS: [&str; 3] = ["fresh", "reused", "both"];
pub const VERSIONS: [&str; 3] = ["auto", "1.1", "2"];

pub(super) fn probe(section: &mut Section<'_>, root: &Path) -> Result<ProbeSection> {
    let default = ProbeSection::default();
    let secret_header = secret_header(section)?;
    Ok(ProbeSection {
        path: section.or("path", default.path, |entry| entry.checked(request_path))?,
        rate: section.or("rate", default.rate, |entry| entry.number(1..=1000))?,
        window: section.or("window_seconds", default.window, |entry| {
            seconds(entry, 1, 3600)
        })?,
        timeout: section.or("timeout_ms", default.timeout, |entry| {
            Ok(Duration::from_millis(entry.number(1..=60_000)?))
        })?,
        ca_file: section.optional("ca_file", |entry| {
            entry.checked(not_empty).map(|path| root.join(path))
        })?,
        question: question(section, secret_header.as_ref())?,
        secret_header,
    })
}

fn question(
    section: &mut Section<'_>,
    secret_header: Option<&SecretHeader>,
) -> Result<QuestionKeys> {
    Ok(QuestionKeys {
        method: section.optional("method", |entry| {
            written(entry, |text| text.parse::<Method>().map_err(|_| NO_METHOD))
        })?,
        headers: headers(section, secret_header)?,
        http: section.optional("http", |entry| word(entry, &VERSIONS))?,
        connections: section.optional("connections", |entry| word(entry, &CONNECTIONS))?,
        release_header: section.optional("release_header", |entry| {
            written(entry, |text| {
                text.parse::<HeaderName>().map_err(|_| NO_HEADER)
            })
        })?,
        expect_status: section
            .optional("expect_status", |entry| written(entry, Statuses::from_str))?,
        expect_body: section.optional("expect_body", |entry| {
            written(entry, |text| {
                Regex::new(text).map_err(|error| format!("it is not a regular expression: {error}"))
            })
        })?,
        max_failures: section.or("max_failures", 0, |entry| entry.number(0..=u32::MAX))?,
        max_failure_rate: section
            .optional("max_failure_rate", |entry| written(entry, Share::from_str))?,
    })
}

const NO_METHOD: &str = "it is not an HTTP method";
const NO_HEADER: &str = "it is not a header name";

/// The text as it stands, once it can be read as what it should be.
fn written<T, E: Into<String>>(
    entry: &KeyValue<'_>,
    read: impl FnOnce(&str) -> std::result::Result<T, E>,
) -> Result<String> {
    entry.checked(|text| read(text).map(|_| text.to_owned()).map_err(Into::into))
}

fn word(entry: &KeyValue<'_>, choices: &[&str]) -> Result<String> {
    entry.checked(|text| match choices.contains(&text) {
        true => Ok(text.to_owned()),
        false => {
            let choices: Vec<String> = choices.iter().map(|it| format!("\"{it}\"")).collect();
            Err(format!("it takes one of {}", choices.join(", ")))
        }
    })
}

fn headers(
    section: &mut Section<'_>,
    secret_header: Option<&SecretHeader>,
) -> Result<BTreeMap<String, Hidden>> {
    let mut headers = BTreeMap::new();
    for entry in table(section, "headers")? {
        let Ok(name) = entry.name.parse::<HeaderName>() else {
            return Err(entry.misplaced(NO_HEADER));
        };
        if secret_header.is_some_and(|secret| secret.name == name.as_str()) {
            return Err(entry.misplaced("it is the `secret_header` too: keep one"));
        }
        let value = entry.string()?;
        if value.parse::<HeaderValue>().is_err() {
            return Err(entry.invalid("it has characters that no header may have"));
        }
        let twice = headers.insert(name.to_string(), Hidden::new(value));
        if twice.is_some() {
            return Err(entry.misplaced("it is there twice: header names are case-insensitive"));
        }
    }
    Ok(headers)
}
