//! Removes everything that bgecs made, in the order in which it can be removed: services
//! before what they use, the stack last. Each part is looked for anew, so the next
//! destroy finishes a half-done one.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::turn::{Stop, Turn};
use super::{edge, lost, scaling, stack, update};
use crate::aws::{AwsError, AwsErrorKind, Kept, Revisions, StackSnapshot, TasksLeft};
use crate::counted::counted;
use crate::engine::plan::GIVEN_CLUSTER;
use crate::error::{Error, Exit, Result};
use crate::model::journal::{Effect, Fate};
use crate::model::{Color, ColorServices, EdgeInfrastructure, Endpoint, PerRoute, Revision};
use crate::report::ReportEvent;
use crate::session::{Session, unusable};

pub(super) const PAUSE: Duration = Duration::from_secs(2);
/// A task has 30 s between SIGTERM and SIGKILL, and its target drains before that.
pub(super) const TASK_PATIENCE: Duration = Duration::from_secs(300);

/// What there is to remove.
#[derive(Debug)]
pub struct Inventory {
    pub stack: Option<StackSnapshot>,
    /// The names of the colours' services, and their cluster.
    pub names: ColorServices,
    /// The colours that have a service, and how many tasks it wants.
    pub services: Vec<(Color, i32)>,
    pub task_definitions: Revisions,
}

impl Inventory {
    pub fn is_empty(&self) -> bool {
        self.stack.is_none() && self.services.is_empty() && self.task_definitions.is_empty()
    }

    /// What users are routed by, if bgecs does not run the colours.
    pub fn edge(&self) -> Option<EdgeInfrastructure> {
        let infrastructure = self.stack.as_ref()?.infrastructure().ok()?;
        infrastructure.edge().cloned()
    }

    /// The names of its routes, as far as they are known.
    fn endpoints(&self) -> PerRoute<Endpoint> {
        let stack = self.stack.as_ref();
        stack.map_or(PerRoute::PORTS, StackSnapshot::endpoints)
    }

    /// A stack that something else is working on must not be deleted under it. If it is
    /// being deleted, that is fine.
    ///
    /// # Errors
    /// Exit 6.
    pub fn refuse_busy(&self) -> Result<()> {
        match &self.stack {
            Some(stack) if stack.is_busy_with_more_than_deletion() => Err(unusable(stack)),
            _ => Ok(()),
        }
    }
}

