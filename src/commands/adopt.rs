//! `bgecs adopt`

use serde::Serialize;

use super::lease;
use super::plan::PlanResult;
use crate::cli::Adopt;
use crate::driver::scaling;
use crate::driver::turn::Conclusion;
use crate::driver::work::Work;
use crate::engine::plan::{self, Step};
use crate::engine::scaling::where_found;
use crate::engine::unfinished;
use crate::error::{Error, Exit, Result};
use crate::model::Observed;
use crate::model::journal::{Command, Drift, Operation, OperationOutcome};
use crate::report::{CommandResult, Style};
use crate::session::Session;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum AdoptOutcome {
    Adopted,
    Unchanged,
}

#[derive(Debug, Serialize)]
struct Adopted {
    operation: Command,
    outcome: AdoptOutcome,
    drift: Vec<Drift>,
    traffic: String,
}

impl CommandResult for Adopted {
    fn human(&self, _: &Style) -> String {
        let what = match self.outcome {
            AdoptOutcome::Unchanged => "nothing to adopt: both routes are where the journal says",
            AdoptOutcome::Adopted => "accepted: what is there now is what is expected from now on",
        };
        format!("{what}\n  {}", self.traffic)
    }
}

pub async fn run(session: &Session, args: &Adopt) -> Result<Exit> {
    if args.change.dry_run {
        let observed = session.observe().await?;
        let unfinished = observed.journal.operation.as_ref();
        acceptable(&observed, unfinished)?;
        let mut steps = Vec::new();
        if is_new(&observed.drift(), unfinished) {
            steps.push(Step::Adopt {
                production: observed.users_on(&observed.traffic.production),
                test: format!("{} -> {}", observed.endpoints().test, observed.traffic.test),
            });
            steps.extend(rescaled(session, &observed).await);
        }
        session
            .report
            .result(&PlanResult::of(Command::Adopt, steps));
        return Ok(Exit::Done);
    }
    let infrastructure = session.infrastructure().await?;
    lease::take(
        session,
        &infrastructure,
        Command::Adopt,
        args.change.wait,
        adopt,
    )
    .await
}

/// What scales users comes to where they are.
async fn rescaled(session: &Session, observed: &Observed) -> Vec<Step> {
    let Some(live) = observed.live_color() else {
        return Vec::new();
    };
    let found = scaling::of(session, observed).await;
    let changes = found.map(|it| where_found(observed, &it, live));
    changes.into_iter().flatten().map(Step::from).collect()
}

async fn adopt(work: Work<'_>) -> Result<Exit> {
    let unfinished = work.turn.unfinished().cloned();
    let observed = work.observe().await?;
    acceptable(&observed, unfinished.as_ref())?;
    let drift = observed.drift();
    work.turn.saw(&observed);
    let is_new = is_new(&drift, unfinished.as_ref());
    let is_begun = unfinished.is_some();
    if let Some(operation) = unfinished {
        work.turn.take_up(operation);
        scaling::settle_or_leave_open(&work).await?;
    }
    if is_new {
        scaling::follow_users(&work).await?;
    }
    if is_begun {
        let reason = Some("what was there was accepted".to_owned());
        work.turn
            .close(Conclusion::of(OperationOutcome::Adopted).because(reason))
            .await?;
    }
    work.session.report.result(&Adopted {
        operation: Command::Adopt,
        outcome: match is_new {
            true => AdoptOutcome::Adopted,
            false => AdoptOutcome::Unchanged,
        },
        drift,
        traffic: observed.traffic_line(),
    });
    Ok(Exit::Done)
}

/// Whether there is anything to adopt.
fn is_new(drift: &[Drift], unfinished: Option<&Operation>) -> bool {
    !drift.is_empty() || unfinished.is_some()
}

/// What is no colour cannot be the truth of two colours; and what bgecs did itself is
/// nothing to accept.
fn acceptable(observed: &Observed, unfinished: Option<&Operation>) -> Result<()> {
    let of_ours = unfinished.and_then(|it| unfinished::refuse_adopting(it, observed).err());
    match of_ours.or_else(|| plan::unclear(observed)) {
        None => Ok(()),
        Some(refusal) => Err(Error::from(refusal).untouched(observed)),
    }
}

#[cfg(test)]
mod tests;
