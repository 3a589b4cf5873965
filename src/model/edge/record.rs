//! A record of Route 53 that routes users: what it answers for either colour, and what
//! it was found to answer.

use serde::{Deserialize, Serialize};

use crate::model::{Color, PerColor};

/// A name in a zone of Route 53, answered for either colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedRecord {
    /// What the app's sets are called by: the name of its stack.
    pub owner: String,
    /// The hosted zone's id.
    pub zone: String,
    /// In lower case, without the last dot.
    pub name: String,
    /// Seconds for which a resolver may keep an answer; aliases have their target's.
    pub ttl: u32,
    /// The same as it was before bgecs took the record over; none where bgecs made
    /// it.
    pub ttl_before: Option<u32>,
    /// What is answered for a colour; both of the same types.
    pub answers: PerColor<Vec<RecordAnswer>>,
}

/// What a record set of one type says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAnswer {
    #[serde(rename = "type")]
    pub kind: RecordType,
    #[serde(flatten)]
    pub leads: Leads,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum RecordType {
    A,
    Aaaa,
    Cname,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leads {
    /// To an AWS thing, whose addresses Route 53 knows.
    Alias(Alias),
    /// To these, as a resolver is told them.
    Values(Vec<String>),
}

/// A record set as it was found, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    /// Its type, such as `CNAME`.
    pub kind: String,
    /// Set if several records share the name.
    pub identifier: Option<String>,
    pub weight: Option<u32>,
    /// What else it is chosen by among several, such as `latency`.
    pub chosen_by: Option<&'static str>,
    /// In seconds; an alias has none.
    pub ttl: Option<u32>,
    pub leads: Leads,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// The hosted zone of what it leads to.
    pub zone: String,
    /// In lower case, without the last dot.
    pub name: String,
    /// Whether it is left out while that is unhealthy.
    pub evaluates_health: bool,
}

/// A load balancer's name without what the console writes ahead of it.
pub fn without_dualstack(name: &str) -> &str {
    name.strip_prefix("dualstack.").unwrap_or(name)
}

/// An alias to a load balancer is kept for so long, whoever owns the record
/// (<https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-alias-common.html>).
pub const ALIAS_TTL: u32 = 60;

impl RoutedRecord {
    /// Where it leads for that colour, each place once.
    pub(super) fn leads(&self, color: Color) -> String {
        let mut leads: Vec<String> = Vec::new();
        for answer in self.answers.get(color) {
            let lead = answer.leads.to_string();
            let lead = without_dualstack(&lead).to_owned();
            if !leads.contains(&lead) {
                leads.push(lead);
            }
        }
        leads.join(", ")
    }

    /// By which the set of that colour is told from the other's, and from those of
    /// other apps.
    pub fn identifier(&self, color: Color) -> String {
        format!("{}-{color}", self.owner)
    }

    /// The colour whose set that is, by its identifier.
    pub fn color_of(&self, set: &RecordSet) -> Option<Color> {
        let identifier = set.identifier.as_ref()?;
        let mut colors = Color::BOTH.into_iter();
        colors.find(|color| self.identifier(*color) == *identifier)
    }

    pub fn answer(&self, color: Color, kind: &str) -> Option<&RecordAnswer> {
        let mut answers = self.answers.get(color).iter();
        answers.find(|answer| answer.kind.as_str() == kind)
    }

    /// The colour whose answer it gives, if either's.
    pub fn led_to(&self, set: &RecordSet) -> Option<Color> {
        let leads = |color: &Color| {
            let answer = self.answer(*color, &set.kind);
            answer.is_some_and(|answer| answer.leads.is_to(&set.leads))
        };
        Color::BOTH.into_iter().find(leads)
    }

    /// For how long a resolver may keep what it was answered, in seconds.
    pub fn kept_for(&self) -> u32 {
        let answers = self.answers.blue.iter().chain(&self.answers.green);
        let kept = answers.map(|answer| answer.leads.kept_for(self.ttl));
        kept.max().unwrap_or(self.ttl)
    }
}

impl RecordType {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Cname => "CNAME",
        }
    }
}

impl Leads {
    /// Whether it is the same place, however its health is evaluated.
    pub fn is_to(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Alias(one), Self::Alias(other)) => {
                one.zone == other.zone && one.name == other.name
            }
            (Self::Values(one), Self::Values(other)) => {
                let sorted = |values: &[String]| {
                    let mut values = values.to_vec();
                    values.sort();
                    values
                };
                sorted(one) == sorted(other)
            }
            _ => false,
        }
    }

    fn kept_for(&self, ttl: u32) -> u32 {
        match self {
            Self::Alias(_) => ALIAS_TTL,
            Self::Values(_) => ttl,
        }
    }
}

/// `CNAME blue.example.com`, for sentences.
impl std::fmt::Display for RecordSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, leads, .. } = self;
        match &self.identifier {
            Some(identifier) => write!(f, "{kind} {leads} ({identifier})"),
            None => write!(f, "{kind} {leads}"),
        }
    }
}

/// Where it leads, for sentences.
impl std::fmt::Display for Leads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Alias(alias) => f.write_str(&alias.name),
            Self::Values(values) => f.write_str(&values.join(", ")),
        }
    }
}
