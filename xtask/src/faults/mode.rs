//! What is typed after a kill.

use clap::ValueEnum;

use localstack::gate::crash::Side;

use super::operation::Operation;

/// What follows a kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// `status`, `resume`, `status`, and the same line again.
    Resume,
    /// The same line, until it succeeds.
    Repeat,
    /// Another command, over what was left.
    Over(Next),
}

/// The command that comes over another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Next {
    Promote,
    Rollback,
    Deploy,
    /// Where a service is somebody else's: detach.
    Destroy,
    Attach,
}

/// Modes as they are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asked {
    /// `resume` after the kill, and then the same line
    Resume,
    /// The same line until it succeeds, without a `resume`
    Repeat,
    /// A different command over what was left
    Over,
}

impl Mode {
    pub const ALL: [Self; 7] = [
        Self::Resume,
        Self::Repeat,
        Self::Over(Next::Promote),
        Self::Over(Next::Rollback),
        Self::Over(Next::Deploy),
        Self::Over(Next::Destroy),
        Self::Over(Next::Attach),
    ];

    pub fn asked(self) -> Asked {
        match self {
            Self::Resume => Asked::Resume,
            Self::Repeat => Asked::Repeat,
            Self::Over(_) => Asked::Over,
        }
    }

    /// What comes after the kill.
    pub fn named(self) -> String {
        match self {
            Self::Resume => "resume".to_owned(),
            Self::Repeat => "the same line".to_owned(),
            Self::Over(Next::Destroy) => "destroy or detach over it".to_owned(),
            Self::Over(next) => format!("{} over it", next.as_str()),
        }
    }

    /// Whether that operation is gone through so.
    pub fn suits(self, operation: Operation) -> bool {
        match self {
            Self::Over(_) if operation.is_of_edges() => false,
            // What else is typed in a module is refused until the set has ended; and over a
            // promotion that migrates it is as over any.
            Self::Over(_)
                if matches!(
                    operation,
                    Operation::ReleaseSet | Operation::PromoteMigrating
                ) =>
            {
                false
            }
            // What they were about is typed again; there may be no journal yet, or none
            // any more.
            Self::Resume => !operation.is_beside(),
            Self::Repeat => true,
            Self::Over(Next::Promote) => operation == Operation::Deploy,
            Self::Over(Next::Rollback) => {
                matches!(
                    operation,
                    Operation::Promote
                        | Operation::PromoteGrowing
                        | Operation::PromoteGradual
                        | Operation::PromoteScaled
                )
            }
            Self::Over(Next::Deploy) => operation == Operation::Rollback,
            Self::Over(Next::Destroy) => !matches!(
                operation,
                Operation::Destroy | Operation::Detach | Operation::PromoteWays
            ),
            Self::Over(Next::Attach) => operation == Operation::Detach,
        }
    }

    /// On which sides of a write. A destroy makes a new start of everything,
    /// which takes its time; and what is there after a write is what is there
    /// before the next one.
    pub fn sides(self) -> &'static [Side] {
        match self {
            Self::Over(Next::Destroy) => &[Side::After],
            _ => &Side::BOTH,
        }
    }
}

impl Next {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Promote => "promote",
            Self::Rollback => "rollback",
            Self::Deploy => "deploy",
            Self::Destroy => "destroy",
            Self::Attach => "attach",
        }
    }
}