/// Looks for everything by the app's name, so that it is found even without the stack.
///
/// # Errors
/// AWS's own.
pub async fn take_inventory(session: &Session) -> Result<Inventory> {
    let name = session.stack_name();
    if session.config.edge.is_some() {
        return Ok(Inventory {
            stack: session.aws.read_stack(&name).await?,
            names: ColorServices::alone_in(&name),
            services: Vec::new(),
            task_definitions: Revisions::default(),
        });
    }
    let of_file = names(session, session.config.given.cluster.as_deref());
    let (stack, services, task_definitions) = futures_util::join!(
        session.aws.read_stack(&name),
        session.aws.read_services(&of_file),
        session.aws.all_revisions(&name),
    );
    let of_stack = match &stack {
        Ok(Some(stack)) => names(session, stack.given(GIVEN_CLUSTER)),
        _ => of_file.clone(),
    };
    let services = match of_stack == of_file {
        true => services,
        // The file has been changed since.
        false => session.aws.read_services(&of_stack).await,
    };
    let services = match services {
        Ok(services) => services,
        // Without the cluster there are no services.
        Err(error) if error.kind == AwsErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    Ok(Inventory {
        stack: stack?,
        names: of_stack,
        services: services
            .into_iter()
            .map(|(color, service)| (color, service.desired))
            .collect(),
        task_definitions: task_definitions?,
    })
}

/// Other services in a given cluster are not the app's.
fn names(session: &Session, given_cluster: Option<&str>) -> ColorServices {
    match given_cluster {
        Some(cluster) => ColorServices::beside_others(cluster, &session.config.app),
        None => ColorServices::alone_in(session.stack_name()),
    }
}

/// Removes all of it.
///
/// There is no turn if the stack, and with it the journal, is gone already.
///
/// # Errors
/// Something else is working on the stack (exit 6); the first thing that could not be
/// removed. What is gone stays gone, and the next destroy continues from there.
pub async fn destroy(session: &Session, turn: Option<&Turn>, inventory: &Inventory) -> Result<()> {
    inventory.refuse_busy()?;
    if let Some(edge) = inventory.edge() {
        Box::pin(edge::give_back(session, turn, &edge)).await?;
    }
    let services = &inventory.names;
    let colors = inventory.services.iter().map(|(color, _)| *color);
    scaling::forget(session, turn, services, colors).await?;
    for (color, _) in &inventory.services {
        remove_service(session, turn, services, *color).await?;
    }
    if inventory.edge().is_none() {
        await_no_task(session, services, !inventory.services.is_empty()).await?;
    }
    if !inventory.services.is_empty() {
        session.report.tell(&ReportEvent::Done(
            "services deleted, no task runs".to_owned(),
        ));
    }
    remove_task_definitions(session, turn, &inventory.task_definitions).await?;
    if let Some(stack) = &inventory.stack {
        if inventory.edge().is_none() {
            delete_images(session, turn, stack).await?;
        }
        remove_stack(session, turn, stack).await?;
    }
    Ok(())
}

/// Writes its intent to the journal first, as for everything that is removed.
///
/// # Errors
/// The journal cannot be written; AWS's own.
pub(super) async fn remove_service(
    session: &Session,
    turn: Option<&Turn>,
    services: &ColorServices,
    color: Color,
) -> Result<()> {
    about_to(turn, Effect::DeleteService { color }).await?;
    let doing = format!("deleting the service {}", services.name(color));
    session.report.tell(&ReportEvent::Doing(doing));
    let deleted = delete_service(session, services, color).await;
    went_or_not(turn, deleted)
}

/// Without any there is no effect to note.
///
/// # Errors
/// As [`remove_service`]; revisions that ECS keeps.
pub(super) async fn remove_task_definitions(
    session: &Session,
    turn: Option<&Turn>,
    revisions: &Revisions,
) -> Result<()> {
    if revisions.is_empty() {
        return Ok(());
    }
    let count = revisions.count();
    about_to(turn, Effect::DeleteTaskDefinitions { count }).await?;
    delete_task_definitions(session, revisions).await
}

/// # Errors
/// As [`remove_service`], and what CloudFormation says.
pub(super) async fn remove_stack(
    session: &Session,
    turn: Option<&Turn>,
    stack: &StackSnapshot,
) -> Result<()> {
    let name = session.stack_name();
    about_to(turn, Effect::DeleteStack { name: name.clone() }).await?;
    let doing = format!("deleting the stack {name}");
    session.report.tell(&ReportEvent::Doing(doing));
    stack::delete(session, stack).await?;
    let done = format!("stack {name} deleted");
    session.report.tell(&ReportEvent::Done(done));
    Ok(())
}

/// The error of a destroy that did not finish: once the first service is gone, users are
/// no longer where they were, whatever stopped it. The operation stays open, as half an
/// app is of no use.
pub fn cut_short(turn: Option<&Turn>, inventory: &Inventory, error: Error) -> Error {
    let has_begun = match turn {
        Some(turn) => turn.operation().entries.iter().any(|entry| {
            let is_refused = matches!(entry.fate, Some(Fate::Failed(_)));
            matches!(entry.effect, Effect::DeleteService { .. }) && !is_refused
        }),
        None => !inventory.services.is_empty(),
    };
    if !has_begun || error.traffic.is_some() {
        return error;
    }
    let exit = Exit::LookNow;
    Error { exit, ..error }.traffic(format!(
        "{} -> services that are gone, or about to go",
        inventory.endpoints().production
    ))
}

pub(super) async fn about_to(turn: Option<&Turn>, effect: Effect) -> Result<(), Stop> {
    match turn {
        Some(turn) => turn.about_to(effect).await,
        None => Ok(()),
    }
}

/// Notes in the journal, if there is one, when the removal surely did not happen.
pub(super) fn went_or_not(turn: Option<&Turn>, gone: Result<(), AwsError>) -> Result<()> {
    match turn {
        Some(turn) => update::done_or_not(turn, gone),
        None => Ok(gone?),
    }
}

async fn delete_service(
    session: &Session,
    services: &ColorServices,
    color: Color,
) -> Result<(), AwsError> {
    let deleted = session.aws.delete_service(services, color).await;
    let found = lost::or_found(deleted, &[], async || {
        let service = session.aws.read_service(services, color).await?;
        Ok(service
            .is_none_or(|service| service.is_draining)
            .then_some(()))
    });
    found.await
}

/// Waits until neither service is left, and no task either: a stopping task holds a
/// network interface until it has stopped. A task that belongs to no service and that
/// nobody stops would not go away by waiting.
async fn await_no_task(
    session: &Session,
    services: &ColorServices,
    had_services: bool,
) -> Result<()> {
    let started = Instant::now();
    loop {
        let (services, left) = left(session, services).await?;
        let running = if had_services { left.running } else { 0 };
        let tasks = running + left.stopping;
        let left = match (services, tasks) {
            (0, 0) => return Ok(()),
            (services, 0) => format!("{} still being deleted", counted(services, "service")),
            (_, tasks) => format!("{} still stopping", counted(tasks, "task")),
        };
        session.report.tell(&ReportEvent::Doing(left.clone()));
        if started.elapsed() > TASK_PATIENCE {
            return Err(Error::new(
                Exit::TimedOut,
                format!("{left} after {} s", TASK_PATIENCE.as_secs()),
            )
            .hint("run `bgecs destroy` again: it continues where this one stopped"));
        }
        sleep(session.poll_pause(PAUSE)).await;
    }
}

/// How many services and tasks the cluster still holds.
async fn left(session: &Session, services: &ColorServices) -> Result<(usize, TasksLeft)> {
    let there = match session.aws.read_services(services).await {
        Ok(services) => services.len(),
        Err(error) if error.kind == AwsErrorKind::NotFound => 0,
        Err(error) => return Err(error.into()),
    };
    let family = session.stack_name();
    let tasks = session.aws.tasks_left(services, &family);
    Ok((there, tasks.await?))
}

/// The API accepts one revision a second in the long run; the call budget holds back the
/// rest.
async fn delete_task_definitions(session: &Session, revisions: &Revisions) -> Result<()> {
    for (n, arn) in revisions.active.iter().enumerate() {
        session.report.tell(&ReportEvent::Doing(format!(
            "deregistering {} ({} of {})",
            arn.short(),
            n + 1,
            revisions.active.len()
        )));
        session.aws.deregister_task_definition(arn).await?;
    }
    let all = [&revisions.inactive[..], &revisions.active].concat();
    let kept = session.aws.delete_task_definitions(&all).await?;
    if !kept.is_empty() {
        refuse_kept(session, kept).await?;
    }
    session.report.tell(&ReportEvent::Done(format!(
        "{} deleted",
        counted(all.len(), "task definition")
    )));
    Ok(())
}

/// Ignores those that ECS has in fact deleted or is deleting: an answer to an earlier
/// call may have been lost.
async fn refuse_kept(session: &Session, kept: Vec<Kept>) -> Result<()> {
    let there = session.aws.all_revisions(&session.stack_name()).await?;
    let is_there = |arn: &Revision| there.active.contains(arn) || there.inactive.contains(arn);
    let kept: Vec<Kept> = kept
        .into_iter()
        .filter(|kept| is_there(&kept.arn))
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    let mut error = Error::failed(format!(
        "{} could not be deleted",
        counted(kept.len(), "task definition")
    ));
    for kept in kept {
        error = error.cause(format!("{}: {}", kept.arn.short(), kept.reason));
    }
    Err(error.hint("what is gone stays gone; the same command continues where this one stopped"))
}

async fn delete_images(
    session: &Session,
    turn: Option<&Turn>,
    stack: &StackSnapshot,
) -> Result<()> {
    let Some(repository) = stack.own_repository() else {
        return Ok(());
    };
    about_to(
        turn,
        Effect::DeleteImages {
            repository: repository.to_owned(),
        },
    )
    .await?;
    let images = session.aws.delete_images(repository).await?;
    if images > 0 {
        session.report.tell(&ReportEvent::Done(format!(
            "{} deleted from {repository}",
            counted(images, "image tag")
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
