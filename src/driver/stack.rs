//! EcsInfrastructure: creating, updating and deleting the stack, showing each
//! resource event as it happens.

mod inputs;
mod written;

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use super::turn::Turn;
use super::{lost, mend, secure};
use crate::aws::{AwsError, StackChange, StackInputs, StackSnapshot, StackStatus, TEMPLATE};
use crate::engine::plan::{self, FORWARD, LIVE_COLOR, Made, PLAIN_PORT, StackPlan};
use crate::engine::task_definition::Needs;
use crate::error::{Error, Result};
use crate::model::journal::{Effect, OperationId};
use crate::model::{Color, EcsInfrastructure, denial};
use crate::report::ReportEvent;
use crate::session::{Session, unusable};

pub use inputs::inputs;
use inputs::refuse_too_long;
pub use written::WrittenStack;

/// CloudFormation publishes no rate limit; it throttles eager readers.
const POLLS: [Duration; 4] = [
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(3),
    Duration::from_secs(5),
];

/// What `init` found and means to do.
pub struct Prepared {
    pub plan: StackPlan,
    pub inputs: StackInputs,
    /// Users stay on port 80 until 443 answers: an update of its own.
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
    /// Until users are let over, port 80 goes on as it is.
    fn inputs_of_update(&self) -> StackInputs {
        let mut inputs = self.inputs.clone();
        if self.redirects_last {
            inputs.insert(PLAIN_PORT, FORWARD.to_owned());
        }
        inputs
    }
}

