//! Gives a colour's service the revision that it is to run.

use crate::aws::{NewService, ServiceChange};
use crate::counted::counted;
use crate::definition::Loaded;
use crate::driver::turn::Turn;
use crate::driver::{lost, update};
use crate::engine::plan::{self, DeployPlan, ServicePlan};
use crate::error::Result;
use crate::model::journal::Effect;
use crate::model::{
    Color, DefinitionChange, NotEcs, Observed, Revision, ServiceDefinition, ServiceSettings,
    ServiceState,
};
use crate::report::ReportEvent;
use crate::session::Session;

/// The codes with which ECS refuses a second service of that name; it may have been
/// created by this very call, when its answer was lost.
const THERE_ALREADY: [&str; 2] = ["InvalidParameterException", "ClientException"];

/// The service's settings apart from its revision and its count.
///
/// # Errors
/// The colours are not ECS services.
pub fn wanted_definition(
    session: &Session,
    observed: &Observed,
    color: Color,
    loaded: &Loaded,
) -> Result<ServiceDefinition, NotEcs> {
    let source = loaded.source(&session.config);
    let door = (source.container(), source.port());
    let grace = session.config.service.health_check_grace_period;
    let observed = (observed.ecs()?, observed);
    let said = &session.config.service.said;
    Ok(ServiceDefinition::of_color(
        observed, color, door, grace, said,
    ))
}

/// What a colour is to run, and with which settings.
pub(super) struct Told<'a> {
    pub task_definition: &'a Revision,
    pub definition: &'a ServiceDefinition,
    /// Whether to replace its tasks even if nothing changes.
    pub restart: bool,
}

pub(super) async fn tell(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    told: &Told<'_>,
) -> Result<()> {
    let color = plan.color;
    let change = |desired, definition: &DefinitionChange| ServiceChange {
        task_definition: Some(told.task_definition),
        desired,
        restart: told.restart,
        definition: definition.clone(),
    };
    let done = match plan.service {
        ServicePlan::Create { desired } => {
            match create(session, turn, observed, color, desired, told).await? {
                ServiceCreation::Created => format!(
                    "created the service {color} with {}",
                    counted(desired, "task")
                ),
                ServiceCreation::There(service) => {
                    turn.did_not("it was there already");
                    let definition = service.definition.change_to(told.definition);
                    let more = Some(desired).filter(|desired| *desired > service.desired);
                    let change = change(more, &definition);
                    update::update(session, turn, observed, color, &change).await?;
                    updated(color, &definition)
                }
            }
        }
        ServicePlan::Update { desired } => {
            let definition = plan::definition_change(observed.color(color), told.definition);
            let change = change(desired, &definition);
            let count = update::update(session, turn, observed, color, &change).await?;
            if desired.is_none() && count == Some(0) {
                // The observation may be older than a retire.
                let configured = i32::from(session.config.service.desired_count);
                let wakes = ServiceChange {
                    desired: Some(plan::wanted_count(observed, color, configured)),
                    ..ServiceChange::default()
                };
                update::update(session, turn, observed, color, &wakes).await?;
            }
            updated(color, &definition)
        }
    };
    session.report.tell(&ReportEvent::Done(done));
    Ok(())
}

/// Changes settings of the live service that need no new tasks. Returns whether there was
/// anything to change.
pub(super) async fn amend(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    definition: DefinitionChange,
) -> Result<bool> {
    if definition.is_nothing() {
        return Ok(false);
    }
    let done = updated(color, &definition);
    let change = ServiceChange {
        definition,
        ..ServiceChange::default()
    };
    update::update(session, turn, observed, color, &change).await?;
    turn.did().await?;
    session.report.tell(&ReportEvent::Done(done));
    Ok(true)
}

fn updated(color: Color, definition: &DefinitionChange) -> String {
    match definition.words() {
        [] => format!("updated the service {color}"),
        words => format!("updated the service {color}: {}", words.join(", ")),
    }
}

enum ServiceCreation {
    Created,
    /// It exists although it was not seen: the observation was older.
    There(Box<ServiceState>),
}

async fn create(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    desired: i32,
    told: &Told<'_>,
) -> Result<ServiceCreation> {
    let infra = observed.ecs()?;
    let effect = Effect::CreateService {
        color,
        task_definition: told.task_definition.clone(),
    };
    let operation = turn.operation().id;
    let new = NewService {
        app: session.app(),
        services: &infra.services,
        color,
        task_definition: told.task_definition,
        desired,
        definition: told.definition,
        copy_of: match infra.settings {
            ServiceSettings::Made(_) => None,
            ServiceSettings::CopiedFrom(original) => Some(original),
        },
        token: operation.as_str(),
    };
    update::intend(session, turn, observed, color, effect).await?;
    let created = session
        .aws
        .create_service(&new)
        .await
        .map(|()| ServiceCreation::Created);
    let found = lost::or_found(created, &THERE_ALREADY, async || {
        let service = session.aws.read_service(&infra.services, color).await?;
        Ok(service.map(
            |service| match service.task_definition == *told.task_definition {
                true => ServiceCreation::Created,
                false => ServiceCreation::There(Box::new(service)),
            },
        ))
    });
    update::done_or_not(turn, found.await)
}

#[cfg(test)]
mod tests;
