//! How long to wait for whatever decides a route: each kind of router has its own times.

use std::time::Duration;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Patience {
    /// How long it may take to show a write.
    pub confirm: Duration,
    /// From its showing a write on until every user has it.
    pub visible: Duration,
    /// Of that, what a stage is watched for besides its own time, where it is too
    /// long to be a part of it.
    pub spread: Duration,
    /// A way back that was taken and does not show is sent again after so long.
    pub resend: Duration,
    /// How long it may show what nobody here did, before it is taken for somebody
    /// else's doing: reads can be of a moment from before.
    pub stale: Duration,
    /// Ahead of another look for that reason.
    pub stale_pause: Duration,
    /// How long it may stay unreadable, and for how long a way back is tried.
    pub unreadable: Duration,
    /// Ahead of another look at what was written.
    pub pause: Duration,
    /// For how long a write that was given up may still take effect.
    pub late: Duration,
    /// For how long after a write users may get no answer at all, where it cannot be
    /// made otherwise.
    pub gap: Duration,
}
