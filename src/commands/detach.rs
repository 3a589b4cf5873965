//! `bgecs detach`

use serde::Serialize;

use super::destroy::with_table;
use super::lease;
use super::plan::PlanResult;
use crate::aws::StackSnapshot;
use crate::cli::Detach;
use crate::driver::detach::{self, Detachment};
use crate::driver::failover::{self, LedTo};
use crate::driver::stack;
use crate::engine::plan::Step;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupts;
use crate::model::journal::Command;
use crate::model::{Color, EcsInfrastructure};
use crate::report::{CommandResult, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum DetachOutcome {
    Detached,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct DetachResult {
    operation: Command,
    outcome: DetachOutcome,
    app: String,
    region: String,
    /// The service that stays, by its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// The revision that it runs, where bgecs registered it.
    #[serde(skip_serializing_if = "Option::is_none")]
    task_definition: Option<String>,
}

impl CommandResult for DetachResult {
    fn human(&self, _: &Style) -> String {
        match (&self.service, &self.task_definition) {
            (None, _) => {
                let (app, region) = (&self.app, &self.region);
                format!("nothing to do: bgecs is not attached as {app} in {region}")
            }
            (Some(service), None) => {
                format!("detached: the service {service} is as it was, and what bgecs made is gone")
            }
            (Some(service), Some(revision)) => format!(
                "detached: what bgecs made is gone\n  {service} keeps the release that it runs, {revision}"
            ),
        }
    }
}

pub async fn run(session: &Session, args: &Detach) -> Result<Exit> {
    let Some(stack) = session.aws.read_stack(&session.stack_name()).await? else {
        session
            .report
            .result(&result(session, DetachOutcome::Unchanged, None, None));
        return Ok(Exit::Done);
    };
    if session.config.attached.is_some() && stack.infrastructure().is_err() {
        return remove_unmade(session, args, &stack).await;
    }
    let original = original(&stack)?;
    let Some(infrastructure) = with_table(session, &stack).await? else {
        return go_on(session, args, &stack, original).await;
    };
    let ecs = infrastructure.ecs()?;
    if args.change.dry_run {
        let observed = session.aws.observe(ecs, None).await?;
        lease::tell_of_unfinished(session, &observed);
        detach::refuse_cutting_off(&observed, original)?;
        let found = detach::take_inventory(session, ecs, original).await?;
        refuse_failover(session, args, ecs, &found).await?;
        let what = (&found, original.other());
        let steps = detach::steps(session, ecs, what);
        return Ok(planned(session, steps));
    }
    let wait = args.change.wait;
    lease::take(
        session,
        &infrastructure,
        Command::Detach,
        wait,
        async |work| {
            let observed = work.observe().await?;
            detach::refuse_cutting_off(&observed, original)?;
            let found = detach::take_inventory(session, ecs, original).await?;
            refuse_failover(session, args, ecs, &found).await?;
            let parts = (ecs, &stack);
            let detached =
                detach::detach(session, Some(work.turn), parts, (&found, original.other()));
            interruptible(work.interrupts, detached).await?;
            work.turn.is_gone();
            Ok(detached_from(session, ecs, original, &found))
        },
    )
    .await
}

/// Removes a stack whose creation failed: nothing of it was ever used.
async fn remove_unmade(session: &Session, args: &Detach, stack: &StackSnapshot) -> Result<Exit> {
    if args.change.dry_run {
        let name = session.stack_name();
        return Ok(planned(session, vec![Step::DeleteStack { name }]));
    }
    let deleted = stack::delete(session, stack);
    interruptible(&mut Interrupts::listen()?, deleted).await?;
    let service = session
        .config
        .attached
        .as_ref()
        .map(|it| it.service.clone());
    session
        .report
        .result(&result(session, DetachOutcome::Detached, service, None));
    Ok(Exit::Done)
}

/// The journal is gone, and goes with the stack: an earlier detach had come so
/// far that nothing but the stack is left.
async fn go_on(
    session: &Session,
    args: &Detach,
    stack: &StackSnapshot,
    original: Color,
) -> Result<Exit> {
    let infra = session.infrastructure_of(stack)?;
    let infra = infra.ecs()?;
    detach::refuse_users_elsewhere(session, infra, original).await?;
    let found = detach::take_inventory(session, infra, original).await?;
    refuse_failover(session, args, infra, &found).await?;
    if args.change.dry_run {
        let steps = detach::steps(session, infra, (&found, original.other()));
        return Ok(planned(session, steps));
    }
    let detached = detach::detach(session, None, (infra, stack), (&found, original.other()));
    interruptible(&mut Interrupts::listen()?, detached).await?;
    Ok(detached_from(session, infra, original, &found))
}

async fn refuse_failover(
    session: &Session,
    args: &Detach,
    infra: &EcsInfrastructure,
    found: &Detachment,
) -> Result<()> {
    match found.empties_a_group() {
        true => failover::refuse(session, &LedTo::from(infra), args.emptying.allow_failover).await,
        false => Ok(()),
    }
}

fn planned(session: &Session, steps: Vec<Step>) -> Exit {
    session
        .report
        .result(&PlanResult::of(Command::Detach, steps));
    Exit::Done
}

fn detached_from(
    session: &Session,
    infra: &EcsInfrastructure,
    original: Color,
    found: &Detachment,
) -> Exit {
    let service = Some(infra.services.name(original).to_owned());
    let kept = found.kept.as_ref().map(|arn| arn.short().to_owned());
    let detached = result(session, DetachOutcome::Detached, service, kept);
    session.report.result(&detached);
    Exit::Done
}

/// # Errors
/// A stack that `init` made (exit 6).
fn original(stack: &StackSnapshot) -> Result<Color> {
    stack.original().ok_or_else(|| {
        let is_edge = stack.infrastructure().is_ok_and(|it| it.edge().is_some());
        Error::refused(format!(
            "the stack {} is not attached to anything: `bgecs init` made all of it",
            stack.name
        ))
        .hint(match is_edge {
            true => "`bgecs destroy` removes the stack, and leaves users where they are",
            false => "take [colors] out of bgecs.toml, and run `bgecs destroy` instead",
        })
    })
}

async fn interruptible(
    interrupts: &mut Interrupts,
    detached: impl Future<Output = Result<()>>,
) -> Result<()> {
    interrupts
        .or_stop(
            "detaching",
            "what is gone stays gone; `bgecs detach` continues where this one stopped",
            detached,
        )
        .await
}

fn result(
    session: &Session,
    outcome: DetachOutcome,
    service: Option<String>,
    task_definition: Option<String>,
) -> DetachResult {
    DetachResult {
        operation: Command::Detach,
        outcome,
        app: session.app().to_owned(),
        region: session.aws.region().to_owned(),
        service,
        task_definition,
    }
}
