//! Removing everything that bgecs made, in the order in which it can go:
//! services before what they hold, the stack last. Each part is looked for
//! anew, so a half-done destroy is finished by the next one.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::aws::StackSnapshot;
use crate::error::{Error, Exit, Result};
use crate::model::journal::Effect;
use crate::model::{Color, TaskDefinitionArn};
use crate::report::Event;
use crate::session::Session;

use super::stack;
use super::turn::{Stop, Turn};

const PAUSE: Duration = Duration::from_secs(2);
/// A task has 30 s between SIGTERM and SIGKILL, and its target drains before.
const TASK_PATIENCE: Duration = Duration::from_secs(300);

/// What there is to remove.
#[derive(Debug)]
pub struct Inventory {
    pub stack: Option<StackSnapshot>,
    /// The colours that have a service, and how many tasks it wants.
    pub services: Vec<(Color, i32)>,
    pub task_definitions: Vec<TaskDefinitionArn>,
}

impl Inventory {
    pub fn is_empty(&self) -> bool {
        self.stack.is_none() && self.services.is_empty() && self.task_definitions.is_empty()
    }
}

/// Looks. Everything is found by the app's name, so that it is found without
/// the stack too.
///
/// # Errors
/// AWS's own.
pub async fn take_inventory(session: &Session) -> Result<Inventory> {
    let name = session.stack_name();
    let (stack, services, task_definitions) = futures_util::join!(
        session.aws.read_stack(&name),
        session.aws.read_services(&name),
        session.aws.task_definitions(&name),
    );
    let services = match services {
        Ok(services) => services,
        // Without the cluster there is no service.
        Err(error) if error.kind == crate::aws::Kind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(Inventory {
        stack: stack?,
        services: services
            .into_iter()
            .map(|(color, service)| (color, service.desired))
            .collect(),
        task_definitions: task_definitions?,
    })
}

/// Removes all of it.
///
/// There is no turn where the stack, and with it the journal, is gone already.
///
/// # Errors
/// The first thing that would not go; what is gone stays gone, and the next
/// destroy goes on from there.
pub async fn destroy(session: &Session, turn: Option<&Turn>, inventory: &Inventory) -> Result<()> {
    let name = session.stack_name();
    for (color, _) in &inventory.services {
        about_to(turn, Effect::DeleteService { color: *color }).await?;
        session
            .report
            .tell(&Event::Doing(format!("deleting the service {color}")));
        session.aws.delete_service(&name, *color).await?;
    }
    if !inventory.services.is_empty() {
        await_no_task(session, &name).await?;
        session
            .report
            .tell(&Event::Done("services deleted, no task runs".to_owned()));
    }
    if !inventory.task_definitions.is_empty() {
        let count = inventory.task_definitions.len();
        about_to(turn, Effect::DeleteTaskDefinitions { count }).await?;
        delete_task_definitions(session, &inventory.task_definitions).await?;
    }
    if let Some(stack) = &inventory.stack {
        delete_images(session, turn, stack).await?;
        about_to(turn, Effect::DeleteStack { name: name.clone() }).await?;
        session
            .report
            .tell(&Event::Doing(format!("deleting the stack {name}")));
        stack::delete(session, stack).await?;
        session
            .report
            .tell(&Event::Done(format!("stack {name} deleted")));
    }
    Ok(())
}

async fn about_to(turn: Option<&Turn>, effect: Effect) -> Result<(), Stop> {
    match turn {
        Some(turn) => turn.about_to(effect).await,
        None => Ok(()),
    }
}

async fn await_no_task(session: &Session, cluster: &str) -> Result<()> {
    let started = Instant::now();
    loop {
        let tasks = session.aws.task_count(cluster).await?;
        if tasks == 0 {
            return Ok(());
        }
        session
            .report
            .tell(&Event::Doing(format!("{tasks} task(s) still stopping")));
        if started.elapsed() > TASK_PATIENCE {
            return Err(Error::new(
                Exit::TimedOut,
                format!(
                    "{tasks} task(s) still run after {} s",
                    TASK_PATIENCE.as_secs()
                ),
            )
            .hint("run `bgecs destroy` again: it goes on where this one stopped"));
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
}

/// The API takes one revision a second in the long run: the calls' budget holds
/// back what is more.
async fn delete_task_definitions(session: &Session, arns: &[TaskDefinitionArn]) -> Result<()> {
    for (n, arn) in arns.iter().enumerate() {
        session.report.tell(&Event::Doing(format!(
            "deregistering {} ({} of {})",
            arn.short(),
            n + 1,
            arns.len()
        )));
        session.aws.deregister_task_definition(arn).await?;
    }
    session.aws.delete_task_definitions(arns).await?;
    session.report.tell(&Event::Done(format!(
        "{} task definition(s) deleted",
        arns.len()
    )));
    Ok(())
}

async fn delete_images(
    session: &Session,
    turn: Option<&Turn>,
    stack: &StackSnapshot,
) -> Result<()> {
    let Some(repository) = stack.outputs.get("RepositoryName") else {
        return Ok(());
    };
    about_to(
        turn,
        Effect::DeleteImages {
            repository: repository.clone(),
        },
    )
    .await?;
    let images = session.aws.delete_images(repository).await?;
    if images > 0 {
        session.report.tell(&Event::Done(format!(
            "{images} image tag(s) deleted from {repository}"
        )));
    }
    Ok(())
}
