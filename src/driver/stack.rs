//! Infrastructure: creating, updating and deleting the stack, showing each
//! resource event as it happens.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::sleep;

use super::turn::Turn;
use crate::aws::{AwsError, StackChange, StackInputs, StackSnapshot, StackStatus, TEMPLATE};
use crate::config::{Config, Definition, SecretKind};
use crate::engine::plan::{self, LIVE_COLOR, Made, StackPlan};
use crate::error::{Error, Result};
use crate::model::journal::Effect;
use crate::model::{Color, Infrastructure};
use crate::report::Event;
use crate::session::{Session, busy};

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
    before: Option<StackSnapshot>,
}

/// Looks at the stack and plans. Changes nothing.
///
/// # Errors
/// A stack that is mid-update or broken, or listeners that bgecs did not set.
pub async fn prepare(
    session: &Session,
    before: Option<StackSnapshot>,
    allow_live: bool,
) -> Result<Prepared> {
    let name = session.stack_name();
    let Some(before) = before else {
        return Ok(Prepared {
            plan: StackPlan::Create,
            inputs: inputs(&session.config, "none"),
            before: None,
        });
    };
    refuse_unusable(&name, &before)?;
    let live = live_color(session, &before).await?;
    let inputs = inputs(&session.config, live);
    if !allow_live {
        plan::refuse_blind_health_path(&before.parameters, &inputs)?;
    }
    let template = session.aws.read_template(&name).await?;
    let made = Made {
        template: &template,
        parameters: &before.parameters,
    };
    Ok(Prepared {
        plan: plan::stack(Some(&made), TEMPLATE, &inputs),
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
) -> Result<Infrastructure> {
    let name = session.stack_name();
    let app = session.app().to_owned();
    let mut told = already_told(session, prepared.before.as_ref()).await?;
    let started = match prepared.plan {
        StackPlan::NothingToDo => false,
        StackPlan::Create => {
            session
                .aws
                .create_stack(&name, &app, &prepared.inputs)
                .await?;
            true
        }
        StackPlan::Update { .. } => {
            if let Some(turn) = turn {
                turn.about_to(Effect::UpdateStack { name: name.clone() })
                    .await?;
            }
            tell_the_stack_who_is_live(session, prepared, &mut told).await?;
            session
                .aws
                .update_stack(&name, &app, &prepared.inputs)
                .await?
                == StackChange::Started
        }
    };
    if started {
        await_stack(session, &name, &mut told).await?;
    }
    session.infrastructure().await
}

/// An update of its own, before the real one, where the stack still has an
/// older live colour in its parameter: should the real update fail, its rollback
/// puts back the parameters from before, and port 80 with them.
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
    let name = session.stack_name();
    let others = before.parameters.keys().filter(|key| *key != LIVE_COLOR);
    let started = session
        .aws
        .update_one_parameter(&name, session.app(), (LIVE_COLOR, live), others)
        .await?;
    if started == StackChange::Started {
        await_stack(session, &name, told).await?;
    }
    Ok(())
}

/// Traffic still flows through such a stack: it is mended, not removed.
fn stuck_hint(name: &str) -> String {
    format!(
        "mend the cause, then `aws cloudformation continue-update-rollback --stack-name {name}`"
    )
}

fn refuse_unusable(name: &str, stack: &StackSnapshot) -> Result<()> {
    let state = format!("the stack {name} is {}", stack.status_text);
    let with_reason = |error: Error| match &stack.reason {
        Some(reason) => error.cause(reason.clone()),
        None => error,
    };
    match stack.status {
        StackStatus::Ready | StackStatus::RolledBack => Ok(()),
        StackStatus::Busy => Err(busy(name, stack)),
        StackStatus::Broken | StackStatus::DeleteFailed => Err(with_reason(
            Error::refused(state)
                .hint("`bgecs destroy` removes it, then `bgecs init` creates it anew"),
        )),
        StackStatus::Stuck => Err(with_reason(
            Error::refused(format!("{state}: an update failed, and its rollback too"))
                .hint(stuck_hint(name)),
        )),
    }
}

/// Today's live colour, so that an update of the stack leaves it live.
async fn live_color(session: &Session, stack: &StackSnapshot) -> Result<&'static str> {
    let infra = stack.infrastructure().map_err(|missing| {
        Error::refused(format!(
            "the stack has no output {missing}: bgecs did not make it"
        ))
    })?;
    let observed = session.aws.observe(&infra, None).await?;
    if let Some(refusal) = plan::unclear(&observed) {
        let error = Error::from(refusal);
        let message = format!("{}: an update would overwrite it", error.message);
        return Err(Error { message, ..error });
    }
    plan::refuse_drift(&observed)?;
    if let Some(color) = observed.half_swapped() {
        return Err(Error::refused(format!(
            "both ports serve {color}: a swap was interrupted between its two writes"
        ))
        .hint(format!(
            "first finish it with `bgecs promote {color}`, or undo it with `bgecs rollback`"
        )));
    }
    Ok(observed.live_color().map_or("none", Color::as_str))
}

/// The template's parameters, from the configuration.
fn inputs(config: &Config, live: &str) -> StackInputs {
    let secrets_of = |kind: SecretKind| -> String {
        let Definition::Settings(settings) = &config.container.definition else {
            return String::new();
        };
        let mut arns: Vec<String> = settings
            .secrets
            .values()
            .filter(|secret| secret.kind() == kind)
            .map(|secret| secret.arn().to_owned())
            .collect();
        arns.sort();
        arns.dedup();
        arns.join(",")
    };
    StackInputs::from([
        ("App", config.app.to_string()),
        (LIVE_COLOR, live.to_owned()),
        ("HealthPath", config.container.health_path.clone()),
        ("TestCidr", config.network.test_cidr.to_string()),
        ("LogRetentionDays", config.logs.retention_days.to_string()),
        (
            "DeregistrationDelaySeconds",
            config
                .load_balancer
                .deregistration_delay
                .as_secs()
                .to_string(),
        ),
        (
            "ImageTagMutability",
            match config.registry.immutable_tags {
                true => "IMMUTABLE",
                false => "MUTABLE",
            }
            .to_owned(),
        ),
        ("SecretArns", secrets_of(SecretKind::SecretsManager)),
        ("ParameterArns", secrets_of(SecretKind::Parameter)),
    ])
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
    session.aws.delete_stack(&name).await?;
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

async fn pause(session: &Session, round: usize) {
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
        session.report.tell(&Event::Stack(&event));
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
    let status = stack.map_or("gone", |stack| stack.status_text.as_str());
    let mut error = Error::failed(format!("the stack {name} is {status}"));
    if let Some(reason) = first_failure.or_else(|| stack.and_then(|stack| stack.reason.clone())) {
        error = error.cause(reason);
    }
    match stack.map(|stack| &stack.status) {
        Some(StackStatus::Broken) => {
            error.hint("`bgecs destroy` removes it; then mend the cause and `bgecs init` again")
        }
        Some(StackStatus::Stuck) => error.hint(stuck_hint(name)),
        Some(StackStatus::DeleteFailed) => error.hint(
            "remove what holds it, and run `bgecs destroy` again: it goes on where it stopped",
        ),
        _ => error.hint("mend the cause and run the command again"),
    }
}
