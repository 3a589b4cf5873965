//! The stack: creates, updates and deletes it, and shows each resource event as it
//! happens.

mod inputs;
mod named;
mod written;

use std::collections::{BTreeMap, HashSet};

use super::turn::Turn;
use super::{given, mend, secure};
use crate::aws::{StackChange, StackInputs, StackSnapshot, StackStatus, TEMPLATE};
use crate::engine::plan::{self, FORWARD, LIVE_COLOR, Made, PLAIN_PORT, StackPlan};
use crate::engine::task_definition::Needs;
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{Color, EcsInfrastructure};
use crate::session::{Session, unusable};

pub use inputs::inputs;
use inputs::refuse_too_long;
pub use named::NamedStack;
pub use written::WrittenStack;

/// What `init` found, and what it is going to do.
pub struct Prepared {
    pub plan: StackPlan,
    pub inputs: StackInputs,
    /// Users stay on port 80 until 443 answers: the redirect is an update of its own.
    pub redirects_last: bool,
    before: Option<StackSnapshot>,
}

#[cfg(test)]
impl Prepared {
    pub fn of(plan: StackPlan, live: &'static str) -> Self {
        let inputs = StackInputs::from([(LIVE_COLOR, live.to_owned())]);
        Self {
            plan,
            inputs,
            redirects_last: false,
            before: None,
        }
    }
}

impl Prepared {
    /// The parameters that the stack was made with, if it exists.
    pub fn made(&self) -> Option<&BTreeMap<String, String>> {
        self.before.as_ref().map(|stack| &stack.parameters)
    }

    /// The parameters of the first update: port 80 stays as it is until users may be
    /// redirected.
    fn inputs_of_update(&self) -> StackInputs {
        let mut inputs = self.inputs.clone();
        if self.redirects_last {
            inputs.insert(PLAIN_PORT, FORWARD.to_owned());
        }
        inputs
    }
}

/// Reads the stack and plans. Changes nothing.
///
/// # Errors
/// A stack that is mid-update or broken, or listeners that bgecs did not set.
pub async fn prepare(
    session: &Session,
    (needs, port): (&Needs, u16),
    before: Option<StackSnapshot>,
    allow_live: bool,
) -> Result<Prepared> {
    let name = session.stack_name();
    let found = given::look(session, (needs, port), before.is_none()).await?;
    let inputs = |live: &str| inputs(&session.config, needs, &found, live);
    let fresh = inputs("none");
    refuse_too_long(&fresh)?;
    let Some(before) = before else {
        return Ok(Prepared {
            plan: StackPlan::Create,
            inputs: fresh,
            redirects_last: false,
            before: None,
        });
    };
    if before.is_unusable() {
        return Err(unusable(&before));
    }
    session.refuse_of_another_kind(&before)?;
    let infra = before.ecs_infrastructure().map_err(|missing| {
        Error::refused(format!(
            "the stack has no output {missing}: bgecs did not make it"
        ))
    })?;
    let left = mend::look(session, &infra).await?;
    if !left.gone.is_empty() {
        let mut inputs = inputs(color_or_none(left.live()?));
        plan::keep_places(&before.parameters, &mut inputs);
        plan::refuse_other_ground(&before.parameters, &inputs)?;
        plan::refuse_plain_again(&before.parameters, &inputs)?;
        if plan::redirect_comes_last(&before.parameters, &inputs) {
            // The next `init` sets the redirect.
            inputs.insert(PLAIN_PORT, FORWARD.to_owned());
        }
        return Ok(Prepared {
            plan: plan::mend(&name, left.gone, &left.services)?,
            inputs,
            redirects_last: false,
            before: Some(before),
        });
    }
    let live = live_color(session, &infra).await?;
    let mut inputs = inputs(live);
    plan::keep_places(&before.parameters, &mut inputs);
    plan::refuse_other_ground(&before.parameters, &inputs)?;
    if !allow_live {
        plan::refuse_another_health_path(&before.parameters, &inputs)?;
    }
    plan::refuse_plain_again(&before.parameters, &inputs)?;
    let template = session.aws.read_template(&name).await?;
    let made = Made {
        template: &template,
        parameters: &before.parameters,
    };
    Ok(Prepared {
        plan: plan::stack(Some(&made), TEMPLATE, &inputs),
        redirects_last: plan::redirect_comes_last(&before.parameters, &inputs),
        inputs,
        before: Some(before),
    })
}

