//! One listener on its way to another colour: write, read back, and what the
//! reading means for a write that succeeded, was refused, or got lost.

use std::time::Duration;

use super::{READ_DEADLINE, WriteFault};
use crate::model::{Color, Forwarding, Port};

/// How often a write whose answer was lost is sent anew.
const MOST_WRITES: u32 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub port: Port,
    pub color: Color,
    /// When the last write was answered, or given up.
    written_at: Duration,
    writes: u32,
    fault: Option<WriteFault>,
    /// Whether the answer of any write was lost.
    was_ambiguous: bool,
}

/// What a reading of the listener means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Arrived,
    Again,
    WriteAgain,
    Refused(String),
    Lost(String),
}

impl Journey {
    pub(super) fn new(port: Port, color: Color) -> Self {
        Self {
            port,
            color,
            written_at: Duration::ZERO,
            writes: 0,
            fault: None,
            was_ambiguous: false,
        }
    }

    pub(super) fn written(&mut self, at: Duration, result: Result<(), WriteFault>) {
        self.written_at = at;
        self.writes += 1;
        self.fault = result.err();
        self.was_ambiguous |= self.fault.as_ref().is_some_and(|fault| fault.ambiguous);
    }

    pub(super) fn read(&self, at: Duration, result: Result<Forwarding, String>) -> Reading {
        let is_late = at > self.written_at + READ_DEADLINE;
        let seen = match result {
            Ok(seen) => seen,
            Err(reason) if is_late => {
                return Reading::Lost(format!("{} cannot be read back: {reason}", self.port));
            }
            Err(_) => return Reading::Again,
        };
        if seen.only() == Some(self.color) {
            return Reading::Arrived;
        }
        if seen.only() != Some(self.color.other()) {
            return Reading::Lost(format!(
                "{} forwards to {seen}: something else changed it meanwhile",
                self.port
            ));
        }
        match &self.fault {
            Some(fault) if fault.ambiguous && self.writes < MOST_WRITES => Reading::WriteAgain,
            // A write whose answer was lost may be about to show.
            Some(_) if self.was_ambiguous && !is_late => Reading::Again,
            Some(fault) => Reading::Refused(fault.message.clone()),
            None if is_late => Reading::Lost(format!(
                "AWS confirmed the change of {}, and it does not show",
                self.port
            )),
            None => Reading::Again,
        }
    }
}
