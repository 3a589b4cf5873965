//! The moments of a shift at which a user's own command may run.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hook {
    BeforeShift,
    BeforeStage,
    AfterStage,
    AfterShift,
    AfterRollback,
}

/// What is done at one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookAction {
    /// For `sh`, here, in the folder of `bgecs.toml`.
    Line(String),
    /// A command of the new release, in a task of its own, once.
    Task(Vec<String>),
}

impl Hook {
    pub const ALL: [Self; 5] = [
        Self::BeforeShift,
        Self::BeforeStage,
        Self::AfterStage,
        Self::AfterShift,
        Self::AfterRollback,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BeforeShift => "before_shift",
            Self::BeforeStage => "before_stage",
            Self::AfterStage => "after_stage",
            Self::AfterShift => "after_shift",
            Self::AfterRollback => "after_rollback",
        }
    }

    /// `before_stage of stage 2`, for sentences; stages are counted from 1.
    pub fn at(self, stage: Option<usize>) -> String {
        match stage {
            Some(stage) => format!("{self} of stage {stage}"),
            None => self.to_string(),
        }
    }
}

/// As `bgecs.toml` spells it.
impl fmt::Display for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_and_the_journal_spell_it_alike() {
        for hook in Hook::ALL {
            assert_eq!(serde_json::to_value(hook).unwrap(), hook.as_str());
        }
        assert_eq!(Hook::BeforeShift.at(None), "before_shift");
        assert_eq!(Hook::AfterStage.at(Some(2)), "after_stage of stage 2");
    }
}
