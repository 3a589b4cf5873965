//! The types of flag values: how each is parsed, and the message for one that is wrong.

use std::ffi::OsStr;
use std::marker::PhantomData;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::ErrorKind;

use super::worker::PolicyFor;
use crate::aws::policy::Role;
use crate::engine::hook_task::HookTaskOrder;
use crate::hidden::Hidden;
use crate::model::Color;
use crate::probe::{Connections, Version};

/// `NAME=VALUE`, or a name alone. Tokens are passed so, wrongly, but often.
#[derive(Debug, Clone)]
pub struct BuildArg {
    pub name: String,
    pub value: Option<Hidden>,
}

impl FromStr for BuildArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(Hidden::new(value))),
            None => (text, None),
        };
        if name.trim().is_empty() {
            return Err("it has no name: write NAME=VALUE, or a name alone".to_owned());
        }
        Ok(Self {
            name: name.to_owned(),
            value,
        })
    }
}

/// clap repeats a value that it refuses, and what was typed in place of a secret's source
/// may be the secret itself.
pub struct Unrepeated<T>(PhantomData<fn() -> T>);

impl<T> Unrepeated<T> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T> Clone for Unrepeated<T> {
    fn clone(&self) -> Self {
        Self::new()
    }
}

impl<T: FromStr<Err = String> + Clone + Send + Sync + 'static> TypedValueParser for Unrepeated<T> {
    type Value = T;

    fn parse_ref(
        &self,
        command: &clap::Command,
        flag: Option<&clap::Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        let read = value
            .to_str()
            .ok_or_else(|| "it is not UTF-8".to_owned())
            .and_then(str::parse);
        read.map_err(|why| {
            let flag = flag.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{flag}': {why}\n");
            clap::Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// One platform: a release is one image, which runs as one.
pub fn platform(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("it is empty: linux/amd64 or linux/arm64".to_owned());
    }
    if text.contains(',') {
        return Err(
            "a release runs on one platform: name one, linux/amd64 or linux/arm64".to_owned(),
        );
    }
    Ok(text.to_owned())
}

/// Text that says something.
pub fn not_empty(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("it is empty".to_owned()),
        false => Ok(text.to_owned()),
    }
}

pub fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "a rate is a number".to_owned())?;
    match (0.1..=1_000_000.0).contains(&rate) {
        true => Ok(rate),
        false => Err("a rate is 0.1 to 1000000 requests per second".to_owned()),
    }
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::BOTH
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()))
    }
}

impl ValueEnum for HookTaskOrder {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Again, Self::Done]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, help) = match self {
            Self::Again => ("again", "Run it, though it has run or may have run"),
            Self::Done => (
                "done",
                "It need not run: it has, or somebody did it by hand",
            ),
        };
        Some(PossibleValue::new(word).help(help))
    }
}

impl ValueEnum for Role {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Deployer, Self::Operator]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (word, help) = match self {
            Self::Deployer => (
                "deployer",
                "For a pipeline: all but what makes and removes the stack",
            ),
            Self::Operator => (
                "operator",
                "To make and remove the stack, beside a deployer's policy",
            ),
        };
        Some(PossibleValue::new(word).help(help))
    }
}

impl ValueEnum for PolicyFor {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            Self::App(role) => role.to_possible_value(),
            Self::Worker => {
                let help = "For a worker of uploads: its queue and bucket, and its apps' releases";
                Some(PossibleValue::new("worker").help(help))
            }
        }
    }
}

impl ValueEnum for Connections {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Fresh => "A new one for each request, as a new visitor",
            Self::Reused => "Kept ones, as a browser or a service with keep-alive",
            Self::Both => "The two in turn",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}

impl ValueEnum for Version {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Auto => "HTTP/2 where TLS agrees on it, else HTTP/1.1",
            Self::One => "HTTP/1.1",
            Self::Two => "HTTP/2, also without TLS",
        };
        Some(PossibleValue::new(self.word()).help(help))
    }
}
