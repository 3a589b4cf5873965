//! The stack of an upload worker: creates or updates it, and removes it.
//!
//! There is no lease: the worker has no journal, and CloudFormation lets only one caller
//! at a time change the stack.

use super::stack::{NamedStack, WrittenStack};
use crate::aws::{Aws, StackSnapshot, StackStatus};
use crate::error::{Error, Result};
use crate::model::SetName;
use crate::report::{ReportEvent, Reporter};
use crate::session::unusable;

/// The stack that has the worker's name.
pub fn stack<'a>(aws: &'a Aws, report: &'a Reporter, name: &'a SetName) -> NamedStack<'a> {
    NamedStack {
        aws,
        report,
        name: name.worker(),
        app: name.as_str(),
    }
}

/// Reads the stack, and compares it with its template. Changes nothing.
///
/// # Errors
/// A stack that belongs to somebody else, or is in an unusable state (exit 6).
pub async fn prepare(stack: &NamedStack<'_>, template: String) -> Result<WrittenStack> {
    let before = stack.aws.read_stack(&stack.name).await?;
    if let Some(before) = &before {
        if before.is_unusable() {
            return Err(unusable(before));
        }
        refuse_an_apps(before)?;
    }
    WrittenStack::of(stack, before, template).await
}

/// What there is to remove.
pub struct WorkerInventory {
    stack: StackSnapshot,
    /// The bucket, if it has objects in it.
    full_bucket: Option<String>,
}

/// Reads what there is; None if nothing.
///
/// # Errors
/// As [`prepare`].
pub async fn take_inventory(stack: &NamedStack<'_>) -> Result<Option<WorkerInventory>> {
    let Some(found) = stack.aws.read_stack(&stack.name).await? else {
        return Ok(None);
    };
    if found.is_busy_with_more_than_deletion() {
        return Err(unusable(&found));
    }
    if matches!(found.status, StackStatus::Ready | StackStatus::RolledBack) {
        refuse_an_apps(&found)?;
    }
    let full_bucket = match found.worker() {
        Some(made) if stack.aws.has_objects(&made.bucket).await? => Some(made.bucket),
        _ => None,
    };
    Ok(Some(WorkerInventory {
        stack: found,
        full_bucket,
    }))
}

impl WorkerInventory {
    /// The bucket that has to be emptied first.
    pub fn full_bucket(&self) -> Option<&str> {
        self.full_bucket.as_deref()
    }

    /// Removes everything, including the uploads.
    ///
    /// # Errors
    /// The first thing that could not be removed; the next destroy continues from there.
    pub async fn remove(&self, stack: &NamedStack<'_>) -> Result<()> {
        let (aws, report) = (stack.aws, stack.report);
        if let Some(bucket) = &self.full_bucket {
            report.tell(&ReportEvent::Doing(format!("emptying the bucket {bucket}")));
            let count = aws.empty_bucket(bucket).await?;
            let done = format!("bucket {bucket} emptied: {count} versions");
            report.tell(&ReportEvent::Done(done));
        }
        let name = &stack.name;
        report.tell(&ReportEvent::Doing(format!("deleting the stack {name}")));
        stack.delete(&self.stack).await?;
        report.tell(&ReportEvent::Done(format!("stack {name} deleted")));
        Ok(())
    }
}

/// An app's stack may have the same name as a worker's.
fn refuse_an_apps(stack: &StackSnapshot) -> Result<()> {
    match stack.worker() {
        Some(_) => Ok(()),
        None => Err(Error::refused(format!(
            "the stack {} does not belong to a worker of uploads",
            stack.name
        ))
        .hint("an app of that name is in the way: give one of the two another name")),
    }
}
