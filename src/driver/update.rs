//! A change of a colour's service: checked before, and looked for afterwards if the
//! answer is lost.

use super::look_ahead::look_ahead;
use super::lost;
use super::turn::Turn;
use crate::aws::{AwsError, ServiceChange};
use crate::error::Result;
use crate::model::journal::Effect;
use crate::model::{Color, Observed, ServiceState};
use crate::session::Session;

/// Changes the service of the colour, unless a listener was moved since that was planned.
/// Returns how many tasks it wants now.
///
/// # Errors
/// What prevents it, in the journal or at the listeners; AWS's own.
pub async fn update(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    change: &ServiceChange<'_>,
) -> Result<Option<i32>> {
    let services = &observed.ecs()?.services;
    let effect = Effect::UpdateService {
        color,
        task_definition: change.task_definition.cloned(),
        desired: change.desired,
    };
    intend(session, turn, observed, color, effect).await?;
    let updated = session.aws.update_service(services, color, change).await;
    let before = observed.color(color).service.as_ref();
    let found = lost::or_found(updated, &[], async || {
        let service = session.aws.read_service(services, color).await?;
        let changed = service.filter(|now| shows(change, before, now));
        Ok(changed.map(|now| Some(now.desired)))
    });
    done_or_not(turn, found.await)
}

/// Writes the intent of an effect on the colour, then looks at the listeners.
///
/// # Errors
/// What prevents it: the journal, or the listeners.
pub async fn intend(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    effect: Effect,
) -> Result<()> {
    if let Err(stop) = turn.about_to(effect).await {
        turn.did_not(&stop.to_string());
        return Err(stop.into());
    }
    look_ahead(session, turn, observed, color).await
}

/// Notes when an effect surely did not happen.
pub fn done_or_not<T>(turn: &Turn, done: Result<T, AwsError>) -> Result<T> {
    if let Err(error) = &done
        && !error.is_ambiguous()
    {
        turn.did_not(&error.to_string());
    }
    Ok(done?)
}

/// Whether the service shows the change.
fn shows(change: &ServiceChange<'_>, before: Option<&ServiceState>, now: &ServiceState) -> bool {
    let deployment = |service: &ServiceState| service.primary().map(|primary| primary.id.clone());
    let is_restarted = || deployment(now) != before.and_then(deployment);
    change
        .task_definition
        .is_none_or(|revision| now.task_definition == *revision)
        && change.desired.is_none_or(|count| now.desired == count)
        && change.definition.is_shown_by(&now.definition)
        && (!change.restart || is_restarted())
}

#[cfg(test)]
mod tests;
