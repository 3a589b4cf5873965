//! Carries out the decisions about the two colours' scaling, each written to the journal
//! first. When to do so is up to the commands.

use super::destroy::{about_to, went_or_not};
use super::turn::{Stop, Turn};
use super::update::done_or_not;
use super::work::Work;
use crate::engine::scaling::{self, TargetChange};
use crate::engine::twin;
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{Color, ColorServices, EcsInfrastructure, Observed, Scaling};
use crate::report::ReportEvent;
use crate::session::Session;

/// What scales the two colours. None if AWS does not say, which is told as a warning:
/// releases do not need it.
pub async fn look(session: &Session, services: &ColorServices) -> Option<Scaling> {
    match session.aws.read_scaling(services).await {
        Ok(scaling) => Some(scaling),
        Err(error) => {
            let told = format!("whether anything scales the two colours is not known: {error}");
            session.report.tell(&ReportEvent::Warning(told));
            None
        }
    }
}

/// The same; also None if bgecs does not run the colours.
pub async fn of(session: &Session, observed: &Observed) -> Option<Scaling> {
    look(session, &observed.ecs().ok()?.services).await
}

/// Gives that colour the scaling of the live one, and keeps either of them from losing
/// tasks. If the checks would refuse the promotion, nothing is changed.
///
/// # Errors
/// The journal cannot be written; AWS's own.
pub async fn get_ready(work: &Work<'_>, observed: &Observed, to: Color, count: i32) -> Result<()> {
    let (session, turn) = (work.session, work.turn);
    let Ok(infra) = observed.ecs() else {
        return Ok(());
    };
    // The checks say why it is not known.
    let Ok(scaling) = session.aws.read_scaling(&infra.services).await else {
        return Ok(());
    };
    let differences = twin::differences(observed, to, Some(&scaling));
    let changes = scaling::ahead(observed, &scaling, to, count);
    if changes.is_empty() || differences.iter().any(|it| it.is_weaker) {
        return Ok(());
    }
    for change in &changes {
        register(session, turn, infra, change).await?;
    }
    mirror(session, turn, infra, to).await?;
    turn.did().await?;
    session.report.tell(&ReportEvent::Note(format!(
        "{to} is scaled as {} is; neither loses a task until this is over",
        to.other()
    )));
    Ok(())
}

async fn settle(work: &Work<'_>) -> Result<()> {
    let operation = work.turn.operation();
    if !scaling::may_be_moved_by(&operation) {
        return Ok(());
    }
    let is_begun = scaling::is_touched_by(&operation);
    give_roles(work, is_begun, |observed, found, live| {
        scaling::after(observed, found, &operation, live)
    })
    .await
}

/// The same, if somebody else has moved users to where they are.
///
/// # Errors
/// As [`get_ready`].
pub async fn follow_users(work: &Work<'_>) -> Result<()> {
    give_roles(work, false, scaling::where_found).await
}

/// `is_begun` means that some of the scaling was changed already, so what there is must
/// be known.
async fn give_roles(
    work: &Work<'_>,
    is_begun: bool,
    roles: impl Fn(&Observed, &Scaling, Color) -> Vec<TargetChange>,
) -> Result<()> {
    let (session, turn) = (work.session, work.turn);
    let Ok(infra) = work.infrastructure.ecs() else {
        return Ok(());
    };
    let found = match is_begun {
        true => session.aws.read_scaling(&infra.services).await?,
        false => match look(session, &infra.services).await {
            Some(found) => found,
            None => return Ok(()),
        },
    };
    if found.blue.is_none() && found.green.is_none() {
        return Ok(());
    }
    let observed = work.observe().await?;
    let Some(live) = observed.live_color() else {
        return Ok(());
    };
    for change in roles(&observed, &found, live) {
        register(session, turn, infra, &change).await?;
        if change.was.is_none() {
            mirror(session, turn, infra, change.color).await?;
        }
        let (color, target) = (change.color, change.target);
        session
            .report
            .tell(&ReportEvent::Done(match target.is_at_rest() {
                true => format!("the scaling of {color} is suspended: it has no users"),
                false => format!("{color} is scaled {target}"),
            }));
    }
    Ok(())
}

/// Gives each colour the scaling of its role, once users are on only one of them; if that
/// fails, the operation stays open.
///
/// # Errors
/// As [`get_ready`], with what is left to do.
pub async fn settle_or_leave_open(work: &Work<'_>) -> Result<()> {
    settle(work).await.map_err(|error| {
        work.turn.leave_open();
        let message = format!(
            "the scaling of the two colours is not yet as it should be: {}",
            error.message
        );
        Error { message, ..error }.hint_too("`bgecs resume` finishes it")
    })
}

/// Suspends scaling of a colour that is about to be stopped, so that nothing starts its
/// tasks again.
///
/// # Errors
/// As [`get_ready`].
pub async fn suspend(
    session: &Session,
    turn: &Turn,
    observed: &Observed,
    color: Color,
) -> Result<()> {
    let infra = observed.ecs()?;
    let Some(found) = of(session, observed).await else {
        return Ok(());
    };
    match scaling::ahead_of_retiring(observed, &found, color) {
        Some(change) => register(session, turn, infra, &change).await,
        None => Ok(()),
    }
}

/// Deregisters the scaling of services that are about to be deleted. Called before that:
/// if the process is killed in between, the next run finds the scaling by its service.
///
/// # Errors
/// As [`get_ready`].
pub async fn forget(
    session: &Session,
    turn: Option<&Turn>,
    services: &ColorServices,
    colors: impl Iterator<Item = Color>,
) -> Result<()> {
    let mut colors = colors.peekable();
    if colors.peek().is_none() {
        return Ok(());
    }
    let Some(found) = look(session, services).await else {
        return Ok(());
    };
    for color in colors.filter(|color| found.get(*color).is_some()) {
        about_to(turn, Effect::DeregisterScalableTarget { color }).await?;
        let done = session.aws.deregister_scalable_target(services, color);
        went_or_not(turn, done.await)?;
    }
    Ok(())
}

async fn register(
    session: &Session,
    turn: &Turn,
    infra: &EcsInfrastructure,
    change: &TargetChange,
) -> Result<()> {
    let TargetChange {
        color,
        target,
        was,
        beyond,
    } = *change;
    note(turn, Effect::RegisterScalableTarget { color, target, was }).await?;
    let services = &infra.services;
    let done = session
        .aws
        .register_scalable_target(services, color, &target);
    done_or_not(turn, done.await)?;
    turn.has_done();
    if let Some(allowed) = beyond {
        session.report.tell(&ReportEvent::Warning(format!(
            "{color} has more tasks than the {allowed} that its scaling allows: the maximum is {} now, so that none is stopped",
            target.most
        )));
    }
    Ok(())
}

async fn mirror(
    session: &Session,
    turn: &Turn,
    infra: &EcsInfrastructure,
    color: Color,
) -> Result<()> {
    note(turn, Effect::PutScalingPolicies { color }).await?;
    let mirrored = session.aws.mirror_scaling(infra, color).await;
    let besides = done_or_not(turn, mirrored)?;
    turn.has_done();
    for schedule in besides {
        session.report.tell(&ReportEvent::Warning(format!(
            "{color} is also scaled by the schedule `{schedule}`, and {} is not",
            color.other()
        )));
    }
    Ok(())
}

/// Leaves the fate of the entry before open: it may be a move whose result is not known.
async fn note(turn: &Turn, effect: Effect) -> Result<(), Stop> {
    turn.about_to_undo(effect).await
}
