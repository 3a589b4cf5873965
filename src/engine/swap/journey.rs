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
        }
    }

    pub(super) fn written(&mut self, at: Duration, result: Result<(), WriteFault>) {
        self.written_at = at;
        self.writes += 1;
        self.fault = result.err();
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
            Some(fault) if !fault.ambiguous => Reading::Refused(fault.message.clone()),
            Some(fault) if self.writes >= MOST_WRITES => Reading::Refused(fault.message.clone()),
            Some(_) => Reading::WriteAgain,
            None if is_late => Reading::Lost(format!(
                "AWS confirmed the change of {}, and it does not show",
                self.port
            )),
            None => Reading::Again,
        }
    }
}
