//! A stack with a name: creates, changes and deletes it, and tells each event of its
//! resources. Knows nothing about what it is for.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use crate::aws::{Aws, AwsError, StackChange, StackInputs, StackSnapshot, StackStatus};
use crate::driver::lost;
use crate::error::{Error, Result};
use crate::model::denial;
use crate::model::journal::OperationId;
use crate::report::{ReportEvent, Reporter};
use crate::session::{Session, poll_pause};

/// CloudFormation publishes no rate limit, but throttles frequent reads.
const POLLS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

#[derive(Debug)]
pub struct NamedStack<'a> {
    pub aws: &'a Aws,
    pub report: &'a Reporter,
    pub name: String,
    /// The app that the stack's tag names.
    pub app: &'a str,
}

impl<'a> NamedStack<'a> {
    /// The stack of the session's app.
    pub fn of(session: &'a Session) -> Self {
        Self {
            aws: &session.aws,
            report: &session.report,
            name: session.stack_name(),
            app: session.app(),
        }
    }
}

impl NamedStack<'_> {
    /// Creates a stack from that template, and waits.
    ///
    /// # Errors
    /// What CloudFormation says about the first resource that failed.
    pub async fn make(&self, made: (&str, &StackInputs)) -> Result<()> {
        self.create(made, &self.token()).await?;
        self.settle(&mut HashSet::new()).await
    }

    /// Updates a stack to that template, and waits.
    ///
    /// # Errors
    /// As [`NamedStack::make`].
    pub async fn renew(
        &self,
        before: Option<&StackSnapshot>,
        made: (&str, &StackInputs),
    ) -> Result<()> {
        let mut told = self.already_told(before).await?;
        match self.update(made).await? {
            StackChange::Started => self.settle(&mut told).await,
            StackChange::NothingToDo => Ok(()),
        }
    }

    /// Deletes the stack and waits until it is gone.
    ///
    /// # Errors
    /// What CloudFormation says about the first resource that it could not delete.
    pub async fn delete(&self, stack: &StackSnapshot) -> Result<()> {
        let name = &self.name;
        let mut told = self.already_told(Some(stack)).await?;
        let mut first_failure = None;
        let deleted = self.aws.delete_stack(name).await;
        let found = lost::or_found(deleted, &[], async || {
            let now = self.aws.read_stack(name).await?;
            Ok(now
                .is_none_or(|now| now.status_text.starts_with("DELETE_"))
                .then_some(()))
        });
        found.await?;
        for round in 0.. {
            let now = self.aws.read_stack(name).await?;
            self.tell_events(&stack.id, &mut told, &mut first_failure)
                .await?;
            match now.as_ref().map(|stack| &stack.status) {
                None => return Ok(()),
                Some(StackStatus::Busy) => {}
                Some(_) => return Err(stack_failed(name, now.as_ref(), first_failure)),
            }
            self.pause(round).await;
        }
        Ok(())
    }

    /// A unique name for a call: CloudFormation accepts it with each attempt, and returns
    /// it with each event.
    pub(super) fn token(&self) -> String {
        OperationId::new(self.aws.journal_time(), fastrand::u32(..)).to_string()
    }

    /// # Errors
    /// A stack that somebody else creates at the same moment (exit 6); AWS's own.
    pub(super) async fn create(&self, made: (&str, &StackInputs), token: &str) -> Result<()> {
        const THERE_ALREADY: &str = "AlreadyExistsException";
        let name = &self.name;
        let created = self.aws.create_stack(name, self.app, made, token);
        let found = lost::or_found(created.await, &[THERE_ALREADY], async || {
            Ok(self.aws.has_begun(name, token).await?.then_some(()))
        });
        found
            .await
            .map_err(|error| match error.has_code(THERE_ALREADY) {
                true => Error::refused(format!(
                    "something else has made the stack {name} meanwhile"
                ))
                .cause(error.to_string())
                .hint("run `bgecs init` again: it continues from what is there"),
                false => error.into(),
            })
    }

    pub(super) async fn update(&self, made: (&str, &StackInputs)) -> Result<StackChange, AwsError> {
        let token = self.token();
        let updated = self.aws.update_stack(&self.name, self.app, made, &token);
        self.or_begun(updated.await, &token).await
    }

    /// A second attempt at an update finds the stack busy with the first one.
    pub(super) async fn or_begun(
        &self,
        updated: Result<StackChange, AwsError>,
        token: &str,
    ) -> Result<StackChange, AwsError> {
        lost::or_found(updated, &["ValidationError"], async || {
            let has_begun = self.aws.has_begun(&self.name, token).await?;
            Ok(has_begun.then_some(StackChange::Started))
        })
        .await
    }

    pub(super) async fn already_told(
        &self,
        before: Option<&StackSnapshot>,
    ) -> Result<HashSet<String>> {
        let Some(before) = before else {
            return Ok(HashSet::new());
        };
        let events = self.aws.stack_events(&before.id).await?;
        Ok(events.into_iter().map(|event| event.id).collect())
    }

    /// Waits until what was begun is done.
    pub(super) async fn settle(&self, told: &mut HashSet<String>) -> Result<()> {
        let name = &self.name;
        let mut first_failure = None;
        for round in 0.. {
            // Read before the events, so that the last events are not missed.
            let stack = self.aws.read_stack(name).await?;
            let id = stack.as_ref().map_or(name, |stack| &stack.id);
            self.tell_events(id, told, &mut first_failure).await?;
            match stack.as_ref().map(|stack| &stack.status) {
                Some(StackStatus::Busy) => {}
                Some(StackStatus::Ready) => return Ok(()),
                _ => return Err(stack_failed(name, stack.as_ref(), first_failure)),
            }
            self.pause(round).await;
        }
        Ok(())
    }

    pub(super) async fn pause(&self, round: usize) {
        let pause = POLLS.get(round).copied().unwrap_or(POLLS[POLLS.len() - 1]);
        sleep(poll_pause(self.aws, pause)).await;
    }

    async fn tell_events(
        &self,
        id: &str,
        told: &mut HashSet<String>,
        first_failure: &mut Option<String>,
    ) -> Result<(), AwsError> {
        for event in self.aws.stack_events(id).await? {
            if !told.insert(event.id.clone()) {
                continue;
            }
            self.report.tell(&ReportEvent::Stack(&event));
            let has_failed = event.status.ends_with("_FAILED");
            // Everything after the first failure is cancelled because of it.
            if has_failed && first_failure.is_none() {
                let reason = event.reason.as_deref().unwrap_or("no reason given");
                *first_failure = Some(format!(
                    "{} ({}): {reason}",
                    event.resource, event.resource_type
                ));
            }
        }
        Ok(())
    }
}

pub(super) fn stack_failed(
    name: &str,
    stack: Option<&StackSnapshot>,
    first_failure: Option<String>,
) -> Error {
    const WHOM: &str = "for these credentials";
    let mut error = match stack {
        Some(stack) => Error::failed(stack.sentence()),
        None => Error::failed(format!("the stack {name} is gone")),
    };
    error.hint = stack.and_then(StackSnapshot::way_on);
    let why = first_failure.or_else(|| stack.and_then(|stack| stack.reason.clone()));
    if let Some(why) = why {
        // First what permission is missing, then what to do with the stack.
        let missing = denial::hint(&why, "what the template makes", WHOM);
        let after = error.hint.take();
        error.hint = missing;
        error = after
            .into_iter()
            .fold(error, |error, hint| error.hint_too(&hint));
        error = error.cause(why);
    }
    if error.hint.is_none() {
        error = error.hint("fix the cause and run the command again");
    }
    error
}
