//! The names that a `bgecs.toml` gives, and their rules.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use crate::model::{CpuArchitecture, Platform};

/// The app's name, from which every AWS resource's is made.
///
/// Two to twenty characters, because the longest name made of it,
/// `bgecs-<app>-green`, is a target group's and those have at most 32
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>);
/// lower case, because an ECR repository's is
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html>).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct AppName(String);

impl AppName {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `<app>-<environment>`: the same app somewhere else.
    pub(super) fn in_environment(&self, name: &str) -> Result<Self, String> {
        let text = format!("{}-{name}", self.0);
        text.parse().map_err(|_| {
            format!(
                "the app's name would be `{text}`, and has 20 characters at most: write `app = \"…\"` below [env.{name}]"
            )
        })
    }

    /// `bgecs-<app>`: the name of the stack, and the family of its task
    /// definitions.
    pub fn stack_name(&self) -> String {
        format!("bgecs-{}", self.0)
    }
}

impl fmt::Display for AppName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for AppName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts_are_plain = text.split('-').all(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        });
        let starts_well = text.starts_with(|c: char| c.is_ascii_lowercase());
        if starts_well && parts_are_plain && (2..=20).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!(
                "`{text}` is not a valid app name: use 2 to 20 lower-case letters, digits and single hyphens, starting with a letter and not ending with a hyphen"
            ))
        }
    }
}

/// The twelve digits of an AWS account. Text, for some begin with a zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountId(String);

impl AccountId {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl FromStr for AccountId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!("`{text}` is no account: it has 12 digits")),
        }
    }
}

/// Whether it can be a region, which becomes a part of host names.
pub fn is_region(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

pub(super) fn region(text: &str) -> Result<String, String> {
    match is_region(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is no region: those look like eu-west-1")),
    }
}

pub(super) fn profile(text: &str) -> Result<String, String> {
    match text.trim().is_empty() || text.chars().any(char::is_control) {
        false => Ok(text.to_owned()),
        true => Err("it is the name of no profile".to_owned()),
    }
}

/// What an app's name can end in.
pub(super) fn environment_name(text: &str) -> Result<(), String> {
    let is_plain = |part: &str| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    match text.split('-').all(is_plain) {
        true => Ok(()),
        false => Err(
            "the name of an environment has lower-case letters, digits and single hyphens between them"
                .to_owned(),
        ),
    }
}

/// Rule: <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDefinition.html>.
pub(super) fn container_name(text: &str) -> Result<String, String> {
    let is_plain = text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if is_plain && (1..=255).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("ECS takes 1 to 255 letters, digits, `_` and `-`".to_owned())
    }
}

/// The name of an environment variable.
pub(super) fn variable_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.contains(['=', '\0']) {
        Err("the name of an environment variable is not empty and has no `=`".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// The path of a request, with the length that a health check's may have
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>).
pub(super) fn request_path(text: &str) -> Result<String, String> {
    let is_plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'#');
    if text.starts_with('/') && is_plain && text.len() <= 1024 {
        Ok(text.to_owned())
    } else {
        Err("a path starts with `/` and has no spaces (percent-encode them), no `#` and at most 1024 characters".to_owned())
    }
}

/// Text that says something.
pub(super) fn not_empty(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        Err("it is empty; leave the key out instead".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// By ECS's name of it or Docker's.
pub(super) fn architecture(text: &str) -> Result<CpuArchitecture, String> {
    let platform: Option<Platform> = text.parse().ok();
    platform
        .filter(|_| !text.contains('/'))
        .and_then(|platform| platform.cpu())
        .ok_or_else(|| "Fargate runs X86_64 and ARM64".to_owned())
}

/// The platforms that Fargate runs Linux images of
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RuntimePlatform.html>).
pub(super) fn platform(text: &str) -> Result<String, String> {
    match text {
        "linux/amd64" | "linux/arm64" | "linux/arm64/v8" => Ok(text.to_owned()),
        _ => Err("Fargate runs linux/amd64 and linux/arm64".to_owned()),
    }
}
