//! A stack whose template is written for the app and has no parameters.

use serde_json::Value;

use super::{NamedStack, about_to_update};
use crate::aws::{StackInputs, StackSnapshot};
use crate::driver::turn::Turn;
use crate::engine::plan::Step;
use crate::error::Result;

/// The stack as it should be, and as it was found.
#[derive(Debug)]
pub struct WrittenStack {
    template: String,
    before: Option<StackSnapshot>,
    is_up_to_date: bool,
}

impl WrittenStack {
    /// # Errors
    /// AWS's own.
    pub async fn of(
        stack: &NamedStack<'_>,
        before: Option<StackSnapshot>,
        template: String,
    ) -> Result<Self> {
        let is_up_to_date = match &before {
            None => false,
            Some(_) => {
                let made = stack.aws.read_template(&stack.name).await?;
                // CloudFormation may return the text formatted differently.
                let read = |text: &str| serde_json::from_str::<Value>(text).ok();
                read(&made).is_some_and(|made| Some(made) == read(&template))
            }
        };
        Ok(Self {
            template,
            before,
            is_up_to_date,
        })
    }

    pub fn is_up_to_date(&self) -> bool {
        self.is_up_to_date
    }

    pub fn is_new(&self) -> bool {
        self.before.is_none()
    }

    pub fn steps(&self, name: &str) -> Vec<Step> {
        let name = name.to_owned();
        match (&self.before, self.is_up_to_date) {
            (None, _) => vec![Step::CreateStack { name }],
            (Some(_), false) => vec![Step::UpdateStack {
                name,
                changes: vec!["what bgecs.toml says".to_owned()],
            }],
            (Some(_), true) => Vec::new(),
        }
    }

    /// Brings the stack up to date, and waits.
    ///
    /// # Errors
    /// What CloudFormation says about the first resource that failed.
    pub async fn carry_out(&self, stack: &NamedStack<'_>, turn: Option<&Turn>) -> Result<()> {
        let inputs = StackInputs::new();
        let made = (self.template.as_str(), &inputs);
        match &self.before {
            None => stack.make(made).await,
            Some(_) if self.is_up_to_date => Ok(()),
            before => {
                about_to_update(turn, &stack.name).await?;
                stack.renew(before.as_ref(), made).await
            }
        }
    }
}
