//! Progress of long work that others do, such as a build or a stack update.

use time::OffsetDateTime;

/// What is going on, for a person to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// A step of the build changed its state. `id` stays the same throughout.
    Step {
        id: String,
        name: String,
        state: StepState,
    },
    /// A line that a step wrote, without its line end.
    Log { step: String, line: String },
    /// Bytes of file content that the engine has asked for so far.
    ContextSent { bytes: u64 },
    /// A layer on its way from or to a registry. `current` and `total` are
    /// bytes, both 0 if not known.
    Layer {
        id: String,
        status: String,
        current: u64,
        total: u64,
    },
    /// The registry did not take a layer, or give one: it is tried again.
    Retry { id: String, seconds: u32 },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    Started,
    Cached,
    Done,
    Failed,
}

/// One line of a stack's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackEvent {
    pub id: String,
    pub at: Option<OffsetDateTime>,
    pub resource: String,
    pub resource_type: String,
    pub status: String,
    pub reason: Option<String>,
    /// Of the call that began what the event is part of.
    pub token: Option<String>,
}
