//! The vocabulary of a shift: what it is told, what it asks for, and how it ends.

use std::time::Duration;

use super::back::Look;
use super::journey::Journey;
use crate::engine::analysis::{Answerer, Limits};
use crate::engine::fitness::Fitness;
use crate::model::{
    Color, Condition, Endpoint, Found, Move, Patience, PerRoute, Route, Targets, Urgency,
};

/// What the person asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    pub judged_by: JudgedBy,
    /// The time between two requests of the probe, wherever users come in.
    pub pace: Duration,
    /// How long the probe waits for an answer.
    pub timeout: Duration,
    /// Whether a failing production forbids the shift. It does for a promotion,
    /// and not for what gets away from it: a rollback, or a fix.
    pub needs_clean_baseline: bool,
    /// Whether a failed shift is taken back.
    pub takes_back: bool,
    pub tolerates: Tolerated,
    /// With the router.
    pub patience: Patience,
    /// Whether it shares out request by request: one that shares out names gives each
    /// resolver one answer, for all who ask it.
    pub shares_requests: bool,
    /// What the routes are called.
    pub endpoints: PerRoute<Endpoint>,
}

/// What says how users fare, beside the alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JudgedBy {
    /// Nobody is served yet.
    Nothing,
    /// What production answers. It is watched for so long ahead of any change.
    Probe { baseline: Duration },
    /// The new colour's target health: nobody here asks production.
    Targets(Fitness),
}

impl Policy {
    pub fn is_blind(&self) -> bool {
        matches!(self.judged_by, JudgedBy::Targets(_))
    }

    /// How long production is watched ahead of any change.
    pub fn baseline(&self) -> Duration {
        match self.judged_by {
            JudgedBy::Probe { baseline } => baseline,
            JudgedBy::Nothing | JudgedBy::Targets(_) => Duration::ZERO,
        }
    }
}

/// What is no reason to judge otherwise.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tolerated {
    /// So many failures ahead of the first move.
    pub baseline: u64,
    /// For the new release, in each stretch that is watched.
    pub after: Limits,
}

/// How things were when the shift began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Before {
    pub found: PerRoute<Found>,
    /// Where production was when the *operation* began, which another process
    /// may have done. It is the way back; where production is not to move away
    /// from there, there is none to take.
    pub origin: Option<Color>,
    /// Whether the colour to go back to was healthy: if so, going back needs no
    /// other reading.
    pub was_healthy: bool,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Time passed. `oldest_pending` is when the oldest unanswered request of
    /// the probe was due.
    Tick {
        oldest_pending: Option<Duration>,
    },
    /// The probe got an answer, or none.
    Answered {
        scheduled_at: Duration,
        /// When the answer was in, or the request's time was up: it may be heard
        /// of much later, by a process that was stopped.
        over_at: Duration,
        ok: bool,
        /// Whether there was no answer at all.
        is_silence: bool,
        by: Answerer,
        latency: Duration,
    },
    /// The probe ended by itself: nobody watches any more.
    ProbeEnded,
    /// Ctrl-C, or SIGTERM.
    Interrupt,
    /// What it is to go live with failed, for that reason.
    Recalled(String),
    Noted(Result<(), NoteFault>),
    Written(Result<(), WriteFault>),
    /// Another holds the lease, so the write was not sent.
    LeaseLost(String),
    Read(Result<Found, String>),
    Health(Result<bool, String>),
    /// What a stage waited for is so, or cannot be.
    Met(Result<(), String>),
    /// Health of the colour to go back to, asked for from time to time.
    OldHealth(Result<bool, String>),
    /// What an alarm has against it, or why that is not known.
    Alarms(Result<Option<String>, String>),
    /// The new colour's, or why they cannot be read, where there is no probe.
    Targets {
        /// It may be answered much later, and says nothing of what came meanwhile.
        asked_at: Duration,
        result: Result<Targets, String>,
    },
}

/// A write that AWS did not confirm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteFault {
    pub effect: WriteEffect,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteEffect {
    Nothing,
    /// As little, since somebody else wrote after it was looked at.
    Overtaken,
    /// Of several ways in some were moved, and the next one was refused.
    InPart,
    /// It may have happened all the same, or would the next time.
    Unknown,
}

impl WriteFault {
    pub fn new(effect: WriteEffect, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { effect, message }
    }

    pub fn is_ambiguous(&self) -> bool {
        self.effect == WriteEffect::Unknown
    }
}

/// An intent that is not in the journal: the write that it is about must not
/// happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteFault {
    /// Whether another holds the lease now.
    pub is_lost: bool,
    pub message: String,
}

/// What to do next. Whatever else is under way is dropped for it, and its answer
/// is not waited for any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// See to it that it is so, however long that takes.
    Meet(Condition),
    /// Write into the journal that this is about to happen.
    Note(Move),
    Apply(Move, Urgency),
    Read {
        route: Route,
        after: Duration,
    },
    /// Ask for the colour's health and read production, at the same time: two
    /// events, each when it comes.
    LookBack(Color),
    AskHealth {
        color: Color,
        after: Duration,
    },
}

/// How it ended, and who serves now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The new colour serves.
    Committed,
    /// It stands between two stages, until a person says that it goes on.
    Paused,
    /// Users saw failures, or the person asked: the old colour serves again.
    RolledBack(Why),
    /// Nothing was changed, because production already failed.
    Unwell,
    /// Nothing was changed, because something else moved production meanwhile, or
    /// another holds the lease now.
    Refused(String),
    /// Production was not moved, because the person asked.
    Interrupted,
    /// Nothing was changed, because AWS would not.
    Unchanged(String),
    /// Failed, and left on the new colour.
    Left(Why),
    /// Nobody knows for sure, or the way back failed: look now.
    InDoubt(String),
}

/// Why a shift is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    Failures,
    /// Else it is not as it should be: slow, worse than the old release, or with
    /// another share than it was given.
    Worse(String),
    /// The probe ended by itself, so nobody would see a failure.
    ProbeEnded,
    Interrupt,
    /// What production does after its write cannot be seen.
    Unseen(String),
    /// A later stage's route could not be moved.
    Unmoved(Route, String),
    /// The journal could not be written, so a later stage's route was not moved.
    Journal(String),
    /// What a later stage waited for cannot be.
    Unmet(String),
    /// An alarm objects.
    Alarm(String),
    /// What it was to go live with failed.
    Recalled(String),
    /// The new colour's targets are not as they should be, where there is no probe.
    Unhealthy(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Baseline,
    /// What the stage waits for is seen to, ahead of its move or once it was
    /// watched; the one of that number.
    Meeting {
        is_watched: bool,
        number: usize,
    },
    /// The intent of the stage's move is being written.
    Noting,
    Forward(Journey),
    /// The stage is watched.
    Baking {
        until: Duration,
    },
    /// Is the old colour fit to serve again?
    LookingBack {
        why: Why,
        look: Look,
    },
    Back {
        why: Why,
        journey: Journey,
    },
    Confirming {
        why: Why,
        since: Duration,
        good: u32,
    },
    Done(Outcome),
}

/// A phase by its name; a journey's steps are none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    Baseline,
    /// Of the strategy's stage with that number, counted from 0, and which of what
    /// it waits for.
    Meeting(usize, usize),
    Noting(usize),
    Moving(usize),
    Baking(usize),
    LookingBack,
    Back(Route),
    Confirming,
    Done,
}

/// When a move happened, there or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveTimes {
    pub it: Move,
    /// When it first left.
    pub sent: Duration,
    /// When it was read back.
    pub seen: Option<Duration>,
}
