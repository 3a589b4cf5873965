//! Tidying up after a deploy that died: a revision that it registered, and that
//! no service was told of, is needed by nobody.

use crate::error::Result;
use crate::model::journal::{Effect, Operation};
use crate::model::{Color, Observed, TaskDefinitionArn};
use crate::report::Event;
use crate::session::Session;

/// How far back the operation's own revision is looked for: only it could
/// register any while it held the lease.
const NEWEST: i32 = 5;

/// Deregisters what the operation registered, unless a service runs it.
///
/// # Errors
/// AWS's own.
pub async fn forget_revision(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
) -> Result<()> {
    if !operation.intended(|effect| matches!(effect, Effect::RegisterTaskDefinition { .. })) {
        return Ok(());
    }
    let aws = &session.aws;
    for arn in aws.newest_revisions(&session.stack_name(), NEWEST).await? {
        let release = aws.read_release(&arn).await?;
        let is_its_own = release.operation.as_deref() == Some(operation.id.as_str());
        if is_its_own && !is_used(observed, &arn) {
            aws.deregister_task_definition(&arn).await?;
            let told = format!("deregistered {}, which no service runs", arn.short());
            session.report.tell(&Event::Done(told));
        }
    }
    Ok(())
}

fn is_used(observed: &Observed, arn: &TaskDefinitionArn) -> bool {
    Color::BOTH
        .into_iter()
        .filter_map(|color| observed.color(color).service.as_ref())
        .any(|service| {
            let mut deployments = service.deployments.iter();
            service.task_definition == *arn
                || deployments.any(|deployment| deployment.task_definition == *arn)
        })
}
