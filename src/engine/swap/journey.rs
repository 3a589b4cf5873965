//! One listener on its way to another colour: look, write, read back, and what
//! a reading means: ahead of the first write whether anybody else was here, and
//! after one whether it succeeded, was refused, or got lost.

use std::time::Duration;

use super::{READ_DEADLINE, UNREADABLE_DEADLINE, WriteFault};
use crate::model::{Color, Forwarding, Port};

/// How often a write whose answer was lost is sent anew.
const MOST_WRITES: u32 = 5;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journey {
    pub port: Port,
    pub color: Color,
    expected: Expected,
    /// When it began, until there is a write. Then: when the last write was answered, or given up.
    written_at: Duration,
    writes: u32,
    fault: Option<WriteFault>,
    /// Whether the answer of any write was lost.
    was_ambiguous: bool,
}

/// Where the listener must forward ahead of the first write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expected {
    /// To that colour; none is for one that forwards to no colour alone.
    Only(Option<Color>),
    /// To either colour: on the way back, getting there is what counts.
    Either,
}

/// What a reading of the listener means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reading {
    Arrived,
    Again,
    /// Nobody else was here, or what was written never happened.
    Write,
    /// Somebody else changed it, ahead of the first write.
    Drifted(String),
    Refused(String),
    Lost(String),
}

impl Journey {
    pub(super) fn new(at: Duration, port: Port, color: Color, expected: Expected) -> Self {
        Self {
            port,
            color,
            expected,
            written_at: at,
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

    pub(super) fn has_written(&self) -> bool {
        self.writes > 0
    }

    pub(super) fn read(&self, at: Duration, result: Result<Forwarding, String>) -> Reading {
        let is_late = at > self.written_at + READ_DEADLINE;
        let seen = match result {
            Ok(seen) => seen,
            // Users see failures: the way back does not wait for a reading.
            Err(_) if self.writes == 0 && self.expected == Expected::Either => {
                return Reading::Write;
            }
            Err(reason) if at > self.written_at + UNREADABLE_DEADLINE => {
                return self.unreadable(&reason);
            }
            Err(_) => return Reading::Again,
        };
        if self.writes == 0 {
            return self.ahead_of_the_write(&seen);
        }
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
            Some(fault) if fault.ambiguous && self.writes < MOST_WRITES => Reading::Write,
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

    fn ahead_of_the_write(&self, seen: &Forwarding) -> Reading {
        match self.expected {
            Expected::Only(color) if seen.only() == color => Reading::Write,
            Expected::Either if seen.only() == Some(self.color) => Reading::Arrived,
            Expected::Either if seen.only().is_some() => Reading::Write,
            Expected::Only(Some(color)) => Reading::Drifted(format!(
                "{} forwards to {seen}, and to {color} when this began: something else changed it",
                self.port
            )),
            Expected::Only(None) | Expected::Either => Reading::Drifted(format!(
                "{} forwards to {seen}: something else changed it",
                self.port
            )),
        }
    }

    fn unreadable(&self, reason: &str) -> Reading {
        match self.writes {
            0 => Reading::Refused(format!("{} cannot be read: {reason}", self.port)),
            _ => Reading::Lost(format!("{} cannot be read back: {reason}", self.port)),
        }
    }
}
