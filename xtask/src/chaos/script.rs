//! What is done in an episode: drawn from a seed, and from nothing else. Pure.

mod draw;

use std::fmt;

pub use draw::draw;

/// A sequence of steps. Each has its number from the draw, so that it is called
/// the same after others were taken out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script(pub Vec<(usize, Step)>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// One command, or two at once.
    Commands {
        first: Line,
        second: Option<Line>,
        trouble: Option<Trouble>,
        /// What comes to the first one.
        blow: Option<Blow>,
    },
    Stranger(Act),
    /// What the stranger did to the listeners is put back by hand.
    PutBack,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    Init,
    Deploy(Kind),
    /// The deploy that was typed last, typed again.
    DeployAgain,
    /// Without a colour.
    Promote,
    PromoteTag(Whose),
    PromoteColor(Whose),
    Rollback,
    Retire,
    Resume,
    Adopt,
    Status,
    Unlock,
    Destroy,
}

/// What a release is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Good,
    /// It listens only after two seconds.
    Slow,
    /// It is well on the test port alone.
    FailsLive,
    Crashes,
    Unhealthy,
}

/// Of which colour, at the time when the line is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    Live,
    Idle,
}

/// What happens to calls while a step is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    pub on: Calls,
    /// From 1.
    pub nth: u32,
    /// That call and all after it, until the step is over.
    pub lasts: bool,
    pub ill: Ill,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    Any,
    Writes,
    Of(&'static str, &'static str),
    Journal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ill {
    Throttled,
    InternalError,
    LostBefore,
    /// It has its effect, and the answer is lost.
    LostAfter,
    Late,
    /// No answer until the step is over.
    Hangs,
    /// A read of two seconds ago.
    Stale,
}

/// A signal at a write, counted over all services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blow {
    pub signal: Signal,
    pub write: u32,
    /// After the write has its effect, or before.
    pub after: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    Kill,
    Interrupt,
    Terminate,
}

/// What somebody else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Port 80 to the other colour.
    MoveProd,
    /// Port 81 to the other colour.
    MoveTest,
    /// New tasks for the idle service.
    RestartIdle,
    /// As autoscaling does.
    ScaleLive,
    DeleteIdle,
}

impl Kind {
    /// Whether users of it are served, once it is live.
    pub fn serves(self) -> bool {
        matches!(self, Self::Good | Self::Slow)
    }

    /// Whether a deploy of it can be done at all.
    pub fn can_be_deployed(self) -> bool {
        matches!(self, Self::Good | Self::Slow | Self::FailsLive)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Good => "is-good",
            Self::Slow => "is-slow",
            Self::FailsLive => "fails-live",
            Self::Crashes => "crashes",
            Self::Unhealthy => "is-unhealthy",
        }
    }

    /// The environment that makes it so.
    pub fn environment(self) -> &'static str {
        match self {
            Self::Good => "",
            Self::Slow => "GREETER_START_DELAY_MS = \"2000\"",
            Self::FailsLive => "GREETER_FAIL_WHEN_LIVE = \"1\"",
            Self::Crashes => "GREETER_CRASH = \"1\"",
            Self::Unhealthy => "GREETER_UNHEALTHY = \"1\"",
        }
    }

    pub const ALL: [Self; 5] = [
        Self::Good,
        Self::Slow,
        Self::FailsLive,
        Self::Crashes,
        Self::Unhealthy,
    ];
}

impl Script {
    /// Only the steps with these numbers.
    pub fn only(&self, numbers: &[usize]) -> Self {
        let steps = self.0.iter();
        let kept = steps.filter(|(number, _)| numbers.contains(number));
        Self(kept.cloned().collect())
    }

    pub fn numbers(&self) -> Vec<usize> {
        self.0.iter().map(|(number, _)| *number).collect()
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, step) in &self.0 {
            writeln!(f, "  {number}. {step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Commands {
                first,
                second,
                trouble,
                blow,
            } => {
                write!(f, "{first}")?;
                if let Some(second) = second {
                    write!(f, ", at once with {second}")?;
                }
                if let Some(blow) = blow {
                    write!(f, "; {blow}")?;
                }
                if let Some(trouble) = trouble {
                    write!(f, "; {trouble}")?;
                }
                Ok(())
            }
            Self::Stranger(act) => write!(f, "a stranger: {act}"),
            Self::PutBack => f.write_str("the listeners are put back"),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |whose: &Whose| match whose {
            Whose::Live => "live",
            Whose::Idle => "idle",
        };
        match self {
            Self::Init => f.write_str("init"),
            Self::Deploy(kind) => write!(f, "deploy (one that {})", kind.as_str()),
            Self::DeployAgain => f.write_str("the last deploy again"),
            Self::Promote => f.write_str("promote"),
            Self::PromoteTag(of) => write!(f, "promote --tag (the {} one)", whose(of)),
            Self::PromoteColor(of) => write!(f, "promote (the {} colour)", whose(of)),
            Self::Rollback => f.write_str("rollback"),
            Self::Retire => f.write_str("retire"),
            Self::Resume => f.write_str("resume"),
            Self::Adopt => f.write_str("adopt"),
            Self::Status => f.write_str("status"),
            Self::Unlock => f.write_str("unlock"),
            Self::Destroy => f.write_str("destroy"),
        }
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signal = match self.signal {
            Signal::Kill => "SIGKILL",
            Signal::Interrupt => "SIGINT",
            Signal::Terminate => "SIGTERM",
        };
        let side = if self.after { "after" } else { "before" };
        write!(f, "{signal} {side} write {}", self.write)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = match self.on {
            Calls::Any => "call".to_owned(),
            Calls::Writes => "write".to_owned(),
            Calls::Of(_, operation) => operation.to_owned(),
            Calls::Journal => "call of DynamoDB".to_owned(),
        };
        let ill = match self.ill {
            Ill::Throttled => "is throttled",
            Ill::InternalError => "fails",
            Ill::LostBefore => "is lost",
            Ill::LostAfter => "has its answer lost",
            Ill::Late => "is late",
            Ill::Hangs => "hangs",
            Ill::Stale => "is stale",
        };
        let lasts = if self.lasts { " and each after it" } else { "" };
        write!(f, "{calls} {}{lasts} {ill}", self.nth)
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MoveProd => "moves port 80 to the other colour",
            Self::MoveTest => "moves port 81 to the other colour",
            Self::RestartIdle => "restarts the idle service",
            Self::ScaleLive => "scales the live service to two",
            Self::DeleteIdle => "deletes the idle service",
        })
    }
}
