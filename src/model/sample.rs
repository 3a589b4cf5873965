//! One request of the probe, and what came back.

use std::time::Duration;

/// How the request reached the load balancer. The two can change over at
/// different times: a browser keeps its connection, a new visitor opens one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    Fresh,
    Reused,
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
    /// No answer: refused, reset, timed out, or not HTTP.
    Nothing { error: String },
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
    pub connection: Connection,
    pub answer: Answer,
}

impl Sample {
    pub fn answered_at(&self) -> Duration {
        self.scheduled_at + self.latency
    }
}
