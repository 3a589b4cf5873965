//! Flags about the probe: what it requests, how often, and what counts as a good answer.

use std::ffi::OsStr;
use std::str::FromStr;

use clap::Args;
use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use hyper::Method;
use hyper::header::{HeaderName, HeaderValue};
use regex_lite::Regex;

use super::value::rate;
use crate::model::{Share, Statuses};
use crate::probe::{Connections, Version};
use crate::report::ReportFile;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Probe options")]
pub struct AskingFlags {
    /// Requests per second, from 0.1 [default: 10, or [probe] rate]
    #[arg(long, value_parser = rate)]
    pub rate: Option<f64>,
    /// Which connections to use [default: both]
    #[arg(long, value_name = "KIND")]
    pub connections: Option<Connections>,
    /// Path to request [default: /, or [probe] path]
    #[arg(long, value_parser = path)]
    pub path: Option<String>,
    /// The request's method [default: GET, or [probe] method]
    #[arg(long)]
    pub method: Option<Method>,
    /// A header to send, `Name: value`, in addition to [probe] headers; repeatable
    #[arg(long, value_name = "HEADER", value_parser = HeaderParser)]
    pub header: Vec<HeaderFlag>,
    /// HTTP version to use [default: auto]
    #[arg(long, value_name = "VERSION")]
    pub http: Option<Version>,
    /// Header that names the release [default: x-bgecs-release]
    #[arg(long, value_name = "NAME")]
    pub release_header: Option<HeaderName>,
    /// Statuses that count as success, such as 204 or 2xx,304 [default: 2xx]
    #[arg(long, value_name = "STATUS")]
    pub expect_status: Option<Statuses>,
    /// Regular expression that a good answer's body must match
    #[arg(long, value_name = "REGEX")]
    pub expect_body: Option<Regex>,
    /// Failures to tolerate [default: 0]
    #[arg(long, value_name = "N")]
    pub max_failures: Option<u64>,
    /// Share of the requests that may fail, such as 0.1% [default: 0%]
    #[arg(long, value_name = "P%")]
    pub max_failure_rate: Option<Share>,
    /// Write a report to this file: .html, .json or .svg; repeatable
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub report: Vec<ReportFile>,
}

/// A header to send. Its value may be a secret, and is not shown.
#[derive(Debug, Clone)]
pub struct HeaderFlag {
    pub name: HeaderName,
    pub value: HeaderValue,
}

impl FromStr for HeaderFlag {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or("a header is a name, a colon and a value")?;
        let name = name
            .trim()
            .parse()
            .map_err(|_| "what comes before the colon is not a header name".to_owned())?;
        let mut value: HeaderValue = value
            .trim()
            .parse()
            .map_err(|_| format!("the value of {name} has characters that no header may have"))?;
        value.set_sensitive(true);
        Ok(Self { name, value })
    }
}

/// clap repeats a value that it refuses, and a header's value may be a secret.
#[derive(Clone)]
struct HeaderParser;

impl TypedValueParser for HeaderParser {
    type Value = HeaderFlag;

    fn parse_ref(
        &self,
        command: &clap::Command,
        _: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<HeaderFlag, clap::Error> {
        let read = value
            .to_str()
            .ok_or_else(|| "it is not UTF-8".to_owned())
            .and_then(str::parse);
        read.map_err(|why| {
            let message = format!("invalid value for '--header <HEADER>': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

fn path(text: &str) -> Result<String, String> {
    match text.starts_with('/') {
        true => Ok(text.to_owned()),
        false => Err("a path begins with a slash".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_s_value_is_sent_and_not_shown() {
        let header: HeaderFlag = "Authorization:  Bearer hunter22 ".parse().unwrap();
        assert_eq!(header.name, "authorization");
        assert_eq!(header.value, "Bearer hunter22");
        assert!(!format!("{header:?}").contains("hunter22"));
        for text in ["hunter22", "a b: hunter22", "x-a: hunter22\nb: c"] {
            let why = text.parse::<HeaderFlag>().unwrap_err();
            assert!(!why.contains("hunter22"), "{why}");
        }
    }
}
