//! The names of a release set: several apps whose releases go live as one.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::AppName;
use super::JobMove;
use super::is_plain_name;
use super::journal::OperationId;

/// The name of a set or of a module: lower-case letters, digits and single hyphens
/// between them.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SetName(String);

impl SetName {
    /// Longer ones fit into no line of a report.
    const LONGEST: usize = 40;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SetName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.len() <= Self::LONGEST && is_plain_name(text) {
            true => Ok(Self(text.to_owned())),
            false => Err(format!(
                "`{text}` is not a name that a set or a module can have: at most {} lower-case letters, digits and single hyphens between them",
                Self::LONGEST
            )),
        }
    }
}

/// An app by itself is a set of one.
impl From<&AppName> for SetName {
    fn from(app: &AppName) -> Self {
        Self(app.to_string())
    }
}

impl fmt::Display for SetName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a module waits for in the shift of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetGate {
    /// Its turn to run what its file wants to have run ahead of it all.
    Prepare,
    /// Its turn to take that stage of production, counted from 0.
    Stage(usize),
    /// All modules have taken all of theirs: from here on none goes back.
    Commit,
}

impl fmt::Display for SetGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prepare => f.write_str("its turn to prepare"),
            Self::Stage(stage) => write!(f, "its turn to take stage {}", stage + 1),
            Self::Commit => f.write_str("all modules are live"),
        }
    }
}

/// How users of a set's regions go over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RegionOrder {
    #[default]
    Together,
    /// One region after the other, each watched for so long before the next.
    InTurn(Duration),
}

impl RegionOrder {
    pub fn is_in_turn(self) -> bool {
        self != Self::Together
    }

    /// For how long a region is watched beyond its own end, before the next.
    pub fn bake(self) -> Duration {
        match self {
            Self::Together => Duration::ZERO,
            Self::InTurn(bake) => bake,
        }
    }
}

/// What an operation says of the release that it is a part of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetMark {
    pub set: SetName,
    /// The release's: the same in all modules.
    pub id: OperationId,
    /// Which one this is.
    pub module: SetName,
    /// All of them, for whoever finds one unfinished.
    pub modules: Vec<ModulePlace>,
    /// Which are moved once all modules are live by it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub jobs: Vec<JobMove>,
}

/// Where a module is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModulePlace {
    pub name: SetName,
    pub app: String,
    /// Those whose users go over first, by their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<usize>,
    /// Its `bgecs.toml`, on the machine of whoever released it.
    pub config: PathBuf,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    pub region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
}

impl SetMark {
    /// In words, where its process is gone.
    pub fn unfinished(&self) -> String {
        format!("the release of the set {} is unfinished", self.set)
    }
}