/// Carries out the plan and waits. A stack that is being created has no journal yet, so
/// there is no turn.
///
/// # Errors
/// What CloudFormation says about the first resource that failed.
pub async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    prepared: &Prepared,
) -> Result<EcsInfrastructure> {
    let name = session.stack_name();
    let stack = NamedStack::of(session);
    let mut told = stack.already_told(prepared.before.as_ref()).await?;
    let started = match &prepared.plan {
        StackPlan::NothingToDo => false,
        StackPlan::Create => {
            let made = (TEMPLATE, &prepared.inputs);
            stack.create(made, &stack.token()).await?;
            true
        }
        StackPlan::Mend { gone } => {
            about_to_update(turn, &name).await?;
            mend::begin(session, &prepared.inputs, &stack.token(), gone).await?;
            true
        }
        StackPlan::Update { .. } => {
            about_to_update(turn, &name).await?;
            tell_the_stack_who_is_live(session, prepared, &mut told).await?;
            let inputs = prepared.inputs_of_update();
            stack.update((TEMPLATE, &inputs)).await? == StackChange::Started
        }
    };
    if started {
        stack.settle(&mut told).await?;
    }
    if prepared.redirects_last {
        secure::redirect_once_it_answers(session, turn, &mut told).await?;
    }
    let infrastructure = session.ecs_infrastructure().await?;
    if matches!(prepared.plan, StackPlan::Mend { .. }) {
        mend::check(session, &infrastructure).await?;
    }
    if let Some(turn) = turn.filter(|_| started || prepared.redirects_last) {
        see_the_test_route(session, turn, &infrastructure).await?;
    }
    Ok(infrastructure)
}

pub(super) async fn about_to_update(turn: Option<&Turn>, name: &str) -> Result<()> {
    if let Some(turn) = turn {
        let name = name.to_owned();
        turn.about_to(Effect::UpdateStack { name }).await?;
    }
    Ok(())
}

/// Notes where the test route is now: an update puts it on the idle colour, wherever it
/// was. If production is not where it was, the update did not do that.
async fn see_the_test_route(
    session: &Session,
    turn: &Turn,
    infra: &EcsInfrastructure,
) -> Result<()> {
    let now = session.aws.observe(infra, Some(turn.head())).await?;
    let truth = &now.journal.truth;
    if truth
        .as_ref()
        .is_some_and(|truth| truth.live() == now.live_color())
    {
        turn.saw(&now);
    }
    Ok(())
}

/// If the stack's parameter still names an older live colour, corrects it in an update of
/// its own before the real one: if the real update failed, its rollback would restore the
/// old parameters, and move production with them.
async fn tell_the_stack_who_is_live(
    session: &Session,
    prepared: &Prepared,
    told: &mut HashSet<String>,
) -> Result<()> {
    let Some(before) = &prepared.before else {
        return Ok(());
    };
    let live = &prepared.inputs[LIVE_COLOR];
    if before.parameters.get(LIVE_COLOR) == Some(live) {
        return Ok(());
    }
    change_parameter(session, before, (LIVE_COLOR, live), told).await
}

/// Updates that parameter alone, and waits.
pub(super) async fn change_parameter(
    session: &Session,
    stack: &StackSnapshot,
    change: (&str, &str),
    told: &mut HashSet<String>,
) -> Result<()> {
    let named = NamedStack::of(session);
    let (name, app, token) = (&named.name, named.app, named.token());
    let others = stack.parameters.keys().filter(|key| *key != change.0);
    let update = session
        .aws
        .update_one_parameter(name, app, change, others, &token);
    match named.or_begun(update.await, &token).await? {
        StackChange::Started => named.settle(told).await,
        StackChange::NothingToDo => Ok(()),
    }
}

/// The current live colour, so that an update of the stack keeps it live.
async fn live_color(session: &Session, infra: &EcsInfrastructure) -> Result<&'static str> {
    let observed = session.aws.observe(infra, None).await?;
    if let Some(refusal) = plan::unclear(&observed) {
        let error = Error::from(refusal);
        let message = format!("{}: an update would overwrite it", error.message);
        return Err(Error { message, ..error });
    }
    plan::refuse_drift(&observed)?;
    Ok(color_or_none(observed.live_color()))
}

fn color_or_none(live: Option<Color>) -> &'static str {
    live.map_or("none", Color::as_str)
}

/// Waits until nothing is working on the stack any more.
///
/// # Errors
/// AWS's own.
pub async fn await_settled(session: &Session) -> Result<Option<StackSnapshot>> {
    let name = session.stack_name();
    for round in 0.. {
        let stack = session.aws.read_stack(&name).await?;
        if stack
            .as_ref()
            .is_none_or(|stack| stack.status != StackStatus::Busy)
        {
            return Ok(stack);
        }
        pause(session, round).await;
    }
    Ok(None)
}

/// Deletes the stack and waits until it is gone.
///
/// # Errors
/// As [`NamedStack::delete`].
pub async fn delete(session: &Session, stack: &StackSnapshot) -> Result<()> {
    NamedStack::of(session).delete(stack).await
}

pub(super) async fn pause(session: &Session, round: usize) {
    NamedStack::of(session).pause(round).await;
}

#[cfg(test)]
mod tests;
