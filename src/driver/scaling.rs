//! Carries out what is decided of the two colours' scaling, each registration written in the
//! journal ahead of it. Says nothing of when: that is a command's.

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

/// What scales the two colours. None where AWS does not say, which is told of: releases
/// need it not.
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

/// The same; None, too, where bgecs does not run the colours.
pub async fn of(session: &Session, observed: &Observed) -> Option<Scaling> {
    look(session, &observed.ecs().ok()?.services).await
}

/// Has that colour scaled as the live one is, and neither of them lose a task. What could
/// not be promoted is left as it is.
///
/// # Errors
/// The journal cannot be written; AWS's own.
pub async fn get_ready(work: &Work<'_>, observed: &Observed, to: Color, count: i32) -> Result<()> {
    let (session, turn) = (work.session, work.turn);
    let Ok(infra) = observed.ecs() else {
        return Ok(());
    };
    // The checks tell why it is not known.
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
        "{to} is scaled as {} is; neither loses a task until it is over",
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

/// The same, where somebody else has brought users to where they are.
///
/// # Errors
/// As [`get_ready`].
pub async fn follow_users(work: &Work<'_>) -> Result<()> {
    give_roles(work, false, scaling::where_found).await
}

/// `is_begun`: it has to be known what scales them, since some of it was changed.
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
                true => format!("what scales {color} is suspended: it has no users"),
                false => format!("{color} is scaled {target}"),
            }));
    }
    Ok(())
}

/// Gives each colour the scaling of its role, once users are on one of them alone; where
/// that fails, the operation has not ended.
///
/// # Errors
/// As [`get_ready`], with what is left to do.
pub async fn settle_or_leave_open(work: &Work<'_>) -> Result<()> {
    settle(work).await.map_err(|error| {
        work.turn.leave_open();
        let message = format!(
            "what scales the two colours is not as it is to be yet: {}",
            error.message
        );
        Error { message, ..error }.hint_too("`bgecs resume` brings it to its end")
    })
}

/// Sees to it that nothing starts the tasks again that a colour is to lose.
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

/// Of services that are to go: who is killed ahead of that finds them by it.
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
            "{color} is scaled by the schedule `{schedule}`, too, and {} is not",
            color.other()
        )));
    }
    Ok(())
}

/// What came before may have been a move of which nobody knows what became.
async fn note(turn: &Turn, effect: Effect) -> Result<(), Stop> {
    turn.about_to_undo(effect).await
}
