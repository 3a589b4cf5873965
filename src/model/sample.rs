//! One request of the probe, and what came back.

use std::time::Duration;

use serde::Serialize;

/// How the request reached the load balancer. The two can change over at
/// different times: a browser keeps its connection, a new visitor opens one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Connection {
    Fresh,
    Reused,
}

/// Why there was no whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Lost {
    TimedOut,
    /// Nobody listens there.
    Refused,
    /// The connection ended ahead of the answer.
    Reset,
    Tls,
    /// The answer began, and ended ahead of its end.
    CutShort,
    /// No such host, or no HTTP.
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Http {
        status: u16,
        /// The `x-bgecs-release` header, where the app sends it.
        release: Option<String>,
        /// The body's first characters.
        body: String,
    },
    Nothing {
        why: Lost,
        error: String,
    },
}

impl Answer {
    /// Any 2xx. A redirect is a failure too: users would be sent elsewhere.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Http { status, .. } if (200..300).contains(status))
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Http { status, .. } => Some(*status),
            Self::Nothing { .. } => None,
        }
    }
}

/// Times count from the start of the operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub n: u64,
    /// When the request was due, which is when it would have left on an idle
    /// machine.
    pub scheduled_at: Duration,
    /// From the scheduled instant to the answer's last byte, so that a stall
    /// is not hidden.
    pub latency: Duration,
    /// How long after it was due it left: this machine was busy, or asleep.
    pub late: Duration,
    pub connection: Connection,
    pub answer: Answer,
}

impl Sample {
    pub fn answered_at(&self) -> Duration {
        self.scheduled_at + self.latency
    }
}
