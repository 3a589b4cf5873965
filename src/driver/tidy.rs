//! Tidies up after a deploy that did not get far: a revision that it registered but gave
//! to no service is of no use.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::AwsError;
use crate::error::Result;
use crate::model::journal::{Effect, Operation, OperationId};
use crate::model::{Color, Observed, Release, Revision, ServiceState};
use crate::report::ReportEvent;
use crate::session::Session;

/// How many revisions are searched for the operation's own: nothing else could register
/// any while it held the lease.
const NEWEST: i32 = 5;

/// How often a revision is looked for whose registration may still be under way.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Deregisters what the operation registered, unless a service runs it.
///
/// # Errors
/// AWS's own.
pub async fn forget_revision(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
) -> Result<()> {
    if !has_registered(operation) {
        return Ok(());
    }
    let services = Color::BOTH
        .into_iter()
        .filter_map(|color| observed.color(color).service.as_ref());
    let services: Vec<&ServiceState> = services.collect();
    let own = revisions_of(session, &operation.id).await?;
    Ok(forget(session, &services, own).await?)
}

/// The same at the end of the operation itself. Its calls may just have been cut off, so
/// the services are read once more.
///
/// # Errors
/// AWS's own.
pub async fn forget_unused(
    session: &Session,
    observed: &Observed,
    operation: &Operation,
) -> Result<(), AwsError> {
    if !has_registered(operation) {
        return Ok(());
    }
    let mut own = Vec::new();
    for round in 0..LOOKS {
        if round > 0 {
            sleep(PAUSE).await;
        }
        own = revisions_of(session, &operation.id).await?;
        if !own.is_empty() {
            break;
        }
    }
    let services = &observed.ecs()?.services;
    let services = session.aws.read_services(services).await?;
    let services: Vec<&ServiceState> = services.iter().map(|(_, service)| service).collect();
    forget(session, &services, own).await
}

/// The revisions that the operation has registered, newest first.
///
/// # Errors
/// AWS's own.
pub async fn revisions_of(
    session: &Session,
    operation: &OperationId,
) -> Result<Vec<(Revision, Release)>, AwsError> {
    let aws = &session.aws;
    let mut own = Vec::new();
    for arn in aws.newest_revisions(&session.stack_name(), NEWEST).await? {
        let Some(release) = aws.find_release(&arn).await? else {
            continue;
        };
        if release.operation.as_deref() == Some(operation.as_str()) {
            own.push((arn, release));
        }
    }
    Ok(own)
}

fn has_registered(operation: &Operation) -> bool {
    operation.intended(|effect| matches!(effect, Effect::RegisterTaskDefinition { .. }))
}

async fn forget(
    session: &Session,
    services: &[&ServiceState],
    own: Vec<(Revision, Release)>,
) -> Result<(), AwsError> {
    for (arn, _) in own {
        if services.iter().any(|service| uses(service, &arn)) {
            continue;
        }
        session.aws.deregister_task_definition(&arn).await?;
        let told = format!("deregistered {}, which no service runs", arn.short());
        session.report.tell(&ReportEvent::Done(told));
    }
    Ok(())
}

/// Whether the service runs it, or any of its deployments names it.
pub(super) fn uses(service: &ServiceState, arn: &Revision) -> bool {
    let mut deployments = service.deployments.iter();
    service.task_definition == *arn
        || deployments.any(|deployment| deployment.task_definition == *arn)
}

#[cfg(test)]
mod tests;
