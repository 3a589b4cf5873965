//! Telling a colour's service of the revision that it is to run.

use super::Request;
use crate::aws::{NewService, ServiceChange};
use crate::counted::counted;
use crate::definition::Loaded;
use crate::driver::turn::Turn;
use crate::driver::{lost, update};
use crate::engine::plan::{self, DeployPlan, ServicePlan};
use crate::error::Result;
use crate::model::journal::Effect;
use crate::model::{Color, Observed, TaskDefinitionArn};
use crate::report::Event;
use crate::session::Session;

/// With these ECS refuses a second service of that name, which can be the first
/// one of this very call.
const THERE_ALREADY: [&str; 2] = ["InvalidParameterException", "ClientException"];

pub(super) async fn tell(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    plan: &DeployPlan,
    request: &Request,
    loaded: &Loaded,
    task_definition: &TaskDefinitionArn,
) -> Result<()> {
    let color = plan.color;
    let change = |desired| ServiceChange {
        task_definition: Some(task_definition),
        desired,
        restart: request.restart,
        health_check_grace_period: Some(session.config.service.health_check_grace_period),
    };
    let updated = || format!("updated the service {color}");
    let done = match plan.service {
        ServicePlan::Create { desired } => {
            let made = create(
                session,
                turn,
                observed,
                color,
                desired,
                loaded,
                task_definition,
            );
            match made.await? {
                Made::Created => format!(
                    "created the service {color} with {}",
                    counted(desired, "task")
                ),
                Made::ThereWith(count) => {
                    turn.did_not("it was there already");
                    let change = change(Some(desired).filter(|desired| *desired > count));
                    update::update(session, turn, observed, color, &change).await?;
                    updated()
                }
            }
        }
        ServicePlan::Update { desired } => {
            let count = update::update(session, turn, observed, color, &change(desired)).await?;
            if desired.is_none() && count == Some(0) {
                // The look was of a moment ahead of a retire.
                let configured = i32::from(session.config.service.desired_count);
                let wakes = ServiceChange {
                    desired: Some(plan::wanted_count(observed, color, configured)),
                    ..ServiceChange::default()
                };
                update::update(session, turn, observed, color, &wakes).await?;
            }
            updated()
        }
    };
    session.report.tell(&Event::Done(done));
    Ok(())
}

enum Made {
    Created,
    /// One was there that was not seen when this began, with so many tasks: the
    /// look was of a moment from before.
    ThereWith(i32),
}

async fn create(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
    desired: i32,
    loaded: &Loaded,
    task_definition: &TaskDefinitionArn,
) -> Result<Made> {
    let infra = &observed.infrastructure;
    let effect = Effect::CreateService {
        color,
        task_definition: task_definition.clone(),
    };
    let operation = turn.operation().id;
    let new = NewService {
        app: session.app(),
        infrastructure: infra,
        color,
        task_definition,
        desired,
        container: loaded.source(&session.config).container(),
        port: loaded.port(&session.config)?,
        health_check_grace_period: session.config.service.health_check_grace_period,
        token: operation.as_str(),
    };
    update::intend(session, turn, observed, color, effect).await?;
    let created = session
        .aws
        .create_service(&new)
        .await
        .map(|()| Made::Created);
    let found = lost::or_found(created, &THERE_ALREADY, async || {
        let service = session.aws.read_service(&infra.cluster, color).await?;
        Ok(service.map(
            |service| match service.task_definition == *task_definition {
                true => Made::Created,
                false => Made::ThereWith(service.desired),
            },
        ))
    });
    update::done_or_not(turn, found.await)
}

#[cfg(test)]
mod tests;
