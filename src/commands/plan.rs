//! A dry run's result: the plan, and nothing done.

use serde::Serialize;

use crate::engine::plan::Step;
use crate::model::journal::Command;
use crate::report::{CommandResult, Style};

#[derive(Debug, Serialize)]
pub struct PlanResult {
    pub operation: &'static str,
    pub dry_run: bool,
    pub steps: Vec<Step>,
    /// How the task definition differs, for a deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// What will run and be paid for, for a stack that is made anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub costs: Option<String>,
}

impl PlanResult {
    pub fn of(operation: Command, steps: Vec<Step>) -> Self {
        Self::named(operation.as_str(), steps)
    }

    /// For a command that leaves nothing in the journal under its own name.
    pub fn named(operation: &'static str, steps: Vec<Step>) -> Self {
        Self {
            operation,
            dry_run: true,
            steps,
            difference: None,
            costs: None,
        }
    }

    pub fn with_costs(self, costs: Option<String>) -> Self {
        Self { costs, ..self }
    }

    pub fn with_difference(self, difference: Option<String>) -> Self {
        Self { difference, ..self }
    }
}

impl CommandResult for PlanResult {
    fn human(&self, style: &Style) -> String {
        if self.steps.is_empty() {
            return format!("{} would do nothing", self.operation);
        }
        let mut text = format!("{} would:", style.strong(self.operation));
        for (n, step) in self.steps.iter().enumerate() {
            text += &format!("\n  {:>2}. {step}", n + 1);
        }
        for more in [&self.difference, &self.costs].into_iter().flatten() {
            text += &format!("\n{}", more.trim_end());
        }
        text + "\nNothing was changed."
    }
}

#[cfg(test)]
mod tests;