/// Looks at the stack and plans. Changes nothing.
///
/// # Errors
/// A stack that is mid-update or broken, or listeners that bgecs did not set.
pub async fn prepare(
    session: &Session,
    needs: &Needs,
    before: Option<StackSnapshot>,
    allow_live: bool,
) -> Result<Prepared> {
    let name = session.stack_name();
    let fresh = inputs(&session.config, needs, "none");
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
        let mut inputs = inputs(&session.config, needs, color_or_none(left.live()?));
        plan::keep_places(&before.parameters, &mut inputs);
        plan::refuse_plain_again(&before.parameters, &inputs)?;
        if plan::redirect_comes_last(&before.parameters, &inputs) {
            // That is the next `init`'s.
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
    let mut inputs = inputs(&session.config, needs, live);
    plan::keep_places(&before.parameters, &mut inputs);
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

/// Carries the plan out and waits. A stack that is made has no journal yet:
/// there is no turn then.
///
/// # Errors
/// What CloudFormation says of the first resource that failed.
pub async fn carry_out(
    session: &Session,
    turn: Option<&Turn>,
    prepared: &Prepared,
) -> Result<EcsInfrastructure> {
    let name = session.stack_name();
    let mut told = already_told(session, prepared.before.as_ref()).await?;
    let started = match &prepared.plan {
        StackPlan::NothingToDo => false,
        StackPlan::Create => {
            create(session, (TEMPLATE, &prepared.inputs), &token(session)).await?;
            true
        }
        StackPlan::Mend { gone } => {
            about_to_update(turn, &name).await?;
            mend::begin(session, &prepared.inputs, &token(session), gone).await?;
            true
        }
        StackPlan::Update { .. } => {
            about_to_update(turn, &name).await?;
            tell_the_stack_who_is_live(session, prepared, &mut told).await?;
            let inputs = prepared.inputs_of_update();
            update(session, (TEMPLATE, &inputs)).await? == StackChange::Started
        }
    };
    if started {
        await_stack(session, &name, &mut told).await?;
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

/// Makes a stack of that template, and waits.
///
/// # Errors
/// As [`carry_out`].
pub async fn make(session: &Session, made: (&str, &StackInputs)) -> Result<()> {
    create(session, made, &token(session)).await?;
    await_stack(session, &session.stack_name(), &mut HashSet::new()).await
}

/// Brings a stack up to date with that template, and waits.
///
/// # Errors
/// As [`carry_out`].
pub async fn renew(
    session: &Session,
    before: Option<&StackSnapshot>,
    made: (&str, &StackInputs),
) -> Result<()> {
    let mut told = already_told(session, before).await?;
    match update(session, made).await? {
        StackChange::Started => await_stack(session, &session.stack_name(), &mut told).await,
        StackChange::NothingToDo => Ok(()),
    }
}

pub(super) async fn about_to_update(turn: Option<&Turn>, name: &str) -> Result<()> {
    if let Some(turn) = turn {
        let name = name.to_owned();
        turn.about_to(Effect::UpdateStack { name }).await?;
    }
    Ok(())
}

/// An update puts the test route on the idle colour, wherever it was; production,
/// if it is not where it was, is not its doing.
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

/// Names one call among all: CloudFormation takes it with each try, and gives it
/// back with each event.
fn token(session: &Session) -> String {
    OperationId::new(session.aws.journal_time(), fastrand::u32(..)).to_string()
}

/// # Errors
/// A stack that somebody else makes at the same moment (exit 6); AWS's own.
async fn create(session: &Session, made: (&str, &StackInputs), token: &str) -> Result<()> {
    const THERE_ALREADY: &str = "AlreadyExistsException";
    let name = session.stack_name();
    let created = session.aws.create_stack(&name, session.app(), made, token);
    let found = lost::or_found(created.await, &[THERE_ALREADY], async || {
        Ok(session.aws.has_begun(&name, token).await?.then_some(()))
    });
    found
        .await
        .map_err(|error| match error.has_code(THERE_ALREADY) {
            true => Error::refused(format!(
                "something else has made the stack {name} meanwhile"
            ))
            .cause(error.to_string())
            .hint("run `bgecs init` again: it continues from what is there"),
            false => error.into(),
        })
}

async fn update(session: &Session, made: (&str, &StackInputs)) -> Result<StackChange, AwsError> {
    let (name, token) = (session.stack_name(), token(session));
    let updated = session.aws.update_stack(&name, session.app(), made, &token);
    or_begun(session, updated.await, &token).await
}

/// A second try of an update finds the stack busy with the first one.
async fn or_begun(
    session: &Session,
    updated: Result<StackChange, AwsError>,
    token: &str,
) -> Result<StackChange, AwsError> {
    let name = session.stack_name();
    lost::or_found(updated, &["ValidationError"], async || {
        let has_begun = session.aws.has_begun(&name, token).await?;
        Ok(has_begun.then_some(StackChange::Started))
    })
    .await
}

/// An update of its own, before the real one, where the stack still has an
/// older live colour in its parameter: should the real update fail, its rollback
/// puts back the parameters from before, and production with them.
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

/// An update of that parameter alone, and waits.
pub(super) async fn change_parameter(
    session: &Session,
    stack: &StackSnapshot,
    change: (&str, &str),
    told: &mut HashSet<String>,
) -> Result<()> {
    let (name, app, token) = (session.stack_name(), session.app(), token(session));
    let others = stack.parameters.keys().filter(|key| *key != change.0);
    let update = session
        .aws
        .update_one_parameter(&name, app, change, others, &token);
    match or_begun(session, update.await, &token).await? {
        StackChange::Started => await_stack(session, &name, told).await,
        StackChange::NothingToDo => Ok(()),
    }
}

/// Today's live colour, so that an update of the stack leaves it live.
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

async fn already_told(
    session: &Session,
    before: Option<&StackSnapshot>,
) -> Result<HashSet<String>> {
    let Some(before) = before else {
        return Ok(HashSet::new());
    };
    let events = session.aws.stack_events(&before.id).await?;
    Ok(events.into_iter().map(|event| event.id).collect())
}

/// Waits until nothing is at work on the stack any more.
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

async fn await_stack(session: &Session, name: &str, told: &mut HashSet<String>) -> Result<()> {
    let mut first_failure = None;
    for round in 0.. {
        // Read before the events, so that the last events are not missed.
        let stack = session.aws.read_stack(name).await?;
        tell_events(
            session,
            stack.as_ref().map_or(name, |stack| stack.id.as_str()),
            told,
            &mut first_failure,
        )
        .await?;
        match stack.as_ref().map(|stack| &stack.status) {
            Some(StackStatus::Busy) => {}
            Some(StackStatus::Ready) => return Ok(()),
            _ => return Err(stack_failed(name, stack.as_ref(), first_failure)),
        }
        pause(session, round).await;
    }
    Ok(())
}

/// Deletes the stack and waits until it is gone.
///
/// # Errors
/// What CloudFormation says of the first resource that it could not delete.
pub async fn delete(session: &Session, stack: &StackSnapshot) -> Result<()> {
    let name = session.stack_name();
    let mut told = already_told(session, Some(stack)).await?;
    let mut first_failure = None;
    let deleted = session.aws.delete_stack(&name).await;
    let found = lost::or_found(deleted, &[], async || {
        let now = session.aws.read_stack(&name).await?;
        Ok(now
            .is_none_or(|now| now.status_text.starts_with("DELETE_"))
            .then_some(()))
    });
    found.await?;
    for round in 0.. {
        let now = session.aws.read_stack(&name).await?;
        tell_events(session, &stack.id, &mut told, &mut first_failure).await?;
        match now.as_ref().map(|stack| &stack.status) {
            None => return Ok(()),
            Some(StackStatus::Busy) => {}
            Some(_) => return Err(stack_failed(&name, now.as_ref(), first_failure)),
        }
        pause(session, round).await;
    }
    Ok(())
}

pub(super) async fn pause(session: &Session, round: usize) {
    let pause = POLLS.get(round).copied().unwrap_or(POLLS[POLLS.len() - 1]);
    sleep(session.poll_pause(pause)).await;
}

async fn tell_events(
    session: &Session,
    id: &str,
    told: &mut HashSet<String>,
    first_failure: &mut Option<String>,
) -> Result<(), AwsError> {
    for event in session.aws.stack_events(id).await? {
        if !told.insert(event.id.clone()) {
            continue;
        }
        session.report.tell(&ReportEvent::Stack(&event));
        let has_failed = event.status.ends_with("_FAILED");
        // What follows the first failure is cancelled because of it.
        if has_failed && first_failure.is_none() {
            let reason = event.reason.as_deref().unwrap_or("no reason given");
            *first_failure = Some(format!(
                "{} ({}): {reason}",
                event.resource, event.resource_type
            ));
        }
    }
    Ok(())
}

fn stack_failed(name: &str, stack: Option<&StackSnapshot>, first_failure: Option<String>) -> Error {
    const WHOM: &str = "for these credentials";
    let mut error = match stack {
        Some(stack) => Error::failed(stack.sentence()),
        None => Error::failed(format!("the stack {name} is gone")),
    };
    error.hint = stack.and_then(StackSnapshot::way_on);
    let why = first_failure.or_else(|| stack.and_then(|stack| stack.reason.clone()));
    if let Some(why) = why {
        // What is missing comes first, and then what to do with the stack.
        let missing = denial::hint(&why, "what the template makes", WHOM);
        let after = error.hint.take();
        error.hint = missing;
        error = after
            .into_iter()
            .fold(error, |error, hint| error.hint_too(&hint));
        error = error.cause(why);
    }
    if error.hint.is_none() {
        error = error.hint("fix the cause and run the command again");
    }
    error
}

#[cfg(test)]
mod tests;
