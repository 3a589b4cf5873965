//! What the journal knows of an app: who is at work, at what, and where traffic
//! was when the last operation ended. Values only; they are written as JSON.

mod asked;
mod effect;
mod operation;

use std::fmt;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::serde::rfc3339;

use super::deployed::read_either;
use super::{Color, Deployed, Endpoint, Found, HostedRelease, Observed, PerColor, PerRoute, Route};

pub use asked::{Asked, Header};
pub use effect::{Effect, Entry, Fate, OwnCommand};
pub use operation::{Ending, Operation, OperationId, OperationOutcome, Watched};

/// The form of what is written. One that is higher was written by a newer bgecs,
/// which alone knows what it means. In format 1 a release was known by its colour
/// alone, up to format 2 a move was a listener's, up to format 3 an operation had no
/// strategy, no hook and no pause, up to format 4 it was no part of a set's release, and
/// up to format 5 nothing was said of what scales a colour; all are read still.
pub const FORMAT: u32 = 6;

/// The one item that all commands of an app share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Grows with each taking of the lease, and never goes back.
    pub fence: u64,
    pub lease: Option<Lease>,
    /// The operation that was begun and has not ended.
    pub operation: Option<Operation>,
    pub truth: Option<Truth>,
}

/// The right to change the app, until a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    pub holder: Holder,
    pub until: OffsetDateTime,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Names this taking among all others; also the id of its operation.
    pub id: OperationId,
    pub who: Who,
    pub command: Command,
    #[serde(with = "rfc3339")]
    pub since: OffsetDateTime,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.who, self.command)
    }
}

/// A person or a pipeline, and the process that works for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// `user@host`, or the CI run.
    pub name: String,
    pub host: String,
    pub pid: u32,
    /// Where the CI run can be seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The process, where the system tells enough to name it for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, process {} on {}", self.name, self.pid, self.host)?;
        match &self.url {
            Some(url) => write!(f, ", {url}"),
            None => Ok(()),
        }
    }
}

/// One process among all that ever ran: pids come again, and containers have
/// their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// The machine since it was started, and the set of pids within it.
    pub realm: String,
    pub pid: u32,
    /// In the system's own ticks since the machine was started.
    pub started: u64,
}

/// The commands that change something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Command {
    Init,
    Deploy,
    Promote,
    Rollback,
    Retire,
    Destroy,
    Resume,
    Adopt,
    Attach,
    Detach,
    Release,
}

impl Command {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Deploy => "deploy",
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Retire => "retire",
            Self::Destroy => "destroy",
            Self::Resume => "resume",
            Self::Adopt => "adopt",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Release => "release",
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Where the listeners forwarded when the last operation ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Truth {
    /// What was live then.
    #[serde(rename = "prod", default, deserialize_with = "read_either")]
    pub production: Option<Deployed>,
    pub test: Option<Color>,
    /// What users were on last, other than what is live.
    #[serde(default, deserialize_with = "read_either")]
    pub previous: Option<Previous>,
    /// What runs where bgecs does not run the colours: nobody else could say.
    #[serde(default, skip_serializing_if = "nothing_is_hosted")]
    pub hosted: PerColor<Option<HostedRelease>>,
}

fn nothing_is_hosted(hosted: &PerColor<Option<HostedRelease>>) -> bool {
    hosted.blue.is_none() && hosted.green.is_none()
}

/// A release that users were on, and how it came that they are not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Previous {
    #[serde(flatten)]
    pub release: Deployed,
    pub left: Left,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// Another release was made live in its place: it is the way back.
    Replaced,
    /// A person went back from it.
    RolledBack,
    /// It was taken back by itself, for users saw failures.
    TakenBack,
}

impl From<Deployed> for Previous {
    fn from(release: Deployed) -> Self {
        Self {
            release,
            left: Left::Replaced,
        }
    }
}

impl Truth {
    fn of(&self, route: Route) -> Option<Color> {
        match route {
            Route::Production => self.live(),
            Route::Test => self.test,
        }
    }

    /// The colour that was live.
    pub fn live(&self) -> Option<Color> {
        self.production.as_ref().map(|live| live.color)
    }

    /// What holds from now on, where that operation ended and the listeners are
    /// as observed.
    #[must_use]
    pub fn after(earlier: Option<&Self>, operation: &Operation, observed: &Observed) -> Self {
        let PerRoute { production, test } = observed.traffic.map(Found::only);
        let was_live = earlier.and_then(|truth| truth.production.clone());
        let previous = match was_live.filter(|was| Some(was.color) != production) {
            Some(was) => Some(Previous {
                // What ran there when it began, which may be newer.
                release: match &operation.from {
                    Some(from) if from.color == was.color => from.clone(),
                    _ => was,
                },
                left: match operation.command {
                    Command::Rollback => Left::RolledBack,
                    _ => Left::Replaced,
                },
            }),
            None => earlier.and_then(|truth| truth.previous.clone()),
        };
        Self {
            production: production.map(|live| {
                let release = observed.deployed(live);
                release.unwrap_or_else(|| Deployed::somewhere_on(live))
            }),
            test,
            previous,
            hosted: PerColor {
                blue: observed.colors.blue.hosted.clone(),
                green: observed.colors.green.hosted.clone(),
            },
        }
    }
}

/// A listener that does not forward where the journal says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drift {
    #[serde(skip)]
    pub route: Route,
    #[serde(rename = "port")]
    pub endpoint: Endpoint,
    pub expected: String,
    pub found: String,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            endpoint,
            expected,
            found,
            ..
        } = self;
        write!(
            f,
            "{endpoint} forwards to {found}, and the journal says {expected}"
        )
    }
}

impl Observed {
    /// Where the listeners are not as the last operation left them. While one is
    /// unfinished, it says itself where they may be.
    pub fn drift(&self) -> Vec<Drift> {
        let truth = self.journal.truth.as_ref();
        let Some(truth) = truth.filter(|_| self.journal.operation.is_none()) else {
            return Vec::new();
        };
        [Route::Production, Route::Test]
            .into_iter()
            .filter(|route| !self.found_at(*route).is_by_request())
            .filter(|route| self.found_at(*route).only() != truth.of(*route))
            .map(|route| Drift {
                route,
                endpoint: self.endpoint(route).clone(),
                expected: truth
                    .of(route)
                    .map_or_else(|| "nothing".to_owned(), |color| color.to_string()),
                found: self.found_at(route).to_string(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
