//! Tidying up after a deploy that did not get far: a revision that it
//! registered, and that no service was told of, is needed by nobody.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::AwsError;
use crate::error::Result;
use crate::model::journal::{Effect, Operation, OperationId};
use crate::model::{Color, Observed, Release, Revision, ServiceState};
use crate::report::ReportEvent;
use crate::session::Session;

/// How far back the operation's own revision is looked for: only it could
/// register any while it held the lease.
const NEWEST: i32 = 5;

/// How often one is looked for whose registration may still be under way.
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

/// The same at the end of the operation itself, whose calls may just have been
/// cut off: services are looked at once more.
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

/// What the operation has registered, newest first.
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

/// Whether the service runs it, or is to or was to.
pub(super) fn uses(service: &ServiceState, arn: &Revision) -> bool {
    let mut deployments = service.deployments.iter();
    service.task_definition == *arn
        || deployments.any(|deployment| deployment.task_definition == *arn)
}

#[cfg(test)]
mod tests;
