//! The app's name, and the names that are derived from it, with their rules.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

use super::Color;

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

    /// The nearest to any other name: what an app may not have becomes a hyphen.
    pub fn near(text: &str) -> Option<Self> {
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .collect();
        let joined = words.join("-");
        let cut = joined.get(..20).unwrap_or(&joined).trim_end_matches('-');
        cut.trim_start_matches(|c: char| !c.is_ascii_lowercase())
            .parse()
            .ok()
    }

    /// `bgecs-<app>`: the name of the stack, and the family of its task
    /// definitions.
    pub fn stack_name(&self) -> String {
        format!("bgecs-{}", self.0)
    }

    /// `bgecs-<app>-<colour>`: what only that colour has.
    pub fn colored(&self, color: Color) -> String {
        format!("{}-{color}", self.stack_name())
    }

    /// Of that colour's target group with that number, counted from 0: at most 32
    /// characters, whatever the app is called
    /// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateTargetGroup.html>).
    pub fn group_name(&self, color: Color, number: usize) -> String {
        match (number, color) {
            (0, _) => self.colored(color),
            (_, Color::Blue) => format!("{}-b{}", self.stack_name(), number + 1),
            (_, Color::Green) => format!("{}-g{}", self.stack_name(), number + 1),
        }
    }

    /// Where the containers' logs are, unless somebody else has a place for them.
    pub fn log_group(&self) -> String {
        format!("/bgecs/{}", self.0)
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
            false => Err(format!(
                "`{text}` is not an account number, which has 12 digits"
            )),
        }
    }
}

/// Lower-case letters, digits, and single hyphens between them.
pub fn is_plain_name(text: &str) -> bool {
    text.split('-').all(|part| {
        let mut bytes = part.bytes();
        !part.is_empty() && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    })
}

/// Whether it can be a region, which becomes a part of host names.
pub fn is_region(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Whose account an app is in, and where, as its file says. Flags win over it,
/// and it over the environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwsPlace {
    /// Any other account is refused.
    pub account: Option<AccountId>,
    pub region: Option<String>,
    pub profile: Option<String>,
}
