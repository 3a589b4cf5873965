//! The one error that reaches a person: what failed, on what, why, where
//! traffic is, what to do next, and the exit code that says it to a script.

use std::error::Error as StdError;
use std::fmt;

use serde::Serialize;

use crate::model::{NotEcs, Observed};

/// The documented exit codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Done = 0,
    /// Failed, traffic unchanged.
    Failed = 1,
    /// Usage or configuration.
    Usage = 2,
    /// Failed and rolled back, confirmed.
    RolledBack = 3,
    /// Traffic is not where anyone asked: look now.
    LookNow = 4,
    /// Timed out, traffic unchanged.
    TimedOut = 5,
    /// Refused: a check failed, or someone else is at work.
    Refused = 6,
    /// A plan has something to do, for whoever asked whether it has.
    Changes = 7,
    /// Interrupted before any change.
    Interrupted = 130,
}

impl Exit {
    /// What a code means that was written down.
    pub fn of_code(code: u8) -> Self {
        const ALL: [Exit; 9] = [
            Exit::Done,
            Exit::Failed,
            Exit::Usage,
            Exit::RolledBack,
            Exit::LookNow,
            Exit::TimedOut,
            Exit::Refused,
            Exit::Changes,
            Exit::Interrupted,
        ];
        let found = ALL.into_iter().find(|exit| exit.code() == code);
        found.unwrap_or(Self::Failed)
    }

    pub fn code(self) -> u8 {
        self as u8
    }
}

#[derive(Debug)]
pub struct Error {
    pub exit: Exit,
    pub message: String,
    pub causes: Vec<String>,
    pub traffic: Option<String>,
    pub hint: Option<String>,
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            causes: Vec::new(),
            traffic: None,
            hint: None,
        }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(Exit::Refused, message)
    }

    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    /// Takes the whole chain of causes of another error, its own message first.
    pub fn because(mut self, error: &dyn StdError) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            let text = error.to_string();
            // Wrappers often repeat what they wrap.
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = error.source();
        }
        self
    }

    pub fn traffic(mut self, traffic: impl Into<String>) -> Self {
        self.traffic = Some(traffic.into());
        self
    }

    /// Says where traffic is, and that nothing here moved it.
    pub fn untouched(self, observed: &Observed) -> Self {
        self.traffic(format!("{}, unchanged", observed.traffic_line()))
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// One more line of it.
    pub fn hint_too(mut self, hint: &str) -> Self {
        let lines = self.hint.take().filter(|hint| !hint.is_empty());
        let lines = lines.into_iter().chain([hint.to_owned()]);
        self.hint = Some(lines.collect::<Vec<_>>().join("\n"));
        self
    }

    /// The form that `--json` prints.
    pub fn to_json(&self) -> serde_json::Value {
        #[derive(Serialize)]
        struct Form<'a> {
            message: &'a str,
            causes: &'a [String],
            traffic: &'a Option<String>,
            hint: &'a Option<String>,
            exit_code: u8,
        }
        serde_json::json!({ "error": Form {
            message: &self.message,
            causes: &self.causes,
            traffic: &self.traffic,
            hint: &self.hint,
            exit_code: self.exit.code(),
        }})
    }
}

impl From<NotEcs> for Error {
    fn from(not: NotEcs) -> Self {
        Self::refused(not.to_string())
    }
}

pub type Cause<'a> = &'a (dyn StdError + 'static);

/// An error and what caused it, the cause of all last.
pub fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    fn next<'a>(error: &Cause<'a>) -> Option<Cause<'a>> {
        // `error.source()` would ask the reference, for a shorter lifetime.
        (**error).source()
    }
    std::iter::successors(Some(error), next)
}

/// The cause of all, in words: wrappers seldom say more.
pub fn innermost(error: Cause<'_>) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        for cause in &self.causes {
            write!(f, "\n  caused by: {}", indented(cause))?;
        }
        if let Some(traffic) = &self.traffic {
            write!(f, "\n  traffic:   {traffic}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint:      {}", indented(hint))?;
        }
        Ok(())
    }
}

fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n             ")
}

impl StdError for Error {}
