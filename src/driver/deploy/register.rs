//! Registers the revision once, even if the answer is lost.

use std::time::Duration;

use tokio::time::sleep;

use crate::aws::AwsError;
use crate::driver::turn::Turn;
use crate::driver::{tidy, update};
use crate::engine::task_definition::TaskDefinition;
use crate::error::Result;
use crate::model::journal::Effect;
use crate::model::{Digest, Revision};
use crate::report::ReportEvent;
use crate::session::Session;

/// The pause before each retry. ECS accepts one registration a second in the long run.
const PAUSES: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
];

pub(super) async fn register(
    session: &Session,
    turn: &Turn,
    definition: &TaskDefinition,
    digest: &Digest,
) -> Result<Revision> {
    let family = session.stack_name();
    turn.about_to(Effect::RegisterTaskDefinition {
        family: family.clone(),
        digest: digest.clone(),
    })
    .await?;
    let registered = once(session, turn, &family, definition).await;
    let arn = update::done_or_not(turn, registered)?;
    session
        .report
        .tell(&ReportEvent::Done(format!("registered {}", arn.short())));
    Ok(arn)
}

/// Each registration creates another revision, so before a retry it is checked whether
/// the last one went through.
async fn once(
    session: &Session,
    turn: &Turn,
    family: &str,
    definition: &TaskDefinition,
) -> Result<Revision, AwsError> {
    let mut pauses = PAUSES.into_iter();
    loop {
        let registered = session
            .aws
            .register_task_definition(family, &definition.body);
        let error = match registered.await {
            Ok(arn) => return Ok(arn),
            Err(error) if !error.is_retryable() => return Err(error),
            Err(error) => error,
        };
        let pause = pauses.next();
        // After the pause, a registration whose answer was lost should be visible.
        sleep(pause.unwrap_or(PAUSES[0])).await;
        if error.is_ambiguous()
            && let Some(arn) = find(session, turn, definition).await?
        {
            return Ok(arn);
        }
        if pause.is_none() {
            return Err(error);
        }
    }
}

/// The revision that this operation has registered.
async fn find(
    session: &Session,
    turn: &Turn,
    definition: &TaskDefinition,
) -> Result<Option<Revision>, AwsError> {
    let own = tidy::revisions_of(session, &turn.operation().id).await?;
    let is_it = own
        .into_iter()
        .find(|(_, release)| release.config.as_deref() == Some(definition.config_hash.as_str()));
    Ok(is_it.map(|(arn, _)| arn))
}

#[cfg(test)]
mod tests;
