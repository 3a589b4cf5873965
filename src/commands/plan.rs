//! A dry run's result: the plan, and nothing done.

use serde::Serialize;

use crate::engine::plan::Step;
use crate::report::{Outcome, Style};

#[derive(Debug, Serialize)]
pub struct Plan {
    pub operation: &'static str,
    pub dry_run: bool,
    pub steps: Vec<Step>,
    /// How the task definition differs, for a deploy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
}

impl Plan {
    pub fn of(operation: &'static str, steps: Vec<Step>) -> Self {
        Self {
            operation,
            dry_run: true,
            steps,
            difference: None,
        }
    }

    pub fn with_difference(self, difference: Option<String>) -> Self {
        Self { difference, ..self }
    }
}

impl Outcome for Plan {
    fn human(&self, style: &Style) -> String {
        if self.steps.is_empty() {
            return format!("{} would do nothing", self.operation);
        }
        let mut text = format!("{} would:", style.strong(self.operation));
        for (n, step) in self.steps.iter().enumerate() {
            text += &format!("\n  {:>2}. {step}", n + 1);
        }
        if let Some(difference) = &self.difference {
            text += &format!("\n{}", difference.trim_end());
        }
        text + "\nNothing was changed."
    }
}

#[cfg(test)]
mod tests;
